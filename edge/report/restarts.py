"""How often each program has begun since boot; kept, as report may be the one that restarts."""

import json

from edge.common.wire import Event
from edge.report.store import Store

NOTE = "starts"
IDS_AT_MOST = 100


class Restarts:
    """Counts start events by program, each once, however often it is received."""

    def __init__(self, store: Store, boot_id: str) -> None:
        self._store, self._boot_id = store, boot_id
        self._starts: dict[str, int] = {}
        self._ids: list[str] = []  # of the newest
        self._is_kept = True
        for text in store.notes(NOTE) or ():
            kept = json.loads(text)
            if kept["boot_id"] == boot_id:
                self._starts, self._ids = kept["starts"], kept.get("ids", [])

    def started(self, event: Event) -> None:
        """Count a program's start event."""
        if event.id in self._ids:
            return
        self._ids = [*self._ids, event.id][-IDS_AT_MOST:]
        self._starts[event.source] = self._starts.get(event.source, 0) + 1
        self._is_kept = False

    def keep(self) -> None:
        """Write the counts to disk if they changed."""
        if self._is_kept:
            return
        kept = {"boot_id": self._boot_id, "starts": self._starts, "ids": self._ids}
        self._store.note(NOTE, json.dumps(kept))
        self._is_kept = True

    def since_boot(self) -> dict[str, int]:
        """Return the restarts since boot by program: starts after the first."""
        return {program: starts - 1 for program, starts in sorted(self._starts.items())}
