"""The outbox: durable, in order, bounded, and patient with a bad disk."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge.common.errors import OutboxError
from edge.report.outbox import ROW_OVERHEAD_BYTES, Kind, Outbox, Row

KINDS: tuple[Kind, ...] = ("events", "counts", "crowdflow")


def row(name: str, kind: Kind = "events", payload: str = "{}") -> Row:
    return Row(name, kind, "boot", 1, payload)


def names(outbox: Outbox) -> list[str]:
    """Of all kinds, in the order in which they were put."""
    found = [w for kind in KINDS for w in outbox.oldest(10_000, 0, kind)]
    return [waiting.row.id for waiting in sorted(found, key=lambda each: each.seq)]


def test_rows_wait_in_order_until_acknowledged(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite3", 10**6)
    outbox.put([row("a"), row("b"), row("c")])
    first, second, _ = outbox.oldest(10, 0, "events")
    outbox.acknowledge([second.seq])
    assert names(outbox) == ["a", "c"]
    assert [w.row.id for w in outbox.oldest(10, first.seq, "events")] == ["c"]
    assert outbox.depth() == 2


def test_a_row_is_kept_once_by_its_id(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite3", 10**6)
    outbox.put([row("a"), row("a")])
    outbox.put([row("a")])
    assert names(outbox) == ["a"]


def test_rows_outlast_the_program(tmp_path: Path) -> None:
    Outbox(tmp_path / "o.sqlite3", 10**6).put([row("a", payload='{"x":1}')])
    (waiting,) = Outbox(tmp_path / "o.sqlite3", 10**6).oldest(10, 0, "events")
    assert waiting.row == row("a", payload='{"x":1}')


def test_when_full_the_oldest_counts_go_before_any_event(tmp_path: Path) -> None:
    size = row("x", payload="y" * 100).size
    outbox = Outbox(tmp_path / "o.sqlite3", 4 * size)
    for name, kind in (("e1", "events"), ("c1", "counts"), ("c2", "counts"), ("e2", "events")):
        outbox.put([row(name, kind, "y" * 100)])  # type: ignore[arg-type]
    outbox.put([row("e3", payload="y" * 100)])
    assert names(outbox) == ["e1", "c2", "e2", "e3"]
    outbox.put([row("e4", payload="y" * 100), row("e5", payload="y" * 100)])
    assert names(outbox) == ["e2", "e3", "e4", "e5"]
    assert outbox.dropped == 3


def test_acknowledged_rows_make_room(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite3", 3 * row("x").size)
    for name in "abcdefgh":
        outbox.put([row(name)])
        outbox.acknowledge([waiting.seq for waiting in outbox.oldest(1, 0, "events")])
    outbox.put([row("i"), row("j"), row("k")])
    assert names(outbox) == ["i", "j", "k"]
    assert outbox.dropped == 0


def test_seven_days_of_a_busy_unit_fit(tmp_path: Path) -> None:
    """Four zones a minute and an event every half minute, of the size that they have."""
    minutes = 7 * 24 * 60
    assert minutes * (4 * (560 + ROW_OVERHEAD_BYTES) + 2 * (420 + ROW_OVERHEAD_BYTES)) < 64_000_000


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "o.sqlite3"
    path.write_bytes(content)
    outbox = Outbox(path, 10**6)
    outbox.put([row("a")])
    assert names(outbox) == ["a"]
    assert outbox.set_aside is not None
    assert outbox.set_aside.read_bytes() == content


def test_a_second_damaged_file_does_not_overwrite_the_first(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    for _ in range(2):
        path.write_bytes(b"this is no database" * 100)
        Outbox(path, 10**6).close()
    assert (tmp_path / "o.sqlite3.corrupt-1").exists()
    assert (tmp_path / "o.sqlite3.corrupt-2").exists()


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match=r"cannot be written .*free or repair"):
        Outbox(tmp_path / "file" / "o.sqlite3", 10**6)


def test_a_full_disk_is_reported_and_nothing_half_written(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "o.sqlite3", 10**9)
    outbox.put([row("a")])
    outbox._database.execute("PRAGMA max_page_count = 8")
    with pytest.raises(OutboxError, match="full"):
        outbox.put([row(f"b{n}", payload="y" * 2000) for n in range(50)])
    assert names(outbox) == ["a"]


KILLED_WRITER = """
import os, signal, sys
from pathlib import Path
from edge.report.outbox import Outbox, Row
outbox = Outbox(Path(sys.argv[1]), 10**8)
for n in range(100_000):
    outbox.put([Row(str(n), "events", "boot", n, "{}")])
    print(n, flush=True)
"""


def test_what_was_taken_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED_WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    taken = [next(writer.stdout).strip() for _ in range(60)]
    writer.kill()
    taken += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    assert set(taken) <= set(names(Outbox(path, 10**8)))
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
