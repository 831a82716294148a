"""The outbox as the program sees it: a disk that fails stops neither keeping nor sending."""

import itertools
from pathlib import Path

from edge.common.clock import NS_PER_S, boottime_ns
from edge.common.errors import OutboxError
from edge.common.program import Program
from edge.report.outbox import Outbox, Row, Waiting

ROWS_IN_MEMORY = 20_000
OUTBOX_FILE = "outbox.sqlite3"
OPEN_AGAIN_AFTER = 2 * NS_PER_S
DELETED_AT_ONCE = 1000  # SQLite takes so many values in one statement, and not many more
IN_MEMORY = 1 << 62  # the places of rows that are not on disk begin after it


class Store:
    """Rows go to disk at once; while the disk refuses, they wait in memory, up to a bound."""

    def __init__(self, folder: Path, max_bytes: int, program: Program) -> None:
        self._path = folder / OUTBOX_FILE
        self._max_bytes = max_bytes
        self._program = program
        self._outbox: Outbox | None = None
        self._unwritten: dict[int, Row] = {}  # by place, in order
        self._done: list[int] = []  # the broker has them; to be deleted
        self._places = itertools.count(IN_MEMORY + 1)
        self._dropped = 0
        self._again_at = 0

    @property
    def dropped(self) -> int:
        """How many rows were given up for want of room since this program began."""
        return self._dropped + (self._outbox.dropped if self._outbox else 0)

    def put(self, row: Row) -> None:
        """Keep a row; it is written by the next `write`."""
        self._unwritten[next(self._places)] = row
        if len(self._unwritten) > ROWS_IN_MEMORY:
            self._drop_one()

    def write(self) -> None:
        """Bring to disk what waits, and say how the disk is."""
        self._delete_done()
        if not self._unwritten and self._outbox is not None:
            return
        outbox = self._opened()
        if outbox is None:
            return
        try:
            outbox.put(self._unwritten.values())
        except OutboxError as error:
            self._fail(error)
            return
        self._unwritten.clear()
        self._program.recovered("outbox")

    def unwritten(self) -> set[str]:
        """The ids of those rows that are in memory alone."""
        return {row.id for row in self._unwritten.values()}

    def oldest(self, limit: int, after: int) -> list[Waiting]:
        """Rows in their order after a place: those on disk, then those that it does not take.

        A row in memory that has come to disk since it was sent is sent once more, by its id.
        """
        if after > IN_MEMORY and not self._unwritten:
            after = 0  # the disk has taken them all
        found = self._on_disk(limit, after)
        waiting = ((place, row) for place, row in self._unwritten.items() if place > after)
        rest = itertools.islice(waiting, limit - len(found))
        return found + [Waiting(place, row) for place, row in rest]

    def acknowledge(self, paths: list[int]) -> None:
        """Forget what the broker has; what the disk does not delete now, it does later."""
        for place in paths:
            if place > IN_MEMORY:
                self._unwritten.pop(place, None)
            else:
                self._done.append(place)
        self._delete_done()

    def note(self, name: str, text: str | None) -> None:
        """Keep a short text under a name, if the disk takes it; None forgets it."""
        outbox = self._opened()
        try:
            if outbox is not None:
                outbox.note(name, text)
        except OutboxError as error:
            self._fail(error)

    def notes(self, beginning: str) -> list[str] | None:
        """The texts whose names begin so; None while the disk cannot be asked."""
        outbox = self._opened()
        try:
            return outbox.notes(beginning) if outbox else None
        except OutboxError as error:
            self._fail(error)
            return None

    def depth(self) -> int | None:
        """How many rows wait, or None while the disk cannot be asked."""
        try:
            return self._outbox.depth() + len(self._unwritten) if self._outbox else None
        except OutboxError as error:
            self._fail(error)
            return None

    def close(self) -> None:
        """Write what waits and give the file back."""
        self._again_at = 0
        self.write()
        self._close()

    def _delete_done(self) -> None:
        outbox = self._opened() if self._done else None
        try:
            while outbox is not None and self._done:
                outbox.acknowledge(self._done[:DELETED_AT_ONCE])
                del self._done[:DELETED_AT_ONCE]
        except OutboxError as error:
            self._fail(error)

    def _on_disk(self, limit: int, after: int) -> list[Waiting]:
        outbox = self._opened()
        try:
            return outbox.oldest(limit, after) if outbox else []
        except OutboxError as error:
            self._fail(error)
            return []

    def _opened(self) -> Outbox | None:
        """The outbox, or None while the disk refuses it."""
        if self._outbox is None and boottime_ns() >= self._again_at:
            try:
                self._outbox = Outbox(self._path, self._max_bytes)
            except OutboxError as error:
                self._fail(error)
            else:
                self._tell_damage(self._outbox.set_aside)
        return self._outbox

    def _tell_damage(self, set_aside: Path | None) -> None:
        if set_aside is not None:
            self._done.clear()  # places of the file that is gone
            self._program.event(
                "fault",
                f"outbox {self._path} was damaged; it is kept as "
                f"{set_aside.name} and a new one is begun",
                after="outbox",
            )

    def _fail(self, error: OutboxError) -> None:
        """Tell it and close: opening anew, after a pause, finds out what is wrong with the file."""
        self._program.fault("outbox", str(error))
        self._again_at = boottime_ns() + OPEN_AGAIN_AFTER
        self._close()

    def _close(self) -> None:
        if self._outbox is not None:
            self._dropped += self._outbox.dropped
            self._outbox.close()
            self._outbox = None

    def _drop_one(self) -> None:
        """Counts before events, the oldest first."""
        self._dropped += 1
        counts = (place for place, row in self._unwritten.items() if row.kind != "events")
        del self._unwritten[next(counts, next(iter(self._unwritten)))]
