"""Runs faults against a unit: one by one, as a crash loop, offline, and many at once by chance."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

from edge.common.clock import boottime_ns
from edge.common.units import nanoseconds, seconds
from edge.watch.cameras.rig import Mishap
from hil.campaign.faults import BOOT_OFFLINE, KILL, Fault, Scene
from hil.campaign.judge import SAFE, Blow, judged, seconds_to_safe
from hil.campaign.oracle import CLEAR
from hil.rig import PROGRAMS, Shown

SILENT = (*SAFE, CLEAR)
LOOK_S = 0.2
STEADY_S = 5.0  # in service for so long: what was sent before a fault has expired
QUIET_AT_MOST_S = 170.0
SERVICE_WITHIN_S = 120.0  # more than any promise: then the campaign gives up
LOOP_EVERY_S, LOOPS = 6.0, 50  # of each program
LOOP_BACK_S, UPSTREAM_BACK_S = 20.0, 45.0
AT_ONCE, GAP_S = (5, 12), (0.1, 2.0)


@dataclass(frozen=True)
class FaultResult:
    """One fault or one burst of them: seconds until the sign did its duty, and until all is back.

    `neutral_s` is None where the sign went on showing a level.
    """

    name: str
    injected: int
    neutral_s: float | None
    back_s: float
    promised_s: float
    kept: bool


class Report(Protocol):
    """Receives each result as it occurs."""

    def __call__(self, result: FaultResult, /) -> None:
        """Report one more result."""


@dataclass(frozen=True)
class Wanted:
    """What must be so for the unit to be in service again, beyond a level on its sign."""

    before: Mapping[str, str]
    renews: frozenset[str]
    since: int
    voice: bool
    upstream: bool


ANYTHING = Wanted({}, frozenset(), 0, voice=False, upstream=False)


def one_by_one(scene: Scene, faults: Sequence[Fault], report: Report) -> None:
    """Each fault by itself, and the way back."""
    for fault in faults:
        _make_ready(scene)
        report(_one(scene, fault))


def crash_loop(scene: Scene, loops: int, report: Report) -> None:
    """Every program is killed again and again, 50 times in 5 minutes."""
    _make_ready(scene)
    killed, began = 0, boottime_ns()
    for _ in range(loops):
        for program in PROGRAMS:
            killed += scene.rig.programs.send(program, KILL)
            time.sleep(LOOP_EVERY_S / len(PROGRAMS))
    ended = boottime_ns()
    back_s = await_service(scene, ended)
    neutral_s = seconds_to_safe(scene.rig.panel.shown(), began, ended)
    name = f"SIGKILL of each program every {LOOP_EVERY_S:g} s"
    report(FaultResult(name, killed, neutral_s, back_s, LOOP_BACK_S, back_s <= LOOP_BACK_S))


def offline(scene: Scene, away_s: float, report: Report) -> None:
    """A boot without a network, which stays away: the sign goes on, and all is sent at the end."""
    _make_ready(scene)
    scene.rig.broker.cut()
    report(_one(scene, BOOT_OFFLINE))
    began = boottime_ns()
    while seconds(boottime_ns() - began) < away_s:
        time.sleep(1.0)
    mended, waited = boottime_ns(), scene.ledger.waiting
    neutral_s = seconds_to_safe(scene.rig.panel.shown(), began, mended)
    scene.rig.broker.mend()
    wanted = Wanted({}, frozenset(), mended, voice=False, upstream=True)
    back_s = await_service(scene, mended, wanted)
    kept = neutral_s is None and back_s <= UPSTREAM_BACK_S
    name = f"offline for {away_s:g} s more with {waited} events waiting, then back"
    report(FaultResult(name, 1, neutral_s, back_s, UPSTREAM_BACK_S, kept))


def at_once(scene: Scene, faults: Sequence[Fault], until: int, report: Report) -> None:
    """Bursts of faults that overlap, by the campaign's chance, until a moment of boot time."""
    while boottime_ns() < until:
        _make_ready(scene)
        report(_burst(scene, [fault for fault in faults if not fault.alone]))


def _one(scene: Scene, fault: Fault) -> FaultResult:
    if fault.voice:
        _await_warning(scene)
    fault.prepare(scene)
    before, began = scene.rig.programs.lives(), boottime_ns()
    met = fault.inject(scene) is not False
    time.sleep(scene.random.uniform(*fault.lasts_s))
    ended = boottime_ns() if fault.lasts_s[1] else began
    fault.mend(scene)
    if fault.voice:
        _await_warning(scene)
        ended = boottime_ns()
    wanted = Wanted(before, frozenset(fault.renews), ended, fault.voice, fault.upstream)
    blind_until = ended if fault.lasts_s[1] else _await_renewal(scene, wanted)
    back_s = await_service(scene, ended, wanted)
    back = ended + nanoseconds(back_s)
    verdict = judged([Blow(fault, began, blind_until)], scene.rig.panel.shown(), back)
    kept = verdict.kept and back_s <= fault.back_s
    return FaultResult(fault.name, int(met), verdict.neutral_s, back_s, fault.back_s, kept)


