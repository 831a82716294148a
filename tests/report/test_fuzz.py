"""Fuzzing of commands and of the wire; HYPOTHESIS_PROFILE=fuzz makes it tens of thousands."""

import contextlib
import copy
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import builds, dictionaries, floats, none, sampled_from, tuples
from jsonschema import Draft202012Validator

from edge.common.clock import boottime_ns
from edge.common.errors import CommandError, LinkError
from edge.common.link import Inbox
from edge.common.program import PROGRAMS, Paths, Program
from edge.common.sighting import SIGHTINGS, HeadMap, PictureHealth, Sighting
from edge.common.units import NS_PER_S
from edge.common.wire import (
    COMMANDS,
    EVENTS,
    ORDERS,
    STATES,
    Ack,
    Command,
    Event,
    Health,
    Level,
    Message,
    Occupancy,
    Order,
    Page,
    State,
    Wire,
    ZoneState,
)
from edge.decide.decider import Decider
from edge.report.aggregate import Aggregator
from edge.report.commander import Commander
from edge.report.fiware import crowd_flow
from edge.report.payloads import Stamp, as_json, counts_fields
from edge.report.reporter import Reporter
from edge.report.requests import KINDS, Received
from edge.report.schemas import schema_of
from edge.report.store import Store
from edge.site import Site

CASES = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 300
fuzzed = settings(max_examples=CASES, deadline=None)
SITE = Site()
FRESH = Decider(SITE)  # to be copied: its ground plane takes longer than all that is tried
COUNTS = Draft202012Validator(schema_of("counts"))

moments = st.timedeltas(timedelta(hours=-1), timedelta(hours=30)).map(
    lambda ahead: (datetime.now(UTC) + ahead).isoformat()
)
odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(odd, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
fields = st.fixed_dictionaries(
    {},
    optional={
        "id": st.from_regex(r"[a-z]{1,8}", fullmatch=True) | anything,
        "expires": moments | anything,
        "until": moments | anything,
        "level": st.sampled_from([level.name for level in Level]) | anything,
        "lines": st.lists(st.text(max_size=45), max_size=4) | anything,
        "verbosity": st.sampled_from(["DEBUG", "ERROR"]) | anything,
        "by": st.text(max_size=45) | anything,
        "path": anything,
    },
)
payloads = st.binary(max_size=200) | fields.map(lambda each: json.dumps(each).encode())
names = st.sampled_from(list(KINDS)) | st.text(max_size=10)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    folder = tmp_path_factory.mktemp("fuzz")
    return Paths(folder, folder / "state")


def test_no_payload_crashes_and_only_a_valid_command_is_passed_on(paths: Paths) -> None:
    program = Program("report", paths)
    commander = Commander(SITE, program, Store(paths.state, 10**6, program))
    decider = Decider(SITE)

    @fuzzed
    @given(names, payloads, st.booleans(), st.sampled_from(Level))
    def check(name: str, payload: bytes, retained: bool, level: Level) -> None:
        answer = commander.take(Received(name, payload, retained), level)
        commander.work(boottime_ns())
        program.pop_local()
        passed_on = [each for each in inbox.receive(0) if isinstance(each, Command)]
        if not answer.accepted:
            assert answer.reason
            assert answer.id not in {each.id for each in passed_on} or answer.id in accepted
        else:
            accepted.add(answer.id)
        for command in passed_on:
            decider.follow(command, boottime_ns())  # what report lets pass, decide takes
        assert decider.order(boottime_ns()).message != "clear"

    accepted: set[str | None] = set()
    with Inbox(paths.runtime, "decide", {"report": COMMANDS}) as inbox:
        check()


MSGPACK = msgspec.msgpack.Encoder()
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=8),
)


CELLS = np.ones((2, 3), np.float32)
SEEN = Occupancy("street", 9.0, 8.0, 10.0, 40.0, 0.2, 0.3, 1)
STREET = ZoneState("street", Level.CLEAR, SEEN)
WIRES: dict[str, tuple[Wire, Message]] = {
    "sightings": (
        SIGHTINGS,
        Sighting(1, 2, HeadMap(CELLS, CELLS, 16.0, 48, 32, 1.7), PictureHealth(), "m"),
    ),
    "orders": (
        ORDERS,
        Order("clear", Level.CLEAR, (Page(("A",), "#ffffff"),), ("clear-ko",), "off", 0, 9, 3.0),
    ),
    "states": (
        STATES,
        State(1, Level.CLEAR, "clear", "why", (STREET,), 0.2, (), "m"),
    ),
    "events": (EVENTS, Event("id", "fault", "show", 1, "why")),
    "health": (EVENTS, Health("show", 1, {"panel": "dark"}, 1, {"memory_mb": 70.0})),
    "commands": (COMMANDS, Command("id", "text", "room", 1, 2, lines=("A",))),
    "receipts": (COMMANDS, Ack(("id",))),
}
of_every_wire = pytest.mark.parametrize(("wire", "message"), WIRES.values(), ids=WIRES)


