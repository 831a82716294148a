"""What the disk has taken arrives, whenever report is killed: a short form of `make kills`."""

from pathlib import Path

import pytest

from hil.kills import EVERY_DAMAGE, kill_often


@pytest.mark.processes
def test_every_committed_event_arrives_whenever_report_is_killed(tmp_path: Path) -> None:
    figures = kill_often(EVERY_DAMAGE + 1, tmp_path, seed=7)
    assert figures.damaged == 1
    assert figures.committed  # how many depends on the machine
    assert not figures.lost, figures
