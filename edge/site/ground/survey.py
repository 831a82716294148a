"""The homography of a flat ground from marked points, and which of them cannot be right.

Normalised direct linear transformation, then least squares of the distances in the picture, where
the marks err (Hartley and Zisserman, Multiple View Geometry, 2nd ed., sections 4.1, 4.4 and 8.6).
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.site.ground.overlap import signed_area

Floats = NDArray[np.float64]

LIMIT_M = 0.3
FLAT = 0.03  # a triangle this much flatter than it is long is a line
LEAST = 4
STEEP = 0.02  # cos² of the angle, near 82 degrees, from which a camera looks straight down


@dataclass(frozen=True, eq=False)
class Survey:
    """`to_ground` takes rays (x, y, 1) to ground (X, Y, 1); `residuals_m` (N,) in metres."""

    to_ground: Floats
    residuals_m: Floats

    def pose(self) -> tuple[Floats, float] | None:
        """The ground point straight below the camera, and the camera's height, in metres.

        The images of two perpendicular directions of equal length fix the focal length, and the
        horizon then fixes where straight down is (ibid., 8.6 and example 8.28). None when the
        points do not fix the focal length.
        """
        to_picture = np.linalg.inv(self.to_ground)
        to_picture /= np.cbrt(abs(np.linalg.det(to_picture)))
        (a, b, _), (c, d, _), (e, f, _) = to_picture
        in_plane = np.array([a * b + c * d, a * a + c * c - b * b - d * d])
        in_depth = np.array([e * f, e * e - f * f])
        if np.hypot(*in_plane) < STEEP * (a * a + b * b + c * c + d * d):
            return None
        inverse_square = -float(in_plane @ in_depth) / float(in_plane @ in_plane)
        if inverse_square < 0.01 or inverse_square > 100:  # lenses of 11 to 169 degrees
            return None
        camera = np.diag([inverse_square**0.5, inverse_square**0.5, 1.0]) @ to_picture
        scale = np.linalg.norm(camera[:, :2], axis=0).mean()
        rotation, offset = camera[:, :2] / scale, camera[:, 2] / scale
        down = np.cross(rotation[:, 0], rotation[:, 1])
        centre = -np.linalg.solve(np.column_stack([rotation, down]), offset)
        return centre[:2], abs(float(centre[2]) * float(np.linalg.norm(down)))


def survey(rays: Floats, ground: Floats, marks: Sequence[tuple[float, float]]) -> Survey:
    """The homography through rays (N, 2) of points (N, 2) of the ground.

    `marks` are the same points in px, for messages. GroundError has a line for each bad point.
    """
    names = [f"point {i + 1} ({x:g}, {y:g} px)" for i, (x, y) in enumerate(marks)]
    _refuse_doubles(rays, ground, names)
    _refuse_lines(rays, ground, names)
    _refuse_crossed(rays, ground, names)
    _refuse_strays(rays, ground, names)
    return _fit(rays, ground)


def _fit(rays: Floats, ground: Floats) -> Survey:
    """Least squares over all points, however bad they are."""
    to_picture = _refined(_linear(ground, rays), ground, rays)
    to_ground = np.linalg.inv(to_picture)
    depths = _homogeneous(rays) @ to_ground[2]
    to_ground *= np.sign(np.median(depths)) / np.median(np.abs(depths))
    seen = _homogeneous(rays) @ to_ground.T
    with np.errstate(divide="ignore", invalid="ignore"):
        misses = np.hypot(*(seen[:, :2] / seen[:, 2:] - ground).T)
    return Survey(to_ground, np.where(seen[:, 2] > 0, misses, np.inf))


def _homogeneous(points: Floats) -> Floats:
    return np.column_stack([points, np.ones(len(points))])


def _linear(source: Floats, target: Floats) -> Floats:
    """Normalised direct linear transformation, algorithm 4.2."""
    to_source, to_target = _normaliser(source), _normaliser(target)
    one, other = _homogeneous(source) @ to_source.T, _homogeneous(target) @ to_target.T
    zeros = np.zeros_like(one)
    rows = np.concatenate(
        [
            np.column_stack([one, zeros, -other[:, :1] * one]),
            np.column_stack([zeros, one, -other[:, 1:2] * one]),
        ]
    )
    flat = np.linalg.svd(rows)[2][-1]
    return np.asarray(np.linalg.inv(to_target) @ flat.reshape(3, 3) @ to_source, np.float64)


def _normaliser(points: Floats) -> Floats:
    """Moves points to their middle and to a mean distance of sqrt 2."""
    middle = points.mean(axis=0)
    scale = np.sqrt(2) / max(float(np.hypot(*(points - middle).T).mean()), 1e-12)
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1.0]])


def _refined(matrix: Floats, source: Floats, target: Floats) -> Floats:
    """Levenberg and Marquardt's steps on the sum of squared distances in the target."""
    matrix, damping = matrix / np.linalg.norm(matrix), 1e-3
    points = _homogeneous(source)
    misses = _misses(matrix, points, target)
    for _ in range(30):
        jacobian = _jacobian(matrix, points)
        normal = jacobian.T @ jacobian
        step = np.linalg.lstsq(
            normal + damping * np.diag(np.diag(normal) + 1e-12), -jacobian.T @ misses, rcond=None
        )[0]
        tried = matrix + step.reshape(3, 3)
        tried /= np.linalg.norm(tried)
        better = _misses(tried, points, target)
        if better @ better < misses @ misses:
            matrix, misses, damping = tried, better, damping / 10
        else:
            damping *= 10
    return matrix


