"""The table of faults: how each is done to a unit, how it is mended, and what is promised."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Literal

from edge.watch.cameras.rig import Mishap
from hil.campaign.ledger import Ledger
from hil.rig import PROGRAMS, Rig

KILL, STOP = signal.SIGKILL, signal.SIGSTOP
STAGES = {"as it ends": (0.0, 0.1), "as it starts": (0.3, 3.0)}  # s after a restart was asked for
READ_ONLY_S = (4.0, 10.0)
BOOT_BACK_S = 40.0
MANY_EVENTS, TAKEN_WITHIN_S = 1000, 20.0


@dataclass(frozen=True)
class Scene:
    """What a fault is done to, with the campaign's own chance."""

    rig: Rig
    ledger: Ledger
    random: Random


Deed = Callable[[Scene], object]

# What the sign must do while a fault lasts: "neutral" within 5 s of its beginning, and until its
# end; be lit again within 5 s of the end of what makes it "dark"; "go on" showing a level; or
# either ("any"), as the unit may see it through or not.
Duty = Literal["neutral", "dark", "go on", "any"]


def _nothing(_scene: Scene) -> None:
    """Nothing to prepare; or the unit mends it itself."""


@dataclass(frozen=True)
class Fault:
    """One way to fail: `prepare`, then `inject`, which returns False when there was no target.

    `lasts_s` is drawn between its bounds, then `mend` is done. The unit must be in service again
    `back_s` seconds after that, with a new life of each program that `renews` names; `voice` and
    `upstream` must be received again, too. One that is `alone` takes too long for a burst.
    """

    name: str
    inject: Deed
    back_s: float
    duty: Duty = "go on"
    prepare: Deed = _nothing
    mend: Deed = _nothing
    lasts_s: tuple[float, float] = (0.0, 0.0)
    renews: tuple[str, ...] = ()
    voice: bool = False
    upstream: bool = False
    alone: bool = False


def _send(program: str, signum: signal.Signals, scene: Scene) -> bool:
    return scene.rig.programs.send(program, signum)


def _restart(stage: str, program: str, scene: Scene) -> None:
    scene.rig.programs.restart(program)
    time.sleep(scene.random.uniform(*STAGES[stage]))


def _restart_after(deed: Callable[[Rig], None], programs: tuple[str, ...], scene: Scene) -> None:
    deed(scene.rig)
    for program in programs:
        scene.rig.programs.restart(program)


def _read_only_disk(scene: Scene) -> None:
    scene.rig.disk.turn_read_only()
    time.sleep(scene.random.uniform(*READ_ONLY_S))


def _cut_in_1970(scene: Scene) -> None:
    scene.rig.clock.jump("@1970-01-01 00:00:00")
    scene.rig.power.cut()


def _damaged_outbox(scene: Scene) -> None:
    """Noise on the disk below a stopped report, which then starts anew."""
    scene.rig.programs.send("report", STOP)
    scene.ledger.destroy()
    scene.rig.disk.damage_outbox()
    scene.rig.programs.send("report", KILL)


def _cut_with_many_events(scene: Scene) -> bool:
    """A thousand events that cannot be sent; the power goes while they wait on the disk."""
    scene.rig.broker.cut()
    scene.rig.load.tell_events(MANY_EVENTS)
    deadline = time.monotonic() + TAKEN_WITHIN_S
    while scene.ledger.waiting < MANY_EVENTS and time.monotonic() < deadline:
        time.sleep(0.1)
    waited = scene.ledger.waiting
    scene.rig.power.cut()
    return waited >= MANY_EVENTS


def _back_with_network(scene: Scene) -> None:
    scene.rig.power.on()
    scene.rig.broker.mend()


def _of(deed: Callable[[Rig], object]) -> Deed:
    return lambda scene: deed(scene.rig)


def _duty_without(program: str) -> Duty:
    return "go on" if program == "report" else "neutral"


def _of_program(program: str, signum: signal.Signals) -> Fault:
    return Fault(
        f"{signum.name} {program}",
        partial(_send, program, signum),
        back_s=20.0,
        duty=_duty_without(program),
        renews=(program,),
        upstream=program == "report",
    )


def _at_stage(stage: str, program: str, signum: signal.Signals) -> Fault:
    return Fault(
        f"{signum.name} {program} {stage}",
        partial(_send, program, signum),
        back_s=45.0,  # a start may take 30 s, and what hangs in it only then is ended
        duty=_duty_without(program),
        prepare=partial(_restart, stage, program),
        renews=(program,),
        upstream=program == "report",
    )


def _of_camera(mishap: Mishap, name: str, back_s: float = 20.0) -> Fault:
    return Fault(
        name,
        _of(lambda rig: rig.camera.fail(mishap)),
        back_s=back_s,
        duty="neutral",
        mend=_of(lambda rig: rig.camera.mend(mishap)),
        lasts_s=(6.0, 9.0),
    )


def _of_power(
    name: str, cut: Deed, back_s: float, *, mend: Deed | None = None, prepare: Deed = _nothing,
    renews: tuple[str, ...] = PROGRAMS, upstream: bool = True, alone: bool = False,
) -> Fault:  # fmt: skip
    """`cut` ends with the power off; for how long is drawn."""
    return Fault(
        name,
        cut,
        back_s,
        duty="dark",
        prepare=prepare,
        mend=mend or _of(lambda rig: rig.power.on()),
        lasts_s=(0.5, 3.0),
        renews=renews,
        upstream=upstream,
        alone=alone,
    )


