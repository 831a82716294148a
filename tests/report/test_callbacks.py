"""What fails inside the program: in paho's callbacks, or in its network thread."""

import signal
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from edge.report.broker import Broker
from edge.report.negotiation import Terms
from edge.site import load_site
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_report import depth, ids, sent

WITHIN_S = 10.0  # promised: from the last failure until all is delivered
FAILURES = 3
# Python's own start-up hook breaks the real program; each failure is noted when it happens.
PLANTED = """
import time
import edge.report.broker as broker
real, failures = broker.Broker._{name}, [{failures}]
inner = real.__wrapped__
@broker.guarded
def faulty(self, *rest):
    if failures[0]:
        failures[0] -= 1
        print(time.monotonic(), file=open({noted!r}, "a"), flush=True)
        raise RuntimeError("planted")
    inner(self, *rest)
broker.Broker._{name} = faulty
"""
UNGUARDED = """
import time
import edge.report.broker as broker
real, failures = broker.client_of, [{failures}]
def faulty(*_):
    if failures[0]:
        failures[0] -= 1
        print(time.monotonic(), file=open({noted!r}, "a"), flush=True)
        raise RuntimeError("planted")
def client(*given, **named):
    made = real(*given, **named)
    made.{name} = faulty
    return made
broker.client_of = client
"""
LONG_AWAY = """
import edge.report.reconnect_backoff as pauses
pauses.FIRST = pauses.LONGEST
"""
HANGING = """
import time
import edge.report.broker as broker
real, first = broker.Broker.put_down, [True]
def hanging(self, happening):
    if happening.kind == "connected" and first.pop():
        first.append(False)
        broker.STUCK_AFTER = 3_000_000_000
        time.sleep(3600)
    real(self, happening)
broker.Broker.put_down = hanging
"""
CALLBACKS = [name for name, call in vars(Broker).items() if hasattr(call, "__wrapped__")]
OF_PAHO = [name for name in vars(mqtt.Client) if name.startswith("on_")]
NEVER = {"on_connect_fail", "on_unsubscribe"}  # paho neither connects again nor unsubscribes
CALLED = [name for name in OF_PAHO if name not in NEVER]


class Planted:
    """A report whose callback fails so often."""

    def __init__(self, report: Report, text: str, name: str = "", failures: int = FAILURES) -> None:
        folder = report.site_file.parent / "hook"
        folder.mkdir()
        self._noted = folder / "noted"
        hook = text.format(name=name, failures=failures, noted=str(self._noted))
        (folder / "sitecustomize.py").write_text(hook, encoding="utf-8")
        self._failures = failures
        self._report = report
        report.start(PYTHONPATH=f"{folder}:{Path(__file__).parents[2]}")

    def failed_at(self) -> list[float]:
        """Seconds of the machine's monotonic clock."""
        return [*map(float, self._noted.read_text().split())] if self._noted.exists() else []

    def recoveries(self) -> int:
        return self._report.said().count("recovery: broker")

    def all_arrives(self, listener: Listener, *names: str) -> None:
        """Within what is promised after the last failure, with what happens after it."""
        wait_for(lambda: len(self.failed_at()) == self._failures, 40, "the failures")
        until = self.failed_at()[-1] + WITHIN_S
        sent(self._report, ["after"])
        wanted = {*names, "after"}
        wait_for(lambda: wanted <= set(ids(listener)), until - time.monotonic(), "delivery")
        wait_for(lambda: depth(self._report) == 0, until - time.monotonic(), "acknowledgements")


def test_every_callback_of_paho_that_we_set_is_guarded(tmp_path: Path) -> None:
    """So that the tests below plant an exception into each of them."""
    site = tmp_path / "site.toml"
    site.write_text('[upstream]\nhost = "127.0.0.1"\nport = 1\n', encoding="utf-8")
    broker = Broker(load_site(site), Terms("5"))
    broker.abandon()
    ours = {f"_{name}" for name in OF_PAHO if getattr(broker._client, name) is not None}
    assert ours == set(CALLBACKS)


def cut_often(planted: Planted, broker: Mosquitto) -> None:
    """For callbacks that are called at the end of a connection; each time it comes back."""
    for n in range(FAILURES):
        broker.kill()
        broker.start()
        wait_for(lambda n=n: len(planted.failed_at()) > n, 20, "a failure")  # type: ignore[misc]
        until = planted.failed_at()[-1] + WITHIN_S
        wait_for(lambda n=n: planted.recoveries() > n, until - time.monotonic(), "a connection")  # type: ignore[misc]


def say_until_it_has_failed(planted: Planted, listener: Listener) -> None:
    """Somebody must tell the unit something, at each of its connections."""

    def has_failed() -> bool:
        listener.say("redroad/v1/test/one/command/report", "{}")
        time.sleep(0.5)
        return len(planted.failed_at()) >= FAILURES

    wait_for(has_failed, 40, "the failures")


@pytest.mark.parametrize("name", CALLED)
def test_delivery_resumes_after_an_exception_in_a_callback(
    report: Report, broker: Mosquitto, name: str
) -> None:
    """Where no callback of ours guards, paho's thread ends by it."""
    listener = Listener(broker.port)
    planted = Planted(report, PLANTED if f"_{name}" in CALLBACKS else UNGUARDED, name)
    sent(report, ["first", "second"])
    if name in {"on_disconnect", "on_socket_close"}:
        wait_for(lambda: {"first", "second"} <= set(ids(listener)), 15, "delivery")
        cut_often(planted, broker)
        planted.all_arrives(Listener(broker.port))
    else:
        if name == "on_message":
            say_until_it_has_failed(planted, listener)
        planted.all_arrives(listener, "first", "second")
    assert "failed: RuntimeError('planted')" in report.said()


def test_delivery_resumes_as_soon_after_a_long_time_without_a_broker(
    report: Report, broker: Mosquitto
) -> None:
    """The pause before the next connection is then at its longest."""
    listener = Listener(broker.port)
    planted = Planted(report, LONG_AWAY + PLANTED, "on_connect", failures=1)
    sent(report, ["first"])
    planted.all_arrives(listener, "first")


def test_a_callback_that_fails_in_a_connection_that_was_left_is_reported(
    report: Report, broker: Mosquitto
) -> None:
    """A hung broker is left first, and only then says that it is gone."""
    listener = Listener(broker.port)
    planted = Planted(report, PLANTED, "on_disconnect", failures=1)
    sent(report, ["first"])
    wait_for(lambda: "first" in ids(listener), 15, "delivery")
    broker.send(signal.SIGSTOP)
    sent(report, ["hung"])
    wait_for(lambda: "fault: callbacks" in report.said(), 40, "the failure is told")
    assert "it answers no more" in report.said()
    assert len(planted.failed_at()) == 1
    broker.send(signal.SIGCONT)
    wait_for(lambda: "hung" in ids(listener), 60, "delivery")


def test_a_network_thread_that_hangs_is_replaced(report: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    Planted(report, HANGING)
    sent(report, ["first"])
    wait_for(lambda: "the network thread makes no progress" in report.said(), 15, "the fault")
    wait_for(lambda: "first" in ids(listener), 10, "delivery begins")
    wait_for(lambda: depth(report) == 0, 10, "all is acknowledged")
    assert listener.on("availability")[-1] == "online"
