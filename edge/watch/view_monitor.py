"""Does the camera still look where it looked when it was mounted: learns its view, then guards it.

Time is an argument. A view is learnt from two minutes of good pictures whose halves must agree,
so that nothing is learnt while the camera is still being turned. Once learnt it never changes by
itself: a mount that sinks a little each day is found too. A view that is given must be seen once
before a picture is trusted: the camera may have been knocked unobserved.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from edge.common.timer import Timer
from edge.common.units import nanoseconds
from edge.watch.view import SMALLEST, Edges, Samples, View, edges_of

LOOK_EVERY_S = 1.0
LEARN_S, LEARN_LOOKS = 120.0, 30
# The mean of about this many looks is compared, so that those who pass count for little.
LOOKS = 5
# What is seen must be seen for this long to be believed.
PERSIST_S = 5.0
# Correlation of five looks with their own view: at least 0.54 over all station days; with any
# other view: at most 0.36.
LIKENESS_LEAST = 0.42
# Share of the view's edges that are gone: at most 0.44 over all station days, at least 0.42 with
# two fifths of the lens covered.
VANISHED_ABOVE = 0.45


@dataclass(frozen=True)
class Seen:
    """What the last looks found: is the camera moved, is a good part of its view covered.

    `hidden` is the share of the view that is not there, `unlike` how unlike the view it looks, for
    each cell (rows, columns); None where the whole picture is doubted, and before a view is known.
    """

    moved: bool = False
    covered: bool = False
    hidden: Samples | None = field(default=None, compare=False)
    unlike: Samples | None = field(default=None, compare=False)


class ViewMonitor:
    """Learns the camera's view, unless it is given one, and says when something else is seen."""

    def __init__(self, view: View | None = None) -> None:
        self._begin(view)

    def forget(self) -> None:
        """Take what is seen from now on for the right view, and learn it."""
        self._begin(None)

    def _begin(self, view: View | None) -> None:
        self.view = view
        self._seen = Seen()
        self._unproven = view is not None  # it is from before a restart, and not seen since
        self._halves = _Halves()
        self._now = _Mean(LOOKS)
        self._look_timer = Timer(LOOK_EVERY_S)
        self._doubted_since: int | None = None

    @property
    def status(self) -> str:
        """In a word: learning, kept or moved."""
        if self.view is None:
            return "learning"
        return "moved" if self._seen.moved else "kept"

    def look(self, grey: Samples, at: int) -> Seen:
        """Judge a picture that is otherwise good, taken at `at` ns; looks once a second."""
        if min(grey.shape) >= SMALLEST and self._look_timer.restart_if_due(at):
            edges = edges_of(grey)
            if self.view is None:
                self.view = self._halves.add(edges, at)
            else:
                self._seen = self._compare(self.view, edges, at)
        return self._seen

    def _compare(self, view: View, edges: Edges, at: int) -> Seen:
        if not self._seen.moved and view.vanished(edges) > VANISHED_ABOVE:
            return Seen(covered=True)
        mean = self._now.add(edges)
        seen = self._judged(not view.is_seen_in(mean, LIKENESS_LEAST), at)
        if seen.moved:
            return seen
        return replace(seen, hidden=view.hidden(mean), unlike=view.unlike(mean))

    def _judged(self, differs: bool, at: int) -> Seen:
        """Whether the camera is taken for moved, now that the view differs or not."""
        if self._unproven:
            self._unproven = differs
            return Seen(moved=differs)
        if differs == self._seen.moved:
            self._doubted_since = None
            return Seen(moved=self._seen.moved)
        if self._doubted_since is None:
            self._doubted_since = at
        long = at - self._doubted_since >= nanoseconds(PERSIST_S)
        if long:
            self._doubted_since = None
        return Seen(moved=differs if long else self._seen.moved)


class _Mean:
    """The mean of edges: of all, or of about the last few."""

    def __init__(self, last: int | None = None) -> None:
        self.looks = 0
        self.edges: Edges = np.zeros((3, 0, 0), np.float32)
        self._last = last

    def add(self, edges: Edges) -> Edges:
        if self.edges.shape != edges.shape:
            self.looks, self.edges = 0, edges
        self.looks += 1
        share = np.float32(1 / min(self.looks, self._last or self.looks))
        self.edges = self.edges + share * (edges - self.edges)
        return self.edges


class _Halves:
    """The two halves of the time in which a view is learnt."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._began: int | None = None
        self._first, self._second = _Mean(), _Mean()

    def add(self, edges: Edges, at: int) -> View | None:
        """Return the view, once it is learnt; when the halves differ the learning begins anew."""
        if self._began is None:
            self._began = at
        since = at - self._began
        in_first = since < nanoseconds(LEARN_S / 2) or self._first.looks < LEARN_LOOKS // 2
        (self._first if in_first else self._second).add(edges)
        if since < nanoseconds(LEARN_S) or self._second.looks < LEARN_LOOKS // 2:
            return None
        first, second = View(self._first.edges), View(self._second.edges)
        self._restart()
        if not first.is_seen_in(second.edges, LIKENESS_LEAST):
            return None
        return View((first.edges + second.edges) / 2)
