"""The program itself: a real process, real sockets, the recorder panel."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from edge.common.units import NS_PER_S, seconds
from edge.common.wire import Health, Level
from hil.testkit.show_process import ShowProcess


@pytest.fixture
def start(tmp_path: Path, clips: Path) -> Iterator[Callable[[str], ShowProcess]]:
    started: list[ShowProcess] = []

    def begin(voice: str = 'output = "record"', more: str = "", sign: str = "") -> ShowProcess:
        site = f'[sign]\npanel = "recorder"\n{sign}[voice]\nclips = "{clips}"\n{voice}\n{more}'
        running = ShowProcess(tmp_path, site)
        started.append(running)
        running.until(running.shows("neutral"))
        return running

    yield begin
    for running in started:
        running.end()


def test_neutral_first_then_the_order_then_neutral_again(start: Callable[[], ShowProcess]) -> None:
    show = start()
    assert seconds(show.lines()[0]["at"] - show.began) < 2.0
    order = show.order()
    show.until(show.shows("critical"))
    show.until(show.shows("neutral"))
    neutral, critical, again = show.lines()
    assert (neutral["lines"][0], critical["level"]) == ("레드로드", "CRITICAL")
    assert 1.0 <= seconds(again["at"] - order.issued_at) < 1.5
    assert [line["clip"] for line in show.lines("voice/played.jsonl")] == ["critical-ko"]


def test_asked_to_stop_it_leaves_the_neutral_text(start: Callable[[], ShowProcess]) -> None:
    show = start()
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"))
    show.process.send_signal(signal.SIGTERM)
    assert show.process.wait(5) == 0
    assert show.lines()[-1]["message"] == "neutral"


def test_where_it_cannot_hear_it_still_reports_that_it_knows_nothing(tmp_path: Path) -> None:
    """As when nothing can be made in the runtime folder: the sign must not stay dark."""
    (tmp_path / "file").touch()
    runtime = tmp_path / "file" / "run"
    show = ShowProcess(tmp_path, '[sign]\npanel = "recorder"\n', REDROAD_RUNTIME=str(runtime))
    try:
        show.until(show.shows("neutral"))
        show.until(lambda: "fault: sockets: cannot listen" in show.log())
        assert show.process.poll() is None
        (tmp_path / "file").unlink()
        runtime.mkdir(parents=True)
        show.until(lambda: "recovery: sockets" in show.log())
        show.order()
        show.until(show.shows("critical"))
    finally:
        show.end()


def test_of_orders_that_come_at_once_the_newest_alone_is_laid_out(
    start: Callable[..., ShowProcess],
) -> None:
    """A text takes time to lay out, and as many as a socket holds would take more than there is."""
    show = start()
    show.process.send_signal(signal.SIGSTOP)
    for number in range(5):
        show.order_text(f"THIS IS FAR TOO LONG FOR ANY LINE NO {number}" * 9)
    show.order(lifetime_s=10.0)
    show.process.send_signal(signal.SIGCONT)
    show.until(show.shows("critical"))
    assert show.faults("text") == []


@pytest.mark.parametrize("patterns", [("fast", "off"), ("fast", "slow"), ("steady", "off")])
def test_however_often_the_level_changes_the_lamp_flashes_no_faster(
    start: Callable[..., ShowProcess], patterns: tuple[str, str]
) -> None:
    """At most three times within any second (WCAG 2.3.1)."""
    show = start(more='[beacon]\noutput = "simulated"\n')
    until = time.monotonic() + 4.0
    while time.monotonic() < until:
        for pattern in patterns:
            show.order(beacon=pattern)
            time.sleep(0.08)
    on = [line["at"] for line in show.lines("beacon.jsonl") if line["lit"]]
    assert on
    in_a_second = [sum(at <= other < at + NS_PER_S for other in on) for at in on]
    assert max(in_a_second) <= 3


INPUTS = """
[inputs]
source = "simulated"
door = {pin = 5}
light = {pin = 6}
"""


def test_the_door_is_reported_upstream(start: Callable[..., ShowProcess]) -> None:
    show = start(more=INPUTS)
    (show.state / "inputs").mkdir(parents=True)
    for change, words in ((Path.touch, "is open"), (Path.unlink, "is shut")):
        change(show.state / "inputs" / "door")
        show.until(lambda w=words: any(w in told.reason for told in show.events("input")))  # type: ignore[misc]


def test_a_panel_whose_light_is_not_seen_is_no_proof(start: Callable[..., ShowProcess]) -> None:
    show = start(more=INPUTS)
    show.until(lambda: show.faults("panel"), 6.0)
    assert "sees no light" in show.faults("panel")[0].reason
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"), 1.0)  # all the same
    (show.state / "inputs").mkdir(parents=True)
    (show.state / "inputs" / "light").touch()
    show.until(lambda: "panel" in [told.after for told in show.events("recovery")], 4.0)


def test_the_panel_is_dimmed_by_the_sensor(
    start: Callable[..., ShowProcess], tmp_path: Path
) -> None:
    sensor = tmp_path / "lux"
    sensor.write_text("5", encoding="ascii")
    night = f'[inputs]\nlux_file = "{sensor}"\n[words]\n'
    show = start(more=night, sign="night_brightness = 35\n")
    picture = show.state / "panel" / "panel.png"

    def brightest() -> int:
        return max(Image.open(picture).getchannel("R").tobytes())

    show.until(lambda: brightest() == 100, 5.0)  # of 200, at half of 70 per cent
    assert show.lines()[-1]["message"] == "neutral"


def test_orders_that_flap_do_not_flash(start: Callable[[], ShowProcess]) -> None:
    show = start()
    levels = (Level.CROWDED, Level.CRITICAL)
    for number in range(60):
        show.order(levels[number % 2], lifetime_s=10.0)
        time.sleep(0.05)
    times = [seconds(line["at"]) for line in show.lines()[1:]]
    assert len(times) > 5
    changes = [sum(begin <= at < begin + 1 for at in times) for begin in times]
    assert max(changes) < 6  # two to a flash


def test_a_panel_that_comes_back_shows_the_level_and_not_the_neutral_text_first(
    start: Callable[[], ShowProcess],
) -> None:
    """However long it was away: no driver turns to what is safe while it is only waited for."""
    show = start()
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"))
    folder = show.state / "panel"
    folder.rename(folder.with_name("kept"))
    folder.touch()
    time.sleep(4.5)
    folder.unlink()
    show.until(show.lines)
    time.sleep(2.5)
    assert {line["message"] for line in show.lines()} == {"critical"}


def test_a_lamp_left_lit_by_a_life_that_was_killed_goes_off_before_anything_slow(
    tmp_path: Path,
) -> None:
    """Such as a sound card that takes a second to answer."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "aplay").write_text("#!/bin/sh\nsleep 30\n")
    (tools / "aplay").chmod(0o755)
    site = '[sign]\npanel = "recorder"\n[voice]\noutput = "auto"\n[beacon]\noutput = "simulated"\n'
    show = ShowProcess(tmp_path, site, PATH=f"{tools}:{os.environ['PATH']}")
    try:
        show.until(lambda: show.lines() and show.lines("beacon.jsonl"))  # two processes
        (neutral, *_), (off, *_) = show.lines(), show.lines("beacon.jsonl")
        assert not off["lit"]
        assert seconds(off["at"] - neutral["at"]) < 0.5
    finally:
        show.end()


