"""The ground plane: from heads in the picture to feet on the street, in metres, and back.

Square pixels and the picture's middle as principal point are assumed. Picture coordinates are px
from the top left corner; within this file they are also "rays": from the picture's middle, in half
picture widths, without the lens's distortion.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.site.ground.survey import Survey, survey
from edge.site.schema import Ground

Floats = NDArray[np.float64]

SAME_SHAPE = 0.01  # a picture's width over height may differ by this part
UPSIDE_DOWN = -0.1
HEIGHT_TOLERANCE = 0.25
STEP_M = 0.01
WIDEST = 10.0  # half picture widths; no lens sees farther to the side


@dataclass(frozen=True, eq=False)
class GroundPlane:
    """A calibrated camera over flat ground, for pictures of `width` x `height` px.

    `to_ground` takes a ray (x, y, 1) to ground (X, Y, 1) times a number that is positive below the
    horizon. `foot` is the point of the ground straight below the camera, in metres.
    `derived_height_m` is the camera height that the points alone would give; None where they
    cannot give any. `residuals_m` has one number for each marked point.
    """

    width: int
    height: int
    to_ground: Floats
    foot: Floats
    camera_height_m: float
    head_height_m: float
    k1: float
    k2: float
    residuals_m: Floats
    derived_height_m: float | None

    @staticmethod
    def of(options: Ground) -> "GroundPlane":
        """The plane through the site file's points; GroundError has a line for each bad point."""
        width, height = options.picture_width, options.picture_height
        _refuse_folding(options)
        _refuse_outside(options)
        points = np.array(options.points, np.float64)
        rays = _undistorted(_centred(points[:, :2], width, height), options.k1, options.k2)
        _refuse_folded(options, rays)
        found = survey(rays, points[:, 2:], [(x, y) for x, y, _, _ in options.points])
        _refuse_upside_down(found, rays)
        foot, derived = _stand(found, options)
        return GroundPlane(
            width, height, found.to_ground, foot, options.camera_height_m,
            options.head_height_m, options.k1, options.k2, found.residuals_m, derived,
        )  # fmt: skip

    def for_picture(self, width: int, height: int) -> "GroundPlane":
        """The same camera giving pictures of another size; GroundError for another shape."""
        if abs(width / height * self.height / self.width - 1) > SAME_SHAPE:
            raise GroundError(
                f"the camera gives {width}x{height} px, but was calibrated at "
                f"{self.width}x{self.height} px, which has another shape; calibrate again"
            )
        return replace(self, width=width, height=height)

    def feet(self, heads: Floats) -> Floats:
        """Where people stand whose heads are at px (..., 2): metres, nan from the horizon up.

        A head is nearer to the camera than the ground behind it, by the factor (Hc - h) / Hc.
        """
        return self.foot + (self.floor(heads) - self.foot) * self.shrink

    @property
    def shrink(self) -> float:
        """(Hc - h) / Hc, with the camera Hc and heads h above the ground."""
        return (self.camera_height_m - self.head_height_m) / self.camera_height_m

    def floor(self, picture: Floats) -> Floats:
        """The points of the ground at px (..., 2), in metres; nan from the horizon up."""
        rays = _undistorted(_centred(picture, self.width, self.height), self.k1, self.k2)
        return _mapped(self.to_ground, rays)

    def picture(self, ground: Floats, up_m: float = 0.0) -> Floats:
        """The px of what is `up_m` above points (..., 2) of the ground; nan behind the camera."""
        behind = self.foot + (ground - self.foot) * self.camera_height_m / (
            self.camera_height_m - up_m
        )
        rays = _mapped(np.linalg.inv(self.to_ground), behind)
        centred = _distorted(rays, self.k1, self.k2)
        return np.asarray(centred * self.width / 2 + (self.width / 2, self.height / 2))

    def px_per_m(self, ground: Floats) -> Floats:
        """Px of the picture for a metre across the view, at head height over points (..., 2)."""
        aside = np.array([[STEP_M, 0.0], [0.0, STEP_M]])
        columns = [
            (self.picture(ground + step, self.head_height_m)
             - self.picture(ground - step, self.head_height_m)) / (2 * STEP_M)
            for step in aside
        ]  # fmt: skip
        jacobian = np.nan_to_num(np.stack(columns, axis=-1))
        return np.asarray(np.linalg.norm(jacobian, ord=2, axis=(-2, -1)), np.float64)

    def shows(self, picture: Floats) -> NDArray[np.bool_]:
        """Which px (..., 2) lie in the picture."""
        with np.errstate(invalid="ignore"):
            inside = (picture >= 0) & (picture <= (self.width, self.height))
        return np.asarray(inside.all(axis=-1), np.bool_)


