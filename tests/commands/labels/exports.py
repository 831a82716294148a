"""Real forms of labels, as each tool exports them: two heads in a.jpg, nobody in b.jpg."""

import json
from pathlib import Path
from typing import Any

SIZE = (200, 100)
# The heads of a.jpg in px: upper middles of boxes, or the points themselves.
HEADS = [(20.0, 30.0), (150.0, 40.0)]
_BOXES = [(10.0, 30.0, 20.0, 50.0), (140.0, 40.0, 20.0, 60.0)]


def coco(folder: Path) -> Path:
    document = {
        "info": {"description": "export", "version": "1.0"},
        "licenses": [{"id": 1, "name": "", "url": ""}],
        "categories": [
            {"id": 1, "name": "person", "supercategory": ""},
            {"id": 2, "name": "car", "supercategory": ""},
        ],
        "images": [
            {"id": 7, "width": 200, "height": 100, "file_name": "images/a.jpg", "license": 0},
            {"id": 8, "width": 200, "height": 100, "file_name": "images/b.jpg", "license": 0},
        ],
        "annotations": [
            *(
                {
                    "id": n, "image_id": 7, "category_id": 1, "segmentation": [], "bbox": box,
                    "area": box[2] * box[3], "iscrowd": 0,
                }
                for n, box in enumerate(_BOXES)
            ),
            {"id": 5, "image_id": 7, "category_id": 2, "bbox": [0, 0, 9, 9], "iscrowd": 0},
            {"id": 6, "image_id": 8, "category_id": 1, "bbox": [0, 0, 90, 90], "iscrowd": 1},
        ],
    }  # fmt: skip
    return _written(folder / "instances_default.json", document)


def coco_keypoints(folder: Path) -> Path:
    def annotation(number: int, x: float, y: float) -> dict[str, Any]:
        keypoints = [x, y, 2, 0, 0, 0, x, y + 30, 2]
        return {
            "id": number, "image_id": 1, "category_id": 1, "keypoints": keypoints,
            "num_keypoints": 2, "bbox": [x - 30, y - 5, 60, 90], "iscrowd": 0,
        }  # fmt: skip

    names = ["nose", "left_eye", "left_hip"]
    document = {
        "categories": [{"id": 1, "name": "person", "keypoints": names, "skeleton": [[1, 2]]}],
        "images": [
            {"id": 1, "width": 200, "height": 100, "file_name": "a.jpg"},
            {"id": 2, "width": 200, "height": 100, "file_name": "b.jpg"},
        ],
        "annotations": [annotation(n, x, y) for n, (x, y) in enumerate(HEADS)],
    }
    return _written(folder / "person_keypoints.json", document)


def cvat(folder: Path) -> Path:
    text = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><name>street</name><labels><label><name>person</name></label></labels></task></meta>
  <image id="0" name="day1/a.jpg" width="200" height="100">
    <box label="person" source="manual" occluded="0" xtl="10.00" ytl="30.00" xbr="30.00"
         ybr="80.00" z_order="0"></box>
    <points label="person" source="manual" occluded="0" points="150.00,40.00" z_order="0"></points>
  </image>
  <image id="1" name="day1/b.jpg" width="200" height="100"></image>
</annotations>
"""
    return _written(folder / "annotations.xml", text)


def labelme(folder: Path) -> Path:
    """A file for each picture: the folder is what is given."""

    def document(name: str, shapes: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": f"..\\day1\\{name}",
            "imageData": None, "imageHeight": 100, "imageWidth": 200,
        }  # fmt: skip

    shapes: list[dict[str, Any]] = [
        {"label": "head", "points": [[20, 30]], "group_id": None, "shape_type": "point"},
        {"label": "head", "points": [[150, 40], [155, 45]], "shape_type": "circle", "flags": {}},
        {"label": "bag", "points": [[1, 1], [5, 5]], "shape_type": "rectangle", "flags": {}},
    ]
    _written(folder / "a.json", document("a.jpg", shapes))
    _written(folder / "b.json", document("b.jpg", []))
    return folder


def label_studio(folder: Path) -> Path:
    def result(kind: str, value: dict[str, Any]) -> dict[str, Any]:
        return {
            "original_width": 200, "original_height": 100, "image_rotation": 0, "value": value,
            "id": "x", "from_name": "label", "to_name": "image", "type": kind, "origin": "manual",
        }  # fmt: skip

    box = {"x": 5.0, "y": 30.0, "width": 10.0, "height": 50.0, "rotation": 0}
    point = {"x": 75.0, "y": 40.0, "width": 0.4}
    tasks = [
        {
            "id": 1, "file_upload": "1f2e3d4c-a.jpg",
            "data": {"image": "/data/upload/3/1f2e3d4c-a.jpg"},
            "annotations": [
                {"id": 1, "was_cancelled": True, "result": [result("keypointlabels", point)]},
                {
                    "id": 2, "was_cancelled": False, "ground_truth": False,
                    "result": [
                        result("rectanglelabels", {**box, "rectanglelabels": ["Person"]}),
                        result("keypointlabels", {**point, "keypointlabels": ["Person"]}),
                    ],
                },
            ],
        },
        {
            "id": 2, "data": {"image": "/data/local-files/?d=day1%2Fb.jpg"},
            "annotations": [{"id": 3, "was_cancelled": False, "result": []}],
        },
        {"id": 3, "data": {"image": "/data/upload/3/00000000-c.jpg"}, "annotations": []},
    ]  # fmt: skip
    return _written(folder / "project-3-at-2026-03-01.json", tasks)


def label_studio_min(folder: Path) -> Path:
    def point(x: float, y: float) -> dict[str, Any]:
        return {
            "x": x, "y": y, "width": 0.4, "keypointlabels": ["Head"], "original_width": 200,
            "original_height": 100,
        }  # fmt: skip

    tasks = [
        {
            "image": "/data/upload/3/1f2e3d4c-a.jpg", "id": 1, "annotator": 1,
            "kp-1": [point(10, 30), point(75, 40)], "created_at": "2026-03-01T10:00:00.000Z",
        },
        {"image": "/data/upload/3/1f2e3d4d-b.jpg", "id": 2, "annotator": 1, "lead_time": 3.5},
    ]  # fmt: skip
    return _written(folder / "project-3-min.json", tasks)


def table(folder: Path) -> Path:
    return _written(folder / "labels.csv", "picture,x,y\na.jpg,20,30\na.jpg,150,40\nb.jpg,,\n")


def excel_table(folder: Path) -> Path:
    """As a German or French Excel writes it: byte order mark, semicolons, decimal commas."""
    text = "\ufeffpicture;x;y\r\na.jpg;20,0;30,0\r\na.jpg;150,0;40,0\r\nb.jpg;;\r\n"
    return _written(folder / "labels.csv", text)


def listed(folder: Path) -> Path:
    lines = [
        {"image": "a.jpg", "width": 200, "height": 100, "split": "val", "heads": HEADS},
        {"image": "b.jpg", "width": 200, "height": 100, "split": "val", "heads": []},
    ]
    return _written(folder / "street.jsonl", "\n".join(map(json.dumps, lines)))


EXPORTS = (
    coco, coco_keypoints, cvat, labelme, label_studio, label_studio_min, table, excel_table, listed,
)  # fmt: skip


def _written(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    path.write_text(text, encoding="utf-8", newline="")
    return path
