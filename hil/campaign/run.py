"""Runs faults against a unit: one by one, as a crash loop, and many at once by chance."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.clock import boottime_ns, nanoseconds, seconds
from hil.campaign.faults import KILL, NEUTRAL_WITHIN_S, Fault, Scene
from hil.campaign.oracle import CLEAR, message_at
from hil.rig import PROGRAMS, Rig, Shown

NEUTRAL = ("neutral",)
SAFE = ("neutral", "dark")
SILENT = (*SAFE, CLEAR)
LOOK_S = 0.2
QUIET_AT_MOST_S = 170.0
SERVICE_WITHIN_S = 120.0  # more than any promise: then the campaign gives up
LOOP_EVERY_S, LOOPS = 6.0, 50  # of each program
LOOP_BACK_S = 20.0
AT_ONCE, GAP_S = (5, 12), (0.1, 2.0)


@dataclass(frozen=True)
class Told:
    """One fault or one burst of them: seconds until neutral (None where it was not), and back."""

    name: str
    injected: int
    neutral_s: float | None
    back_s: float
    promised_s: float
    kept: bool


@dataclass(frozen=True)
class Span:
    """From the first fault to the way back: boot time (ns), then seconds."""

    injected: int
    at: int
    mended: int
    back_s: float
    blinds: bool = False


class Tell(Protocol):
    """Takes what happened, as it happens."""

    def __call__(self, told: Told, /) -> None:
        """One more."""


@dataclass(frozen=True)
class Wanted:
    """What must be so for the unit to be in service again, beyond a level on its sign."""

    before: Mapping[str, str]
    renews: frozenset[str]
    since: int
    voice: bool
    upstream: bool


def one_by_one(scene: Scene, faults: Sequence[Fault], tell: Tell) -> None:
    """Each fault by itself, and the way back."""
    for fault in faults:
        _make_ready(scene)
        tell(_one(scene, fault))


def crash_loop(scene: Scene, loops: int, tell: Tell) -> None:
    """Every program is killed again and again, 50 times in 5 minutes."""
    _make_ready(scene)
    killed, began = 0, boottime_ns()
    for _ in range(loops):
        for program in PROGRAMS:
            killed += scene.rig.programs.send(program, KILL)
            time.sleep(LOOP_EVERY_S / len(PROGRAMS))
    ended = boottime_ns()
    back_s = await_service(scene, ended)
    name = f"SIGKILL of each program every {LOOP_EVERY_S:g} s"
    tell(_judged(scene, name, Span(killed, began, ended, back_s), LOOP_BACK_S))


def at_once(scene: Scene, faults: Sequence[Fault], until: int, tell: Tell) -> None:
    """Bursts of faults that overlap, by the campaign's chance, until a moment of boot time."""
    while boottime_ns() < until:
        _make_ready(scene)
        tell(_burst(scene, faults))


def _one(scene: Scene, fault: Fault) -> Told:
    if fault.voice:
        _await_warning(scene)
    before, at = scene.rig.programs.lives(), boottime_ns()
    fault.inject(scene)
    time.sleep(scene.random.uniform(*fault.lasts_s))
    mended = boottime_ns() if fault.lasts_s[1] else at
    fault.mend(scene)
    renews = frozenset(fault.renews)
    back_s = await_service(
        scene, mended, Wanted(before, renews, mended, fault.voice, fault.upstream)
    )
    span = Span(1, at, mended, back_s, fault.blinds)
    return _judged(scene, fault.name, span, fault.back_s)


def _await_warning(scene: Scene) -> None:
    """Until something is spoken, or it was quiet for a whole round of the street."""
    deadline = time.monotonic() + QUIET_AT_MOST_S
    while scene.rig.panel.shown()[-1].message in SILENT and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def _burst(scene: Scene, faults: Sequence[Fault]) -> Told:
    """A few faults, each begun before the last is over; then all are mended."""
    began, due = boottime_ns(), list[tuple[float, int, Fault]]()
    chosen = scene.random.sample(faults, scene.random.randint(*AT_ONCE))
    for number, fault in enumerate(chosen):
        fault.inject(scene)
        due.append((time.monotonic() + scene.random.uniform(*fault.lasts_s), number, fault))
        gap_ends = time.monotonic() + scene.random.uniform(*GAP_S)
        _mend_due(scene, due, gap_ends)
        time.sleep(max(0.0, gap_ends - time.monotonic()))
    _mend_due(scene, due, float("inf"))
    ended = boottime_ns()
    back_s = _await_steady_service(scene, ended)
    promised = max(fault.back_s for fault in chosen)
    name = "several at once: " + ", ".join(fault.name for fault in chosen)
    return _judged(scene, name, Span(len(chosen), began, ended, back_s), promised)


