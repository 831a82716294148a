"""What the sign does when something fails: `make faults` prints it, test_faults.py holds it.

Every fault is done to real processes; times are seconds after it, from what panel, lamp and
loudspeaker recorded themselves.
"""

import argparse
import itertools
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from edge.common.clock import boottime_ns
from edge.common.units import seconds
from edge.common.wire import Level
from edge.site import Site
from edge.site.overrides import phrases_of
from hil.testkit.appliance import Appliance, send
from hil.testkit.clips import make_clip
from hil.testkit.show_process import ShowProcess

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)  # Debian's faketime
WATCHED_S = 8.0  # how long a case is looked at when nothing is to happen

# The promises, seconds.
FIRST_TEXT = 2.0
SAFE = 5.0  # neutral text, and the lamp off
REPORTED = 5.0  # the fault upstream
OTHERS = 1.0  # how long one output may hold up the others
BACK = 5.0  # what failed, once it is mended


@dataclass(frozen=True)
class Outcome:
    """What the panel showed (s after the fault), and what was measured: (s, promised s)."""

    panel: tuple[tuple[float, str], ...]
    measured: dict[str, tuple[float, float]]

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        return [
            f"{what}: {_figure(took)} s, promised {limit:g} s"
            for what, (took, limit) in self.measured.items()
            if not took <= limit
        ]


@contextmanager
def running(
    folder: Path,
    voice: str = 'output = "record"',
    more: str = "",
    sign: str = "[sign]\n",
    **environment: str,
) -> Iterator[ShowProcess]:
    """`show` alone, in which CROWDED stands, the lamp flashes and the voice has spoken."""
    for name in phrases_of(Site()):
        make_clip(folder / "clips" / f"{name}.wav", 3.0)
    spoken = f'[voice]\nclips = "{folder}/clips"\nrepeat_s = 5.0\n{voice}\n'
    site = f'{sign}panel = "recorder"\n{spoken}{more}'
    show = ShowProcess(folder, site, **environment)
    try:
        show.until(show.shows("neutral"))
        yield show
    finally:
        show.end()


def crowded(show: ShowProcess) -> None:
    """Bring it into service."""
    show.order(Level.CROWDED, lifetime_s=60.0)
    show.until(show.shows("crowded"))
    show.until(lambda: show.lamp().count(True) > 1)


def after(show: ShowProcess, at: int, file: str, key: str, value: object) -> float:
    """When `key` first was `value` in a record after `at` (s); infinite when that is not soon."""
    end = time.monotonic() + 2 * WATCHED_S
    while time.monotonic() < end:
        for line in show.lines(file):
            if line["at"] >= at and line[key] == value:
                return seconds(line["at"] - at)
        time.sleep(0.02)
    return math.inf


def shown_after(show: ShowProcess, at: int, message: str) -> float:
    """When the panel showed it."""
    return after(show, at, "panel/panel.jsonl", "message", message)


def reported_after(show: ShowProcess, at: int, part: str) -> float:
    """When the fault of a part was reported."""
    end = time.monotonic() + 2 * WATCHED_S
    while time.monotonic() < end:
        for fault in show.faults(part):
            if fault.at >= at:
                return seconds(fault.at - at)
        time.sleep(0.02)
    return math.inf


def panel_since(show: ShowProcess, at: int) -> tuple[tuple[float, str], ...]:
    """What stood at the fault, and every change after it."""
    lines = [(seconds(line["at"] - at), line["message"]) for line in show.lines()]
    before = [(0.0, message) for shown, message in lines if shown < 0][-1:]
    return (*before, *((shown, message) for shown, message in lines if shown >= 0))


def critical_ordered(show: ShowProcess, at: int) -> dict[str, tuple[float, float]]:
    """Order CRITICAL just after a fault: the outputs that are well."""
    show.order(Level.CRITICAL, lifetime_s=60.0)
    return {"voice": (after(show, at, "voice/played.jsonl", "clip", "critical-ko"), OTHERS)}


def first_text(folder: Path) -> Outcome:
    with running(folder) as show:
        took = shown_after(show, show.began, "neutral")
        return Outcome(panel_since(show, show.began), {"first text": (took, FIRST_TEXT)})


def orders_end(folder: Path) -> Outcome:
    with running(folder) as show:
        crowded(show)
        show.order(Level.CROWDED, lifetime_s=3.0)
        at = boottime_ns()
        measured = safe_after(show, at)
        return Outcome(panel_since(show, at), measured)


def safe_after(show: ShowProcess, at: int) -> dict[str, tuple[float, float]]:
    """When the panel was neutral and the lamp off for good."""
    neutral = shown_after(show, at, "neutral")
    time.sleep(1.0)  # longer than a lamp that flashes is dark
    last = show.lines("beacon.jsonl")[-1]
    off = math.inf if last["lit"] else max(0.0, seconds(last["at"] - at))
    return {"neutral": (neutral, SAFE), "lamp off": (off, SAFE)}


