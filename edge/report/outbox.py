"""The outbox: what must go upstream waits here, on disk, until the broker acknowledges it.

SQLite in WAL mode with synchronous FULL: a row that `put` has taken survives a power cut. It is
bounded: when full, the oldest counts give way before any event does, and what is dropped is
counted.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.common.errors import OutboxError

Kind = Literal["events", "counts", "crowdflow"]
ROW_OVERHEAD_BYTES = 200

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_kind ON outbox (kind, seq);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Row:
    """One message: its unique id, its topic's last part, when it was made, and its JSON."""

    id: str
    kind: Kind
    boot_id: str
    at: int
    payload: str

    @property
    def size(self) -> int:
        """About how many bytes it takes on disk."""
        return len(self.payload.encode()) + ROW_OVERHEAD_BYTES


@dataclass(frozen=True)
class Waiting:
    """A row and its sequence number in the queue."""

    seq: int
    row: Row


class Outbox:
    """The queue in one file. Every method raises OutboxError, of one line, when the disk fails."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.dropped = 0
        self.set_aside: Path | None = None
        self._path = path
        self._max_bytes = max_bytes
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._open_or_renew()
            self._bytes = self._measure()

    def put(self, rows: Iterable[Row]) -> None:
        """Write rows, all or none; a row whose id is known already is passed over."""
        with self._writing() as database:
            for row in rows:
                done = database.execute(
                    "INSERT OR IGNORE INTO outbox (id, kind, boot_id, at, payload)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (row.id, row.kind, row.boot_id, row.at, row.payload),
                )
                self._bytes += row.size * done.rowcount
            self._drop_oldest(database)

    def oldest(self, limit: int, after: int, kind: Kind) -> list[Waiting]:
        """Up to `limit` rows of this kind in their order, those after sequence number `after`."""
        with self._explained():
            found = self._database.execute(
                "SELECT seq, id, kind, boot_id, at, payload FROM outbox"
                " WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?",
                (kind, after, limit),
            ).fetchall()
        return [Waiting(seq, Row(*row)) for seq, *row in found]

    def acknowledge(self, seqs: Sequence[int]) -> None:
        """Delete rows that the broker has acknowledged."""
        with self._writing() as database:
            self._bytes -= _delete(database, seqs)

    def note(self, name: str, text: str | None) -> None:
        """Store a short text under a name, replacing what was there; None deletes it."""
        with self._writing() as database:
            if text is None:
                database.execute("DELETE FROM notes WHERE name = ?", (name,))
            else:
                database.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, text))

    def notes(self, beginning: str) -> list[str]:
        """Return the texts of all names that begin so."""
        with self._explained():
            found = self._database.execute(
                "SELECT text FROM notes WHERE substr(name, 1, ?) = ? ORDER BY name",
                (len(beginning), beginning),
            ).fetchall()
        return [text for (text,) in found]

    def depth(self) -> int:
        """Return how many rows wait."""
        with self._explained():
            (count,) = self._database.execute("SELECT count(*) FROM outbox").fetchone()
        return int(count)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What SQLite or the disk refuses, as an OutboxError of one line."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutboxError(_explain(self._path, error)) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is written, or none."""
        with self._explained():
            try:
                with self._database as database:
                    yield database
            except sqlite3.Error:
                self._forget_size()
                raise

    def _open_or_renew(self) -> sqlite3.Connection:
        """Return the database; a damaged file is set aside and a new one begun."""
        try:
            return _open(self._path)
        except sqlite3.OperationalError:
            raise  # the disk, not the file's content
        except sqlite3.DatabaseError:
            self.set_aside = _free_name(self._path)
            self._path.rename(self.set_aside)
            for tail in ("-wal", "-shm"):
                self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
            return _open(self._path)

    def _measure(self) -> int:
        (size,) = self._database.execute(
            "SELECT coalesce(sum(length(CAST(payload AS BLOB)) + ?), 0) FROM outbox",
            (ROW_OVERHEAD_BYTES,),
        ).fetchone()
        return int(size)

    def _forget_size(self) -> None:
        """After a failed write the size is what the file says, if it can be asked."""
        with contextlib.suppress(sqlite3.Error):
            self._bytes = self._measure()

    def _drop_oldest(self, database: sqlite3.Connection) -> None:
        """Drop the oldest counts, in either form, and only then the oldest events."""
        for kind in ("crowdflow", "counts", "events"):
            while self._bytes > self._max_bytes:
                oldest = database.execute(
                    "SELECT seq FROM outbox WHERE kind = ? ORDER BY seq LIMIT 1", (kind,)
                ).fetchone()
                if oldest is None:
                    break
                self._bytes -= _delete(database, oldest)
                self.dropped += 1


def _delete(database: sqlite3.Connection, seqs: Sequence[int]) -> int:
    """Delete the rows with these sequence numbers; returns how many bytes that frees."""
    marks = ",".join("?" * len(seqs))
    freed = database.execute(
        f"DELETE FROM outbox WHERE seq IN ({marks}) RETURNING length(CAST(payload AS BLOB))",
        seqs,
    ).fetchall()
    return sum(length + ROW_OVERHEAD_BYTES for (length,) in freed)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=1.0)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(_SCHEMA)
        (verdict,) = database.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _free_name(path: Path) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    return name


def _explain(path: Path, error: sqlite3.Error | OSError) -> str:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"outbox {path}: cannot be written ({why}); free or repair that disk"
