"""A broker, and `report` processes to talk to."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.testkit.mosquitto import Mosquitto
from hil.testkit.report_process import Report

Made = Callable[..., Report]


@pytest.fixture
def report(tmp_path: Path, broker: Mosquitto) -> Iterator[Report]:
    program = Report(tmp_path, f'host = "127.0.0.1"\nport = {broker.port}\naggregate_s = 5\n')
    yield program
    program.end(signal.SIGKILL)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """Makes one for the broker at a port, with more lines of `[upstream]` and what follows."""
    reports: list[Report] = []

    def make(port: int, more: str = "") -> Report:
        upstream = f'host = "127.0.0.1"\nport = {port}\naggregate_s = 5\n{more}'
        reports.append(Report(tmp_path, upstream))
        return reports[-1]

    yield make
    for each in reports:
        each.end(signal.SIGKILL)
