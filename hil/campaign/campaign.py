"""`make campaign`: everything that may go wrong, done to a unit in a container, and one table."""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.clock import NS_PER_S, boottime_ns, nanoseconds, seconds
from hil.campaign.faults import CLOCK, FAULTS, Fault, Scene
from hil.campaign.ledger import Ledger
from hil.campaign.oracle import CLEAR, Oracle, message_at
from hil.campaign.run import LOOPS, Told, at_once, await_service, crash_loop, one_by_one
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
    seconds: float = 0.0
    settable_clock: bool = False


def campaign(plan: Plan, seed: int, tell: Callable[[Told], None]) -> Sums:
    """Do all of it to a unit of its own; what is the sum of it."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, _opened(Path(folder), plan) as made:
        ledger = Ledger(made.disk, made.broker)
        scene = Scene(made, ledger, chance)
        await_service(scene)
        began = boottime_ns()
        for _ in range(plan.rounds):
            one_by_one(scene, chance.sample(plan.faults, len(plan.faults)), tell)
        if plan.loops:
            crash_loop(scene, plan.loops, tell)
        if plan.seconds:
            at_once(scene, plan.faults, boottime_ns() + nanoseconds(plan.seconds), tell)
        await_service(scene)
        _settle(ledger)
        return _sums(made, ledger, began)


@contextmanager
def _opened(folder: Path, plan: Plan) -> Iterator[Unit]:
    with unit(folder, settable_clock=plan.settable_clock) as made:
        yield made


def _settle(ledger: Ledger) -> None:
    """Until the broker has all; what is left then counts as lost."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while ledger.late() and time.monotonic() < deadline:
        time.sleep(0.5)
    ledger.end()


def _sums(made: Unit, ledger: Ledger, began: int) -> Sums:
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
        committed=len(ledger.committed),
        destroyed=len(ledger.destroyed),
        lost=len(ledger.lost() | ledger.late()),
        pictures=pictures,
        secrets=log.count(SECRET.encode()) + sent.count(SECRET.encode()),
    )


def main() -> int:
    """Print the table; the exit code tells whether everything was kept."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each fault by itself")
    parser.add_argument("--loops", type=int, default=LOOPS, help="kills of each program in a row")
    parser.add_argument("--seconds", type=float, default=3600, help="of several faults at once")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if lacking := missing():
        print(f"redroad: {lacking}", file=sys.stderr)
        return 2
    plans = {
        "with a clock that jumps": Plan(CLOCK, options.rounds, settable_clock=True),
        "all others": Plan(FAULTS, options.rounds, options.loops, options.seconds),
    }
    all_told = list[Told]()
    sums = {
        name: campaign(plan, options.seed, _teller(all_told))
        for name, plan in plans.items()
        if plan.rounds or plan.loops or plan.seconds
    }
    print(f"{table(all_told)}\n\n{sum(told.injected for told in all_told)} faults")
    for name, one in sums.items():
        print(f"\n{name}: {one}")
    for line in broken(all_told):
        print(f"not kept: {line}")
    return int(bool(broken(all_told)) or not all(one.kept for one in sums.values()))


def _teller(all_told: list[Told]) -> Callable[[Told], None]:
    """Keeps all, and tells each at once to who waits."""

    def tell(told: Told) -> None:
        all_told.append(told)
        neutral = "–" if told.neutral_s is None else f"{told.neutral_s:.1f}"
        now = f"{seconds(boottime_ns()):.0f} s"
        words = f"{now}: {told.name}: neutral {neutral}, back {told.back_s:.1f}"
        print(words if told.kept else f"{words}  NOT KEPT", file=sys.stderr, flush=True)

    return tell
