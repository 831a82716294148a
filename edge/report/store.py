"""The outbox as the program sees it: a disk that fails stops neither storing nor sending."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.errors import OutboxError
from edge.common.program import Program
from edge.common.units import NS_PER_S
from edge.report.outbox import Kind, Outbox, Row, Waiting

ROWS_IN_MEMORY = 20_000
OUTBOX_FILE = "outbox.sqlite3"
OPEN_AGAIN_AFTER = 2 * NS_PER_S
DELETED_AT_ONCE = 1000  # SQLite takes so many values in one statement, and not many more
IN_MEMORY = 1 << 62  # sequence numbers of rows that are not on disk begin after it


class Store:
    """Rows go to disk at once; while the disk refuses, they wait in memory, up to a bound."""

    def __init__(self, folder: Path, max_bytes: int, program: Program) -> None:
        self._path = folder / OUTBOX_FILE
        self._max_bytes = max_bytes
        self._program = program
        self._outbox: Outbox | None = None
        self._unwritten: dict[int, Row] = {}  # by sequence number, in order
        self._done: list[int] = []  # the broker has them; to be deleted
        self._seqs = itertools.count(IN_MEMORY + 1)
        self._dropped = 0
        self._reopen_at = 0

    @property
    def dropped(self) -> int:
        """How many rows were given up for want of room since this program began."""
        return self._dropped + (self._outbox.dropped if self._outbox else 0)

    def put(self, row: Row) -> None:
        """Queue a row; the next `write` brings it to disk."""
        self._unwritten[next(self._seqs)] = row
        if len(self._unwritten) > ROWS_IN_MEMORY:
            self._drop_one()

    def write(self) -> None:
        """Bring to disk what waits; report whether the disk works."""
        self._delete_done()
        if not self._unwritten and self._outbox is not None:
            return
        with self._disk() as outbox:
            if outbox is not None:
                outbox.put(self._unwritten.values())
                self._unwritten.clear()
                self._program.recovered("outbox")

    def unwritten(self) -> set[str]:
        """Return the ids of those rows that are in memory alone."""
        return {row.id for row in self._unwritten.values()}

    def oldest(self, limit: int, after: int, kind: Kind) -> list[Waiting]:
        """Rows of this kind in their order after a place: first those on disk, then the others.

        A row in memory that has come to disk since it was sent is sent once more, by its id.
        """
        if after > IN_MEMORY and not self._unwritten:
            after = 0  # the disk has taken them all
        found = self._on_disk(limit, after, kind)
        waiting = (
            (seq, row) for seq, row in self._unwritten.items() if seq > after and row.kind == kind
        )
        rest = itertools.islice(waiting, limit - len(found))
        return found + [Waiting(seq, row) for seq, row in rest]

    def acknowledge(self, seqs: list[int]) -> None:
        """Delete what the broker acknowledged; what the disk refuses now is deleted later."""
        for seq in seqs:
            if seq > IN_MEMORY:
                self._unwritten.pop(seq, None)
            else:
                self._done.append(seq)
        self._delete_done()

    def note(self, name: str, text: str | None) -> None:
        """Store a short text under a name, if the disk works; None deletes it."""
        with self._disk() as outbox:
            if outbox is not None:
                outbox.note(name, text)

    def notes(self, beginning: str) -> list[str] | None:
        """Return the texts whose names begin so; None while the disk cannot be asked."""
        with self._disk() as outbox:
            return outbox.notes(beginning) if outbox else None
        return None

    def depth(self) -> int | None:
        """Return how many rows wait, or None while the disk cannot be read."""
        if self._outbox is None:
            return None
        with self._disk() as outbox:
            return outbox.depth() + len(self._unwritten) if outbox else None
        return None

    def close(self) -> None:
        """Write what waits and close the file."""
        self._reopen_at = 0
        self.write()
        self._close()

    def _delete_done(self) -> None:
        if not self._done:
            return
        with self._disk() as outbox:
            while outbox is not None and self._done:
                outbox.acknowledge(self._done[:DELETED_AT_ONCE])
                del self._done[:DELETED_AT_ONCE]

    def _on_disk(self, limit: int, after: int, kind: Kind) -> list[Waiting]:
        with self._disk() as outbox:
            return outbox.oldest(limit, after, kind) if outbox else []
        return []

    @contextlib.contextmanager
    def _disk(self) -> Iterator[Outbox | None]:
        """The outbox, or None while the disk refuses it; what then fails is a fault, not an error.

        The rest of the `with` block is left out, and what follows the block goes on.
        """
        try:
            if self._outbox is None and boottime_ns() >= self._reopen_at:
                self._outbox = Outbox(self._path, self._max_bytes)
                self._report_damage(self._outbox.set_aside)
        except OutboxError as error:
            self._fail(error)
        try:
            yield self._outbox
        except OutboxError as error:
            self._fail(error)

    def _report_damage(self, set_aside: Path | None) -> None:
        if set_aside is not None:
            self._done.clear()  # sequence numbers of the file that is gone
            self._program.event(
                "fault",
                f"outbox {self._path} was damaged; it is kept as "
                f"{set_aside.name} and a new one is begun",
                after="outbox",
            )

    def _fail(self, error: OutboxError) -> None:
        """Report and close: opening it again, after a pause, finds what is wrong with the file."""
        self._program.fault("outbox", str(error))
        self._reopen_at = boottime_ns() + OPEN_AGAIN_AFTER
        self._close()

    def _close(self) -> None:
        if self._outbox is not None:
            self._dropped += self._outbox.dropped
            self._outbox.close()
            self._outbox = None

    def _drop_one(self) -> None:
        """Counts before events, the oldest first."""
        self._dropped += 1
        counts = (seq for seq, row in self._unwritten.items() if row.kind != "events")
        del self._unwritten[next(counts, next(iter(self._unwritten)))]
