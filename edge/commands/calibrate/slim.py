"""Whether a ground plane's points speak of pixels that are not square: figures too slim or wide.

The points alone give the camera's height if pixels are square (`Survey.pose`). Where that is not
the height that was measured, but would be with pixels of a usual other shape, they probably are so.
"""

from edge.common.errors import GroundError
from edge.site.ground.plane import GroundPlane
from edge.site.schema import Ground

# Of recorders that halve the width or height, and of ITU-R BT.601 for 4:3 and 16:9.
USUAL = (2.0, 64 / 45, 16 / 11, 4 / 3, 40 / 33, 32 / 27, 12 / 11, 16 / 15, 10 / 11, 8 / 9, 0.5)
DOUBTED_FROM, BELIEVED_TO = 0.08, 0.03  # parts of the stated height


def slimness(ground: Ground) -> str | None:
    """One line where other pixels would explain the points; None where square ones do."""
    stated = ground.camera_height_m
    if ground.camera_foot_m is not None or _misfit(ground, 1.0) <= DOUBTED_FROM:
        return None
    misfit, aspect = min((_misfit(ground, aspect), aspect) for aspect in USUAL)
    if misfit > BELIEVED_TO:
        return None
    looks = "slim" if aspect > 1 else "wide"
    return (
        f"with pixels {aspect:.3g} times as wide as high the points would agree with "
        f"camera_height_m = {stated:g}, with square ones they do not: do people look too {looks}? "
        f"then set camera.pixel_aspect = {aspect:.3g} (here: --pixel-aspect) and mark the points "
        "in that picture"
    )


def _misfit(ground: Ground, aspect: float) -> float:
    """By which part the height of the points is not the stated one, with such pixels."""
    stretched = {
        **ground.model_dump(),
        "points": [(x * aspect, y, across, along) for x, y, across, along in ground.points],
        "picture_width": round(ground.picture_width * aspect),
    }
    try:
        height_m = GroundPlane.of(Ground.model_validate(stretched)).derived_height_m
    except (GroundError, ValueError):
        return 1.0
    return 1.0 if height_m is None else abs(height_m / ground.camera_height_m - 1)
