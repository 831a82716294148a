"""Two units of one name, and what is waited for between two connections."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.units import NS_PER_S
from edge.report.client_id_conflict import ClientIdConflict
from edge.report.payloads import Stamp, as_json, state_fields, unknown_state
from edge.report.reconnect_backoff import (
    LONGEST,
    LONGEST_AFTER_CONFLICT,
    LONGEST_AFTER_OUR_FAILURE,
    NAMESAKE_GONE_AFTER,
    STEADY_AFTER,
    ReconnectBackoff,
)
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_report import ids, sent

WATCHED_S = 40.0
# Each waits about 1, 2, 4, 8 and 16 s; at full speed they would come a hundred times.
MOST_CONNECTIONS = 20


@pytest.fixture
def clones(tmp_path: Path, broker: Mosquitto) -> Iterator[list[Report]]:
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        made.append(Report(tmp_path / name, f'host = "127.0.0.1"\nport = {broker.port}\n'))
    yield made
    for report in made:
        report.end(signal.SIGKILL)


def test_two_units_of_one_name_are_reported_and_do_not_fight_at_full_speed(
    clones: list[Report], broker: Mosquitto
) -> None:
    listener = Listener(broker.port)
    for report in clones:
        report.start()
    names: set[str] = set()
    began = time.monotonic()
    while time.monotonic() - began < WATCHED_S:
        for report, whose in zip(clones, "ab", strict=True):
            name = f"{whose}-{len(names)}"
            sent(report, [name])
            names.add(name)
        time.sleep(0.5)
    connections = listener.on("availability").count("online")
    assert 4 <= connections <= MOST_CONNECTIONS
    for report in clones:
        assert "both are called test/one; give one of them another site.unit" in report.said()
        assert report.said().count("fault: name") == 1  # told once, however often it happens
    told = [each for each in listener.on("events") if each["after"] == "name"]
    assert {each["kind"] for each in told} == {"fault"}
    assert any("name" in each["programs"]["report"]["faults"] for each in listener.on("health"))
    wait_for(lambda: names <= set(ids(listener)), 120, "every event of both")
    clones[0].end()
    sent(clones[1], ["alone"])
    wait_for(lambda: "alone" in ids(listener), 70, "the other's event")


def test_a_broker_that_says_why_it_hangs_up_is_believed(tmp_path: Path) -> None:
    """Mosquitto 2.0 only hangs up; others give MQTT 5's reason, as these bytes do."""
    accepted, session_taken_over = b"\x20\x03\x00\x00\x00", b"\xe0\x02\x8e\x00"
    with socket.create_server(("127.0.0.1", 0)) as server:
        report = Report(tmp_path, f'host = "127.0.0.1"\nport = {server.getsockname()[1]}\n')
        report.start()
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(accepted + session_taken_over)
            wait_for(lambda: "takes our place at the broker" in report.said(), 15, "the fault")
        report.end(signal.SIGKILL)


def test_pauses_double_until_a_connection_stands() -> None:
    pauses, now = ReconnectBackoff(), 0
    waited = [pauses.after_loss(now) for _ in range(8)]
    assert all(NS_PER_S * 2**n / 2 <= each <= NS_PER_S * 2**n for n, each in enumerate(waited[:5]))
    assert all(LONGEST / 2 <= each <= LONGEST for each in waited[5:])
    assert pauses.after_our_failure(now) <= LONGEST_AFTER_OUR_FAILURE
    pauses.connected(now)
    assert pauses.after_loss(now + STEADY_AFTER - 1) > 2 * NS_PER_S  # it ended too soon
    pauses.connected(now)
    assert pauses.after_loss(now + STEADY_AFTER) <= NS_PER_S


def test_after_a_conflict_it_is_waited_longer_until_it_is_gone() -> None:
    pauses = ReconnectBackoff()
    assert not pauses.in_conflict(0)
    pauses.note_conflict(0)
    waited = [pauses.after_conflict() for _ in range(9)]
    longest = [min(NS_PER_S * 2**n, LONGEST_AFTER_CONFLICT) for n in range(9)]
    assert all(most / 2 <= each <= most for each, most in zip(waited, longest, strict=True))
    assert pauses.in_conflict(NAMESAKE_GONE_AFTER - 1)
    assert not pauses.in_conflict(NAMESAKE_GONE_AFTER)
    assert pauses.after_conflict() <= NS_PER_S


def health(boot: str, at_s: float, wall_s: float, *, valid: bool = True) -> str:
    state = unknown_state(["street"], 0, "")
    return as_json(state_fields(state, Stamp(boot, round(at_s * NS_PER_S), wall_s, valid)))


@pytest.mark.parametrize(
    ("found", "is_another"),
    [
        (health("ours", 100, 2e9), False),  # the very last
        (health("ours", 90, 2e9 - 10), False),  # the last one came no more
        (health("ours", 101, 2e9 + 1), True),  # another report on this unit
        (health("before", 9999, 2e9 - 60), False),  # before our reboot, from the broker's old file
        (health("theirs", 5, 2e9 + 1), True),
        (health("theirs", 5, 2e9 + 1, valid=False), False),  # its clock was never set: nobody knows
        ("online", False),
        ('{"time": 3}', False),
        ("[" * 9999, False),
    ],
)
def test_a_newer_state_than_ours_is_anothers(found: str, is_another: bool) -> None:
    conflict = ClientIdConflict()
    assert not conflict.is_another(health("before", 9999, 2e9 + 60).encode())  # we told nothing yet
    conflict.note_sent(health("ours", 100, 2e9))
    conflict.connected()
    conflict.note_sent(health("ours", 200, 2e9 + 100))
    assert conflict.is_another(found.encode()) == is_another
