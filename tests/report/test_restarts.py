"""Starts are counted once each, over the lives of report too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.program import Paths, Program
from edge.common.wire import Event
from edge.report.restarts import Restarts
from edge.report.store import Store


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with (made := Program("report", Paths(tmp_path, tmp_path))).inbox:
        yield made


def start(name: str, source: str) -> Event:
    return Event(name, "start", source, 1, f"{source} started")


def test_a_start_that_is_reported_again_to_another_report_is_no_restart(program: Program) -> None:
    """As when report was killed between the note and the receipt."""
    for _ in range(3):
        store = Store(program.paths.state, 10**6, program)
        restarts = Restarts(store, "this boot")
        restarts.started(start("a", "watch"))
        restarts.started(start("b", "show"))
        restarts.keep()
        store.close()
    assert restarts.since_boot() == {"show": 0, "watch": 0}
    restarts.started(start("c", "watch"))
    assert restarts.since_boot() == {"show": 0, "watch": 1}


def test_what_another_boot_counted_is_forgotten(program: Program) -> None:
    store = Store(program.paths.state, 10**6, program)
    restarts = Restarts(store, "that boot")
    restarts.started(start("a", "watch"))
    restarts.keep()
    assert Restarts(store, "that boot").since_boot() == {"watch": 0}
    assert Restarts(store, "this boot").since_boot() == {}
    store.close()
