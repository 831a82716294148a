"""Commands as decide follows them: raised, worded, silenced, never less and never longer."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.common.errors import CommandError
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Action, Command, Level
from edge.decide.active_commands import ActiveCommands
from edge.decide.decider import Decider
from edge.decide.orders import order_for
from edge.messages import CLEAR
from edge.site.command_limits import LONGEST_COMMAND_S
from tests.decide.test_decider import SITE, crowd


def command(action: Action, since_s: float = 10, lasts_s: float = 10, **more: Any) -> Command:
    since = round(since_s * NS)
    until = since + round(lasts_s * NS)
    return Command(f"{action}-{since_s}", action, "room", since, until, **more)


def calm() -> Decider:
    """CLEAR, with pictures for 10 s."""
    return crowd(Decider(SITE), 0.2, 0.2, 0, 41)


def test_a_text_stands_for_its_time_beside_the_words_light_and_voice_of_the_level() -> None:
    decider = calm()
    plain = decider.order(NS * 11)
    text = command("text", lines=("출구는 왼쪽", "EXIT LEFT"))
    decider.follow(text, NS * 11)
    order = decider.order(NS * 11)
    assert order.notice is not None
    (page,) = order.notice.pages
    assert (order.notice.command, page.lines, order.notice.until) == (
        text.id,
        text.lines,
        text.until,
    )
    assert replace(order, notice=None) == plain
    decider.follow(command("hold", 11, 5, level=Level.CROWDED), NS * 11)
    held = decider.order(NS * 12)
    assert held.notice == order.notice
    assert held.message == "crowded" and held.pages and held.clips and held.beacon == "slow"
    assert decider.state(NS * 12, "").commands == ("text-10", "hold-11")
    assert decider.order(NS * 20) == replace(calm().order(NS * 20), notice=None)


@pytest.mark.parametrize("level", Level)
def test_no_text_takes_the_place_of_what_the_level_says(level: Level) -> None:
    """Whoever has taken over the control room: SAFE, COME IN stands beside it, or waits."""
    wanted = ActiveCommands()
    wanted.accept(command("text", 0.5, 60, lines=("SAFE, COME IN",)))
    with_text, plain = order_for(level, SITE, NS, wanted), order_for(level, SITE, NS)
    assert replace(with_text, notice=None) == plain
    assert (with_text.notice is None) == (level is Level.CRITICAL)


def test_a_text_waits_at_critical_and_stands_again_after_it() -> None:
    decider = calm()
    decider.follow(command("text", 10, 30, lines=("EXIT LEFT",)), NS * 11)
    decider.follow(command("hold", 11, 5, level=Level.CRITICAL), NS * 11)
    assert decider.order(NS * 12).notice is None
    decider.pass_time(NS * 17)
    assert decider.order(NS * 17).notice is not None


def test_a_text_never_hides_critical() -> None:
    decider = calm()
    decider.follow(command("text", lines=("EXIT LEFT",)), NS * 11)
    decider.follow(command("mute"), NS * 11)
    decider.follow(command("hold", 11, 5, level=Level.CRITICAL), NS * 11)
    order = decider.order(NS * 12)
    assert order.message == "critical"
    assert order.clips


def test_a_mute_silences_all_but_critical_and_ends() -> None:
    decider = calm()
    decider.follow(command("mute", 10, 5), NS * 11)
    decider.follow(command("hold", 10, 60, level=Level.CROWDED), NS * 11)
    assert decider.order(NS * 12).clips == ()
    assert decider.order(NS * 15).clips


def test_a_test_runs_through_every_colour_and_gives_way_to_a_warning() -> None:
    decider = calm()
    decider.follow(command("test"), NS * 11)
    order = decider.order(NS * 11)
    assert order.message == "test"
    assert len({page.colour for page in order.pages}) == 4
    decider.follow(command("hold", 11, 5, level=Level.CAUTION), NS * 11)
    assert decider.order(NS * 11).message == "caution"


def test_a_release_ends_all_and_what_it_ended_stays_ended() -> None:
    decider = calm()
    earlier = [
        command("hold", 10, 60, level=Level.CROWDED),
        command("text", 10, 60, lines=("A",)),
        command("mute", 10, 60),
    ]
    for each in earlier:
        decider.follow(each, NS * 11)
    decider.follow(command("release", 12), NS * 12)
    for each in earlier:
        decider.follow(each, NS * 13)
    assert decider.order(NS * 13) == calm().order(NS * 13)
    state = decider.state(NS * 13, "")
    assert (state.commands, state.held, state.muted) == (("release-12",), None, False)


def test_the_state_says_what_is_held_and_whether_it_is_muted() -> None:
    decider = calm()
    decider.follow(command("hold", 10, 60, level=Level.CROWDED), NS * 11)
    decider.follow(command("mute", 10, 5), NS * 11)
    during, after = decider.state(NS * 12, ""), decider.state(NS * 16, "")
    assert (during.held, during.muted) == (Level.CROWDED, True)
    assert (after.held, after.muted) == (Level.CROWDED, False)


@pytest.mark.parametrize("at_s", [9, 20])
def test_what_is_over_or_yet_to_come_changes_nothing(at_s: int) -> None:
    decider = calm()
    assert decider.follow(command("hold", level=Level.CRITICAL), NS * at_s) == []
    assert decider.order(NS * 15) == calm().order(NS * 15)


CLEAR_WORDS = sorted(
    {words for cell in CLEAR.words.values() for words in (cell.headline, cell.short)}
)


@pytest.mark.parametrize("words", CLEAR_WORDS)
@pytest.mark.parametrize("dress", ["{}", "  {} !", "now {}"])
def test_no_text_says_clear(words: str, dress: str) -> None:
    said = (dress.format(words.lower()),)
    with pytest.raises(CommandError, match="only the camera can say"):
        calm().follow(command("text", lines=said), NS * 11)
    with pytest.raises(CommandError, match="only the camera can say"):
        calm().follow(command("text", lines=(words[:2], words[2:])), NS * 11)


@pytest.mark.parametrize("words", ["CLÉAR", "ＣＬＥＡＲ", "𝐂𝐋𝐄𝐀𝐑", "Ⓒlear", "道路畅通！"])
def test_no_dress_of_letters_hides_them(words: str) -> None:
    with pytest.raises(CommandError, match="only the camera can say"):
        calm().follow(command("text", lines=(words,)), NS * 11)


@pytest.mark.parametrize(
    "words", ["\u0421LEAR", "CL\u0395AR", "\u1d04\u029f\u1d07\u1d00\u0280", "Łódź"]
)
def test_a_letter_that_only_looks_like_one_of_ours_is_refused(words: str) -> None:
    with pytest.raises(CommandError, match="is none of a to z, Korean, Chinese or Japanese"):
        calm().follow(command("text", lines=(words,)), NS * 11)


@pytest.mark.parametrize(
    "words", ["출구는 왼쪽 → 8번", "EXIT 8 (left)", "出口在左边", "出口は左、ガード々", "Café 2층"]
)
def test_what_is_said_in_the_street_may_be_said(words: str) -> None:
    calm().follow(command("text", lines=(words,)), NS * 11)


@pytest.mark.parametrize("level", [None, Level.CLEAR, Level.UNKNOWN])
def test_no_less_than_caution_is_held(level: Level | None) -> None:
    with pytest.raises(CommandError, match="can be held"):
        calm().follow(command("hold", level=level), NS * 11)


@pytest.mark.parametrize("action", list(LONGEST_COMMAND_S))
def test_no_longer_than_the_bound(action: Action) -> None:
    with pytest.raises(CommandError, match="ask for less"):
        calm().follow(command(action, 10, LONGEST_COMMAND_S[action] + 1), NS * 11)


@pytest.mark.parametrize("lasts_s", [0.0, -1.0, LONGEST_COMMAND_S["hold"] + 1e-6])
def test_a_hold_has_a_time_that_is_bounded(lasts_s: float) -> None:
    with pytest.raises(CommandError, match="is not within 0 to 14400 s"):
        calm().follow(command("hold", 10, lasts_s, level=Level.CAUTION), NS * 11)


def test_a_hold_may_last_as_long_as_the_bound() -> None:
    decider = calm()
    assert decider.follow(
        command("hold", 10, LONGEST_COMMAND_S["hold"], level=Level.CAUTION), NS * 11
    )
    assert decider.shown((10 + 4 * 3600) * NS - 1) is Level.CAUTION


@pytest.mark.parametrize("level", [Level.CAUTION, Level.CROWDED, Level.CRITICAL])
def test_a_hold_begins_and_ends_to_the_nanosecond(level: Level) -> None:
    decider = calm()
    decider.follow(command("hold", 10, 60, level=level), NS * 11)
    for at in (10 * NS, 10 * NS + 1, 70 * NS - 1):
        assert decider.shown(at) is level
    for at in (0, 10 * NS - 1, 70 * NS, 700 * NS):
        assert decider.shown(at) is Level.CLEAR


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            Command,
            st.text(max_size=4),
            st.sampled_from(list(LONGEST_COMMAND_S)),
            st.just("x"),
            st.integers(-NS, 40 * NS),
            st.integers(-NS, 60 * NS),
            st.none() | st.sampled_from(Level),
            st.lists(st.text(max_size=45), max_size=4).map(tuple),
        ),
        max_size=12,
    ),
    st.integers(0, 60 * NS),
)
def test_whatever_is_commanded_the_sign_says_no_less_than_the_camera(
    commands: list[Command], at: int
) -> None:
    decider = calm()
    told = decider.level
    assert told is Level.CLEAR
    for each in commands:
        try:
            decider.follow(each, max(at, 10 * NS))
        except CommandError:
            continue
    order = decider.order(at)
    assert order.level >= told
    after = max([each.until for each in commands], default=0)
    if at >= after:
        assert order == calm().order(at)
