"""`make campaign`: everything that may go wrong, done to a unit in a container, and one table."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.units import NS_PER_S, nanoseconds, seconds
from hil.campaign.faults import CLOCK, FAULTS, STREAM, Fault, Scene
from hil.campaign.judge import message_at
from hil.campaign.ledger import Ledger
from hil.campaign.oracle import CLEAR, Oracle, lit_beside_neutral
from hil.campaign.run import (
    LOOPS,
    FaultResult,
    at_once,
    await_service,
    crash_loop,
    mend_all,
    offline,
    one_by_one,
)
from hil.campaign.table import Sums, broken, table
from hil.container.box import missing
from hil.container.film import SCENARIO
from hil.container.search import pictures_in, pictures_under, writable
from hil.container.unit import SECRET, Unit, unit

SETTLED_WITHIN_S = 90.0


@dataclass(frozen=True)
class Plan:
    """How much is done to one unit."""

    faults: Sequence[Fault]
    rounds: int
    loops: int = 0
    offline_s: float = 0.0
    seconds: float = 0.0
    settable_clock: bool = False
    streamed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is done at all."""
        return not (self.rounds or self.loops or self.offline_s or self.seconds)


def campaign(plan: Plan, seed: int, report: Callable[[FaultResult], None]) -> Sums:
    """Run the plan on a unit of its own, to the end or an interruption; return its sums."""
    with (
        tempfile.TemporaryDirectory(prefix="rig-") as folder,
        unit(Path(folder), settable_clock=plan.settable_clock, streamed=plan.streamed) as made,
    ):
        ledger = Ledger(made.disk, made.broker)
        scene = Scene(made, ledger, random.Random(seed))
        began, whole = boottime_ns(), True
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _do(plan, scene, report)
        except KeyboardInterrupt:
            whole = False
            mend_all(scene)
        finally:
            signal.signal(signal.SIGTERM, before)
        await_service(scene)
        _settle(ledger)
        return _sums(made, ledger, began, whole)


def _do(plan: Plan, scene: Scene, report: Callable[[FaultResult], None]) -> None:
    await_service(scene)
    for _ in range(plan.rounds):
        one_by_one(scene, scene.random.sample(plan.faults, len(plan.faults)), report)
    if plan.loops:
        crash_loop(scene, plan.loops, report)
    if plan.offline_s:
        offline(scene, plan.offline_s, report)
    if plan.seconds:
        at_once(scene, plan.faults, boottime_ns() + nanoseconds(plan.seconds), report)


def _settle(ledger: Ledger) -> None:
    """Until the broker has all; what is left then counts as lost."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while ledger.late() and time.monotonic() < deadline:
        time.sleep(0.5)
    ledger.end()


def _sums(made: Unit, ledger: Ledger, began: int, whole: bool) -> Sums:
    ended, oracle, shown = boottime_ns(), Oracle(SCENARIO), made.panel.shown()
    moments = range(began, ended, NS_PER_S)
    log = made.box.call("journalctl", "--no-pager", "--output=export", timeout_s=120).encode()
    sent = b"".join(repr(message).encode() for message in made.listener.heard())
    pictures = pictures_under(writable(made.box))
    pictures += [f"log: {kind}" for kind in pictures_in(log)]
    pictures += [f"sent upstream: {kind}" for kind in pictures_in(sent)]
    return Sums(
        seconds=len(moments),
        clear_s=sum(message_at(shown, at) == CLEAR for at in moments),
        crowded_s=sum(map(oracle.must_not_be_clear, moments)),
        wrong_clear=[round(seconds(at)) for at in oracle.wrong_clear(shown, began, ended)],
        lit_beside_neutral=lit_beside_neutral(made.lamp.lit(), shown, ended),
        committed=len(ledger.committed),
        most_waiting=ledger.most_waiting,
        destroyed=len(ledger.destroyed),
        lost=len(ledger.lost() | ledger.late()),
        pictures=pictures,
        secrets=log.count(SECRET.encode()) + sent.count(SECRET.encode()),
        whole=whole,
    )


def main() -> int:
    """Print the table; return 0 if every promise was kept, 1 if not, 2 if the rig is incomplete."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="of each fault by itself")
    parser.add_argument("--loops", type=int, default=LOOPS, help="kills of each program in a row")
    parser.add_argument("--offline", type=float, default=300, help="seconds without a network")
    parser.add_argument("--seconds", type=float, default=1200, help="of several faults at once")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if lacking := missing():
        print(f"redroad: {lacking}", file=sys.stderr)
        return 2
    bursts = (options.loops, options.offline, options.seconds)
    plans = {
        "The unit whose clock was set": Plan(CLOCK, options.rounds, settable_clock=True),
        "The unit with a network camera": Plan(STREAM, options.rounds, streamed=True),
        "The unit of all else": Plan(FAULTS, options.rounds, *bursts),
    }
    results, sums = list[FaultResult](), dict[str, Sums]()
    for name, plan in plans.items():
        if not plan.is_empty and all(one.whole for one in sums.values()):
            sums[name] = campaign(plan, options.seed, _reporter(results))
    print(f"{table(results)}\n\n**{sum(result.injected for result in results)} faults.**")
    for name, one in sums.items():
        print(f"{name}: {one}.")
    for line in broken(results):
        print(f"not kept: {line}")
    return int(bool(broken(results)) or not all(one.kept for one in sums.values()))


def _reporter(results: list[FaultResult]) -> Callable[[FaultResult], None]:
    """Return a callback that keeps each result and prints it at once on stderr."""

    def report(result: FaultResult) -> None:
        results.append(result)
        neutral = "–" if result.neutral_s is None else f"{result.neutral_s:.1f}"
        now = f"{seconds(boottime_ns()):.0f} s"
        words = f"{now}: {result.name}: neutral {neutral}, back {result.back_s:.1f}"
        print(words if result.kept else f"{words}  NOT KEPT", file=sys.stderr, flush=True)

    return report
