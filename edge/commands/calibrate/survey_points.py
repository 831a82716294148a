"""`redroad calibrate`: from marked points to the site file's ground plane, and a picture of it.

A point is where something stands on the ground: its px in the picture, and its metres in a square
frame laid on the street (X to the right, Y away from the camera, from any corner).
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import tomlkit
from numpy.typing import NDArray
from PIL import ImageFont
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge.common.atomic_write import atomic_write
from edge.common.errors import GroundError, SiteError
from edge.common.tables import decoded, is_number, number, rows_of
from edge.site.ground.plane import GroundPlane
from edge.site.ground.region import HEAD_M
from edge.site.ground.survey import LEAST
from edge.site.load import wanted
from edge.site.schema import Ground, Zone
from edge.watch.look import Look

Floats = NDArray[np.float64]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Marked = tuple[float, float, float, float]

COLUMNS = ("x", "y", "X", "Y")  # of a table of points
LEAST_HEAD_PX = 6.0  # in the counter's input; the model card's lower bound
ERROR_M = 0.1
FIGURE_M = 1.7
GRID, FIGURE, ZONE, MARK = (80, 220, 255), (255, 255, 255), (255, 200, 40), (255, 60, 60)
LIMIT = (120, 255, 120)


def parse_point(text: str) -> Marked:
    """A point written as "x,y=X,Y"."""
    sides = [side.split(",") for side in text.split("=")]
    try:
        (x, y), (across, along) = ([float(number) for number in side] for side in sides)
        if not np.isfinite((x, y, across, along)).all():
            raise ValueError(text)
    except ValueError:
        raise GroundError(
            f"point {text!r} is not understood; write px and metres as x,y=X,Y, "
            "for example 412,233=2.5,16"
        ) from None
    return x, y, across, along


def read_points(path: Path) -> list[Marked]:
    """The points of a TOML file (`points = [[x, y, X, Y], ...]`) or of a table x,y,X,Y (CSV)."""
    try:
        text = decoded(path.read_bytes())
        if path.suffix.lower() == ".toml":
            document = tomllib.loads(text)
            rows = document.get("ground", document)["points"]
            return [(float(x), float(y), float(a), float(b)) for x, y, a, b in rows]
        return [_marked(cells) for cells in _without_head(rows_of(text, len(COLUMNS)))]
    except OSError as error:
        raise GroundError(
            f"points file {path}: cannot be read ({error.strerror}); check the path"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise GroundError(
            f"points file {path}: {error}; must have a row x,y,X,Y for each point"
        ) from error


def _without_head(rows: list[tuple[int, list[str]]]) -> list[list[str]]:
    """Return the lines of a table but for its first where that names the columns."""
    lines = [cells for _, cells in rows]
    return lines[1:] if lines and not any(map(is_number, lines[0])) else lines


def _marked(cells: list[str]) -> Marked:
    """A line's four numbers; empty cells after them are a spreadsheet's."""
    while len(cells) > len(COLUMNS) and not cells[-1]:
        cells = cells[:-1]
    if len(cells) != len(COLUMNS):
        raise ValueError(f"{','.join(cells)!r} has {len(cells)} values and not {len(COLUMNS)}")
    x, y, across, along = map(number, cells)
    return x, y, across, along


def make_ground(points: Sequence[Marked], size: tuple[int, int], **options: object) -> Ground:
    """Return the site file's section; GroundError for a value out of bounds."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Ground.model_validate(
            {"points": list(points), "picture_width": size[0], "picture_height": size[1], **given}
        )
    except ValidationError as error:
        lines = [_out_of_bounds(mistake, len(points)) for mistake in error.errors()]
        raise GroundError("\n".join(lines)) from error


def _out_of_bounds(mistake: ErrorDetails, points: int) -> str:
    name, *place = mistake["loc"]
    if name != "points":
        return f"{name} = {mistake['input']!r} must be {wanted(mistake)}; change it"
    if place:
        return (
            f"point {int(place[0]) + 1}: {mistake['input']!r} must be {wanted(mistake)}; change it"
        )
    remedy = "mark more" if points < LEAST else "leave some out"
    bound = wanted(mistake).removeprefix("a list of ")
    return f"{points} points are given, must be {bound}; {remedy}"


