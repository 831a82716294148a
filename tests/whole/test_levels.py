"""From picture to level over the scenarios: while the truth is CRITICAL, nobody is told less."""

import numpy as np
import pytest

from edge.common.wire import Level
from edge.site import Site
from edge.street.scenarios import SCENARIOS, Knock, Scenario, StagedScenario
from edge.watch.view import View
from edge.watch.view_monitor import ViewMonitor
from hil.testkit.true_zone import TrueZone
from tests.bench.course import LOW, course, longest, of_scenario, quiet_view

SITE = Site()
CRITICAL = SITE.levels.critical
BEFORE_S, AFTER_S = 10.0, 35.0
NEVER_CRITICAL = ("morning", "evening")
HIDING_HEADS = ("umbrellas",)
# By strings of lamps at night the picture is not trusted, and the sign says UNKNOWN: a known limit.
NOT_TRUSTED = ("illuminations",)


@pytest.fixture(scope="module")
def view() -> View:
    return quiet_view()


@pytest.fixture(scope="module")
def street() -> TrueZone:
    return TrueZone(SITE.zone[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in SCENARIOS
        if SCENARIOS[name].crowd not in NEVER_CRITICAL and name not in HIDING_HEADS
    ],
)
def test_the_camera_never_says_clear_or_caution_for_long_while_it_is_critical(
    name: str, street: TrueZone
) -> None:
    """Around the time when it becomes so. UNKNOWN is right for a camera turned or covered."""
    staged = StagedScenario(name)
    times = np.arange(0.0, staged.length_s, 1.0).tolist()
    rises_s = next(t for t in times if street.peak(staged.truth(t).feet) >= CRITICAL.rise)
    pictures = of_scenario(name, street, max(0.0, rises_s - BEFORE_S), rises_s + AFTER_S)
    moments = list(course(SITE, pictures, ViewMonitor(quiet_view(name))))
    assert sum(moment.truth is Level.CRITICAL for moment in moments) > AFTER_S / 2
    assert longest(moments, LOW) <= CRITICAL.rise_after_s + 2.0
    assert any(moment.camera >= Level.CROWDED for moment in moments) == (name not in NOT_TRUSTED)


@pytest.mark.slow
def test_under_umbrellas_a_crush_is_not_called_clear(view: View, street: TrueZone) -> None:
    """Hardly a head is seen; the ground is not, either. As it fills, some seconds may pass."""
    pictures = of_scenario("umbrellas", street, 20.0, 75.0)
    moments = list(course(SITE, pictures, ViewMonitor(view)))
    assert sum(moment.truth is Level.CRITICAL for moment in moments) > AFTER_S / 2
    assert longest(moments, LOW) <= CRITICAL.rise_after_s + 2.0
    assert moments[0].camera is Level.UNKNOWN  # of good pictures it needs 3 s
    assert any(moment.camera is Level.CLEAR for moment in moments)
    assert moments[-1].camera is Level.UNKNOWN


@pytest.mark.slow
def test_a_camera_knocked_down_as_the_street_fills_does_not_say_caution_for_long(
    view: View, street: TrueZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst moment and direction found: it then sees an emptier stretch as if it were ours."""
    down = Scenario("surge", knock=Knock(at_s=37.0, turn_deg=0.0, up_deg=-25.0))
    monkeypatch.setitem(SCENARIOS, "knocked", down)
    moments = list(course(SITE, of_scenario("knocked", street, 25.0, 65.0), ViewMonitor(view)))
    assert any(moment.truth is Level.CRITICAL for moment in moments)
    assert longest(moments, LOW) <= CRITICAL.rise_after_s + 2.0
    assert moments[-1].camera is Level.UNKNOWN
