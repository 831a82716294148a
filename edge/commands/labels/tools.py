"""The exports of COCO, CVAT, labelme and Label Studio, and the project's own list of pictures.

Each function takes what `json` or the XML parser gives, and raises KeyError, TypeError, ValueError
or the like for what it does not know: `read` reports which file it was.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

from edge.commands.labels.labelled import Mark, Marked, Point, box_mark, outline_mark

# Of COCO's keypoints the nearest to a head's middle; as (x, y, visibility), 0 for not marked.
_HEAD_POINTS = ("head", "nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top")
_LEAST_OUTLINE = 3
_BOX = 4


def from_coco(document: dict[str, Any]) -> Iterator[Marked]:
    """Boxes, or the head's keypoint where there is one; what is marked as a crowd is no person."""
    labels = {each["id"]: each for each in document.get("categories", [])}
    marks: dict[Any, list[Mark]] = {image["id"]: [] for image in document["images"]}
    for each in document["annotations"]:
        if not each.get("iscrowd"):
            marks[each["image_id"]].append(_coco_mark(each, labels.get(each["category_id"], {})))
    for image in document["images"]:
        size = _size(image.get("width"), image.get("height"))
        yield Marked(str(image["file_name"]), tuple(marks[image["id"]]), size)


def _coco_mark(annotation: dict[str, Any], category: dict[str, Any]) -> Mark:
    label = str(category.get("name", ""))
    flat = annotation.get("keypoints") or []
    points = list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    names = category.get("keypoints") or [""] * len(points)
    seen = {name: (x, y) for name, (x, y, visible) in zip(names, points, strict=False) if visible}
    named = [seen[name] for name in _HEAD_POINTS if name in seen]
    if named or (len(points) == 1 and seen):
        x, y = named[0] if named else next(iter(seen.values()))
        return Mark(float(x), float(y), label)
    box = annotation["bbox"]
    if len(box) != _BOX:
        raise ValueError(f"a bbox is {box}, and must be left, top, width and height")
    left, top, width, height = (float(value) for value in box)
    return box_mark(left, top, width, height, label)


def from_cvat(document: ElementTree.Element) -> Iterator[Marked]:
    """CVAT for images 1.1, and for video 1.1, whose frames are named frame_000123."""
    for image in document.iter("image"):
        size = _size(image.get("width"), image.get("height"))
        marks = [mark for shape in image for mark in _cvat_marks(shape, shape.get("label", ""))]
        yield Marked(image.attrib["name"], tuple(marks), size)
    frames: dict[int, list[Mark]] = {}
    for track in document.iter("track"):
        for shape in track:
            if shape.get("outside") != "1" and shape.get("frame") is not None:
                found = frames.setdefault(int(shape.attrib["frame"]), [])
                found += _cvat_marks(shape, track.get("label", ""))
    for number, marks in sorted(frames.items()):
        yield Marked(f"frame_{number:06d}", tuple(marks))


def _cvat_marks(shape: ElementTree.Element, label: str) -> list[Mark]:
    if shape.tag == "box":
        left, top, right, bottom = (
            float(shape.attrib[name]) for name in ("xtl", "ytl", "xbr", "ybr")
        )
        return [box_mark(left, top, right - left, bottom - top, label)]
    if shape.tag == "ellipse":
        return [Mark(float(shape.attrib["cx"]), float(shape.attrib["cy"]), label)]
    if shape.tag not in {"points", "polygon", "polyline"}:
        return []
    pairs = [pair.split(",") for pair in shape.attrib["points"].split(";")]
    points = [(float(x), float(y)) for x, y in pairs]
    if shape.tag == "points":
        return [Mark(x, y, label) for x, y in points]
    return [outline_mark(points, label)]