def tell(plane: GroundPlane, ground: Ground, look: Look) -> list[str]:
    """Return what a technician should know of a calibration, in a line each."""
    marks = np.array(ground.points)[:, 2:]
    distances = np.hypot(*(marks - plane.foot).T)
    near, far = marks[distances.argmin()], marks[distances.argmax()]
    lines = [
        f"point {number} ({x:g}, {y:g} px) is {miss:.2f} m off"
        for number, ((x, y, _, _), miss) in enumerate(
            zip(ground.points, plane.residuals_m, strict=True), 1
        )
    ]
    if len(ground.points) == 4:
        lines.append("four points always fit: a fifth would show a wrong one")
    lines += [
        f"camera foot at {_place(plane.foot)}, {plane.camera_height_m:g} m up"
        + _derived(plane.derived_height_m),
        f"at {_place(near)} a metre is {_scale(plane, near):.0f} px, "
        f"at {_place(far)} {_scale(plane, far):.0f} px",
        f"heads can be counted up to {farthest_m(plane, look):.0f} m from the camera's foot; "
        + _why_not_farther(plane, look),
        *_errors(plane),
    ]
    if np.linalg.det(plane.to_ground) > 0:
        lines.append("the metres run mirrored: check that X is to the right and Y away")
    return lines


def _why_not_farther(plane: GroundPlane, look: Look) -> str:
    top = plane.feet(np.array([plane.width / 2, 0.0]))
    least = least_px_per_m(look, np.array([plane.width / 2, 0.0]))
    if np.isfinite(top).all() and plane.px_per_m(top) >= least:
        return "farther ones are above the picture's edge"
    return f"farther ones are less than {LEAST_HEAD_PX:g} px wide for {look.entry.name}"


def _errors(plane: GroundPlane) -> list[str]:
    """Area goes with ((Hc - h) / Hc)^2, so density with its inverse."""
    height, head = plane.camera_height_m, plane.head_height_m
    camera = 2 * head * ERROR_M / (height * (height - head))
    stature = 2 * ERROR_M / (height - head)
    return [
        f"10 cm of camera height change the density by {100 * camera:.1f} %",
        f"10 cm of people's height change it by {100 * stature:.1f} %",
    ]


def _derived(height_m: float | None) -> str:
    return "" if height_m is None else f" (the points alone say {height_m:.1f} m)"


def _place(ground: Floats) -> str:
    return f"({ground[0]:.1f}, {ground[1]:.1f}) m"


def _scale(plane: GroundPlane, ground: Floats) -> float:
    return float(plane.px_per_m(ground))


def least_px_per_m(look: Look, picture: Floats) -> Floats:
    """Px of the picture for a metre that a head at px (..., 2) needs, before it is scaled."""
    return np.asarray(LEAST_HEAD_PX / (HEAD_M * look.ratios(picture)))


def head_px(zones: Sequence[Zone], plane: GroundPlane, look: Look, everything: Look) -> str:
    """Say how wide a head is in the model's input, far and near, in this look and in a whole one.

    `zones` lie on the ground.
    """
    outline = np.array([corner for zone in zones for corner in zone.ground or ()])
    heads = HEAD_M * plane.px_per_m(outline)
    seen = heads * look.ratios(plane.picture(outline, plane.head_height_m))
    said = (
        f"heads in the zones are {seen.min():.1f} to {seen.max():.1f} px wide for "
        f"{look.entry.name}, which looks at {look}"
    )
    if look == everything:
        return f"{said}, the whole picture"
    heads *= everything.ratio
    return (
        f"{said} (of the whole picture {heads.min():.1f} to {heads.max():.1f} px for "
        f"{everything.entry.name})"
    )


