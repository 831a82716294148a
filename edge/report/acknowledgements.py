"""Receipts: inform each program which of its events it need not send again."""

from edge.common.program import PROGRAMS, Program
from edge.common.wire import COMMANDS, Ack, Event
from edge.report.store import Store

KNOWN_AT_MOST = 1000  # more than all programs have under way at a time


class Acknowledgements:
    """The events accepted since `report` started, and those whose receipt is still to be sent."""

    def __init__(self, program: Program, store: Store) -> None:
        others = [name for name in PROGRAMS if name != program.name]
        self._ways = {name: program.channel_to(name, COMMANDS) for name in others}
        for way in self._ways.values():
            way.send(Ack((), begun=True))
        self._store = store
        self._known: dict[str, None] = {}
        self._owed: dict[str, str] = {}  # the source of each

    def take(self, event: Event) -> bool:
        """Return whether this event is new; a receipt is sent for it in any case."""
        if event.source in self._ways:
            self._owed[event.id] = event.source
        is_new = event.id not in self._known
        self._known.pop(event.id, None)
        self._known[event.id] = None  # the newest again
        if len(self._known) > KNOWN_AT_MOST:
            del self._known[next(iter(self._known))]
        return is_new

    def give(self) -> None:
        """Send receipts for all events that are on disk, or already with the broker.

        A program that received no receipt requests it by sending the event again.
        """
        unwritten = self._store.unwritten() if self._owed else set()
        for source, way in self._ways.items():
            ids = [
                name for name, of in self._owed.items() if of == source and name not in unwritten
            ]
            if ids:
                way.send(Ack(tuple(ids)))
            for name in ids:
                del self._owed[name]
