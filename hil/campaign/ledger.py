"""Which events the unit's disk has taken, and which of them arrived."""

import threading

from hil.rig import Broker, Disk

LOOK_EVERY_S = 0.1


class Ledger:
    """Looks at the outbox from outside, ten times a second, for as long as it is open.

    What it sees there is committed: a reader of its own sees nothing else.
    """

    def __init__(self, disk: Disk, broker: Broker) -> None:
        self._disk, self._broker = disk, broker
        self.committed: set[str] = set()
        self.destroyed: set[str] = set()
        self.waiting = self.most_waiting = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def destroy(self) -> None:
        """Record that the events waiting now are destroyed with their file, so not lost."""
        self.destroyed |= self._disk.waiting()

    def lost(self) -> set[str]:
        """Return the ids of events committed that neither arrived nor wait."""
        waiting = self._disk.waiting()
        return self.committed - self.destroyed - self._broker.events() - waiting

    def late(self) -> set[str]:
        """Return the ids of events that still wait."""
        return set(self._disk.waiting())

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            waiting = self._disk.waiting()
            self.committed |= waiting
            self.waiting = len(waiting)
            self.most_waiting = max(self.most_waiting, self.waiting)
