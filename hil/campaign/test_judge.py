"""The judge of the sign: each duty kept, and each missed."""

from itertools import pairwise

import pytest

from edge.common.units import NS_PER_S, nanoseconds
from hil.campaign.faults import Duty, Fault
from hil.campaign.judge import Blow, Verdict, judged
from hil.campaign.oracle import Beam, lit_beside_neutral
from hil.rig import Lit, Shown

LATE_S = 6.5


def sign(*words: str | float) -> list[Shown]:
    """Alternately a second and what the sign said from then on."""
    said = [(at, what) for at, what in pairwise(words) if isinstance(at, int | float)]
    return [Shown(nanoseconds(at), str(what)) for at, what in said]


def blow(duty: Duty, began_s: float, ended_s: float, *, renews: tuple[str, ...] = ()) -> Blow:
    fault = Fault("any", lambda scene: None, 20.0, duty, renews=renews)
    return Blow(fault, nanoseconds(began_s), nanoseconds(ended_s))


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (sign(0, "clear", 12.5, "neutral", 21, "clear"), Verdict(2.5, kept=True)),
        (sign(0, "clear", 10 + LATE_S, "neutral", 21, "clear"), Verdict(LATE_S, kept=False)),
        (sign(0, "clear", 12, "neutral", 15, "clear", 16.5, "dark"), Verdict(LATE_S, kept=False)),
        (sign(0, "clear"), Verdict(10.0, kept=False)),
        (sign(0, "neutral", 20.5, "clear"), Verdict(0.0, kept=True)),
    ],
)
def test_what_blinds_for_ten_seconds_leaves_a_neutral_sign(
    shown: list[Shown], verdict: Verdict
) -> None:
    assert judged([blow("neutral", 10, 20)], shown, 25 * NS_PER_S) == verdict


def test_what_blinds_for_a_moment_may_leave_the_sign_as_it_is() -> None:
    moment = [blow("neutral", 10, 11)]
    assert judged(moment, sign(0, "clear"), 15 * NS_PER_S) == Verdict(None, kept=True)
    late = sign(0, "clear", 10 + LATE_S, "neutral")
    assert judged(moment, late, 20 * NS_PER_S) == Verdict(LATE_S, kept=False)


def test_faults_that_overlap_blind_from_the_first_beginning_to_the_last_end() -> None:
    burst = [blow("neutral", 10, 14), blow("neutral", 13, 18), blow("go on", 9, 30)]
    kept = sign(0, "clear", 14, "neutral", 18.5, "clear")
    assert judged(burst, kept, 30 * NS_PER_S) == Verdict(4.0, kept=True)
    broken = sign(0, "clear", 13, "neutral", 15, "clear", 10 + LATE_S, "neutral")
    assert judged(burst, broken, 30 * NS_PER_S) == Verdict(LATE_S, kept=False)


def test_faults_apart_are_judged_each_by_itself() -> None:
    burst = [blow("neutral", 10, 16), blow("neutral", 17, 23)]
    shown = sign(0, "clear", 12, "neutral", 16, "clear", 21, "neutral")
    assert judged(burst, shown, 30 * NS_PER_S) == Verdict(4.0, kept=True)


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (sign(0, "clear", 10, "dark", 21, "neutral"), Verdict(1.0, kept=True)),
        (sign(0, "clear", 10, "dark", 20 + LATE_S, "neutral"), Verdict(LATE_S, kept=False)),
        (sign(0, "clear", 10, "dark"), Verdict(float("inf"), kept=False)),
        (sign(0, "clear", 10, "dark", 21, "clear"), Verdict(float("inf"), kept=False)),
        (sign(0, "clear", 10, "unplugged", 21, "clear"), Verdict(1.0, kept=True)),
    ],
)
def test_after_power_the_neutral_text_stands_soon_and_on_a_panel_that_is_back_a_text(
    shown: list[Shown], verdict: Verdict
) -> None:
    assert judged([blow("dark", 10, 20)], shown, 40 * NS_PER_S) == verdict


def test_in_a_burst_light_is_asked_for_unless_show_itself_was_hit() -> None:
    shown = sign(0, "clear", 10, "dark", 20 + LATE_S, "neutral")
    cut, other = blow("dark", 10, 20), blow("go on", 12, 14)
    assert judged([cut, other], shown, 40 * NS_PER_S) == Verdict(LATE_S, kept=False)
    hit = blow("neutral", 21, 21, renews=("show",))
    assert judged([cut, hit], shown, 40 * NS_PER_S) == Verdict(None, kept=True)


def test_what_concerns_the_sign_in_no_way_leaves_it_telling_a_level() -> None:
    elsewhere = [blow("go on", 10, 20)]
    assert judged(elsewhere, sign(0, "clear"), 25 * NS_PER_S) == Verdict(None, kept=True)
    blinked = sign(0, "clear", 21, "neutral", 22, "clear")
    assert judged(elsewhere, blinked, 25 * NS_PER_S) == Verdict(11.0, kept=False)


def test_a_lamp_is_off_beside_a_neutral_sign() -> None:
    """But for the second in which the sign turns."""
    shown = sign(0, "critical", 10, "neutral", 15, "neutral", 20, "critical")
    lit = [Lit(0, lit=True), Lit(nanoseconds(10.5), lit=False), Lit(nanoseconds(19.5), lit=True)]
    assert lit_beside_neutral(lit, shown, 30 * NS_PER_S) == []
    blink = [Lit(nanoseconds(14), lit=True), Lit(nanoseconds(16.5), lit=False)]
    assert lit_beside_neutral([*lit[:2], *blink], shown, 30 * NS_PER_S) == [Beam(14.0, 2.5)]


def test_a_lamp_is_off_before_the_first_text() -> None:
    shown = sign(0, "critical", 10, "dark", 13, "neutral", 18, "critical")
    lit = [Lit(nanoseconds(12), lit=True), Lit(nanoseconds(13), lit=False)]
    assert lit_beside_neutral(lit, shown, 30 * NS_PER_S) == [Beam(12.0, 1.0)]