def farthest_m(plane: GroundPlane, look: Look) -> float:
    """Return how far from its foot, straight ahead, the camera sees a head well enough."""
    column = np.column_stack([np.full(400, plane.width / 2), np.linspace(0, plane.height, 400)])
    feet = plane.feet(column)
    seen = np.isfinite(feet).all(axis=1)
    feet, column = feet[seen], column[seen]
    enough = plane.px_per_m(feet) >= least_px_per_m(look, column)
    return float(np.hypot(*(feet[enough] - plane.foot).T).max(initial=0.0))


def check_zones(zones: Sequence[Zone], plane: GroundPlane, look: Look) -> list[str]:
    """A line for each zone with a corner where no head could be counted."""
    lines = []
    for zone in zones:
        whys = [((x, y), _hidden(plane, look, (x, y))) for x, y in zone.ground or ()]
        bad = next(((corner, why) for corner, why in whys if why is not None), None)
        if bad is not None:
            (x, y), why = bad
            lines.append(f"zone {zone.name!r}: corner ({x:g}, {y:g}) m {why}; draw it nearer")
    return lines


def _hidden(plane: GroundPlane, look: Look, corner: tuple[float, float]) -> str | None:
    """Return why no head can be counted at a place on the ground; None where one can."""
    place = np.array(corner)
    head = plane.picture(place, plane.head_height_m)
    if not plane.shows(head):
        return "is outside the picture at the height of heads"
    least = float(least_px_per_m(look, head))
    if _scale(plane, place) < least:
        return f"has {_scale(plane, place):.0f} px for a metre, must be {least:.0f}"
    return None


def starter_zone(ground: Ground, plane: GroundPlane, look: Look) -> Zone:
    """A zone through the marked points' outermost, for a site that has none.

    Corners where no head could be counted are drawn in, towards the middle of those where one can.
    """
    outermost = _convex_hull([(x, y) for _, _, x, y in ground.points])
    good = [corner for corner in outermost if _hidden(plane, look, corner) is None]
    middle = np.mean(good or outermost, axis=0)
    steps = np.linspace(1.0, 0.0, 51)

    def drawn_in(corner: tuple[float, float]) -> tuple[float, float]:
        on_the_way = [tuple(np.round(middle + (corner - middle) * step, 2)) for step in steps]
        seen = [place for place in on_the_way if _hidden(plane, look, place) is None]
        x, y = seen[0] if seen else corner
        return float(x), float(y)

    try:
        return Zone(name="street", ground=[drawn_in(corner) for corner in outermost])
    except ValidationError as error:
        raise GroundError(
            "the points span too little ground for a first zone, which has 1 m2 at least; spread "
            "them wider, or put a [[zone]] into the site file first"
        ) from error


def _convex_hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the outermost points, counter-clockwise."""
    # By index, as OpenCV's own points are rounded to single precision.
    hull = cv2.convexHull(np.array(points, np.float32), returnPoints=False)
    return [points[index] for index in hull[:, 0]]


def write_section(path: Path, ground: Ground, zone: Zone | None) -> None:
    """Put [ground] into the site file, and a first zone where asked; all else stays as it is."""
    try:
        document = (
            tomlkit.parse(path.read_text(encoding="utf-8-sig"))
            if path.exists()
            else tomlkit.document()
        )
        document["ground"] = _table(ground)
        if zone is not None:
            table = tomlkit.table()
            table["name"], table["ground"] = (
                zone.name,
                [list(corner) for corner in zone.ground or ()],
            )
            document["zone"] = tomlkit.aot()
            document["zone"].append(table)
        atomic_write(path, tomlkit.dumps(document).encode(), lasting=True)
    except OSError as error:
        raise SiteError(
            f"site file {path}: cannot be written ({error.strerror}); choose a folder to write in"
        ) from error
    except ValueError as error:
        raise SiteError(f"site file {path}: not valid TOML: {error}; mend that line") from error


def _table(ground: Ground) -> tomlkit.items.Table:
    table = tomlkit.table()
    for name, value in ground.model_dump(exclude_defaults=True, exclude={"points"}).items():
        table[name] = value
    rows = tomlkit.array()
    for point in ground.points:
        rows.append(list(point))
    table["points"] = rows.multiline(multiline=True)
    table.add(tomlkit.nl())
    return table
