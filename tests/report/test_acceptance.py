"""What a broker takes, on which terms, and what we are called there: the pure parts."""

import itertools
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.common import clock
from edge.report.acceptance import (
    ANSWERED_AGAIN_AFTER,
    ENDS,
    HUNG_UP_AGAIN_AFTER,
    Acceptance,
    Item,
    Rank,
)
from edge.report.homeassistant import discovery
from edge.report.identity import client_id_of, device_id
from edge.report.limits import Limits, Outgoing, limits_of
from edge.report.negotiation import (
    QOS_NOT_SUPPORTED,
    RETAIN_NOT_SUPPORTED,
    UNSUPPORTED_VERSION,
    Negotiation,
    Terms,
)
from edge.site import Site
from edge.site.schema import Identity


def item(topic: str = "a", size: int = 100, group: str = "", rank: Rank = "optional") -> Item:
    return Item(group or topic, topic, size, rank)


def test_what_was_never_taken_goes_alone_and_then_no_more() -> None:
    acceptance = Acceptance()
    assert acceptance.goes_alone(item())
    acceptance.acknowledged(item())
    assert not acceptance.goes_alone(item(size=200))
    assert acceptance.goes_alone(item(size=300))


@pytest.mark.parametrize("rank", ["first", "main", "optional"])
def test_what_connections_end_at_is_given_up_by_itself_and_tried_again(rank: Rank) -> None:
    acceptance, bad = Acceptance(), item("bad", rank=rank)
    for end in range(ENDS[rank]):
        assert not acceptance.is_given_up(bad, 0)
        assert acceptance.suspects == (end > 0)
        acceptance.hung_up([bad], "why", 0, named=False)
        acceptance.connected(0)
    assert not acceptance.suspects
    assert acceptance.is_given_up(bad, 0)
    assert not acceptance.is_given_up(item("good", rank=rank), 0)
    assert acceptance.words() == "bad (100 bytes, and its like): why"
    later = HUNG_UP_AGAIN_AFTER[rank]
    assert not acceptance.is_given_up(bad, later)
    acceptance.hung_up([bad], "why", later, named=False)  # once suffices now
    assert acceptance.is_given_up(bad, later)
    acceptance.acknowledged(bad)
    assert not acceptance.is_given_up(bad, later)
    assert acceptance.words() == ""


def test_a_named_reason_suffices_and_other_ends_prove_nothing() -> None:
    acceptance = Acceptance()
    acceptance.hung_up([item("a"), item("b")], "why", 0, named=True)
    assert acceptance.words() == ""
    acceptance.hung_up([item("a")], "too large", 0, named=True)
    assert acceptance.is_given_up(item("a"), 0)


def test_a_whole_group_is_given_up_as_long_as_none_of_it_was_taken() -> None:
    acceptance = Acceptance()
    acceptance.refused(item("h/1", group="h"), "no", 0)
    assert acceptance.is_given_up(item("h/2", group="h"), ANSWERED_AGAIN_AFTER - 1)
    acceptance.acknowledged(item("h/2", group="h"))
    assert acceptance.words() == ""
    acceptance.refused(item("h/3", group="h"), "no", 0)
    assert not acceptance.is_given_up(item("h/4", group="h"), 0)


def test_what_is_too_large_leaves_what_is_smaller() -> None:
    acceptance = Acceptance()
    acceptance.refused(item(size=900), "it takes 800 bytes", 0, by_size=True)
    assert acceptance.is_given_up(item(size=900), 0)
    assert not acceptance.is_given_up(item(size=700), 0)


def test_the_words_stay_the_same_from_try_to_try() -> None:
    acceptance, words = Acceptance(), set()
    for n in range(5):
        acceptance.refused(item(size=100 + n), "no", n)
        words.add(acceptance.words())
    assert len(words) == 1


