"""`redroad calibrate`: from marked points to the site file's ground plane, and a picture of it.

A point is where something stands on the ground: its px in the picture, and its metres in a square
frame laid on the street (X to the right, Y away from the camera, from any corner).
"""

import csv
import itertools
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tomlkit
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge.common.atomic_write import atomic_write
from edge.common.errors import GroundError, SiteError
from edge.decide.ground import GroundPlane
from edge.decide.survey import LEAST
from edge.site.load import wanted
from edge.site.schema import Ground, Zone
from edge.watch.frame import Pixels
from edge.watch.manifest import ModelEntry

Floats = NDArray[np.float64]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Marked = tuple[float, float, float, float]

HEAD_M = 0.22  # a head's width
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
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            document = tomllib.loads(text)
            rows = document.get("ground", document)["points"]
        else:
            rows = [row for row in csv.reader(text.splitlines()) if row and _begins_a_row(row[0])]
        return [(float(x), float(y), float(a), float(b)) for x, y, a, b in rows]
    except OSError as error:
        raise GroundError(
            f"points file {path}: cannot be read ({error.strerror}); check the path"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise GroundError(
            f"points file {path}: {error}; must have a row x,y,X,Y for each point"
        ) from error


def _begins_a_row(text: str) -> bool:
    """Not a comment, nor the table's head."""
    return not text.strip().startswith("#") and text.strip() != "x"


def make_ground(points: Sequence[Marked], size: tuple[int, int], **options: object) -> Ground:
    """The site file's section; GroundError for a value out of bounds."""
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


def tell(plane: GroundPlane, ground: Ground, entry: ModelEntry) -> list[str]:
    """What a technician should know of a calibration, in a line each."""
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
        f"heads can be counted up to {farthest_m(plane, entry):.0f} m from the camera's foot; "
        + _why_not_farther(plane, entry),
        *_errors(plane),
    ]
    if np.linalg.det(plane.to_ground) > 0:
        lines.append("the metres run mirrored: check that X is to the right and Y away")
    return lines


def _why_not_farther(plane: GroundPlane, entry: ModelEntry) -> str:
    top = plane.feet(np.array([plane.width / 2, 0.0]))
    if np.isfinite(top).all() and plane.px_per_m(top) >= least_px_per_m(plane, entry):
        return "farther ones are above the picture's edge"
    return f"farther ones are less than {LEAST_HEAD_PX:g} px wide for {entry.name}"


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


def least_px_per_m(plane: GroundPlane, entry: ModelEntry) -> float:
    """Px of the picture for a metre that a head needs, after scaling to the model's input."""
    ratio = min(entry.input[0] / plane.width, entry.input[1] / plane.height)
    return LEAST_HEAD_PX / (HEAD_M * ratio)


def farthest_m(plane: GroundPlane, entry: ModelEntry) -> float:
    """How far from its foot, straight ahead, the camera sees a head well enough."""
    column = np.linspace(0, plane.height, 400)
    feet = plane.feet(np.column_stack([np.full(400, plane.width / 2), column]))
    feet = feet[np.isfinite(feet).all(axis=1)]
    enough = plane.px_per_m(feet) >= least_px_per_m(plane, entry)
    return float(np.hypot(*(feet[enough] - plane.foot).T).max(initial=0.0))


def check_zones(zones: Sequence[Zone], plane: GroundPlane, entry: ModelEntry) -> list[str]:
    """A line for each zone with a corner where no head could be counted."""
    lines = []
    for zone in zones:
        whys = [((x, y), _hidden(plane, entry, (x, y))) for x, y in zone.ground or ()]
        bad = next(((corner, why) for corner, why in whys if why is not None), None)
        if bad is not None:
            (x, y), why = bad
            lines.append(f"zone {zone.name!r}: corner ({x:g}, {y:g}) m {why}; draw it nearer")
    return lines


def _hidden(plane: GroundPlane, entry: ModelEntry, corner: tuple[float, float]) -> str | None:
    """Why no head can be counted at a place on the ground; None where one can."""
    place, least = np.array(corner), least_px_per_m(plane, entry)
    if not plane.shows(plane.picture(place, plane.head_height_m)):
        return "is outside the picture at the height of heads"
    if _scale(plane, place) < least:
        return f"has {_scale(plane, place):.0f} px for a metre, must be {least:.0f}"
    return None


def starter_zone(ground: Ground, plane: GroundPlane, entry: ModelEntry) -> Zone:
    """A zone through the marked points' outermost, for a site that has none.

    Corners where no head could be counted are drawn in, towards the middle of those where one can.
    """
    outermost = _hull([(x, y) for _, _, x, y in ground.points])
    good = [corner for corner in outermost if _hidden(plane, entry, corner) is None]
    middle = np.mean(good or outermost, axis=0)
    steps = np.linspace(1.0, 0.0, 51)

    def drawn_in(corner: tuple[float, float]) -> tuple[float, float]:
        on_the_way = [tuple(np.round(middle + (corner - middle) * step, 2)) for step in steps]
        seen = [place for place in on_the_way if _hidden(plane, entry, place) is None]
        x, y = seen[0] if seen else corner
        return float(x), float(y)

    try:
        return Zone(name="street", ground=[drawn_in(corner) for corner in outermost])
    except ValidationError as error:
        raise GroundError(
            "the points span too little ground for a first zone, which has 1 m2 at least; spread "
            "them wider, or put a [[zone]] into the site file first"
        ) from error


