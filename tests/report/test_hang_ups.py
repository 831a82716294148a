"""Brokers that hang up on what they do not take, be it a state of QoS 0: nothing else stops."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from edge.common.wire import Level, State
from edge.report.acceptance import (
    FORGOTTEN_AFTER,
    HUNG_UP_AGAIN_AFTER,
    HUNG_UP_LONGEST,
    Acceptance,
    Item,
)
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.scripted_broker import V5, V311, HangUp, Published, ScriptedBroker
from tests.report.conftest import Made
from tests.report.test_acceptance import item
from tests.report.test_manners import BASE, refusals
from tests.report.test_report import ids, sent, state

TOPIC = f"{BASE}/state"
FLOW = {f"{BASE}/{name}" for name in ("availability", "events", "counts")}
Judge = Callable[[Published], int | HangUp]


def no_state(message: Published) -> int | HangUp:
    return HangUp() if message.topic == TOPIC else 0


def only_the_first_size() -> Judge:
    """Of states."""
    first: list[int] = []

    def judge(message: Published) -> int | HangUp:
        if message.topic != TOPIC:
            return 0
        first.append(message.size)
        return HangUp() if message.size > first[0] else 0

    return judge


def only_the_first() -> Judge:
    """As where a permission is taken away."""
    count = itertools.count()
    return lambda message: HangUp() if message.topic == TOPIC and next(count) else 0


@pytest.mark.parametrize("version", [V311, V5])
@pytest.mark.parametrize(
    "judge",
    [lambda: no_state, only_the_first_size, only_the_first],
    ids=["no state", "no larger state", "no state any more"],
)
def test_a_state_that_a_broker_hangs_up_on_is_told_and_left_out(
    made: Made, judge: Callable[[], Judge], version: int
) -> None:
    """By 3.1.1 it has QoS 0: nothing but the end of the connection tells."""
    came: list[str] = []
    verdict = judge()
    broker = ScriptedBroker(lambda sent: came.append(sent.topic) or verdict(sent), version=version)  # type: ignore[func-returns-value]
    report = made(broker.port)
    report.start()
    wait_for(lambda: TOPIC in came, 30, "the first state")

    def is_told() -> bool:
        report.outlet.send(long_state())
        return f"does not take {TOPIC}" in refusals(report)

    wait_for(is_told, 120, "the state is told by its topic")
    told = refusals(report).splitlines()[-1]
    assert "bytes" in told
    sent(report, ["a", "b"])
    wait_for(lambda: {"a", "b"} <= events(broker), 40, "the events")
    wait_for(lambda: set(broker.topics()) >= FLOW, 30, "and all else that matters")
    broker.judge = mended()
    wait_for(lambda: is_told() and level(broker) == "CAUTION", 150, "the state, once it is mended")
    wait_for(lambda: "recovery: refused" in report.said(), 30, "the fault ends")


def long_state() -> State:
    return structs.replace(
        state(Level.CAUTION), reason="the worst patch is at 2.25 persons per m2 " * 3
    )


def mended() -> Judge:
    """What mends it, restarts it, while something is sent that it has long taken."""
    restarts = iter([HangUp()])
    return lambda message: next(restarts, 0) if message.topic.endswith("/counts") else 0


def events(broker: ScriptedBroker) -> set[str]:
    return {told.payload["id"] for told in list(broker.taken) if told.topic.endswith("/events")}


def level(broker: ScriptedBroker) -> str:
    states = [told.payload for told in list(broker.taken) if told.topic == TOPIC]
    return states[-1]["level"] if states else ""


def test_any_message_of_a_broker_without_qos_is_found_out(made: Made) -> None:
    """MaximumQoS = 0, and health is too much for it."""
    broker = ScriptedBroker(
        lambda message: HangUp() if message.topic.endswith("/health") else 0,
        properties=b"\x24\x00",
    )
    report = made(broker.port)
    report.start()
    wait_for(lambda: f"{BASE}/health" in refusals(report), 180, "the health is told")
    sent(report, ["a"])
    wait_for(lambda: "a" in events(broker), 60, "the event")


def test_mosquitto_with_a_bound_below_the_state_gets_all_else(made: Made, tmp_path: Path) -> None:
    """By MQTT 3.1.1 it can only hang up."""
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true\nmax_packet_size 600")
    mosquitto.start()
    try:
        listener = Listener(mosquitto.port)
        report = made(mosquitto.port, 'protocol = "3.1.1"\n')
        report.start()

        def is_told() -> bool:
            report.outlet.send(long_state())
            return TOPIC in refusals(report)

        wait_for(is_told, 180, "the state is told")
        sent(report, ["a"])
        wait_for(lambda: "a" in ids(listener), 60, "the event")
        wait_for(lambda: "online" in listener.on("availability"), 60, "availability")
        listener.close()
    finally:
        mosquitto.kill()


def test_it_is_tried_again_after_pauses_that_grow_up_to_a_bound() -> None:
    acceptance, bad, now = Acceptance(), item("bad", rank="first"), 0
    acceptance.hung_up([bad], "why", now, named=True)
    pauses = []
    for _ in range(6):
        pause = next(
            s for s in itertools.count(1) if not acceptance.is_given_up(bad, now + s * 10**9)
        )
        pauses.append(pause * 10**9)
        now += pauses[-1]
        acceptance.pass_time(now)
        acceptance.hung_up([bad], "why", now, named=False)
    first, longest = HUNG_UP_AGAIN_AFTER["first"], HUNG_UP_LONGEST["first"]
    assert pauses == [min(first << n, longest) for n in range(6)]
    assert pauses[-1] == longest


def test_what_is_not_sent_any_more_is_no_fault_for_ever() -> None:
    acceptance = Acceptance()
    acceptance.hung_up([item("once")], "why", 0, named=True)
    acceptance.pass_time(HUNG_UP_AGAIN_AFTER["optional"] + FORGOTTEN_AFTER - 1)
    assert acceptance.words()
    acceptance.pass_time(HUNG_UP_AGAIN_AFTER["optional"] + FORGOTTEN_AFTER)
    assert acceptance.words() == ""


SIZES = st.integers(300, 900)


@given(
    states=st.lists(SIZES, min_size=1, max_size=6),
    others=st.lists(SIZES, min_size=1, max_size=8),
    bound=st.integers(250, 950),
    denied=st.sets(st.integers(0, 7)),
)
def test_whatever_it_hangs_up_on_the_rest_soon_passes(
    states: list[int], others: list[int], bound: int, denied: set[int]
) -> None:
    """States change their size from one to the next; other topics share a group."""
    optional = [item(f"h/{n}", size, group="h") for n, size in enumerate(others)]
    bad = {f"h/{n}" for n in denied}
    unit = Unit(lambda sent: sent.size > bound or sent.topic in bad)
    first = [item("state", size, rank="first") for size in states]
    for _ in range(200):
        if all(unit.send(wanted, optional) for wanted in first):
            break
    else:
        raise AssertionError(f"still hung up on after 200 rounds: {unit.acceptance.words()}")


class Unit:
    """What `report` does with its messages, without a network; no acknowledgement beats an end."""

    def __init__(self, hated: Callable[[Item], bool]) -> None:
        self.acceptance = Acceptance()
        self._hated = hated

    def send(self, wanted: Item, optional: list[Item]) -> bool:
        """Send all; whether the connection has lasted. If not, there is another."""
        under_way: list[Item] = []
        for each in (wanted, *optional):
            if self.acceptance.is_given_up(each, 0):
                continue
            if self.acceptance.goes_alone(each) or len(under_way) > 3:
                if not self._settled(under_way) or not self._settled([each]):
                    return False
                under_way = []
            else:
                under_way.append(each)
        return self._settled(under_way)

    def _settled(self, under_way: list[Item]) -> bool:
        if any(self._hated(each) for each in under_way):
            self.acceptance.hung_up(under_way, "why", 0, named=False)
            self.acceptance.connected(0)
            return False
        for each in under_way:
            self.acceptance.acknowledged(each)
        return True
