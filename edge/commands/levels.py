"""The table of bands as a drawing: an SVG that says what the level machine does."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from edge.common.errors import SiteError
from edge.common.wire import Level
from edge.decide.levels import COUNT_STALE_AFTER_S, TRUST_AFTER_S, Band, bands_of
from edge.site import Site

CHART_COLOURS = {
    Level.CLEAR: "#7fcf9a",
    Level.UNKNOWN: "#d0d0d0",
    Level.CAUTION: "#ffd24d",
    Level.CROWDED: "#ff9a4d",
    Level.CRITICAL: "#e8505b",
}

WIDTH, HEIGHT = 900, 575
BOTTOM, TOP = 470.0, 70.0
LEFT, BOX_WIDTH, STRIDE = 90.0, 112.0, 168.0
HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
    'font-family="sans-serif" font-size="13" text-anchor="middle">\n'
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#333"/></marker></defs>\n'
    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
)


def write_levels(site: Site, file: Path) -> None:
    """Draw the site's bands into an SVG file. SiteError when it cannot be written."""
    try:
        file.write_text(draw_levels(bands_of(site.levels)), encoding="utf-8")
    except OSError as error:
        raise SiteError(f"--out {file}: {error.strerror}; choose a file to write") from error


def draw_levels(bands: Sequence[Band]) -> str:
    """Return the drawing: a column per level, as high as the densities in which it can stand."""
    scale = _Scale(top=1.25 * bands[-1].rise)
    falls = [0.0, *(band.fall for band in bands)]
    rises = [*(band.rise for band in bands), scale.top]
    levels = [Level.CLEAR, *(band.level for band in bands)]
    parts = [HEAD, _text(WIDTH / 2, 28, "Levels by density, persons per m²", size=17)]
    for band in bands:
        parts += [_line(scale.y(band.rise), f"{band.rise:g}")]
        parts += [_line(scale.y(band.fall), f"{band.fall:g}")]
    for index, (level, low, high) in enumerate(zip(levels, falls, rises, strict=True)):
        parts.append(_box(_x(index), scale.y(high), scale.y(low), level))
    for index, band in enumerate(bands):
        parts += _up(index, scale.y(band.rise), band)
        parts += _down(index, scale.y(band.fall), band)
    parts += _unknown(_x(len(levels)) + 12, len(levels))
    return "\n".join([*parts, "</svg>", ""])


class _Scale:
    """Persons per m2 to px, upward."""

    def __init__(self, top: float) -> None:
        self.top = top

    def y(self, density: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * density / self.top


def _x(column: int) -> float:
    return LEFT + column * STRIDE


def _text(x: float, y: float, words: str, *, size: int = 13, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _line(y: float, label: str) -> str:
    """A density of the table, from one side to the other."""
    right = _x(3) + BOX_WIDTH
    return (
        f'<path d="M{LEFT - 20:.1f},{y:.1f} H{right:.1f}" stroke="#bbb" stroke-dasharray="3 4"/>'
        + _text(LEFT - 26, y + 4, label, anchor="end")
    )


def _box(x: float, top: float, bottom: float, level: Level) -> str:
    return (
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{BOX_WIDTH:g}" height="{bottom - top:.1f}" rx="6" '
        f'fill="{CHART_COLOURS[level]}" stroke="#333"/>'
        + _text(x + BOX_WIDTH / 2, (top + bottom) / 2 + 5, level.name, size=16)
    )


def _arrow(x: float, y: float, to_x: float) -> str:
    path = f"M{x:.1f},{y:.1f} H{to_x:.1f}"
    return f'<path d="{path}" stroke="#333" stroke-width="2" marker-end="url(#tip)"/>'


def _up(index: int, y: float, band: Band) -> list[str]:
    """Up at `rise`: from the lower level into the higher one."""
    start, end = _x(index) + BOX_WIDTH, _x(index + 1)
    return [_arrow(start, y, end), _text((start + end) / 2, y - 7, f"{band.rise_after_s:g} s")]


def _down(index: int, y: float, band: Band) -> list[str]:
    """Down below `fall`: one level, once all doubt is gone."""
    start, end = _x(index + 1), _x(index) + BOX_WIDTH
    return [_arrow(start, y, end), _text((start + end) / 2, y + 17, f"{band.fall_after_s:g} s")]


def _unknown(x: float, levels: int) -> list[str]:
    """UNKNOWN beside them, and in words how it comes and goes, and what the arrows mean."""
    middle = (TOP + BOTTOM) / 2
    notes = [
        "→ up, by any number of levels: the density has been at the line or above for that long.",
        "← down, one level at a time: the upper end of the 90 % interval has been below the line "
        "for that long.",
        f"UNKNOWN: from any level at once, on an untrusted picture or after "
        f"{COUNT_STALE_AFTER_S:g} s without one; left after {TRUST_AFTER_S:g} s of good",
        "counts, into the highest level whose lower line the upper end reached in that time.",
    ]
    gap = _x(levels - 1) + BOX_WIDTH + 12
    return [
        f'<path d="M{gap - 8:.1f},{TOP:g} H{gap:.1f} V{BOTTOM:g} H{gap - 8:.1f}" '
        'stroke="#333" fill="none"/>',
        _box(x, middle - 60, middle + 60, Level.UNKNOWN),
        _arrow(gap, middle - 25, x),
        _text((gap + x) / 2, middle - 33, "at once"),
        _arrow(x, middle + 25, gap),
        _text((gap + x) / 2, middle + 43, f"{TRUST_AFTER_S:g} s"),
        *(
            _text(LEFT - 20, BOTTOM + 28 + 18 * row, note, anchor="start")
            for row, note in enumerate(notes)
        ),
    ]