def _hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The convex hull, by Andrew's monotone chain."""

    def half(ordered: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for x, y in ordered:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    ordered = sorted(set(points))
    return half(ordered) + half(ordered[::-1])


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


def draw_overlay(
    pixels: Pixels, plane: GroundPlane, zones: Sequence[Zone], farthest: float
) -> Image.Image:
    """The picture with the metre grid, the zones at people's feet, and standing figures.

    An arc on the ground shows the `farthest` metres at which heads can be counted.
    """
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image, "RGBA")
    low, high = _visible(plane, zones)
    for axis in (0, 1):
        for metre in range(int(low[axis]), int(high[axis]) + 1):
            ends = np.linspace(low, high, 60)
            ends[:, axis] = metre
            _line(draw, plane.picture(ends), (*GRID, 210 if metre % 5 == 0 else 90))
    for zone in zones:
        corners = np.array([*(zone.ground or ()), *(zone.ground or ())[:1]])
        if len(corners):
            _line(draw, plane.picture(_dense(corners)), (*ZONE, 255), width=3)
    font = ImageFont.load_default(size=max(11, plane.height // 32))
    _arc(draw, plane, farthest, font)
    for place in _places(zones):
        _figure(draw, plane, place, font)
    return image


def _arc(draw: ImageDraw.ImageDraw, plane: GroundPlane, radius: float, font: Font) -> None:
    """So far from the camera's foot, over all the ground that is seen."""
    around = np.linspace(0, 2 * np.pi, 721)
    circle = plane.foot + radius * np.column_stack([np.cos(around), np.sin(around)])
    seen = plane.picture(circle)
    seen = seen[plane.shows(seen)]
    seen = seen[np.argsort(seen[:, 0])]
    _line(draw, seen, (*LIMIT, 255), width=2)
    if len(seen):
        x, y = seen[0]
        text = f"heads counted up to {radius:.0f} m"
        draw.text((x + 4, y + 3), text, fill=LIMIT, font=font, stroke_width=2, stroke_fill="black")


def _visible(plane: GroundPlane, zones: Sequence[Zone]) -> tuple[Floats, Floats]:
    """Whole metres around the zones, with two metres to spare."""
    corners = np.array([corner for zone in zones for corner in zone.ground or ()] or [(0.0, 0.0)])
    return np.floor(corners.min(axis=0)) - 2, np.ceil(corners.max(axis=0)) + 2


def _dense(corners: Floats) -> Floats:
    parts = np.linspace(0, 1, 20)[:, None]
    return np.concatenate([a + (b - a) * parts for a, b in itertools.pairwise(corners)])


def _line(
    draw: ImageDraw.ImageDraw, picture: Floats, colour: tuple[int, ...], width: int = 1
) -> None:
    seen = [(float(x), float(y)) for x, y in picture[np.isfinite(picture).all(axis=1)]]
    if len(seen) > 1:
        draw.line(seen, fill=colour, width=width)


def _places(zones: Sequence[Zone]) -> list[Floats]:
    """Nine places over the zones, three by three."""
    corners = np.array([corner for zone in zones for corner in zone.ground or ()] or [(0.0, 0.0)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    parts = (0.1, 0.5, 0.9)
    return [low + (high - low) * (across, along) for along in parts[::-1] for across in parts]


def _figure(draw: ImageDraw.ImageDraw, plane: GroundPlane, place: Floats, font: Font) -> None:
    """A person of 1.7 m: feet, body and head, and where they stand."""
    heights = np.array([0.0, FIGURE_M - HEAD_M, FIGURE_M - HEAD_M / 2, FIGURE_M])
    feet, neck, head, _ = (plane.picture(place, float(up)) for up in heights)
    if not (plane.shows(feet) and plane.shows(head)):
        return
    radius = max(1.5, _scale(plane, place) * HEAD_M / 2)
    draw.line([*feet.tolist(), *neck.tolist()], fill=FIGURE, width=max(2, round(radius / 2)))
    draw.ellipse([*(head - radius).tolist(), *(head + radius).tolist()], outline=FIGURE, width=2)
    text = "{:.1f}, {:.1f}".format(*(place.round(1) + 0.0))  # + 0.0 makes -0 plain
    draw.text(
        (feet[0] + 4, feet[1] - 4),
        text,
        fill=FIGURE,
        font=font,
        stroke_width=2,
        stroke_fill="black",
    )


def draw_marks(image: Image.Image, ground: Ground) -> None:
    """The marked points with their numbers."""
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(12, image.height // 26))
    for number, (x, y, _, _) in enumerate(ground.points, 1):
        draw.line([x - 6, y, x + 6, y], fill=MARK, width=2)
        draw.line([x, y - 6, x, y + 6], fill=MARK, width=2)
        draw.text(
            (x + 5, y + 2), str(number), fill=MARK, font=font, stroke_width=2, stroke_fill="white"
        )


def draw_ruler(pixels: Pixels) -> Image.Image:
    """The picture with lines every 50 px, to read px of points from."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image, "RGBA")
    step = 50 * max(1, round(image.width / 1000))
    for x in range(0, image.width, step):
        draw.line([x, 0, x, image.height], fill=(255, 255, 255, 110))
        draw.text((x + 2, 1), str(x), fill="white", stroke_width=2, stroke_fill="black")
    for y in range(0, image.height, step):
        draw.line([0, y, image.width, y], fill=(255, 255, 255, 110))
        draw.text((1, y + 1), str(y), fill="white", stroke_width=2, stroke_fill="black")
    return image
