"""What is shown and said at a moment, for any sequence of Orders and times."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge.common.units import nanoseconds, seconds
from edge.common.wire import Level, Order, Page
from edge.show.player import Announcer, Player, is_alive, page_at

NEUTRAL = Page(("neutral",), "#ffffff")
TIMES = st.integers(0, nanoseconds(60))
S = nanoseconds(1)


def order(at: int = 0, level: Level = Level.CROWDED, **changes: object) -> Order:
    plain = Order(
        message=level.name.lower(),
        level=level,
        pages=(Page(("one",), "#ff0000", 2.0), Page(("two",), "#ff0000", 1.0)),
        clips=(f"{level.name.lower()}-ko", f"{level.name.lower()}-en"),
        beacon="slow",
        priority=1,
        issued_at=at,
        lifetime_s=3.0,
    )
    return plain if not changes else Order(**{**_fields(plain), **changes})  # type: ignore[arg-type]


def _fields(plain: Order) -> dict[str, object]:
    return {name: getattr(plain, name) for name in plain.__struct_fields__}


ORDERS = st.builds(
    order,
    at=TIMES,
    level=st.sampled_from(Level),
    lifetime_s=st.floats(allow_nan=True, allow_infinity=False),
    pages=st.lists(
        st.builds(Page, st.just(("x",)), st.just("#ffffff"), st.floats()), max_size=3
    ).map(tuple),
)


@given(st.lists(st.tuples(ORDERS, TIMES)), TIMES)
def test_no_order_is_ever_shown_before_its_time_or_past_its_lifetime(
    given_orders: list[tuple[Order, int]], at: int
) -> None:
    player = Player(NEUTRAL)
    for given_order, when in given_orders:
        player.follow(given_order, when)
    shown = player.content(at).order
    assert shown is None or 0 <= seconds(at - shown.issued_at) < shown.lifetime_s
    assert shown is not None or player.content(at) == player.neutral


@given(st.lists(TIMES, min_size=1))
def test_the_newest_living_order_is_shown_whatever_the_sequence(times: list[int]) -> None:
    player = Player(NEUTRAL)
    now = max(times)
    for at in times:
        player.follow(order(at), now)
    assert player.content(now).order == order(now)


@given(TIMES, TIMES)
def test_once_neutral_it_stays_neutral_until_a_new_order(first: int, second: int) -> None:
    player = Player(NEUTRAL)
    player.follow(order(0), 0)
    early, late = sorted((first, second))
    if player.content(early).order is None:
        assert player.content(late).order is None


def test_the_first_moment_past_the_lifetime_is_neutral() -> None:
    player = Player(NEUTRAL)
    player.follow(order(0), 0)
    assert player.content(3 * S - 1).order is not None
    assert player.content(3 * S) == player.neutral


def test_an_expired_order_does_not_replace_a_living_one() -> None:
    player = Player(NEUTRAL)
    player.follow(order(5 * S, Level.CRITICAL), 5 * S)
    player.follow(order(1 * S, Level.CLEAR), 5 * S)
    assert player.content(5 * S).level is Level.CRITICAL


def test_pages_go_round_undisturbed_by_the_repetition_of_the_order() -> None:
    player = Player(NEUTRAL)
    lines = []
    for at in range(0, 7 * S, S // 2):
        player.follow(order(at), at)
        lines.append(player.content(at).page.lines[0])
    assert [key for key, _ in itertools.groupby(lines)] == ["one", "two", "one", "two", "one"]


@given(st.lists(st.builds(Page, st.just(("x",)), st.just("#ffffff"), st.floats()), min_size=1))
def test_pages_turn_slower_than_any_flash(pages: list[Page]) -> None:
    """A flash is two changes: of fewer than six in a second none can flash at 3 Hz."""
    numbered = tuple(Page((str(n),), "#ffffff", page.seconds) for n, page in enumerate(pages))
    shown = [page_at(numbered, tick * S // 100).lines for tick in range(500)]
    turns = [before != after for before, after in itertools.pairwise(shown)]
    assert all(sum(turns[begin : begin + 100]) < 6 for begin in range(400))


@given(st.lists(st.builds(Page, st.just(("x",)), st.just("#ffffff"), st.floats()), min_size=1))
def test_there_is_a_page_for_every_moment(pages: list[Page]) -> None:
    assert page_at(tuple(pages), 12345678901) in pages


def test_a_rise_interrupts_and_a_fall_does_not_shout() -> None:
    announcer = Announcer(repeat_s=20)
    crowded, critical = order(level=Level.CROWDED), order(level=Level.CRITICAL)
    assert announcer.cue(crowded, 0, busy=False, quiet=False).clip == "crowded-ko"
    assert announcer.cue(crowded, S, busy=True, quiet=False).clip is None
    rise = announcer.cue(critical, 2 * S, busy=True, quiet=False)
    assert (rise.stop, rise.clip) == (True, "critical-ko")
    assert announcer.cue(critical, 9 * S, busy=False, quiet=False).clip == "critical-en"
    assert announcer.cue(crowded, 16 * S, busy=False, quiet=False).clip is None
    assert announcer.cue(crowded, 22 * S, busy=False, quiet=False).clip == "crowded-ko"


def test_without_an_order_the_voice_stops() -> None:
    announcer = Announcer(repeat_s=20)
    announcer.cue(order(), 0, busy=False, quiet=False)
    cue = announcer.cue(None, S, busy=True, quiet=False)
    assert (cue.stop, cue.clip) == (True, None)


def test_quiet_hours_silence_all_but_critical() -> None:
    announcer = Announcer(repeat_s=20)
    assert announcer.cue(order(level=Level.CROWDED), 0, busy=False, quiet=True).clip is None
    cue = announcer.cue(order(level=Level.CRITICAL), S, busy=False, quiet=True)
    assert cue.clip == "critical-ko"


@given(st.lists(st.sampled_from([None, *Level]), max_size=200))
def test_a_clip_is_only_ever_begun_for_the_order_in_force(levels: list[Level | None]) -> None:
    announcer = Announcer(repeat_s=5)
    for second, level in enumerate(levels):
        wanted = None if level is None else order(level=level)
        cue = announcer.cue(wanted, second * S, busy=False, quiet=False)
        assert cue.clip is None or (wanted is not None and cue.clip in wanted.clips)


def test_alive_is_false_for_an_order_from_the_future() -> None:
    assert not is_alive(order(10 * S), 9 * S)
