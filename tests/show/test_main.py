"""The program itself: a real process, real sockets, the recorder panel."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from edge.clock import boottime_ns, seconds
from edge.link import Inbox, Outlet
from edge.wire import Event, Health, Level, Message, Order, Page


class Running:
    """A running `show` and what can be seen of it."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder = folder
        (folder / "site.toml").write_text(site, encoding="utf-8")
        self.report = Inbox(folder, "report")
        self.outlet = Outlet(folder, "show")
        self.told: list[Message] = []
        self.began = boottime_ns()
        places = ["--runtime", str(folder), "--state", str(folder)]
        command = [sys.executable, "-m", "edge", "show", "--site", str(folder / "site.toml")]
        self.process = subprocess.Popen([*command, *places])

    def lines(self, name: str = "panel/panel.jsonl") -> list[dict[str, Any]]:
        path = self.folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def events(self, kind: str) -> list[Event]:
        self.told += self.report.receive(0)
        return [told for told in self.told if isinstance(told, Event) and told.kind == kind]

    def faults(self, part: str) -> list[Event]:
        return [event for event in self.events("fault") if event.after == part]

    def order(self, level: Level = Level.CRITICAL, lifetime_s: float = 1.0) -> Order:
        name = level.name.lower()
        pages = (Page((name.upper(),), "#ff2020"),)
        order = Order(name, level, pages, (f"{name}-ko",), "fast", 3, boottime_ns(), lifetime_s)
        assert self.outlet.send(order)
        return order

    def until(self, true: Callable[[], object], limit_s: float = 8.0) -> None:
        end = time.monotonic() + limit_s
        while not true():
            assert time.monotonic() < end, self.lines()
            time.sleep(0.02)

    def shows(self, message: str) -> Callable[[], bool]:
        return lambda: [line["message"] for line in self.lines()][-1:] == [message]


@pytest.fixture
def start(tmp_path: Path, clips: Path) -> Iterator[Callable[[str], Running]]:
    started: list[Running] = []

    def begin(voice: str = 'output = "record"', more: str = "") -> Running:
        site = f'[sign]\npanel = "recorder"\n[voice]\nclips = "{clips}"\n{voice}\n{more}'
        running = Running(tmp_path, site)
        started.append(running)
        running.until(running.shows("neutral"))
        return running

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait()


def test_neutral_first_then_the_order_then_neutral_again(start: Callable[[], Running]) -> None:
    show = start()
    assert seconds(show.lines()[0]["at"] - show.began) < 2.0
    order = show.order()
    show.until(show.shows("critical"))
    show.until(show.shows("neutral"))
    neutral, critical, again = show.lines()
    assert (neutral["lines"][0], critical["level"]) == ("레드로드", "CRITICAL")
    assert 1.0 <= seconds(again["at"] - order.issued_at) < 1.5
    assert [line["clip"] for line in show.lines("voice/played.jsonl")] == ["critical-ko"]


def test_asked_to_stop_it_leaves_the_neutral_text(start: Callable[[], Running]) -> None:
    show = start()
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"))
    show.process.send_signal(signal.SIGTERM)
    assert show.process.wait(5) == 0
    assert show.lines()[-1]["message"] == "neutral"