def from_labelme(document: dict[str, Any]) -> Marked:
    """One picture's file: points as they are, circles by their middle, others by their box."""
    marks = [
        mark
        for shape in document["shapes"]
        for mark in _labelme_marks(shape, str(shape.get("label", "")))
    ]
    size = _size(document.get("imageWidth"), document.get("imageHeight"))
    return Marked(str(document["imagePath"]).replace("\\", "/"), tuple(marks), size)


def _labelme_marks(shape: dict[str, Any], label: str) -> list[Mark]:
    points: list[Point] = [(float(x), float(y)) for x, y in shape["points"]]
    if not points:
        raise ValueError(f"a shape labelled {label!r} has no points")
    kind = shape.get("shape_type") or ("point" if len(points) == 1 else "polygon")
    if kind in {"point", "points"}:
        return [Mark(x, y, label) for x, y in points]
    if kind == "circle":
        return [Mark(*points[0], label)]
    return [outline_mark(points, label)]


def from_label_studio(tasks: list[dict[str, Any]]) -> Iterator[Marked]:
    """JSON and JSON-MIN; a task without labels is left out."""
    for task in tasks:
        if "data" not in task:
            yield _minimal(task)
            continue
        done = [each for each in task.get("annotations", []) if not each.get("was_cancelled")]
        if done:
            best = max(done, key=lambda each: bool(each.get("ground_truth")))
            name = task.get("file_upload") or _picture_of(task["data"])
            yield _studio_picture(str(name), best["result"])


def _minimal(task: dict[str, Any]) -> Marked:
    results = [
        {"value": each, **each}
        for values in task.values()
        if isinstance(values, list)
        for each in values
        if isinstance(each, dict) and "original_width" in each
    ]
    return _studio_picture(_picture_of(task), results)


def _picture_of(data: dict[str, Any]) -> str:
    """The picture's address among a task's data: `image`, else the first text that is one."""
    texts = [data["image"]] if "image" in data else [v for v in data.values() if "." in str(v)]
    return str(texts[0])


def _studio_picture(address: str, results: list[dict[str, Any]]) -> Marked:
    marks, size = [], None
    for result in results:
        value = result.get("value", {})
        if "original_width" in result:
            size = _size(result["original_width"], result["original_height"])
        if size is not None and "x" in value:
            marks.append(_studio_mark(value, size))
        elif size is not None and len(value.get("points", [])) >= _LEAST_OUTLINE:
            outline = [(x * size[0] / 100, y * size[1] / 100) for x, y in value["points"]]
            marks.append(outline_mark(outline, _studio_label(value)))
    return Marked(studio_name(address), tuple(marks), size)


def _studio_mark(value: dict[str, Any], size: tuple[int, int]) -> Mark:
    """Percent of the picture; a key point's width is that of its dot, an ellipse's x its middle."""
    label = _studio_label(value)
    x, y = value["x"] * size[0] / 100, value["y"] * size[1] / 100
    if "height" not in value or "radiusX" in value:
        return Mark(x, y, label)
    return box_mark(x, y, value["width"] * size[0] / 100, value["height"] * size[1] / 100, label)


def _studio_label(value: dict[str, Any]) -> str:
    lists = [each for name, each in value.items() if name.endswith("labels") and each]
    return str(lists[0][0]) if lists else ""


def studio_name(address: str) -> str:
    """The picture's own name in an address of Label Studio, without what an upload puts before."""
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    path = unquote(local[0] if local else parts.path or address).replace("\\", "/")
    folder, _, name = path.rpartition("/")
    name = re.sub(r"^[0-9a-f]{8}-(?=.)", "", name)
    return f"{folder}/{name}" if folder and local else name


def from_list(lines: list[dict[str, Any]]) -> Iterator[Marked]:
    """One object a picture: image, heads [[x, y], ...], and its width and height."""
    for line in lines:
        marks = tuple(Mark(float(x), float(y)) for x, y in line["heads"])
        yield Marked(str(line["image"]), marks, _size(line.get("width"), line.get("height")))


def _size(width: Any, height: Any) -> tuple[int, int] | None:
    return (int(width), int(height)) if width and height else None
