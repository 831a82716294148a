"""From Sightings to Orders, without any program."""

from functools import cache

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.sighting import HeadMap, Motion, PictureHealth, Sighting
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Command, Level, Occupancy, State, ZoneState
from edge.decide.decider import Decider, ZoneTransition
from edge.decide.orders import ORDER_LIFETIME_S, order_for, pages_of
from edge.decide.warnings import warning_of
from edge.decide.zones import ZoneCounter
from edge.messages import MESSAGES, NEUTRAL
from edge.site.ground.plane import GroundPlane
from edge.site.overrides import phrases_of
from edge.site.schema import DEMO_GROUND, DEMO_ZONE, Site, Warnings, Zone

WEST = Zone(name="west", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)], area_m2=100.0)
EAST = Zone(name="east", polygon=[(0.5, 0), (1, 0), (1, 1), (0.5, 1)], area_m2=100.0)
SITE = Site(zone=[WEST, EAST])


def sighting(seq: int, west: float, east: float) -> Sighting:
    """A sighting with these densities, four a second."""
    count = np.zeros((10, 10), np.float32)
    count[:, :5] = west * 100 / 50
    count[:, 5:] = east * 100 / 50
    heads = HeadMap(count, np.zeros_like(count), 16.0, 160, 160, 1.645)
    return Sighting(seq, NS + seq * NS // 4, heads, PictureHealth(), "m")


def held(decider: Decider, level: Level, since: int, for_s: float, by: str) -> list[ZoneTransition]:
    """What a hold changes that arrives as it begins."""
    until = since + round(for_s * NS)
    return decider.follow(Command(f"hold-{since}", "hold", by, since, until, level), since)


def released(decider: Decider, since: int, by: str) -> list[ZoneTransition]:
    """What a release changes that arrives as it is given."""
    return decider.follow(Command(f"r-{since}", "release", by, since, since + NS), since)


def test_the_site_has_the_level_of_its_worst_zone() -> None:
    decider = Decider(SITE)
    for seq in range(30):
        decider.see(sighting(seq, 0.5, 3.5))
    assert decider.level is Level.CROWDED
    state = decider.state(NS * 9, "crowded")
    assert [(zone.zone, zone.level) for zone in state.zones] == [
        ("west", Level.CLEAR),
        ("east", Level.CROWDED),
    ]
    assert state.reason.startswith("east: ")


def test_a_covered_camera_takes_level_and_occupancy_away() -> None:
    decider = Decider(SITE)
    for seq in range(30):
        decider.see(sighting(seq, 0.5, 0.5))
    changes = decider.see(Sighting(31, NS * 20, None, PictureHealth(covered=True), "m"))
    assert {change.transition.reason for change in changes} == {"picture is covered"}
    state = decider.state(NS * 20, "neutral")
    assert state.level is Level.UNKNOWN
    assert all(zone.occupancy is None for zone in state.zones)
    assert state.picture_faults == ("covered",)


def test_an_old_sighting_changes_nothing() -> None:
    decider = Decider(SITE)
    for seq in range(30):
        decider.see(sighting(seq, 0.5, 0.5))
    assert decider.see(Sighting(99, NS, None, PictureHealth(covered=True), "m")) == []
    assert decider.level is Level.CLEAR


@pytest.mark.parametrize("level", list(Level))
def test_every_level_has_an_order_that_dies_in_time(level: Level) -> None:
    order = order_for(level, SITE, 7)
    assert order.pages
    assert len(order.pages) <= 2
    assert sum(page.seconds for page in order.pages) <= 8
    assert order.lifetime_s == ORDER_LIFETIME_S <= 4.5
    assert all(clip in phrases_of(SITE) for clip in order.clips)


def test_unknown_claims_nothing() -> None:
    order = order_for(Level.UNKNOWN, SITE, 7)
    assert order.pages == pages_of(NEUTRAL, SITE)
    assert order.clips == ()
    assert order.beacon == "off"


def test_priority_grows_with_the_level() -> None:
    known = [MESSAGES[level].priority for level in sorted(set(MESSAGES) - {Level.UNKNOWN})]
    assert known == sorted(set(known))


def crowd(decider: Decider, west: float, east: float, first: int, last: int) -> Decider:
    for seq in range(first, last):
        decider.see(sighting(seq, west, east))
    return decider


def test_the_reason_reported_is_that_of_the_worst_zone() -> None:
    decider = crowd(Decider(SITE), 0.5, 5.5, 0, 30)
    crowd(decider, 2.5, 5.5, 30, 60)
    state = decider.state(NS * 16, "critical")
    assert [zone.level for zone in state.zones] == [Level.CAUTION, Level.CRITICAL]
    assert state.reason.startswith("east: ")


@pytest.mark.parametrize(("age_s", "lifetime_s"), [(0.0, ORDER_LIFETIME_S), (1.0, 2.0), (2.9, 0.1)])
def test_what_the_camera_says_ends_with_its_last_picture(age_s: float, lifetime_s: float) -> None:
    """Frozen pictures, then a stopped decide: its order must not begin another three seconds."""
    decider = crowd(Decider(SITE), 0.5, 3.5, 0, 30)
    order = decider.order(sighting(29, 0, 0).taken_at + round(age_s * NS))
    assert order.level is Level.CROWDED
    assert order.lifetime_s == pytest.approx(lifetime_s)


def test_what_an_operator_holds_does_not_end_with_a_picture() -> None:
    decider = crowd(Decider(SITE), 0.5, 3.5, 0, 30)
    at = sighting(29, 0, 0).taken_at + round(2.9 * NS)
    held(decider, Level.CRITICAL, at, 60.0, "control room")
    assert decider.order(at).lifetime_s == ORDER_LIFETIME_S


def test_a_picture_that_is_reported_twice_makes_nothing_last_longer() -> None:
    decider = crowd(Decider(SITE), 0.5, 0.5, 0, 30)
    again = sighting(29, 0.5, 0.5)
    assert decider.see(again, again.taken_at + 2 * NS) == []
    (west, east) = decider.pass_time(again.taken_at + round(3.1 * NS))
    assert west.transition.after is east.transition.after is Level.UNKNOWN


def test_a_sighting_from_the_future_changes_nothing() -> None:
    """It would keep a level alive for as long as it is ahead."""
    decider = crowd(Decider(SITE), 0.5, 0.5, 0, 30)
    now = NS * 9
    assert decider.see(sighting(10_000, 0.5, 0.5), now) == []
    decider.pass_time(now + 3 * NS)
    assert decider.level is Level.UNKNOWN
    fresh = sighting(50, 0.5, 0.5)
    decider.see(fresh, fresh.taken_at)
    assert decider.state(fresh.taken_at, "neutral").frame_age_s == 0.0


def test_an_interval_that_is_no_number_is_not_taken_for_certainty() -> None:
    decider = Decider(SITE)
    for seq in range(30):
        trusted_since = sighting(seq, 0.5, 0.5)
        assert trusted_since.heads is not None
        bad = msgspec.structs.replace(
            trusted_since.heads, variance=np.full_like(trusted_since.heads.count, float("nan"))
        )
        decider.see(msgspec.structs.replace(trusted_since, heads=bad))
    assert decider.level is Level.UNKNOWN


def test_silence_before_the_first_level_takes_the_occupancy_away() -> None:
    decider = crowd(Decider(SITE), 0.5, 0.5, 0, 4)
    assert all(zone.occupancy for zone in decider.state(NS * 2, "neutral").zones)
    decider.pass_time(NS * 60)
    assert not any(zone.occupancy for zone in decider.state(NS * 60, "neutral").zones)


def test_a_hold_is_shown_reported_and_over_in_time() -> None:
    decider = crowd(Decider(SITE), 0.5, 0.5, 0, 30)
    (begin,) = held(decider, Level.CROWDED, NS * 9, 90, "control room")
    assert begin.zone is None
    assert (begin.transition.before, begin.transition.after) == (Level.CLEAR, Level.CROWDED)
    assert begin.transition.reason == "control room holds CROWDED for 1.5 min"
    state = decider.state(NS * 10, "crowded")
    assert (state.level, state.reason) == (Level.CROWDED, begin.transition.reason)
    assert decider.level is Level.CLEAR

    crowd(decider, 0.5, 0.5, 30, 392)
    assert decider.pass_time(NS * 99 - 1) == []
    assert decider.shown(NS * 99 - 1) is Level.CROWDED
    assert decider.shown(NS * 99) is Level.CLEAR
    (end,) = decider.pass_time(NS * 99)
    assert (end.transition.before, end.transition.after) == (Level.CROWDED, Level.CLEAR)
    assert end.transition.reason == "the time is over: control room holds CROWDED for 1.5 min"
    assert decider.pass_time(NS * 99 + 1) == []


def test_a_hold_stays_while_the_camera_is_blind_and_gives_way_to_critical() -> None:
    decider = Decider(SITE)
    held(decider, Level.CAUTION, NS, 600, "control room")
    assert decider.level is Level.UNKNOWN
    assert decider.shown(NS * 2) is Level.CAUTION
    crowd(decider, 6.0, 0.5, 4, 30)
    assert decider.shown(NS * 9) is Level.CRITICAL
    assert decider.state(NS * 9, "critical").reason.startswith("west: ")


def test_a_new_hold_replaces_the_old_one_and_a_late_one_does_not() -> None:
    decider = Decider(SITE)
    held(decider, Level.CRITICAL, NS * 2, 600, "a")
    (change,) = held(decider, Level.CAUTION, NS * 3, 60, "b")
    assert (change.transition.before, change.transition.after) == (Level.CRITICAL, Level.CAUTION)
    assert held(decider, Level.CRITICAL, NS * 2, 600, "a") == []
    assert decider.shown(NS * 4) is Level.CAUTION


def test_a_release_ends_the_hold_and_its_repetition_stays_ended() -> None:
    decider = Decider(SITE)
    held(decider, Level.CRITICAL, NS * 2, 600, "a")
    assert released(decider, NS, "b") == []
    (change,) = released(decider, NS * 3, "b")
    assert change.transition.reason == "b released the hold of CRITICAL"
    assert decider.shown(NS * 3) is Level.UNKNOWN
    assert held(decider, Level.CRITICAL, NS * 2, 600, "a") == []
    assert released(decider, NS * 4, "b") == []
    assert decider.shown(NS * 4) is Level.UNKNOWN


Commands = st.lists(
    st.tuples(
        st.sampled_from(["hold", "release", "see", "blind", "wait"]),
        st.sampled_from([Level.CAUTION, Level.CROWDED, Level.CRITICAL]),
        st.sampled_from([0.5, 2.5, 6.0]),
        st.integers(1, 40),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(Commands)
def test_no_command_makes_the_sign_say_less_than_the_camera(
    commands: list[tuple[str, Level, float, int]],
) -> None:
    decider, seq = Decider(SITE), 0
    for what, level, density, length in commands:
        for _ in range(length if what == "see" else 1):
            seq += 1
            at = sighting(seq, 0, 0).taken_at
            match what:
                case "hold":
                    held(decider, level, at, length, "a")
                case "release":
                    released(decider, at, "a")
                case "see":
                    decider.see(sighting(seq, density, 0.5), at)
                case "blind":
                    decider.see(Sighting(seq, at, None, PictureHealth(dark=True), "m"), at)
                case _:
                    seq += 4 * length
            now = sighting(seq, 0, 0).taken_at
            decider.pass_time(now)
            assert decider.shown(now) >= decider.level
            assert decider.shown(now) is not Level.CLEAR or decider.level is Level.CLEAR
            assert decider.state(now, "").reason


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(24)), st.lists(st.integers(0, 23), max_size=12))
def test_the_order_of_sightings_changes_nothing(order: list[int], again: list[int]) -> None:
    """Only those count that are newer than all before them."""
    mixed, clean, newest = Decider(SITE), Decider(SITE), -1
    for seq in [*order, *again]:
        message = sighting(seq, 0.5, 4.0)
        mixed.see(message)
        if seq > newest:
            clean.see(message)
            newest = seq
    assert mixed.state(NS * 7, "") == clean.state(NS * 7, "")


@cache
def moving(density: float, metres_s: float) -> tuple[HeadMap, Motion]:
    """Everybody on the demonstration's street walks along X; this many on the worst patch."""
    count = np.full((22, 40), 1.0, np.float32)
    zone = ZoneCounter([DEMO_ZONE], DEMO_GROUND).count(HeadMap(count, count, 16, 640, 352, 1), 1)
    count *= density / zone.zones[0].peak
    plane = GroundPlane.of(DEMO_GROUND)
    x, y = np.meshgrid(np.arange(40) + 0.5, np.arange(22) + 0.5)
    feet = plane.feet(16.0 * np.stack([x, y], axis=-1))
    step = plane.picture(feet + np.array([metres_s, 0.0]), 1.65) - plane.picture(feet, 1.65)
    px = np.nan_to_num(step).astype(np.float32)
    heads = HeadMap(count, np.zeros_like(count), 16.0, 640, 352, 1.645)
    return heads, Motion(px[..., 0], px[..., 1], 2.0)


def moving_sighting(seq: int, density: float, metres_s: float) -> Sighting:
    """Such a crowd, four a second."""
    heads, motion = moving(density, metres_s)
    return Sighting(seq, NS + seq * NS // 4, heads, PictureHealth(), "m", motion)


def warned(site: Site, density: float, metres_s: float) -> tuple[State, list[str]]:
    """The state after a quarter minute of such a crowd, and the reasons of all transitions."""
    decider, told = Decider(site), []
    for seq in range(60):
        changes = decider.see(moving_sighting(seq, density, metres_s))
        told += [change.transition.reason for change in changes]
    return decider.state(NS * 16, "m"), told


RAISING = Site(warnings=Warnings(raise_level=True))


def test_a_standstill_is_reported_and_raises_the_level_only_where_the_site_asks() -> None:
    for site, level in ((Site(), Level.CROWDED), (RAISING, Level.CRITICAL)):
        state, told = warned(site, 3.5, 0.02)
        assert state.zones[0].warning == "standstill at 0.02 m/s"
        assert state.level is level
        assert any("standstill" in reason for reason in told) == (site is RAISING)
    assert state.reason == (
        "street: 3.50 persons/m² (at most 3.50), standstill at 0.02 m/s: counts for one level "
        "more; 5 or more for 3 s"
    )


@pytest.mark.parametrize(("density", "metres_s"), [(3.5, 0.5), (2.5, 0.02), (0.5, 0.0)])
def test_who_walks_or_has_room_is_not_warned_of(density: float, metres_s: float) -> None:
    plain, raising = (warned(site, density, metres_s)[0] for site in (Site(), RAISING))
    assert plain.zones[0].warning == raising.zones[0].warning == ""
    assert plain.level is raising.level


def test_an_unknown_speed_warns_of_nothing() -> None:
    decider = Decider(RAISING)
    for seq in range(60):
        sighting = moving_sighting(seq, 3.5, 0.0)
        decider.see(msgspec.structs.replace(sighting, motion=None))
    state = decider.state(NS * 16, "m")
    assert state.level is Level.CROWDED
    assert state.zones[0].warning == ""
    assert state.zones[0].occupancy is not None
    assert state.zones[0].occupancy.speed is None


def test_a_blind_camera_takes_the_warning_away() -> None:
    decider = Decider(RAISING)
    for seq in range(60):
        decider.see(moving_sighting(seq, 3.5, 0.0))
    assert decider.state(NS * 16, "m").zones[0].warning
    decider.see(Sighting(61, NS * 17, None, PictureHealth(covered=True), "m"))
    assert decider.state(NS * 17, "m").zones[0] == ZoneState("street", Level.UNKNOWN, None, "")


@given(st.floats(0, 12), st.floats(0, 2), st.floats(0, 2), st.floats(0, 3))
def test_more_people_or_more_pressure_never_end_a_warning(
    peak: float, pressure: float, speed: float, more: float
) -> None:
    def words(peak: float, pressure: float, speed: float) -> str:
        seen = Occupancy("z", 9, 9, 9, 9, 1, peak, 1, speed, 0.1, pressure)
        return warning_of(Warnings(), seen)

    if words(peak, pressure, speed):
        assert words(peak + more, pressure, speed)
        assert words(peak, pressure + more, speed)
        assert words(peak, pressure, max(0.0, speed - more))
