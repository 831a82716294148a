"""An operator's text: with its end, checked as any message, and never past its time."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.common.clock import boottime_ns
from edge.common.errors import LayoutError
from edge.common.units import NS_PER_S, nanoseconds, seconds
from edge.common.wire import Level, Notice, Order, Page
from edge.show.operator import laid_out
from edge.show.player import Player, turns
from hil.testkit.show_process import ShowProcess

AMBER = "#ffb000"
END = "~ 22:30"


def text_order(lines: tuple[str, ...], lasts_s: float, level: Level = Level.CROWDED) -> Order:
    now = boottime_ns()
    notice = Notice("t", (Page(lines, AMBER),), now + nanoseconds(lasts_s))
    name = "neutral" if level is Level.UNKNOWN else level.name.lower()
    own = ("레드로드", "천천히 걸어요", "WALK SLOWLY") if name == "neutral" else (name.upper(),)
    clips = ("crowded-ko",)
    return Order(name, level, (Page(own, AMBER),), clips, "slow", 2, now, 60.0, notice)


def test_the_end_stands_in_the_last_line() -> None:
    assert laid_out((Page(("8번 출구 닫힘",), AMBER),), END, 128, 64)[0].lines == (
        "8번 출구 닫힘",
        END,
    )


def test_what_is_too_much_for_one_page_takes_two() -> None:
    lines = ("8번 출구 닫힘", "EXIT 8 CLOSED", "出口关闭")
    pages = laid_out((Page(lines, AMBER),), END, 64, 32)
    assert [page.lines for page in pages] == [lines[:2], (*lines[2:], END)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("A" * 40,), "does not fit"),
        (("walk \U0001f6b6",), "no font has the characters"),
    ],
)
def test_a_text_that_cannot_be_shown_is_refused(lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        laid_out((Page(lines, AMBER),), END, 64, 32)


def test_a_text_ends_with_its_time_whatever_the_lifetime_of_its_order() -> None:
    player = Player(Page(("neutral",), AMBER))
    order = text_order(("x",), 5.0)
    player.follow(order, order.issued_at)
    assert order.notice is not None
    until = order.notice.until
    assert "text" in {player.content(at).message for at in range(order.issued_at, until, NS_PER_S)}
    after = {player.content(until + seconds * NS_PER_S).message for seconds in range(9)}
    assert after == {"crowded"}


def test_the_level_s_words_come_first_and_before_every_page_of_the_text() -> None:
    one, two, text, more = (Page((name,), AMBER) for name in ("one", "two", "text", "more"))
    assert turns((one, two), ()) == (one, two)
    assert turns((one, two), (text,)) == (one, two, text)
    assert turns((one, two), (text, more)) == (one, two, text, one, two, more)


@pytest.fixture
def show(tmp_path: Path, clips: Path) -> Iterator[ShowProcess]:
    site = f'[sign]\npanel = "recorder"\n[voice]\nclips = "{clips}"\noutput = "record"\n'
    running = ShowProcess(tmp_path, site)
    yield running
    running.end()


def test_the_sign_shows_it_with_its_end_beside_the_level_and_then_no_longer(
    show: ShowProcess,
) -> None:
    order = text_order(("8번 출구 닫힘",), 10.0)
    show.until(show.shows("neutral"))
    show.sender.send(order)
    show.until(show.shows("crowded"))
    show.until(show.shows("text"))
    assert order.notice is not None
    until = order.notice.until
    left_s = seconds(until - boottime_ns())
    end = datetime.fromtimestamp(datetime.now().timestamp() + left_s, ZoneInfo("Asia/Seoul"))
    text, told = show.lines()[-1]["lines"]
    assert text == "8번 출구 닫힘"
    minutes = [int(t[:2]) * 60 + int(t[3:]) for t in (told[2:], f"{end:%H:%M}")]
    assert (minutes[0] - minutes[1]) % 1440 in {0, 1, 1439}
    show.until(lambda: boottime_ns() > until + nanoseconds(7.0), 20.0)
    assert show.shows("crowded")()
    late = {line["message"] for line in show.lines() if line["at"] > until + NS_PER_S}
    assert late <= {"crowded"}


def test_while_nothing_is_known_it_stands_beside_the_neutral_text(show: ShowProcess) -> None:
    show.until(show.shows("neutral"))
    show.sender.send(text_order(("8번 출구 닫힘",), 60.0, Level.UNKNOWN))
    show.until(show.shows("text"))
    show.until(show.shows("neutral"))
    assert show.lines()[-1]["lines"] == ["레드로드", "천천히 걸어요", "WALK SLOWLY"]


def test_critical_takes_its_place_at_once(show: ShowProcess) -> None:
    show.until(show.shows("neutral"))
    show.sender.send(text_order(("8번 출구 닫힘",), 60.0))
    show.until(show.shows("text"))
    show.order(Level.CRITICAL, lifetime_s=60.0)
    show.until(show.shows("critical"), 1.0)


def test_one_that_cannot_be_shown_is_reported_and_the_level_stays_as_it_is(
    show: ShowProcess,
) -> None:
    show.until(show.shows("neutral"))
    show.sender.send(text_order(("A" * 40,), 60.0))
    show.until(lambda: show.faults("text"))
    assert "cannot be shown: line 'AAA" in show.faults("text")[0].reason
    (answer,) = show.events("command")
    assert (answer.command, answer.after) == ("t", "refused")
    assert "cannot be shown: line 'AAA" in answer.reason
    show.until(lambda: show.lamp().count(True) > 1)
    show.until(lambda: show.lines("voice/played.jsonl"))
    assert {line["message"] for line in show.lines()} == {"neutral", "crowded"}