def test_a_new_connection_asks_for_all_again_unless_we_cost_the_last() -> None:
    acceptance = Acceptance()
    acceptance.hung_up([item()], "why", 0, named=True)
    acceptance.connected(0)
    assert acceptance.is_given_up(item(), 0)
    acceptance.connected(0)
    assert not acceptance.is_given_up(item(), 0)


def test_versions_are_asked_from_the_best_down_and_again() -> None:
    negotiation = Negotiation("auto")
    assert negotiation.refused(UNSUPPORTED_VERSION)
    assert negotiation.terms == Terms("3.1.1")
    negotiation.accepted()
    negotiation.ended()
    assert negotiation.terms == Terms("5")


def test_a_broker_that_only_closes_is_asked_twice_before_an_older_version() -> None:
    negotiation = Negotiation("auto")
    assert not negotiation.refused(None)
    assert negotiation.refused(None)
    assert negotiation.terms.version == "3.1.1"
    negotiation.accepted()
    negotiation.ended()
    assert negotiation.refused(None)  # known by now


def test_a_will_is_made_smaller_where_it_is_refused() -> None:
    negotiation = Negotiation("5")
    assert negotiation.refused(RETAIN_NOT_SUPPORTED)
    assert negotiation.refused(QOS_NOT_SUPPORTED)
    assert negotiation.terms == Terms("5", will_retain=False, will_qos=0)
    assert not negotiation.refused(UNSUPPORTED_VERSION)


def test_limits_are_read_and_obeyed() -> None:
    said = Properties(PacketTypes.CONNACK)  # type: ignore[no-untyped-call]
    said.MaximumPacketSize, said.ReceiveMaximum, said.RetainAvailable = 500, 3, 0
    limits = limits_of("5", said)
    assert limits == Limits("5", 500, 3, retain=False)
    message = Outgoing("t", "p", True, 20)
    assert limits.fit(message) == Outgoing("t", "p", False, 20)
    assert limits_of("3.1.1", None).fit(message) == Outgoing("t", "p", True, None)
    assert limits_of("5", None).lost() == ""


def test_the_size_is_that_of_the_packet() -> None:
    """2 of fixed header, 2 and 1 of topic, 2 of packet id, 1 and 5 of properties, the payload."""
    assert Outgoing("t", "p" * 10, lifetime_s=20).size == 2 + 3 + 2 + 6 + 10
    assert Outgoing("t", "p" * 200, lifetime_s=20).size == 3 + 3 + 2 + 6 + 200


def test_no_two_units_have_one_name() -> None:
    parts = ["a", "a-b", "b", "b-c", "c", "a-", "a--b"]
    sites = [
        Site(site=Identity(name=name, unit=unit)) for name, unit in itertools.product(parts, parts)
    ]
    assert len({client_id_of(site) for site in sites}) == len(sites)
    assert len({device_id(site) for site in sites}) == len(sites)
    assert len({topic for site in sites for topic in discovery(site, thermometer=True)}) == sum(
        len(discovery(site, thermometer=True)) for site in sites
    )


@pytest.mark.parametrize(
    ("now_s", "words", "synchronised"),
    [
        (1.8e9, {"kernel"}, True),
        (1.8e9, {"timesyncd"}, True),
        (1.8e9, set(), False),  # restored from disk
        (1.8e9, {"owner"}, True),
        (0.0, {"kernel", "timesyncd", "owner"}, False),
    ],
)
def test_a_plausible_time_is_not_yet_a_right_one(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    now_s: float,
    words: set[str],
    synchronised: bool,
) -> None:
    said = tmp_path / "synchronized"
    if "timesyncd" in words:
        said.touch()
    monkeypatch.setattr(clock, "TIMESYNCD", said)
    monkeypatch.setattr(clock, "_kernel_is_synchronised", lambda: "kernel" in words)
    monkeypatch.setattr("time.time", lambda: now_s)
    assert clock.time_synchronised(trusted="owner" in words) == synchronised


def test_the_kernel_can_be_asked() -> None:
    assert clock._kernel_is_synchronised() in (True, False)
