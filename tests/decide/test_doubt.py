"""Why there is no density: told also where the level is UNKNOWN all along."""

import numpy as np
import pytest

from edge.common.sighting import HeadMap, PictureHealth, Sighting
from edge.common.units import NS_PER_S
from edge.decide.decider import Decider
from edge.site import Site

NS = NS_PER_S


def sighting(seq: int, width: int, *, dark: bool = False) -> Sighting:
    """A picture of nobody, of the demonstration's height."""
    nobody = np.zeros((22, width // 16), np.float32)
    heads = None if dark else HeadMap(nobody, nobody, 16.0, width, 352, 1.0)
    return Sighting(seq, seq * NS, heads, PictureHealth(dark=dark), "model")


def test_a_ground_of_another_camera_is_the_reason_from_the_first_picture_on() -> None:
    decider = Decider(Site())
    assert decider.see(sighting(1, 480)) == []
    assert decider.ground_fault is not None and "480x352 px" in decider.ground_fault
    assert decider.doubt == decider.ground_fault
    assert "calibrate again" in decider.state(NS, "neutral").reason


def test_a_fitting_picture_ends_the_doubt() -> None:
    decider = Decider(Site())
    decider.see(sighting(1, 480))
    decider.see(sighting(2, 640))
    assert (decider.ground_fault, decider.doubt) == (None, None)


@pytest.mark.parametrize("width", [480, 640])
def test_a_picture_that_is_not_trusted_is_no_fault_of_the_ground(width: int) -> None:
    decider = Decider(Site())
    decider.see(sighting(1, width, dark=True))
    assert decider.ground_fault is None
    assert decider.doubt == "picture is dark"
    assert "picture is dark" in decider.state(NS, "neutral").reason
