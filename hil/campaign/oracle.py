"""What the sign may say: judged from outside, by the true crowd of the simulated street."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from edge.common.units import NS_PER_S, nanoseconds, seconds
from edge.site import Site
from edge.street.scenarios import StagedScenario
from hil.campaign.judge import NEUTRAL, message_at, spans
from hil.rig import DARK, Lit, Shown
from hil.testkit.true_zone import TrueZone

CLEAR = "clear"
PROMISED_S = 5.0  # for the way from a fault, or from the street, to the sign
LAMPLESS = (NEUTRAL, DARK)
LAMP_LAG = NS_PER_S


class Oracle:
    """Whether the scenario's street is crowded at any moment of CLOCK_BOOTTIME, and the sign.

    Crowded is a true density of the worst patch at which CAUTION rises. A sign that says CLEAR is
    wrong once that has lasted for as long as CAUTION takes to rise, and for what is promised.
    """

    def __init__(self, scenario: str) -> None:
        caution = Site().levels.caution
        self._crowded = [peak >= caution.rise for peak in _peaks(scenario)]
        self._grace_s = caution.rise_after_s + PROMISED_S

    def crowded(self, at: int) -> bool:
        """Return whether the street is crowded in that second."""
        return self._crowded[int(seconds(at)) % len(self._crowded)]

    def must_not_be_clear(self, at: int) -> bool:
        """Return whether it has been crowded for so long, without a break."""
        begin = at - nanoseconds(self._grace_s)
        return all(map(self.crowded, (*range(begin, at, NS_PER_S), at)))

    def wrong_clear(self, shown: Sequence[Shown], begin: int, end: int) -> list[int]:
        """Return the moments, second by second, at which the sign said CLEAR and must not."""
        return [
            at
            for at in range(begin, end, NS_PER_S)
            if self.must_not_be_clear(at) and message_at(shown, at) == CLEAR
        ]


@dataclass(frozen=True)
class Beam:
    """The lamp lit beside a sign without a level: from when (s since boot), for how long (s)."""

    at: float
    seconds: float


def lit_beside_neutral(lit: Sequence[Lit], shown: Sequence[Shown], end: int) -> list[Beam]:
    """Return when the lamp was lit while the sign was neutral, or without power.

    The second in which the sign turns is left out at both ends: no output waits for another.
    """
    beams = [(change.at, until) for change, until in spans(lit, end) if change.lit]
    overlaps = (
        (max(at, began + LAMP_LAG), min(until, ended - LAMP_LAG))
        for began, ended in _nothing_known(shown, end)
        for at, until in beams
    )
    return [Beam(seconds(at), seconds(until - at)) for at, until in overlaps if until > at]


def _nothing_known(shown: Sequence[Shown], end: int) -> Iterator[tuple[int, int]]:
    """From when to when the sign was neutral, or without power."""
    for nothing, group in groupby(spans(shown, end), lambda span: span[0].message in LAMPLESS):
        if nothing:
            stood = list(group)
            yield stood[0][0].at, stood[-1][1]


@cache
def _peaks(scenario: str) -> list[float]:
    """Return the true density of the worst patch at each second of the scenario, persons per m²."""
    staged, zone = StagedScenario(scenario), TrueZone(Site().zone[0])
    return [zone.peak(staged.truth(float(at)).feet) for at in range(int(staged.length_s))]
