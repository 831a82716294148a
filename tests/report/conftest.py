"""A broker, and a `report` process to talk to."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.testkit.mosquitto import Mosquitto
from hil.testkit.report_process import Report


@pytest.fixture
def report(tmp_path: Path, broker: Mosquitto) -> Iterator[Report]:
    program = Report(tmp_path, f'host = "127.0.0.1"\nport = {broker.port}\naggregate_s = 5\n')
    yield program
    program.end(signal.SIGKILL)
