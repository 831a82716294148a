"""The messages survive the wire, and nonsense does not pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.common.errors import LinkError
from edge.common.sighting import SIGHTINGS, HeadMap, Motion, PictureHealth, Sighting
from edge.common.wire import COMMANDS, EVENTS, ORDERS, STATES, Command, Event, Level, Order, Page


def test_a_sighting_keeps_its_head_map() -> None:
    count = np.arange(12, dtype=np.float32).reshape(3, 4)
    heads = HeadMap(count, count / 2, 16.0, 64, 48, 1.7)
    received = SIGHTINGS.decode(SIGHTINGS.encode(Sighting(7, 123, heads, PictureHealth(), "m")))
    assert isinstance(received, Sighting)
    assert received.heads is not None
    assert np.array_equal(received.heads.count, count)
    assert np.array_equal(received.heads.variance, count / 2)
    assert received.heads.total() == heads.total()


def test_a_sighting_keeps_its_motion() -> None:
    cells = np.arange(12, dtype=np.float32).reshape(3, 4)
    heads = HeadMap(cells, cells, 16.0, 64, 48, 1.7)
    motion = Motion(cells, -cells, 2.0)
    received = SIGHTINGS.decode(
        SIGHTINGS.encode(Sighting(7, 123, heads, PictureHealth(), "m", motion))
    )
    assert isinstance(received, Sighting)
    assert received.motion is not None
    assert np.array_equal(received.motion.right, cells)
    assert np.array_equal(received.motion.down, -cells)
    assert received.motion.sample == 2.0


def test_an_order_is_the_same_after_the_wire() -> None:
    page = Page(("매우 혼잡", "DO NOT ENTER"), "#ff2020", 3.0)
    order = Order("critical", Level.CRITICAL, (page,), ("critical-ko",), "fast", 3, 9, 3.0)
    assert ORDERS.decode(ORDERS.encode(order)) == order


def test_an_event_is_the_same_after_the_wire() -> None:
    event = Event("id", "transition", "decide", 5, "why", "street", "CLEAR", "CAUTION")
    assert EVENTS.decode(EVENTS.encode(event)) == event


def test_no_other_kind_passes_for_an_order() -> None:
    """Nor an Order for a command: what a program believes depends on where it was told."""
    order = Order("clear", Level.CLEAR, (), (), "off", 0, 9, 3.0)
    event = Event("id", "transition", "decide", 5, "why")
    for wire, message in ((ORDERS, event), (COMMANDS, order), (STATES, order), (SIGHTINGS, order)):
        with pytest.raises(LinkError):
            wire.decode(wire.encode(message))


@pytest.mark.parametrize(
    ("name", "by"),
    [("one\nforged line", "room"), ("x" * 65, "room"), ("one", "a\nb"), ("", "room")],
)
def test_a_command_has_the_form_that_report_asks_of_it(name: str, by: str) -> None:
    """Asked again here: a report that was taken over may send anything."""
    with pytest.raises(LinkError):
        COMMANDS.decode(COMMANDS.encode(Command(name, "mute", by, 1, 2)))


def test_the_interval_grows_with_the_variance_and_never_goes_below_nobody() -> None:
    one = np.ones((1, 1), np.float32)
    narrow = HeadMap(one, one * 0.01, 16.0, 16, 16, 1.645).total()
    wide = HeadMap(one, one * 9, 16.0, 16, 16, 1.645).total()
    assert 0 < narrow.low < narrow.people < narrow.high < wide.high
    assert wide.low == 0.0


@given(st.binary(max_size=400))
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(LinkError):
        SIGHTINGS.decode(data)


def test_every_truncation_is_refused() -> None:
    heads = HeadMap(np.ones((2, 2), np.float32), np.ones((2, 2), np.float32), 16.0, 32, 32, 1.6)
    whole = SIGHTINGS.encode(Sighting(1, 2, heads, PictureHealth(dark=True), "m"))
    for length in range(len(whole)):
        with pytest.raises(LinkError):
            SIGHTINGS.decode(whole[:length])


def test_worst_of_clear_and_unknown_is_unknown() -> None:
    assert max(Level.CLEAR, Level.UNKNOWN) is Level.UNKNOWN
    assert max(Level.UNKNOWN, Level.CAUTION) is Level.CAUTION