def _misses(matrix: Floats, points: Floats, target: Floats) -> Floats:
    seen = points @ matrix.T
    return np.asarray((seen[:, :2] / seen[:, 2:] - target).ravel(), np.float64)


def _jacobian(matrix: Floats, points: Floats) -> Floats:
    """Of `_misses` by the nine entries of the matrix, (2 N, 9)."""
    seen = points @ matrix.T
    scaled = points / seen[:, 2:]
    zeros = np.zeros_like(scaled)
    x, y = (seen[:, :2] / seen[:, 2:]).T[:, :, None]
    across = np.concatenate([scaled, zeros, -x * scaled], axis=1)
    down = np.concatenate([zeros, scaled, -y * scaled], axis=1)
    return np.asarray(np.stack([across, down], axis=1).reshape(-1, 9))


def _refuse_doubles(rays: Floats, ground: Floats, names: Sequence[str]) -> None:
    lines = [
        f"{names[i]} and {names[j]} are at one place; mark them apart"
        for i, j in itertools.combinations(range(len(rays)), 2)
        if np.hypot(*(rays[i] - rays[j])) < 1e-3 or np.hypot(*(ground[i] - ground[j])) < 0.05
    ]
    _refuse(lines)


def _refuse_lines(rays: Floats, ground: Floats, names: Sequence[str]) -> None:
    """Four of the points must stand so that no three of them are on one line."""
    triples = _triples(range(len(rays)))
    flat = np.minimum(_flatness(rays[triples]), _flatness(ground[triples]))
    flatness = dict(zip(map(tuple, triples.tolist()), flat.tolist(), strict=True))
    worst_of_four = [
        min((flatness[three], three) for three in itertools.combinations(four, 3))
        for four in itertools.combinations(range(len(rays)), LEAST)
    ]
    best, flattest = max(worst_of_four)
    if best < FLAT:
        first, second, third = (names[i] for i in flattest)
        _refuse([f"{first}, {second} and {third} lie on one line; move one of them well off it"])


def _triples(chosen: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(itertools.combinations(chosen, 3)), np.int64)


def _flatness(triangles: Floats) -> Floats:
    """The smallest height of triangles (T, 3, 2) over their longest sides."""
    sides = triangles - np.roll(triangles, 1, axis=1)
    longest_square = (sides**2).sum(axis=2).max(axis=1)
    return np.asarray(2 * np.abs(signed_area(triangles)) / longest_square, np.float64)


