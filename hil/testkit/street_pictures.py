"""Pictures of the simulated street, drawn once and kept for all tests."""

from pathlib import Path

from PIL import Image

from edge.street.scene import Scene
from hil.testkit.locked import locked

PICTURES = Path(__file__).parents[2] / "build" / "pictures" / "street"
MOMENTS_S = [100.0 + 0.5 * number for number in range(20)]  # a street with few people: CLEAR


def draw_pictures() -> None:
    """Put the pictures into PICTURES, unless another test has done so."""
    with locked(PICTURES.parent):
        PICTURES.mkdir(exist_ok=True)
        files = [PICTURES / f"{number:02}.jpg" for number in range(len(MOMENTS_S))]
        if all(file.exists() for file in files):
            return
        scene = Scene()
        for file, moment_s in zip(files, MOMENTS_S, strict=True):
            draft = file.with_suffix(".draft")
            Image.fromarray(scene.at(moment_s).pixels).save(draft, "jpeg", quality=90)
            draft.rename(file)