def _await_renewal(scene: Scene, wanted: Wanted) -> int:
    """Wait for the required restarts; return the moment they were complete (boot time, ns)."""
    deadline = time.monotonic() + SERVICE_WITHIN_S
    while not _renewed(wanted, scene.rig.programs.lives()) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    return boottime_ns()


def _renewed(wanted: Wanted, lives: Mapping[str, str]) -> bool:
    return all(lives.get(name, "") not in ("", wanted.before.get(name)) for name in wanted.renews)


def _await_warning(scene: Scene) -> None:
    """Until something is spoken, or it was quiet for a whole round of the street."""
    deadline = time.monotonic() + QUIET_AT_MOST_S
    while scene.rig.panel.shown()[-1].message in SILENT and time.monotonic() < deadline:
        time.sleep(LOOK_S)


def _burst(scene: Scene, faults: Sequence[Fault]) -> FaultResult:
    """A few faults, each begun before the last is over; then all are mended."""
    due, blows, met = list[tuple[float, int, Fault, int]](), list[Blow](), 0
    chosen = scene.random.sample(faults, scene.random.randint(*AT_ONCE))
    for number, fault in enumerate(chosen):
        fault.prepare(scene)
        began = boottime_ns()
        met += fault.inject(scene) is not False
        ends = time.monotonic() + scene.random.uniform(*fault.lasts_s)
        due.append((ends, number, fault, began))
        gap_ends = time.monotonic() + scene.random.uniform(*GAP_S)
        blows += _mend_due(scene, due, gap_ends)
        time.sleep(max(0.0, gap_ends - time.monotonic()))
    blows += _mend_due(scene, due, float("inf"))
    ended = boottime_ns()
    back_s = await_service(scene, ended)
    verdict = judged(blows, scene.rig.panel.shown(), ended + nanoseconds(back_s))
    promised = max(fault.back_s for fault in chosen)
    name = "several at once: " + ", ".join(fault.name for fault in chosen)
    kept = verdict.kept and back_s <= promised
    return FaultResult(name, met, verdict.neutral_s, back_s, promised, kept)


def _mend_due(scene: Scene, due: list[tuple[float, int, Fault, int]], until: float) -> list[Blow]:
    """Mend, in their order, what is to be mended before a moment; the blows that are over."""
    over = list[Blow]()
    for entry in sorted(due, key=lambda entry: entry[:2]):
        ends, _, fault, began = entry
        if ends <= until:
            time.sleep(max(0.0, ends - time.monotonic()))
            over.append(Blow(fault, began, boottime_ns() if fault.lasts_s[1] else began))
            fault.mend(scene)
            due.remove(entry)
    return over


def mend_all(scene: Scene) -> None:
    """Undo every fault that the rig may have injected."""
    rig = scene.rig
    for mishap in get_args(Mishap):
        rig.camera.mend(mishap)
    for mend in (
        rig.panel.plug, rig.sound.mend, rig.broker.mend, rig.files.restore_model,
        rig.files.restore_site, rig.disk.free, rig.power.on,
    ):  # fmt: skip
        mend()


def _make_ready(scene: Scene) -> None:
    """Begin in service; a unit that did not come back from the last fault gets a new boot."""
    if not in_service(scene) and await_service(scene) > SERVICE_WITHIN_S:
        scene.rig.power.cut()
        scene.rig.power.on()
        if await_service(scene) > SERVICE_WITHIN_S:
            raise RuntimeError("the unit does not come into service even after a new boot")


def await_service(scene: Scene, since: int | None = None, wanted: Wanted = ANYTHING) -> float:
    """Until the unit is in service and stays so; seconds from `since` to the beginning of that.

    More than SERVICE_WITHIN_S when it does not come.
    """
    since = boottime_ns() if since is None else since
    in_service_from = None
    while True:
        now = boottime_ns()
        if not in_service(scene, wanted):
            in_service_from = None
        elif in_service_from is None:
            in_service_from, wanted = now, ANYTHING  # what was received need not be received again
        elif seconds(now - in_service_from) >= STEADY_S:
            return seconds(in_service_from - since)
        if in_service_from is None and seconds(now - since) > SERVICE_WITHIN_S:
            return seconds(now - since)
        time.sleep(LOOK_S)


def in_service(scene: Scene, wanted: Wanted = ANYTHING) -> bool:
    """All programs are ready, the sign shows a level, and all else in `wanted` holds."""
    rig = scene.rig
    shown = rig.panel.shown()
    if not shown or shown[-1].message in SAFE:
        return False
    lives = rig.programs.lives()
    if any(program not in lives for program in PROGRAMS):
        return False
    return _renewed(wanted, lives) and _has_all(scene, wanted, shown[-1])


def _has_all(scene: Scene, wanted: Wanted, stands: Shown) -> bool:
    if "show" in wanted.renews and stands.at <= wanted.since:
        return False  # what still stands is its predecessor's
    if wanted.upstream and (scene.rig.broker.heard_at() <= wanted.since or scene.ledger.waiting):
        return False
    silent = scene.rig.sound.heard_at() <= wanted.since
    return not (wanted.voice and silent and stands.message != CLEAR)