def show_gets(blow: signal.Signals, folder: Path) -> Outcome:
    with running(folder) as show:
        crowded(show)
        at = send(show.process.pid, blow)
        measured = safe_after(show, at)
        return Outcome(panel_since(show, at), measured)


def panel_gets(blow: signal.Signals, folder: Path) -> Outcome:
    with running(folder) as show:
        crowded(show)
        child = show.child("panel")
        at = send(child.pid, blow)
        measured = critical_ordered(show, at)
        measured["reported"] = (reported_after(show, at, "panel"), REPORTED)
        measured["panel back"] = (shown_after(show, at, "critical"), BACK)
        return Outcome(panel_since(show, at), measured)


def panel_raises(folder: Path) -> Outcome:
    with running(folder) as show:
        crowded(show)
        place, aside = show.state / "panel", show.state / "aside"
        place.rename(aside)
        place.write_text("in the way", encoding="utf-8")
        at = boottime_ns()
        measured = critical_ordered(show, at)
        measured["reported"] = (reported_after(show, at, "panel"), REPORTED)
        place.unlink()
        aside.rename(place)
        mended = boottime_ns()
        measured["panel back"] = (shown_after(show, mended, "critical"), BACK)
        return Outcome(panel_since(show, at), measured)


def pins_get(blow: signal.Signals, folder: Path) -> Outcome:
    with running(folder) as show:
        crowded(show)
        at = send(show.child("beacon").pid, blow)
        measured = critical_ordered(show, at)
        measured["panel"] = (shown_after(show, at, "critical"), OTHERS)
        measured["reported"] = (reported_after(show, at, "beacon"), REPORTED)
        measured["lamp back"] = (after(show, at, "beacon.jsonl", "lit", True), BACK)
        return Outcome(panel_since(show, at), measured)


def gpio_absent(folder: Path) -> Outcome:
    with running(folder, more='[beacon]\noutput = "gpio"\n') as show:
        measured = {
            "first text": (shown_after(show, show.began, "neutral"), FIRST_TEXT),
            "reported": (reported_after(show, show.began, "beacon"), REPORTED),
        }
        at = boottime_ns()
        measured |= critical_ordered(show, at)
        measured["panel"] = (shown_after(show, at, "critical"), OTHERS)
        return Outcome(panel_since(show, show.began), measured)


