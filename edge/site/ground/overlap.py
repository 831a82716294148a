"""Areas of polygons, and exactly how much of cells an outline covers."""

import itertools

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def signed_area(outline: Floats) -> Floats:
    """Areas of polygons (..., M, 2) by the shoelace formula; negative when they turn clockwise."""
    x, y = outline[..., 0], outline[..., 1]
    twice = x * np.roll(y, -1, axis=-1) - np.roll(x, -1, axis=-1) * y
    return np.asarray(twice.sum(axis=-1) / 2, np.float64)


def covered(cells: Floats, outline: Floats) -> Floats:
    """The area that an outline (M, 2) has in common with each convex cell (N, K, 2); exact.

    The outline is a sum of the triangles from its first corner to each of its sides, counted
    negative where they turn against the outline; so is its overlap with a cell.
    """
    if signed_area(outline) < 0:
        outline = outline[::-1]
    result = np.zeros(len(cells))
    low, high = cells.min(axis=1), cells.max(axis=1)
    for second, third in itertools.pairwise(outline[1:]):
        triangle = np.stack([outline[0], second, third])
        turns = float(signed_area(triangle))
        if turns == 0:
            continue
        near = np.all((low < triangle.max(axis=0)) & (high > triangle.min(axis=0)), axis=1)
        ordered = triangle if turns > 0 else triangle[::-1]
        result[near] += np.sign(turns) * _common_area(cells[near], ordered)
    return result.clip(0)


def _common_area(cells: Floats, triangle: Floats) -> Floats:
    """The area of each cell inside a counter-clockwise triangle."""
    part = cells - triangle[0]
    triangle = triangle - triangle[0]
    for start, end in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
        part = _left_of(part, start, end - start)
    return np.asarray(np.abs(signed_area(part)), np.float64)


def _left_of(polygons: Floats, start: Floats, along: Floats) -> Floats:
    """The parts of polygons (N, M, 2) to the left of a line, as polygons (N, 2 M, 2).

    Every side becomes its part on the left; a side wholly on the right becomes a point on the
    line. What joins them runs to and fro on the line, and adds no area.
    """
    ends = np.roll(polygons, -1, axis=1)
    height = _height(polygons - start, along)
    end_height = np.roll(height, -1, axis=1)
    crosses = (height < 0) != (end_height < 0)
    part = height / np.where(crosses, height - end_height, np.inf)
    cut = polygons + part[..., None] * (ends - polygons)
    both_out = (height < 0) & (end_height < 0)
    foot = start + ((polygons - start) @ along / (along @ along))[..., None] * along
    cut = np.where(both_out[..., None], foot, cut)
    begin = np.where((height < 0)[..., None], cut, polygons)
    finish = np.where((end_height < 0)[..., None], cut, ends)
    return np.asarray(
        np.stack([begin, finish], axis=2).reshape(len(polygons), 2 * polygons.shape[1], 2)
    )


def _height(points: Floats, along: Floats) -> Floats:
    """How far points lie to the left of a line through the origin, times the line's length."""
    return np.asarray(along[0] * points[..., 1] - along[1] * points[..., 0], np.float64)
