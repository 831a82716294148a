"""Outlines: simple polygons in the plane. Without numpy: every program reads the site file."""

from collections.abc import Sequence

Point = tuple[float, float]


def area(outline: Sequence[Point]) -> float:
    """The area inside one outline, whatever its direction."""
    sides = zip(outline, [*outline[1:], *outline[:1]], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides)) / 2


def crossing(outline: Sequence[Point]) -> tuple[int, int] | None:
    """The first two sides that meet where they should not, counted from 1; None when simple."""
    count = len(outline)
    for first in range(count):
        for second in range(first + 1, count):
            neighbours = second - first in {1, count - 1}
            if not neighbours and _meet(_side(outline, first), _side(outline, second)):
                return first + 1, second + 1
    return None


def _side(outline: Sequence[Point], index: int) -> tuple[Point, Point]:
    return outline[index], outline[(index + 1) % len(outline)]


def _meet(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Whether two sides have a point in common."""
    a, b = (_turn(*other, end) for end in one)
    c, d = (_turn(*one, end) for end in other)
    if a == b == c == d == 0:  # on one line: do their extents overlap
        return all(
            max(min(p[k] for p in one), min(p[k] for p in other))
            <= min(max(p[k] for p in one), max(p[k] for p in other))
            for k in (0, 1)
        )
    return a * b <= 0 and c * d <= 0


def _turn(start: Point, end: Point, point: Point) -> float:
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