def test_the_display_is_proven_by_reading_it_back(start: Callable[[], ShowProcess]) -> None:
    show = start()

    def told() -> set[object]:
        show.faults("panel")
        healths = [message for message in show.messages if isinstance(message, Health)]
        return {health.facts.get("sign_proof") for health in healths}

    show.until(lambda: "proven" in told(), 15.0)
    assert told() <= {"proven", None}


def test_clips_that_were_played_to_their_end_are_counted(start: Callable[[], ShowProcess]) -> None:
    show = start()
    show.order(lifetime_s=60.0)

    def counts() -> list[object]:
        show.faults("voice")
        healths = [message for message in show.messages if isinstance(message, Health)]
        return [health.facts["clips_played"] for health in healths]

    show.until(lambda: counts()[-1:] == [1], 60.0)
    assert set(counts()) <= {0, 1}


def test_missing_clips_are_a_fault_that_says_what_to_do(
    start: Callable[[], ShowProcess], clips: Path
) -> None:
    (clips / "critical-ko.wav").unlink()
    show = start()
    show.until(lambda: show.faults("clips"))
    assert "redroad voice build" in show.faults("clips")[0].reason
    show.order()
    show.until(show.shows("critical"))


def test_clips_that_cannot_be_looked_for_are_missing_and_the_sign_goes_on(tmp_path: Path) -> None:
    """As on a disk that fails, or in a home, which the service may not enter."""
    site = f'[sign]\npanel = "recorder"\n[voice]\noutput = "record"\nclips = "{"x" * 300}"\n'
    show = ShowProcess(tmp_path, site)  # a name that no disk takes
    try:
        show.until(lambda: show.faults("clips"))
        show.order(lifetime_s=10.0)
        show.until(show.shows("critical"))
        time.sleep(1.0)
        assert show.shows("critical")()
    finally:
        show.end()


def test_clips_that_come_later_are_seen_though_nothing_is_said(
    start: Callable[[], ShowProcess], clips: Path
) -> None:
    """At the first start they are still being spoken."""
    (clips / "critical-ko.wav").rename(clips / "later")
    show = start()
    show.until(lambda: show.faults("clips"))
    (clips / "later").rename(clips / "critical-ko.wav")
    show.until(lambda: "clips" in [told.after for told in show.events("recovery")], 15.0)


def test_memory_stays_small(start: Callable[[], ShowProcess]) -> None:
    """With the drivers' processes, which share most of its pages."""
    show = start()
    children = [show.child(name) for name in ("panel", "beacon")]
    processes = [psutil.Process(show.process.pid), *children]
    assert sum(process.memory_full_info().pss for process in processes) / 2**20 < 80


def test_a_mistake_in_a_new_site_file_leaves_no_dark_sign(
    start: Callable[..., ShowProcess],
) -> None:
    """The last right one serves, and the mistake is told."""
    start().end()
    show = start(more="[beacon]\noutputs = 'none'\n")
    show.until(lambda: show.faults("site"))
    (fault,) = show.faults("site")
    assert "option beacon.outputs = 'none' is unknown; did you mean 'output'?" in fault.reason
    assert fault.reason.endswith("; the last valid one is in use")
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"))


def test_a_mistake_in_the_first_site_file_ends_it(tmp_path: Path) -> None:
    show = ShowProcess(tmp_path, "[sign]\npanels = 'recorder'\n")
    assert show.process.wait(20) == 2
    assert "did you mean 'panel'?" in (tmp_path / "show.log").read_text(encoding="utf-8")