class Card:
    """A sound card of real ALSA, whose device is a file: what lies in it was played."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"ALSA_CONFIG_PATH": str(folder / "alsa.conf")}
        self.heard = folder / "heard.raw"
        self._config, self._fifo = folder / "alsa.conf", folder / "fifo"
        os.mkfifo(self._fifo)

    def works(self) -> None:
        self._is(self.heard)

    def hangs(self) -> None:
        """Opening its device never ends: nobody reads from it."""
        self._is(self._fifo)

    @contextmanager
    def stalls(self) -> Iterator[None]:
        """It opens, takes a little, and then no more."""
        self._is(self._fifo)
        reader = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        yield
        os.close(reader)

    def is_missing(self) -> None:
        self._config.write_text("</usr/share/alsa/alsa.conf>\n", encoding="ascii")

    def _is(self, file: Path) -> None:
        device = f'type file\nslave.pcm {{ type null }}\nfile "{file}"\nformat raw\n'
        self._config.write_text(f"pcm.unit {{ {device} }}\n", encoding="ascii")


CARD = 'output = "aplay"\ncard = "unit"'


def sound_fails(how: str, folder: Path) -> Outcome:
    """The card fails as CROWDED is spoken; mended, the next warning must be heard."""
    card = Card(folder)
    with running(folder, CARD, **card.environment) as show:
        at = boottime_ns()
        if how == "stalls":
            with card.stalls():
                measured = _while_it_fails(show, at)
        else:
            card.hangs() if how == "hangs" else card.is_missing()
            measured = _while_it_fails(show, at)
        card.works()
        mended = boottime_ns()
        show.order(Level.CRITICAL, lifetime_s=60.0)
        while not card.heard.exists() and seconds(boottime_ns() - mended) < WATCHED_S:
            time.sleep(0.02)
        heard = seconds(boottime_ns() - mended) if card.heard.exists() else math.inf
        return Outcome(panel_since(show, at), {**measured, "next warning": (heard, BACK)})


def _while_it_fails(show: ShowProcess, at: int) -> dict[str, tuple[float, float]]:
    show.order(Level.CROWDED, lifetime_s=60.0)
    return {
        "panel": (shown_after(show, at, "crowded"), OTHERS),
        "lamp": (after(show, at, "beacon.jsonl", "lit", True), OTHERS),
        "reported": (reported_after(show, at, "voice"), REPORTED),
    }


NIGHT = '[sign]\nnight_brightness = 20\nnight_from = "00:00"\nnight_to = "23:59"\n'


def clock_jumps(to: str, brightness: int, folder: Path) -> Outcome:
    """Orders go on; nothing may change but what the wall clock says.

    That it jumped shows in the panel's brightness: there is no night while the clock is not set.
    """
    clock = folder / "clock"
    clock.write_text("+0", encoding="ascii")
    environment = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with running(folder, sign=NIGHT, **environment) as show:
        crowded(show)
        clock.write_text(to, encoding="ascii")
        at = boottime_ns()
        for _ in range(round(2 * WATCHED_S)):
            show.order(Level.CROWDED, lifetime_s=3.0)
            time.sleep(0.5)
        panel = panel_since(show, at)
        picture = Image.open(show.state / "panel" / "panel.png")
        red = max(picture.getchannel("R").tobytes())
        assert red == round(255 * brightness / 70), f"the clock of show did not jump: {red}"
        measured = {
            "other texts": (len({message for _, message in panel}) - 1.0, 0.0),
            "voice": (after(show, at, "voice/played.jsonl", "clip", "crowded-ko"), 6.0),
            "lamp": (after(show, at, "beacon.jsonl", "lit", True), 1.5),
        }
        return Outcome(panel, measured)


def program_gets(program: str, blow: signal.Signals, folder: Path) -> Outcome:
    """One of the four programs in service; the level is back once it was started anew."""
    unit = Appliance(folder)
    unit.start()
    try:
        unit.wait_until_level()
        level, pid, before = unit.message(), unit.pid(program), len(unit.shown())
        at = send(pid, blow)
        if program == "report":
            time.sleep(WATCHED_S + SAFE)
            changed = [shown for shown in unit.shown()[before:] if shown.message == "neutral"]
            measured = {"neutral texts": (float(len(changed)), 0.0)}
        else:
            neutral = unit.seconds_to_neutral(at)
            unit.wait_for_new_pid(program, pid)
            unit.wait_until_level()
            measured = {"neutral": (neutral, SAFE)}
            measured["level back"] = (seconds(unit.shown()[-1].at - at), SAFE + 10.0)
        changes = ((seconds(shown.at - at), shown.message) for shown in unit.shown()[before:])
        return Outcome(((0.0, level), *changes), measured)
    finally:
        unit.abandon()


STOP, KILL, TERM = signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM

# The whole appliance, which tests/whole/test_run.py holds to the same.
PROGRAMS: dict[str, Callable[[Path], Outcome]] = {
    "watch is stopped": partial(program_gets, "watch", STOP),
    "decide is stopped": partial(program_gets, "decide", STOP),
    "show is stopped, and started anew": partial(program_gets, "show", STOP),
    "report is stopped": partial(program_gets, "report", STOP),
}

# `show` by itself.
CASES: dict[str, Callable[[Path], Outcome]] = {
    "show starts": first_text,
    "orders end": orders_end,
    "show is stopped": partial(show_gets, STOP),
    "show is killed": partial(show_gets, KILL),
    "show is ended": partial(show_gets, TERM),
    "the panel's driver hangs": partial(panel_gets, STOP),
    "the panel's driver crashes": partial(panel_gets, KILL),
    "the panel's driver raises": panel_raises,
    "the pins' driver hangs": partial(pins_get, STOP),
    "the pins' driver crashes": partial(pins_get, KILL),
    "there is no GPIO": gpio_absent,
    "aplay hangs at its device": partial(sound_fails, "hangs"),
    "aplay hangs while it plays": partial(sound_fails, "stalls"),
    "the sound card is missing": partial(sound_fails, "is missing"),
    "the clock jumps to 1970": partial(clock_jumps, "@1970-01-02 00:00:00", 70),
    "the clock jumps ten years ahead": partial(clock_jumps, "+3650d", 20),
}


def _figure(took: float) -> str:
    return "never" if math.isinf(took) else f"{took:.1f}" if took % 1 else f"{took:g}"


def _line(name: str, outcome: Outcome) -> str:
    turns = itertools.groupby(outcome.panel, key=lambda shown: shown[1])
    panel = ", ".join(f"{next(group)[0]:.1f} {message}" for message, group in turns)
    measured = "; ".join(
        f"{what} {_figure(took)} ({limit:g})" for what, (took, limit) in outcome.measured.items()
    )
    kept = "BROKEN" if outcome.broken else "kept"
    return f"{name:<34} {kept:<7} {measured}\n{'':<42} panel: {panel}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what each fault did; the exit code tells whether every promise was kept."""
    cases = PROGRAMS | CASES
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("fault", nargs="*", help=f"only these, of: {'; '.join(cases)}")
    chosen = parser.parse_args(arguments).fault or list(cases)
    if unknown := [name for name in chosen if name not in cases]:
        parser.error(f"fault {unknown[0]!r} is unknown; one of: {'; '.join(cases)}")
    print("seconds after the fault; in brackets the promise\n")
    broken = 0
    for name in chosen:
        try:
            with tempfile.TemporaryDirectory() as folder:
                outcome = cases[name](Path(folder))
            line, kept = _line(name, outcome), not outcome.broken
        except Exception as error:  # noqa: BLE001  said in its line, and the next fault follows
            line, kept = f"{name:<34} not measured: {type(error).__name__} {error}", False
        print(line, flush=True)
        broken += not kept
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
