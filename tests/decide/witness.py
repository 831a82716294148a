"""A witness beside the level machine: keeps its own account, and objects to what must not be.

It knows the pictures and the times, not the machine's memory, and says of every step whether the
rules of safety held. The exhaustive walk and the random streams of `test_proofs` use the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level
from edge.decide.levels import (
    COUNT_STALE_AFTER_S,
    TRUST_AFTER_S,
    Band,
    LevelState,
    Reading,
    Transition,
    distrust,
    observe,
    pass_time,
)

Since = int | None
TRUST = int(TRUST_AFTER_S * NS)
STALE = int(COUNT_STALE_AFTER_S * NS)


@dataclass(frozen=True)
class Input:
    """After `wait` ns a picture arrives that was taken `lag` ns ago; or nothing does.

    Its density and upper end are None when the picture cannot be trusted; `warned` when it shows
    people in danger, which counts for one level more.
    """

    wait: int
    picture: bool = True
    density: float | None = None
    upper: float | None = None
    lag: int = 0
    warned: bool = False

    def reading(self, taken: int) -> Reading | None:
        """What the machine is given of it."""
        if self.density is None or self.upper is None:
            return None
        return Reading(self.density, self.upper, taken, "standstill" if self.warned else "")

    def reaches(self, bands: Sequence[Band]) -> list[bool]:
        """For each band whether its density is reached, of a warned picture that of the one below.

        So a warning raises by one level, and never by two.
        """
        plain = [self.density is not None and self.density >= band.rise for band in bands]
        beneath = [True, *plain[:-1]]
        return [hit or (self.warned and low) for hit, low in zip(plain, beneath, strict=True)]

    def surely_below(self, bands: Sequence[Band]) -> list[bool]:
        """For each band whether the picture is surely below it, warning included."""
        highest = [band.rise for band, hit in zip(bands, self.reaches(bands), strict=True) if hit]
        upper = max([self.upper or 0.0, *highest])
        return [upper < band.fall for band in bands]


@dataclass(frozen=True)
class Witness:
    """Since when things have been so without a break, by the times of the pictures.

    `trusted_since`: trusted; `reached`: density at `rise` or above, by band, with a warning at the
    `rise` of the band beneath; `below`: upper end below `fall`, by band, and all that is reached,
    too; `newest`: the last picture, or the moment its absence was noticed; `last`: the last change
    of level.
    """

    newest: Since = None
    trusted_since: Since = None
    reached: tuple[Since, ...] = (None, None, None)
    below: tuple[Since, ...] = (None, None, None)
    last: Transition | None = None

    def sees(self, bands: Sequence[Band], taken: int, given: Input) -> "Witness":
        return replace(
            self,
            newest=taken,
            trusted_since=_since(self.trusted_since, taken, True),
            reached=tuple(
                _since(before, taken, hit)
                for before, hit in zip(self.reached, given.reaches(bands), strict=True)
            ),
            below=tuple(
                _since(before, taken, below)
                for before, below in zip(self.below, given.surely_below(bands), strict=True)
            ),
        )

    def blinded(self, at: int) -> "Witness":
        return Witness(newest=at, last=self.last)


def _since(before: Since, at: int, holds: bool) -> Since:
    if not holds:
        return None
    return at if before is None else before


def _lasts(since: Since, at: int, length: float) -> bool:
    return since is not None and at - since >= length


@dataclass(frozen=True)
class Watched:
    """The machine of one zone and its witness at the moment `now`."""

    state: LevelState = field(default_factory=LevelState)
    witness: Witness = field(default_factory=Witness)
    now: int = 0

    def take(self, bands: Sequence[Band], given: Input) -> "Watched":
        """Give the machine its input as `decide` does, and object if a rule is broken."""
        now = self.now + given.wait
        moment = replace(self, now=now)
        if given.picture:
            moment = moment._picture(bands, given, now - given.lag)
        return moment._tick(bands)

    def _picture(self, bands: Sequence[Band], given: Input, taken: int) -> "Watched":
        newest = self.witness.newest
        reading = given.reading(taken)
        if reading is None:
            state, change = distrust(self.state, taken, "covered")
            if newest is not None and taken < newest:
                assert state is self.state, "a late picture changes nothing"
                return self
            assert state.level is Level.UNKNOWN, "an untrusted picture makes UNKNOWN at once"
            return self._judge(bands, state, self.witness.blinded(taken), change)
        state, change = observe(bands, self.state, reading)
        if newest is not None and taken <= newest:
            assert (state, change) == (self.state, None), "a late reading changes nothing"
            return self
        gap = newest is None or taken - newest > STALE
        witness = self.witness.blinded(taken) if gap else self.witness
        if gap:
            assert state.level is Level.UNKNOWN, "after a gap nothing is known"
        witness = witness.sees(bands, taken, given)
        judged = self._judge(bands, state, witness, change)
        judged._must_show(bands, taken)
        return judged

    def _tick(self, bands: Sequence[Band]) -> "Watched":
        newest = self.witness.newest
        state, change = pass_time(self.state, self.now)
        silent = newest is None or self.now - newest > STALE
        if not silent:
            assert (state, change) == (self.state, None), "time alone changes nothing for 3 s"
            return self
        assert state.level is Level.UNKNOWN, "after 3 s of silence nothing is known"
        return self._judge(bands, state, self.witness.blinded(self.now), change)

    def _must_show(self, bands: Sequence[Band], taken: int) -> None:
        """What a stream of trusted pictures must lead to."""
        level, witness = self.state.level, self.witness
        assert (level is Level.UNKNOWN) == (not _lasts(witness.trusted_since, taken, TRUST))
        for band, since in zip(bands, witness.reached, strict=True):
            if _lasts(since, taken, max(band.rise_after_s * NS, TRUST)):
                assert level >= band.level, f"{band.level.name} density must show {band.level.name}"
            if level is not Level.UNKNOWN and _lasts(since, taken, band.rise_after_s * NS):
                assert level >= band.level

    def _judge(
        self, bands: Sequence[Band], state: LevelState, witness: Witness, change: Transition | None
    ) -> "Watched":
        """Whether the level may change as it did."""
        before, after = self.state.level, state.level
        if change is None:
            assert before is after, "every change of level is told"
            return replace(self, state=state, witness=witness)
        assert (change.before, change.after) == (before, after)
        assert before is not after
        assert change.reason
        if after is not Level.UNKNOWN:
            if before is Level.UNKNOWN:
                _may_leave_unknown(bands, witness, change)
            elif after > before:
                _may_rise(bands, witness, change)
            else:
                _may_fall(bands, witness, change)
        return replace(self, state=state, witness=replace(witness, last=change))


def _may_leave_unknown(bands: Sequence[Band], witness: Witness, change: Transition) -> None:
    assert _lasts(witness.trusted_since, change.at, TRUST)
    assert witness.last is None or change.at - witness.last.at >= TRUST
    for band, since in zip(bands, witness.below, strict=True):
        surely_below = since is not None and since == witness.trusted_since
        assert (change.after < band.level) == surely_below, "any doubt keeps the higher level"


def _may_rise(bands: Sequence[Band], witness: Witness, change: Transition) -> None:
    (band,) = (band for band in bands if band.level is change.after)
    since = witness.reached[bands.index(band)]
    assert _lasts(since, change.at, band.rise_after_s * NS), "a level rises on the estimate alone"
    assert witness.last is not None
    if not witness.last.before < witness.last.after or witness.last.before is Level.UNKNOWN:
        assert change.at - witness.last.at >= band.rise_after_s * NS, "it turned too fast"


def _may_fall(bands: Sequence[Band], witness: Witness, change: Transition) -> None:
    (band,) = (band for band in bands if band.level is change.before)
    index = bands.index(band)
    assert change.after is (bands[index - 1].level if index else Level.CLEAR), "one at a time"
    assert _lasts(witness.below[index], change.at, band.fall_after_s * NS), "doubt delays"
    assert witness.last is not None
    assert change.at - witness.last.at >= band.fall_after_s * NS, "it turned too fast"
