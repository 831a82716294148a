"""How the picture moves: optical flow from one trusted picture to the next, cell by cell.

Dense inverse search (Kroeger and others, ECCV 2016) on a small picture. It keeps a few small
pictures in memory, and gives velocities of cells alone.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap, Motion
from edge.common.units import nanoseconds, seconds
from edge.watch.frame import Frame

Grey = NDArray[np.uint8]
Flow = NDArray[np.float32]  # (rows, columns, 2): samples to the right and down

SMALLEST = 32  # samples on the shorter side
# Between these, the error hardly depends on the time from picture to picture. The longer one lets
# a camera be late that is to give a picture each second.
SHORTEST_S, LONGEST_S = 0.1, 1.2
# Of the presets the fastest, but down to half of the samples' resolution, and with patches that
# overlap less; deploy/decisions/0009-motion.md has the figures.
FINEST_SCALE, PATCH_STRIDE = 1, 7
# Where no one is the picture stands still, unless the camera moves: in cells with fewer heads than
# this the median is to be below so many samples. With too few such cells it is unknown.
EMPTY_BELOW, SHAKEN_SAMPLES, EMPTY_LEAST = 0.05, 1.0, 0.2


@dataclass(frozen=True, eq=False)
class _Seen:
    grey: Grey
    at: int


class MotionMeter:
    """Takes trusted pictures in their order."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # OpenCV's are the process's; the counter needs the other cores
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._search.setFinestScale(FINEST_SCALE)
        self._search.setPatchStride(PATCH_STRIDE)
        self._seen: deque[_Seen] = deque()

    def forget(self) -> None:
        """What was seen is not to be compared with what comes."""
        self._seen.clear()

    def see(self, frame: Frame, heads: HeadMap) -> Motion | None:
        """How the cells of `heads` moved, up to this frame.

        None when no frame from 0.1 to 1.2 s ago is known, or when the camera itself moved.
        """
        step = frame.thumbnail.step
        now = _Seen(frame.thumbnail.means, frame.taken_at)
        before = self._before(now)
        self._seen.append(now)
        if before is None:
            return None
        flow = _per_cell(self._search.calc(before.grey, now.grey, None), heads, step)
        if _shaken(flow, heads):
            return None
        flow *= step / seconds(now.at - before.at)
        return Motion(flow[..., 0], flow[..., 1], step)

    def _before(self, now: _Seen) -> _Seen | None:
        """The newest frame that is old enough, and its picture of the same size; older ones go."""
        old = [seen for seen in self._seen if now.at - seen.at >= nanoseconds(SHORTEST_S)]
        for _ in old[:-1]:
            self._seen.popleft()
        if not old or now.at - old[-1].at > nanoseconds(LONGEST_S):
            return None
        suits = old[-1].grey.shape == now.grey.shape and min(now.grey.shape) >= SMALLEST
        return old[-1] if suits else None


def _per_cell(flow: Flow, heads: HeadMap, sample: float) -> Flow:
    """Return the mean flow in each cell of the head map."""
    size = max(1, round(heads.cell / sample))
    smooth = cv2.blur(flow, (size, size), borderType=cv2.BORDER_REPLICATE)
    row, column = (
        ((begin + (np.arange(cells) + 0.5) * heads.cell) / sample).astype(int).clip(0, length - 1)
        for begin, cells, length in zip(
            (heads.top, heads.left), heads.count.shape, flow.shape[:2], strict=True
        )
    )
    return np.asarray(smooth[row[:, None], column], np.float32)


def _shaken(flow: Flow, heads: HeadMap) -> bool:
    """Return whether the ground moves: the camera was knocked, or shakes in the wind."""
    empty = heads.count < EMPTY_BELOW
    if empty.mean() < EMPTY_LEAST:
        return False
    return bool(np.median(np.hypot(*flow[empty].T)) > SHAKEN_SAMPLES)
