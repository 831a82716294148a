"""A short campaign on a unit of its own, and what the oracle is worth."""

from collections.abc import Set
from types import SimpleNamespace
from typing import Any

import pytest

from edge.common.units import NS_PER_S
from hil.campaign.campaign import Plan, campaign
from hil.campaign.faults import FAULTS
from hil.campaign.ledger import Ledger
from hil.campaign.oracle import Oracle
from hil.campaign.run import FaultResult
from hil.campaign.table import broken, table
from hil.container.film import SCENARIO
from hil.rig import Shown

SHORT = (
    "SIGKILL watch", "SIGSTOP decide", "SIGSTOP show", "SIGSTOP report as it starts",
    "camera frozen", "camera hangs in a read", "panel unplugged", "network cut", "disk full",
    "outbox damaged", "memory exhausted", "models damaged", "power cut with 1000 events waiting",
)  # fmt: skip


@pytest.mark.timeout(1500)  # the first run makes root, package and film
@pytest.mark.usefixtures("can_boot")
def test_a_short_campaign_is_survived() -> None:
    faults = [fault for fault in FAULTS if fault.name in SHORT]
    assert len(faults) == len(SHORT)
    results = list[FaultResult]()
    sums = campaign(Plan(faults, rounds=1, seconds=20.0), seed=7, report=results.append)
    print(f"{table(results)}\n{sums}")
    assert broken(results) == []
    assert sums.kept, str(sums)
    assert sums.committed


def _moment(oracle: Oracle, *, crowded: bool) -> int:
    """Return the first second of which the 10 s before were all crowded, or none was."""
    return next(
        second * NS_PER_S
        for second in range(1000, 2000)
        if all(oracle.crowded((second - back) * NS_PER_S) is crowded for back in range(11))
    )


def test_the_oracle_notices_a_clear_that_is_wrong() -> None:
    oracle = Oracle(SCENARIO)
    crowded = _moment(oracle, crowded=True)
    lie = [Shown(crowded - 20 * NS_PER_S, "clear")]
    assert oracle.wrong_clear(lie, crowded, crowded + NS_PER_S) == [crowded]
    truth = [*lie, Shown(crowded - NS_PER_S, "neutral")]
    assert oracle.wrong_clear(truth, crowded, crowded + NS_PER_S) == []


def test_the_oracle_lets_a_clear_be_that_is_right() -> None:
    oracle = Oracle(SCENARIO)
    quiet = _moment(oracle, crowded=False)
    assert oracle.wrong_clear([Shown(quiet, "clear")], quiet, quiet + 3 * NS_PER_S) == []


@pytest.mark.parametrize(
    ("arrived", "waiting", "lost"),
    [({"a", "b"}, set[str](), set[str]()), ({"a"}, {"b"}, set[str]()), ({"a"}, set[str](), {"b"})],
)
def test_the_ledger_notices_an_event_that_is_lost(
    arrived: Set[str], waiting: Set[str], lost: Set[str]
) -> None:
    answers: Any = SimpleNamespace(waiting=lambda: waiting, events=lambda: arrived)
    ledger = Ledger(answers, answers)
    ledger.end()
    ledger.committed |= {"a", "b"}
    assert ledger.lost() == lost
