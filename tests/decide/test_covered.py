"""Something hangs before a part of the lens: does it lie in a zone?"""

import msgspec
import numpy as np

from edge.common.sighting import SIGHTINGS, Sighting
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level
from edge.decide.decider import Decider
from tests.decide.test_decider import SITE, sighting


def hidden(seq: int, columns: slice, share: float = 1.0) -> Sighting:
    """Both zones are empty; these columns of ten are hidden. As it comes by the socket."""
    cells = np.zeros((10, 10), np.float32)
    cells[:, columns] = share
    sent = msgspec.structs.replace(sighting(seq, 0.5, 0.5), hidden=cells)
    received = SIGHTINGS.decode(SIGHTINGS.encode(sent))
    assert isinstance(received, Sighting)
    return received


def levels(decider: Decider) -> dict[str, Level]:
    return {zone.zone: zone.level for zone in decider.state(NS * 9, "").zones}


def test_a_zone_that_is_covered_is_unknown_and_says_so() -> None:
    decider = Decider(SITE)
    for seq in range(20):
        decider.see(sighting(seq, 0.5, 0.5))
    (change,) = decider.see(hidden(20, slice(0, 4)))
    assert change.zone == "west"
    assert "zone is covered: 80 % of what the camera should see" in change.transition.reason
    assert "redroad view accept" in change.transition.reason
    assert levels(decider) == {"west": Level.UNKNOWN, "east": Level.CLEAR}
    assert decider.state(NS * 9, "").picture_faults == ("covered",)


def test_a_cover_beside_the_zones_changes_nothing() -> None:
    """Nor does one that hides a little of a zone, as people and shadows do."""
    decider = Decider(SITE)
    for seq in range(20):
        decider.see(hidden(seq, slice(4, 6)))
    assert levels(decider) == {"west": Level.CLEAR, "east": Level.CLEAR}
    assert decider.state(NS * 9, "").picture_faults == ()


def test_a_zone_is_counted_again_once_it_is_free() -> None:
    decider = Decider(SITE)
    for seq in range(20):
        decider.see(hidden(seq, slice(0, 5)))
    assert levels(decider)["west"] is Level.UNKNOWN
    for seq in range(20, 40):
        decider.see(sighting(seq, 0.5, 0.5))
    assert levels(decider)["west"] is Level.CLEAR
    assert decider.state(NS * 19, "").picture_faults == ()