def test_a_hung_sound_card_is_a_fault_and_the_next_warning_plays(
    start: Callable[[str], Running], fake_tool: Callable[[str, str], None], tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    fake_tool(
        "aplay",
        f'echo x >> "{begun}"; [ -s "{begun}.1" ] && exit 0; echo x > "{begun}.1"; exec sleep 60',
    )
    show = start('output = "aplay"\nrepeat_s = 5.0')
    at = boottime_ns()
    show.order(Level.CROWDED, lifetime_s=60.0)
    show.until(show.shows("crowded"), 1.0)
    show.until(lambda: show.faults("voice"))
    assert seconds(boottime_ns() - at) < 5.0
    show.order(Level.CRITICAL, lifetime_s=60.0)
    show.until(show.shows("critical"), 1.0)
    show.until(lambda: begun.read_text(encoding="utf-8").count("x") == 2, 2.0)


def test_a_panel_that_fails_is_a_fault_and_comes_back(start: Callable[[], Running]) -> None:
    show = start()
    folder = show.folder / "panel"
    folder.rename(show.folder / "aside")
    folder.write_text("in the way", encoding="utf-8")
    show.order(lifetime_s=60.0)
    show.until(lambda: show.faults("panel"))
    show.until(lambda: show.lines("voice/played.jsonl"))  # the voice goes on meanwhile
    folder.unlink()
    show.until(show.shows("critical"), 5.0)


def child_process(show: Running, name: str) -> psutil.Process:
    """The process of a driver: "panel" or "beacon"."""
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = [c for c in psutil.Process(show.process.pid).children() if c.name() == name]
        return bool(found)

    show.until(there, 3.0)
    return found[0]


def test_a_hung_driver_is_killed_and_holds_up_nothing(start: Callable[[], Running]) -> None:
    show = start()
    hung = child_process(show, "panel")
    hung.send_signal(signal.SIGSTOP)
    order = show.order(lifetime_s=60.0)
    show.until(lambda: show.lines("voice/played.jsonl"), 1.0)
    show.until(lambda: show.faults("panel"), 3.0)
    assert "hung" in show.faults("panel")[0].because
    show.until(show.shows("critical"), 3.0)
    assert seconds(show.lines()[-1]["at"] - order.issued_at) < 3.5
    assert not hung.is_running() or hung.status() == psutil.STATUS_ZOMBIE


def test_a_driver_that_dies_is_started_anew(start: Callable[[], Running]) -> None:
    show = start()
    child_process(show, "panel").kill()
    show.until(lambda: show.faults("panel"))
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"), 3.0)


def lamp(show: Running) -> list[bool]:
    return [line["lit"] for line in show.lines("beacon.jsonl")]


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM])
def test_the_panel_turns_neutral_and_the_lamp_off_whatever_happens_to_show(
    start: Callable[[], Running], blow: signal.Signals
) -> None:
    show = start()
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"))
    show.until(lambda: lamp(show).count(True) > 1)  # it flashes
    at = boottime_ns()
    show.process.send_signal(blow)
    show.until(show.shows("neutral"), 5.0)
    assert seconds(show.lines()[-1]["at"] - at) < 3.0
    time.sleep(1.0)
    last = show.lines("beacon.jsonl")[-1]
    assert not last["lit"] and seconds(last["at"] - at) < 3.0


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL])
def test_hung_pins_hold_up_nothing_and_flash_again(
    start: Callable[[], Running], blow: signal.Signals
) -> None:
    show = start()
    show.order(lifetime_s=60.0)
    show.until(lambda: lamp(show).count(True) > 1)
    child_process(show, "beacon").send_signal(blow)
    show.order(Level.CROWDED, lifetime_s=60.0)
    show.until(show.shows("crowded"), 1.0)
    show.until(lambda: show.faults("beacon"), 3.0)
    flashes = lamp(show).count(True)
    show.until(lambda: lamp(show).count(True) > flashes + 1, 5.0)


INPUTS = """
[inputs]
source = "simulated"
door = {pin = 5}
light = {pin = 6}
"""


def test_the_door_is_told_upstream(start: Callable[..., Running]) -> None:
    show = start(more=INPUTS)
    (show.folder / "inputs").mkdir()
    for change, words in ((Path.touch, "is open"), (Path.unlink, "is shut")):
        change(show.folder / "inputs" / "door")
        show.until(lambda w=words: any(w in told.because for told in show.events("input")))  # type: ignore[misc]


def test_a_panel_whose_light_is_not_seen_is_no_proof(start: Callable[..., Running]) -> None:
    show = start(more=INPUTS)
    show.until(lambda: show.faults("panel"), 6.0)
    assert "sees no light" in show.faults("panel")[0].because
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"), 1.0)  # all the same
    (show.folder / "inputs").mkdir()
    (show.folder / "inputs" / "light").touch()
    show.until(lambda: "panel" in [told.after for told in show.events("recovery")], 4.0)


def test_without_gpio_panel_and_voice_go_on(start: Callable[..., Running]) -> None:
    if list(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has a GPIO chip")
    show = start(more='[beacon]\noutput = "gpio"\n')
    show.until(lambda: show.faults("beacon"), 5.0)
    assert "no chip at all" in show.faults("beacon")[0].because
    show.order(lifetime_s=60.0)
    show.until(show.shows("critical"), 1.0)
    show.until(lambda: show.lines("voice/played.jsonl"), 1.0)


def test_the_display_is_proven_by_reading_it_back(start: Callable[[], Running]) -> None:
    show = start()

    def told() -> set[object]:
        show.faults("panel")
        healths = [message for message in show.told if isinstance(message, Health)]
        return {health.facts.get("sign_proof") for health in healths}

    show.until(lambda: "proven" in told(), 15.0)
    assert told() <= {"proven", None}


def test_missing_clips_are_a_fault_that_says_what_to_do(
    start: Callable[[], Running], clips: Path
) -> None:
    (clips / "critical-ko.wav").unlink()
    show = start()
    show.until(lambda: show.faults("clips"))
    assert "redroad voice build" in show.faults("clips")[0].because
    show.order()
    show.until(show.shows("critical"))


def test_memory_stays_small(start: Callable[[], Running]) -> None:
    """With the drivers' processes, which share most of its pages."""
    show = start()
    children = [child_process(show, name) for name in ("panel", "beacon")]
    processes = [psutil.Process(show.process.pid), *children]
    assert sum(process.memory_full_info().pss for process in processes) / 2**20 < 80