def _mend_due(scene: Scene, due: list[tuple[float, int, Fault]], until: float) -> None:
    """Mend, in their order, what is to be mended before a moment."""
    for entry in sorted(due, key=lambda entry: entry[:2]):
        if entry[0] <= until:
            time.sleep(max(0.0, entry[0] - time.monotonic()))
            entry[2].mend(scene)
            due.remove(entry)


def _make_ready(scene: Scene) -> None:
    """Begin in service; a unit that did not come back from the last fault gets a new boot."""
    if await_service(scene) > SERVICE_WITHIN_S:
        scene.rig.power.cut()
        scene.rig.power.on()
        if await_service(scene) > SERVICE_WITHIN_S:
            raise RuntimeError("the unit does not come into service even after a new boot")


def await_service(scene: Scene, since: int | None = None, wanted: Wanted | None = None) -> float:
    """Until the unit is in service; seconds since `since`, more than SERVICE_WITHIN_S for not."""
    since = boottime_ns() if since is None else since
    while not in_service(scene, wanted):
        if seconds(boottime_ns() - since) > SERVICE_WITHIN_S:
            break
        time.sleep(LOOK_S)
    return seconds(boottime_ns() - since)


def _await_steady_service(scene: Scene, since: int) -> float:
    """The same, when it is not known who has to start anew: no fault stays unseen for so long."""
    while True:
        back_s = await_service(scene, since)
        steady_until = time.monotonic() + NEUTRAL_WITHIN_S
        while time.monotonic() < steady_until and in_service(scene):
            time.sleep(LOOK_S)
        if time.monotonic() >= steady_until or back_s > SERVICE_WITHIN_S:
            return back_s


def in_service(scene: Scene, wanted: Wanted | None = None) -> bool:
    """All programs are ready, the sign tells a level, and whatever else is wanted."""
    rig = scene.rig
    shown = rig.panel.shown()
    if not shown or shown[-1].message in SAFE:
        return False
    lives = rig.programs.lives()
    if any(program not in lives for program in PROGRAMS):
        return False
    return wanted is None or _has_all(rig, wanted, lives, shown[-1])


def _has_all(rig: Rig, wanted: Wanted, lives: Mapping[str, str], stands: Shown) -> bool:
    if any(lives[program] == wanted.before.get(program) for program in wanted.renews):
        return False
    if "show" in wanted.renews and stands.at <= wanted.since:
        return False  # what still stands is its predecessor's
    if wanted.upstream and rig.broker.heard_at() <= wanted.since:
        return False
    silent = rig.sound.heard_at() <= wanted.since
    return not (wanted.voice and silent and stands.message != CLEAR)


def _judged(scene: Scene, name: str, span: Span, promised: float) -> Told:
    until = span.mended + nanoseconds(span.back_s)
    shown = scene.rig.panel.shown()
    neutral_s = seconds_to(NEUTRAL, shown, span.at, until)
    safe_s = seconds_to(SAFE, shown, span.at, until)
    blinded = span.blinds and seconds(span.mended - span.at) >= NEUTRAL_WITHIN_S
    late = safe_s is None or safe_s > NEUTRAL_WITHIN_S
    kept = span.back_s <= promised and not (blinded and late)
    return Told(name, span.injected, neutral_s, span.back_s, promised, kept)


def seconds_to(
    messages: Sequence[str], shown: Sequence[Shown], at: int, until: int
) -> float | None:
    """How long after `at` the sign said one of these; 0 when it did; None when it never did."""
    if message_at(shown, at) in messages:
        return 0.0
    found = (c.at for c in shown if at <= c.at <= until and c.message in messages)
    return next((seconds(moment - at) for moment in found), None)