def _centred(picture: Floats, width: int, height: int) -> Floats:
    return np.asarray((picture - (width / 2, height / 2)) / (width / 2), np.float64)


def _mapped(matrix: Floats, points: Floats) -> Floats:
    """Points (..., 2) through a homography; nan where the third coordinate is not positive."""
    homogeneous = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ matrix.T
    depth = homogeneous[..., 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(depth > 1e-9, homogeneous[..., :2] / depth, np.nan))


def _distorted(rays: Floats, k1: float, k2: float) -> Floats:
    """Brown's radial model (1966), with radii in half picture widths; nan where it folds back."""
    if k1 == k2 == 0:
        return rays
    square = (rays**2).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        open_here = 1 + 3 * k1 * square + 5 * k2 * square**2 > 0
    return np.where(open_here, rays * (1 + k1 * square + k2 * square**2), np.nan)


def _undistorted(seen: Floats, k1: float, k2: float) -> Floats:
    """The inverse of Brown's model, by Newton's method on the radius; nan where it has none."""
    if k1 == k2 == 0:
        return seen
    wanted = np.sqrt((seen**2).sum(axis=-1, keepdims=True))
    radius = wanted.copy()
    for _ in range(20):
        square = radius**2
        slope = 1 + 3 * k1 * square + 5 * k2 * square**2
        radius -= (radius * (1 + k1 * square + k2 * square**2) - wanted) / np.maximum(slope, 0.05)
        radius = radius.clip(0, WIDEST)
    missed = radius * (1 + k1 * radius**2 + k2 * radius**4) - wanted
    radius = np.where(np.abs(missed) < 1e-6, radius, np.nan)
    return np.asarray(seen * np.where(wanted > 0, radius / np.maximum(wanted, 1e-12), 1.0))


def _refuse_outside(options: Ground) -> None:
    width, height = options.picture_width, options.picture_height
    lines = [
        f"point {number} ({x:g}, {y:g} px) is outside the picture of {width}x{height} px; mark it "
        "in the picture"
        for number, (x, y, _, _) in enumerate(options.points, 1)
        if not (0 <= x <= width and 0 <= y <= height)
    ]
    if lines:
        raise GroundError("\n".join(lines))


def _refuse_folding(options: Ground) -> None:
    """The distortion must not fold the picture's own corners back."""
    corner = 1 + (options.picture_height / options.picture_width) ** 2
    squares = np.linspace(0, 1.2 * corner, 50)
    if np.any(1 + 3 * options.k1 * squares + 5 * options.k2 * squares**2 <= 0.05):
        raise GroundError(
            f"k1 = {options.k1:g}, k2 = {options.k2:g} fold the picture's corners back; they are "
            "Brown's coefficients for radii in half picture widths: convert them to that unit"
        )


def _refuse_folded(options: Ground, rays: Floats) -> None:
    """A lens of this distortion shows nothing at the place of a point."""
    lines = [
        f"point {number} ({x:g}, {y:g} px) is where no lens of k1 = {options.k1:g}, k2 = "
        f"{options.k2:g} shows anything; correct them, or leave the point out"
        for number, ((x, y, _, _), ray) in enumerate(zip(options.points, rays, strict=True), 1)
        if not np.isfinite(ray).all()
    ]
    if lines:
        raise GroundError("\n".join(lines))


def _refuse_upside_down(found: Survey, rays: Floats) -> None:
    """What is higher in the picture must be farther away, as for every camera on a pole."""
    depth = np.append(rays.mean(axis=0), 1.0) @ found.to_ground[2]
    if found.to_ground[2, 1] < UPSIDE_DOWN * depth:
        raise GroundError(
            "the points say that the ground lies behind the camera, above its horizon: what is "
            "lower in the picture is farther away; the near and far points seem swapped"
        )


def _stand(found: Survey, options: Ground) -> tuple[Floats, float | None]:
    """Where the camera stands: as stated, or as the homography says, which is then checked."""
    if options.camera_foot_m is not None:
        return np.array(options.camera_foot_m, np.float64), None
    pose = found.pose()
    if pose is None:
        raise GroundError(
            "the points do not determine where the camera stands, as when it looks straight down "
            "or its picture is cropped; give camera_foot_m, the point straight below it"
        )
    foot, height = pose
    stated = options.camera_height_m
    if abs(height / stated - 1) > HEIGHT_TOLERANCE:
        raise GroundError(
            f"camera_height_m = {stated:g}, but the points put the camera {height:.1f} m up, which "
            f"must agree within {100 * HEIGHT_TOLERANCE:.0f} %; measure the height and the points "
            "again, or give camera_foot_m where the picture is cropped"
        )
    return foot, height
