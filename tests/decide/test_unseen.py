"""CLEAR is said only of ground that is seen: under umbrellas hardly anybody is counted."""

import msgspec
import numpy as np

from edge.common.sighting import SIGHTINGS, UNLIKE_MOST, Sighting
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level
from edge.decide.decider import Decider
from tests.decide.test_decider import SITE, sighting

CAUTION, CRITICAL = SITE.levels.caution, SITE.levels.critical


def unlike(seq: int, density: float, share: float = 0.95) -> Sighting:
    """So many persons per m2 in both zones; the west looks so unlike the view. As by the socket."""
    cells = np.zeros((10, 10), np.float32)
    cells[:, :5] = share
    sent = msgspec.structs.replace(sighting(seq, density, density), unlike=cells)
    received = SIGHTINGS.decode(SIGHTINGS.encode(sent))
    assert isinstance(received, Sighting)
    return received


def levels(decider: Decider) -> dict[str, Level]:
    return {zone.zone: zone.level for zone in decider.state(NS * 9, "").zones}


def test_a_zone_whose_ground_is_not_seen_is_unknown_instead_of_clear() -> None:
    decider = Decider(SITE)
    for seq in range(20):
        decider.see(sighting(seq, 0.3, 0.3))
    (change,) = decider.see(unlike(20, 0.3))
    assert change.zone == "west"
    assert "the zone's ground is not seen, and 0.30 persons/m² do not hide" in (
        change.transition.reason
    )
    assert levels(decider) == {"west": Level.UNKNOWN, "east": Level.CLEAR}
    for seq in range(21, 60):
        decider.see(unlike(seq, 0.3))
    assert levels(decider) == {"west": Level.UNKNOWN, "east": Level.CLEAR}


def test_it_is_clear_again_once_the_ground_is_seen() -> None:
    decider = Decider(SITE)
    for seq in range(20):
        decider.see(unlike(seq, 0.3))
    for seq in range(20, 40):
        decider.see(unlike(seq, 0.3, UNLIKE_MOST - 0.02))
    assert levels(decider)["west"] is Level.CLEAR


def test_a_crowd_that_is_counted_may_hide_the_ground() -> None:
    decider = Decider(SITE)
    for seq in range(40):
        decider.see(unlike(seq, CRITICAL.rise + 0.1))
    assert set(levels(decider).values()) == {Level.CRITICAL}


def test_a_crowd_that_opens_its_umbrellas_is_never_clear() -> None:
    """Its heads are gone at once; the levels fall in their own time, and end in UNKNOWN."""
    decider = Decider(SITE)
    for seq in range(40):
        decider.see(unlike(seq, CRITICAL.rise + 0.1))
    said = []
    for seq in range(40, 600):
        decider.see(unlike(seq, 0.1))
        said.append(levels(decider)["west"])
    assert list(dict.fromkeys(said)) == [
        Level.CRITICAL, Level.CROWDED, Level.CAUTION, Level.UNKNOWN,
    ]  # fmt: skip


def test_as_many_as_cannot_be_told_from_caution_are_left_to_the_level_machine() -> None:
    """A count whose upper end reaches CAUTION's end explains the hidden ground."""
    decider = Decider(SITE)
    for seq in range(40):
        decider.see(unlike(seq, CAUTION.fall + 0.1))
    assert levels(decider)["west"] is Level.CAUTION
