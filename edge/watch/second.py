"""When the counter looks at a picture again: once a minute, and while the count has risen.

watch knows no levels, but a level that rises does so because more heads are counted than before.
Pure: time is an argument (boot time, ns).
"""

from edge.common.timer import Timer

# Of the first look's size. Smaller, small heads are lost and real crowds differ, too.
SECOND_SCALE = 0.8
EVERY_S = 60.0
AGAIN_S = 2.0  # as a rise takes three seconds, each has a second look of its own
# More than so many heads and so large a part of the count is a rise.
RISEN_HEADS, RISEN_PART = 5.0, 0.1


class SecondLooks:
    """Says at which pictures to look twice."""

    def __init__(self) -> None:
        self._minute = Timer(EVERY_S)
        self._again = Timer(AGAIN_S)
        self._before = 0.0

    def due(self, heads: float, at: int) -> bool:
        """Whether to look again at a picture taken `at`, in which `heads` were counted.

        `heads` are compared with those of the last look that came by the minute.
        """
        if self._minute.restart_if_due(at):
            self._before = heads
            self._again.restart(at)
            return True
        risen = heads - self._before > RISEN_HEADS + RISEN_PART * self._before
        return risen and self._again.restart_if_due(at)