def _refuse_crossed(rays: Floats, ground: Floats, names: Sequence[str]) -> None:
    """A camera sees all triangles of the ground before it turn the same way round.

    Names two points whose exchange makes it so, or the one without which it is so.
    """
    everybody = list(range(len(rays)))
    if _alike(_turned(rays, ground, everybody)):
        return
    swaps = []
    for i, j in itertools.combinations(everybody, 2):
        turned = _turned(rays[_exchanged(everybody, i, j)], ground, everybody)
        fits = len(rays) == LEAST or _fits(rays[_exchanged(everybody, i, j)], ground)
        if _alike(turned) and fits:  # picture y runs down: seen rightly, all triangles turn over
            swaps.append((bool(turned.all()), -i, -j))
    if swaps:
        _, i, j = max(swaps)
        _refuse(
            [f"{names[-i]} and {names[-j]} are crossed: exchange their metres, or mark them again"]
        )
    if len(rays) > LEAST:
        return  # the others show how far the bad one is off
    stray = _stray(rays, ground, everybody)
    _refuse(
        [f"{names[stray]} lies behind the camera or on the wrong side of the others; "
         "check its mark, and its metres and their signs"]
    )  # fmt: skip


def _fits(rays: Floats, ground: Floats) -> bool:
    return bool(_fit(rays, ground).residuals_m.max() <= LIMIT_M)


def _turned(rays: Floats, ground: Floats, chosen: Sequence[int]) -> NDArray[np.bool_]:
    """For each triangle that is no line: whether the picture turns it over."""
    triples = _triples(chosen)
    plain = np.minimum(_flatness(rays[triples]), _flatness(ground[triples])) >= FLAT
    triples = triples[plain]
    return np.asarray(signed_area(rays[triples]) * signed_area(ground[triples]) < 0)


def _alike(turned: NDArray[np.bool_]) -> bool:
    return bool(turned.all() or not turned.any())


def _exchanged(order: Sequence[int], i: int, j: int) -> list[int]:
    exchanged = list(order)
    exchanged[i], exchanged[j] = j, i
    return exchanged


def _stray(rays: Floats, ground: Floats, everybody: Sequence[int]) -> int:
    """The point whose triangles turn the other way than most that lack it."""

    def agreement(i: int) -> float:
        rest = _turned(rays, ground, [j for j in everybody if j != i])
        whole = _turned(rays, ground, everybody)
        share = float(rest.mean()) if len(rest) else 0.5
        # Without the stray the rest agree, and its own triangles are the ones that do not.
        return abs(share - 0.5) * 2 + abs(share - float(whole.mean()))

    return max(everybody, key=agreement)


def _refuse_strays(rays: Floats, ground: Floats, names: Sequence[str]) -> None:
    """Points that are off by more than the limit, worst first; each is left out for the next.

    A bad point pulls the others along, so the one to blame is the one without which the rest fit
    best. Of five points any four fit, so there the largest residual has to do.
    """
    kept, lines = list(range(len(rays))), []
    while len(kept) > LEAST:
        residuals = _fit(rays[kept], ground[kept]).residuals_m
        if residuals.max() <= LIMIT_M:
            break
        if len(kept) == LEAST + 1:
            worst = int(residuals.argmax())
            lines.append(
                f"{names[kept[worst]]} is {residuals[worst]:.2f} m off in the best fit, at most "
                f"{LIMIT_M:g} m is allowed; of five points none can be blamed for certain: "
                "measure all again, or add a sixth"
            )
            break
        others = [[j for j in kept if j != i] for i in kept]
        fits = [_fit(rays[rest], ground[rest]) for rest in others]
        worst = int(np.argmin([(fit.residuals_m**2).sum() for fit in fits]))
        stray = kept.pop(worst)
        lines.append(_stray_line(names[stray], fits[worst], rays[stray], ground[stray]))
    _refuse(lines)


def _stray_line(name: str, fit: Survey, ray: Floats, ground: Floats) -> str:
    """What to say of a point that the others' fit does not confirm."""
    if np.linalg.inv(fit.to_ground)[2] @ np.append(ground, 1.0) <= 0:
        return f"{name} lies behind the camera by its metres; check them and their signs"
    x, y, depth = fit.to_ground @ np.append(ray, 1.0)
    if depth <= 0:
        return f"{name} is marked above the horizon that the others give; mark it again"
    off_m = np.hypot(x / depth - ground[0], y / depth - ground[1])
    return (
        f"{name} is {off_m:.2f} m off where the others put it, at most {LIMIT_M:g} m is allowed; "
        "measure or mark it again"
    )


def _refuse(lines: Sequence[str]) -> None:
    if lines:
        raise GroundError("\n".join(lines))
