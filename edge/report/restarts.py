"""How often each program has begun since boot; kept, as report may be the one that restarts."""

import json

from edge.report.store import Store

NOTE = "starts"


class Restarts:
    """Counts start events by program."""

    def __init__(self, store: Store, boot_id: str) -> None:
        self._store, self._boot_id = store, boot_id
        self._starts: dict[str, int] = {}
        for text in store.notes(NOTE) or ():
            kept = json.loads(text)
            if kept["boot_id"] == boot_id:
                self._starts = kept["starts"]

    def started(self, program: str) -> None:
        """A program has begun."""
        self._starts[program] = self._starts.get(program, 0) + 1
        kept = {"boot_id": self._boot_id, "starts": self._starts}
        self._store.note(NOTE, json.dumps(kept))

    def since_boot(self) -> dict[str, int]:
        """Beginnings after the first one."""
        return {program: starts - 1 for program, starts in sorted(self._starts.items())}
