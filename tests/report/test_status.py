"""What report leaves beside the sockets for whoever stands at the unit."""

import json
import os
import signal
from pathlib import Path

import pytest

from edge.common.clock import boottime_ns
from edge.common.link import Inbox, socket_path
from edge.common.program import Paths
from edge.common.units import NS_PER_S
from edge.common.wire import ORDERS
from edge.report.status import STATUS_FILE, STATUS_STALE_AFTER_S, read_status, status_text
from hil.testkit.mosquitto import wait_for
from hil.testkit.report_process import Report
from hil.testkit.small_disk import small_disk
from tests.report.test_report import state


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / "run").mkdir()
    return Paths(tmp_path / "run", tmp_path / "state")


def put(paths: Paths, age_s: float) -> None:
    health = {"at_boot_ns": boottime_ns() - round(age_s * NS_PER_S)}
    told = json.dumps({"site": "s", "state": {"level": "CLEAR"}, "health": health})
    (paths.runtime / STATUS_FILE).write_text(told, encoding="utf-8")


@pytest.mark.parametrize(
    ("age_s", "believed"),
    [(1.0, True), (STATUS_STALE_AFTER_S + 1, False), (-60.0, False)],
    ids=["fresh", "old", "of the future"],
)
def test_only_what_was_reported_a_moment_ago_is_believed(
    paths: Paths, age_s: float, believed: bool
) -> None:
    put(paths, age_s)
    with Inbox(paths.runtime, "show", {"decide": ORDERS}):
        assert (read_status(paths) is not None) == believed


def test_nothing_is_believed_where_no_program_listens(paths: Paths) -> None:
    """What a unit of an earlier boot has left, its sockets too."""
    with Inbox(paths.runtime, "show", {"decide": ORDERS}):
        pass
    assert socket_path(paths.runtime, "decide", "show").exists()
    put(paths, 1.0)
    assert read_status(paths) is None


@pytest.mark.parametrize("text", ["", "[]", '{"state":{},"health":{}}', "\x00\x01", '{"state"'])
def test_half_a_file_is_none(paths: Paths, text: str) -> None:
    (paths.runtime / STATUS_FILE).write_text(text, encoding="utf-8")
    assert read_status(paths) is None


def test_no_link_is_followed_and_no_pipe_waited_for(paths: Paths, tmp_path: Path) -> None:
    """Who asks may be root: a report that was taken over must not choose what is read."""
    put(paths, 1.0)
    status, secret = paths.runtime / STATUS_FILE, tmp_path / "secret"
    status.rename(secret)
    with Inbox(paths.runtime, "show", {"decide": ORDERS}):
        status.symlink_to(secret)
        assert read_status(paths) is None
        with pytest.raises(OSError, match="symbolic link"):
            status_text(paths)
        status.unlink()
        os.mkfifo(status)
        assert read_status(paths) is None
        with pytest.raises(OSError, match="is no file"):
            status_text(paths)


def test_report_reports_state_and_health_and_forgets_them_at_its_end(report: Report) -> None:
    report.start()
    paths = Paths(report.runtime, report.state)

    def told_of_caution() -> bool:
        report.outlet.send(state())  # again and again: what is not repeated is UNKNOWN
        return _level(paths) == "CAUTION"

    wait_for(told_of_caution, 20, "the state")
    told = read_status(paths)
    assert told is not None
    assert "report" in told.health["programs"]
    report.end()
    assert not (report.runtime / STATUS_FILE).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_runtime_folder_is_a_fault_and_no_more(report: Report) -> None:
    report.runtime.mkdir()
    with small_disk(report.runtime, "4k"):
        (report.runtime / "filler").write_bytes(bytes(4096))
        report.start()
        wait_for(lambda: "fault: status" in report.said(), 15, "the fault")
        (report.runtime / "filler").unlink()
        wait_for(lambda: "recovery: status works again" in report.said(), 15, "the recovery")
        report.end(signal.SIGKILL)


def _level(paths: Paths) -> str | None:
    told = read_status(paths)
    return None if told is None else str(told.state["level"])