@pytest.mark.slow
@of_every_wire
@fuzzed
@given(st.data())
def test_a_wire_takes_its_own_messages_or_none(
    wire: Wire, message: Message, data: st.DataObject
) -> None:
    """Whatever stands in one of the places of a true message, or instead of it."""
    fields = msgspec.msgpack.decode(wire.encode(message))
    fields[data.draw(sampled_from(sorted(fields)))] = data.draw(trees)
    sent = data.draw(st.just(MSGPACK.encode(fields)) | st.binary(max_size=300))
    with contextlib.suppress(LinkError):
        received = wire.decode(sent)
        assert type(received) in {type(known) for each, known in WIRES.values() if each is wire}
        wire.encode(received)


@of_every_wire
def test_a_message_too_deep_to_be_read_is_none(wire: Wire, message: Message) -> None:
    deep = b"\x91" * (wire.max_bytes - 100)  # a list in a list, and so on
    fields = msgspec.msgpack.decode(wire.encode(message))
    data = MSGPACK.encode({**fields, "unknown": 0})[:-1] + deep + b"\xc0"
    with pytest.raises(LinkError):
        wire.decode(data)


def _messages() -> st.SearchStrategy[Any]:
    """As the inbox lets them through: each program tells its own health only."""
    numbers = st.integers(0, boottime_ns()) | st.integers(-(2**63), 2**63 - 1)
    text = sampled_from(PROGRAMS) | st.text(max_size=10)
    anyone = floats()
    seen = builds(Occupancy, text, *[anyone] * 6, numbers, *[none() | anyone] * 3)
    zones = builds(ZoneState, sampled_from(["street", "x"]), sampled_from(Level), none() | seen)
    faults = st.lists(text, max_size=2).map(tuple)
    return (
        builds(
            State,
            numbers,
            sampled_from(Level),
            text,
            text,
            tuples(zones),
            none() | anyone,
            faults,
            text,
            none() | anyone,
        )
        | builds(Event, text, st.just("start") | text, text, numbers, text, none() | text)
        | builds(
            Health,
            sampled_from(PROGRAMS),
            numbers,
            dictionaries(text, text),
            numbers,
            dictionaries(text, anyone),
        )
    )


def test_report_takes_whatever_has_the_form_of_a_message(paths: Paths, tmp_path: Path) -> None:
    program = Program("report", Paths(paths.runtime, tmp_path))
    reporter = Reporter(SITE, program)

    @fuzzed
    @given(_messages())
    def check(message: Any) -> None:
        reporter.take(STATES.decode(STATES.encode(message)))
        news = reporter._news(boottime_ns())
        json.loads(news.state())
        health = json.loads(news.health())
        assert set(health["programs"]) <= set(PROGRAMS)
        assert set(health["restarts"]) <= set(PROGRAMS)

    check()
    reporter.work()
    reporter.close()


@fuzzed
@given(
    st.lists(
        builds(Occupancy, st.just("street"), *[floats()] * 6, st.just(0), *[none() | floats()] * 3)
    )
)
def test_whatever_was_seen_gives_counts_that_can_be_sent(seen: list[Occupancy]) -> None:
    aggregator = Aggregator(60, ["street"], 0)
    for n, occupancy in enumerate(seen):
        zone = ZoneState("street", Level.CLEAR, occupancy)
        aggregator.add(State(n, Level.CLEAR, "", "", (zone,), 0.1, (), ""))
    (closed,) = aggregator.pass_time(60 * NS_PER_S)
    stamp = Stamp("boot", closed.end, 1.8e9, True)
    COUNTS.validate(json.loads(as_json(counts_fields(closed, stamp))) | {"historical": False})
    entity = json.loads(as_json(crowd_flow(closed, stamp, SITE)))
    assert entity.get("peopleCount", 0) >= 0
    assert entity.get("averageCrowdSpeed", 0) >= 0


@fuzzed
@given(
    st.builds(
        Command,
        st.text(),
        st.sampled_from(["hold", "text", "mute", "test", "release", "log"]),
        st.text(),
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.none() | st.sampled_from(Level),
        st.lists(st.text(max_size=45), max_size=4).map(tuple),
    )
)
def test_decide_says_no_less_whatever_it_is_commanded(command: Command) -> None:
    decider, now = copy.deepcopy(FRESH), boottime_ns()
    with contextlib.suppress(CommandError):
        decider.follow(command, now)
    assert decider.order(now).message != "clear"
    assert decider.order(now).level >= decider.level
