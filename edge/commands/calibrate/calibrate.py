"""The steps of `redroad calibrate`: picture, points, their findings, overlay, site file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from edge.commands.calibrate.overlay import draw_marks, draw_overlay, draw_ruler
from edge.commands.calibrate.slim import slimness
from edge.commands.calibrate.survey_points import (
    check_zones,
    farthest_m,
    head_px,
    make_ground,
    parse_point,
    read_points,
    starter_zone,
    tell,
    write_section,
)
from edge.common.errors import CameraError, GroundError, PictureError, SiteError
from edge.site import Site, load_site
from edge.site.ground.plane import GroundPlane
from edge.site.schema import Ground
from edge.watch.cameras.once import one_frame
from edge.watch.frame import Pixels
from edge.watch.main import look_of, whole_look_of
from edge.watch.recording import frames_of
from edge.watch.video import Reading

WITHIN_S = 15.0


def calibrate(
    *,
    picture: Path | None,
    marked: tuple[str, ...],
    points_file: Path | None,
    camera_foot: str | None,
    site_file: Path | None,
    overlay: Path | None,
    **options: float | None,
) -> Iterator[str]:
    """Calibrate, and yield line by line. GroundError has a line for each implausible point."""
    site = _present_site(site_file)
    aspect = options.pop("pixel_aspect", None) or getattr(site.camera, "pixel_aspect", None)
    seen = _picture(picture, aspect) if picture else _snapshot(site)
    yield from seen.notes
    points = [parse_point(text) for text in marked]
    points += read_points(points_file) if points_file else []
    if not points and not site.has_own_ground:
        ruler = draw_ruler(seen.pixels, seen.size[0] / seen.pixels.shape[1])
        yield from _save(overlay, ruler, "mark points by its ruler of px")
        return
    ground = site.ground
    if points:
        if options.get("camera_height_m") is None:
            raise GroundError("--camera-height is missing; give it in metres above the ground")
        foot = _foot(camera_foot)
        ground = make_ground(points, seen.size, camera_foot_m=foot, **options)
    assert ground is not None
    yield from _finish(site, ground, seen.pixels, overlay, site_file if points else None)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture of the street, in px of `size` (width, height), and the notes on it."""

    pixels: Pixels
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def _picture(path: Path, aspect: float | None) -> _Seen:
    """Return the first picture of a file, a folder or a film, as `count` and `replay` read it."""
    notes: list[str] = []

    def note(_path: Path, text: str) -> None:
        notes.append(f"note: {path}: {text}")

    def refuse(_path: Path, error: PictureError) -> None:
        raise error

    frames = frames_of(
        path, every_s=None, on_bad=refuse, on_note=note, how=Reading(pixel_aspect=aspect)
    )
    frame = next(frames)
    width, height = frame.size
    if aspect is not None:
        notes.append(f"px are those of the picture with square pixels, {width}x{height}")
    return _Seen(frame.pixels, frame.size, tuple(notes))


def _finish(
    site: Site, ground: Ground, pixels: Pixels, overlay: Path | None, write_to: Path | None
) -> Iterator[str]:
    doubt = slimness(ground)
    try:
        plane = GroundPlane.of(ground).for_picture(pixels.shape[1], pixels.shape[0])
    except GroundError as error:
        raise GroundError(f"{error}\n{doubt}" if doubt else str(error)) from error
    size = (plane.width, plane.height)
    zones = [zone for zone in site.zone if zone.ground is not None]
    drafted = not zones or site.ground is None or not site.has_own_zone
    everything = whole_look_of(site, size)
    if drafted and write_to is not None:
        zones = [starter_zone(ground, plane, everything)]
    seen = {"ground": ground, "zone": zones or site.zone}
    look = look_of(site.model_copy(update=seen), size)
    yield from tell(plane, ground, look)
    if zones:
        yield head_px(zones, plane, look, everything)
    if doubt is not None:
        yield doubt
    bad = check_zones(zones, plane, look)
    if overlay is not None:
        image = draw_overlay(pixels, plane, zones, farthest_m(plane, look))
        draw_marks(image, ground)
        yield from _save(overlay, image, "look at it: do grid and figures stand on the street?")
    if write_to is not None:
        write_section(write_to, ground, None if site.has_own_zone else zones[0])
        yield f"[ground] is written to {write_to}" + (
            ""
            if site.has_own_zone
            else "; its zone 'street' spans your points: change it as you like"
        )
    if bad:
        raise GroundError("\n".join(bad))


def _present_site(path: Path | None) -> Site:
    """The site as it stands; a file still to be written, or without zones, is the default's."""
    return load_site(path, surveyed=False) if path is not None and path.exists() else Site()


def _snapshot(site: Site) -> _Seen:
    frame = one_frame(site, WITHIN_S)
    if frame is None:
        raise CameraError(f"{site.camera.kind} gave no frame in {WITHIN_S:g} s; give a PICTURE")
    height, width, _ = frame.pixels.shape
    return _Seen(frame.pixels, (width, height))


def _foot(text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        x, y = (float(number) for number in text.split(","))
    except ValueError:
        raise GroundError(f"--camera-foot {text!r} must be X,Y in metres, such as 0,-1.5") from None
    return [x, y]


def _save(path: Path | None, image: Image.Image, advice: str) -> Iterator[str]:
    if path is None:
        raise GroundError("no points are given; add --point x,y=X,Y, or --overlay for a px ruler")
    try:
        image.save(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SiteError(f"--overlay {path}: {why}; choose a .png that can be written") from error
    yield f"{path} is drawn; {advice}"