SIGNALS = [_of_program(program, signum) for program in PROGRAMS for signum in (KILL, STOP)]
STAGED = [
    _at_stage(stage, program, signum)
    for stage in STAGES
    for program in PROGRAMS
    for signum in (KILL, STOP)
]
CAMERA = [
    _of_camera("frozen", "camera frozen"),
    _of_camera("hung", "camera hangs in a read"),
    _of_camera("away", "camera away"),
]
OUTPUTS = [
    Fault(
        "panel unplugged",
        _of(lambda rig: rig.panel.unplug()),
        back_s=10.0,
        duty="dark",
        mend=_of(lambda rig: rig.panel.plug()),
        lasts_s=(2.0, 6.0),
    ),
    Fault(
        "sound card hangs",
        _of(lambda rig: rig.sound.hang()),
        back_s=15.0,
        mend=_of(lambda rig: rig.sound.mend()),
        lasts_s=(6.0, 10.0),
        voice=True,
    ),
    Fault(
        "sound card gone",
        _of(lambda rig: rig.sound.vanish()),
        back_s=15.0,
        mend=_of(lambda rig: rig.sound.mend()),
        lasts_s=(4.0, 8.0),
        voice=True,
    ),
]
UPSTREAM = [
    Fault(
        "network cut",
        _of(lambda rig: rig.broker.cut()),
        back_s=45.0,
        mend=_of(lambda rig: rig.broker.mend()),
        lasts_s=(3.0, 20.0),
        upstream=True,
    ),
    Fault(
        "broker hangs",
        _of(lambda rig: rig.broker.hang()),
        back_s=45.0,
        mend=_of(lambda rig: rig.broker.mend()),
        lasts_s=(3.0, 20.0),
        upstream=True,
    ),
]
DISK = [
    Fault(
        "disk full",
        _of(lambda rig: rig.disk.fill()),
        back_s=10.0,
        mend=_of(lambda rig: rig.disk.free()),
        lasts_s=(4.0, 10.0),
        upstream=True,
    ),
    _of_power(
        "disk read-only, then power cut",
        _of(lambda rig: rig.power.cut()),
        BOOT_BACK_S,
        prepare=_read_only_disk,
        renews=(),
    ),
    Fault("outbox damaged", _damaged_outbox, back_s=20.0, renews=("report",), upstream=True),
]
INSTALLED = [
    Fault(
        "models damaged",
        lambda scene: _restart_after(lambda rig: rig.files.spoil_model(), ("watch",), scene),
        back_s=25.0,
        duty="neutral",
        mend=_of(lambda rig: rig.files.restore_model()),
        lasts_s=(6.0, 10.0),
    ),
    Fault(
        "wrong site file after an upgrade",
        lambda scene: _restart_after(lambda rig: rig.files.spoil_site(), PROGRAMS, scene),
        back_s=25.0,
        duty="neutral",
        mend=_of(lambda rig: rig.files.restore_site()),
        lasts_s=(6.0, 10.0),
    ),
]
MACHINE = [
    _of_power("power cut", _of(lambda rig: rig.power.cut()), BOOT_BACK_S),
    _of_power(
        f"power cut with {MANY_EVENTS} events waiting",
        _cut_with_many_events,
        45.0,
        mend=_back_with_network,
        alone=True,
    ),
    Fault("memory exhausted", _of(lambda rig: rig.load.exhaust_memory()), 20.0, duty="any"),
    Fault("log flooded", _of(lambda rig: rig.load.flood_log()), 20.0, lasts_s=(5.0, 6.0)),
]
CLOCK = [
    _of_power("boot in 1970", _cut_in_1970, BOOT_BACK_S),
    *(
        Fault(
            f"clock jumps {name}",
            _of(lambda rig, to=to: rig.clock.jump(to)),  # type: ignore[misc]
            back_s=10.0,
            mend=_of(lambda rig: rig.clock.jump("+0")),
            lasts_s=(2.0, 6.0),
        )
        for name, to in (
            ("to 1970", "@1970-01-01 00:00:00"),
            ("ten years ahead", "+3650d"),
            ("a day back", "-1d"),
        )
    ),
]
STREAM = [
    _of_camera("frozen", "network camera frozen", 30.0),
    _of_camera("hung", "network camera says nothing", 30.0),
    _of_camera("away", "network camera away", 30.0),
    Fault(
        "network cut between camera and unit",
        _of(lambda rig: rig.broker.cut()),
        back_s=45.0,
        duty="neutral",
        mend=_of(lambda rig: rig.broker.mend()),
        lasts_s=(6.0, 20.0),
        upstream=True,
    ),
]
BOOT_OFFLINE = _of_power(
    "boot without a network", _of(lambda rig: rig.power.cut()), BOOT_BACK_S, upstream=False
)
FAULTS = [*SIGNALS, *STAGED, *CAMERA, *OUTPUTS, *UPSTREAM, *DISK, *INSTALLED, *MACHINE]
