"""Events on their way to report: none is lost with a report that is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.events import MAX_IN_FLIGHT, MAX_WAITING, RESEND_AFTER, Events
from edge.common.link import Inbox, Sender
from edge.common.units import NS_PER_S
from edge.common.wire import EVENTS, Ack, Event

NOW = 100 * NS_PER_S


def event(name: str) -> Event:
    return Event(name, "transition", "decide", 1, "why")


def received(inbox: Inbox) -> list[str]:
    return [message.id for message in inbox.receive(0) if isinstance(message, Event)]


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with Inbox(tmp_path, "report", {"decide": EVENTS}) as opened:
        yield opened


@pytest.fixture
def events(tmp_path: Path) -> Events:
    return Events(Sender(tmp_path, "decide", "report", EVENTS))


def test_an_event_is_reported_again_until_it_is_kept(inbox: Inbox, events: Events) -> None:
    events.add(event("a"))
    events.add(event("b"))
    events.send_due(NOW)
    assert received(inbox) == ["a", "b"]
    events.send_due(NOW + RESEND_AFTER - 1)
    assert received(inbox) == []
    events.acknowledge(Ack(("a", "never heard of")))
    events.send_due(NOW + RESEND_AFTER)
    assert received(inbox) == ["b"]
    events.acknowledge(Ack(("b",)))
    events.send_due(NOW + 2 * RESEND_AFTER)
    assert received(inbox) == []


def test_a_report_that_begins_is_reported_all_again_in_its_order(
    inbox: Inbox, events: Events
) -> None:
    """What its last life was told comes before what happens next."""
    for name in "ab":
        events.add(event(name))
    events.send_due(NOW)
    assert received(inbox) == ["a", "b"]
    events.acknowledge(Ack((), begun=True))
    events.add(event("c"))
    events.send_due(NOW + 1)
    assert received(inbox) == ["a", "b", "c"]


def test_what_nobody_takes_is_reported_later_in_its_order(tmp_path: Path, events: Events) -> None:
    for name in "abc":
        events.add(event(name))
        events.send_due(NOW)
    with Inbox(tmp_path, "report", {"decide": EVENTS}) as opened:
        events.send_due(NOW + 1)
        assert received(opened) == ["a", "b", "c"]


def test_so_many_are_under_way_at_a_time(inbox: Inbox, events: Events) -> None:
    """However small a queue the kernel gives: what is taken at once is not told again."""
    names = [str(number) for number in range(MAX_IN_FLIGHT + 5)]
    for name in names:
        events.add(event(name))
    heard: list[str] = []
    for _ in range(MAX_IN_FLIGHT):
        events.send_due(NOW)
        heard += received(inbox)
    assert heard == names[:MAX_IN_FLIGHT]
    events.acknowledge(Ack(tuple(heard)))
    events.send_due(NOW)
    assert received(inbox) == names[MAX_IN_FLIGHT:]


def test_the_oldest_of_too_many_are_dropped_and_counted(inbox: Inbox, events: Events) -> None:
    for number in range(MAX_WAITING + 2):
        events.add(event(str(number)))
    assert events.dropped == 2
    events.send_due(NOW)
    assert received(inbox)[0] == "2"
