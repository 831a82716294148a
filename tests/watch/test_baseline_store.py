"""What is counted where nobody is, on disk."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from edge.cli import main
from edge.common.errors import ViewError
from edge.common.units import nanoseconds
from edge.site.schema import SceneOptions
from edge.watch.baseline import DAY_HOURS, DAYS, Baseline, Days
from edge.watch.baseline_store import FILE, BaselineStore
from edge.watch.view_monitor import ViewMonitor
from edge.watch.view_store import ViewStore
from tests.watch.baselines import (
    COLUMNS,
    ROWS,
    Counts,
    days_of,
    guard,
    head_map,
    known,
    live,
    nobody,
)

Damage = Callable[[bytes], bytes]


def street(minute: int) -> Counts:
    """A phantom, and somebody who is there all the second day."""
    count = nobody()
    count[3, 3] = 0.6
    count[9, 9] = float(minute // 60 // DAY_HOURS == 1)
    return count


def saved(state: Path, days: Days) -> Path:
    BaselineStore(state).follow(Baseline(guard(), days))
    return state / FILE


def test_days_go_on_over_restarts(tmp_path: Path) -> None:
    """A unit that is switched off each night has its days, too, made of evenings."""
    days: Days | None = known(nobody())
    for hour in range(0, DAYS * DAY_HOURS, 8):
        saved(tmp_path, days_of(street, 8, days, from_hour=hour))
        days = BaselineStore(tmp_path).load()
    assert days is not None and days.nobody is not None
    assert days.nobody.count[3, 3] == pytest.approx(0.6, abs=0.02)
    assert days.nobody.total().people == pytest.approx(0.6, abs=0.02)


def test_a_day_that_runs_is_kept_too(tmp_path: Path) -> None:
    baseline = Baseline(guard())
    live(baseline, street, 5)
    before = baseline.days
    saved(tmp_path, before or known(nobody()))
    after = BaselineStore(tmp_path).load()
    assert before is not None and before.quietest is not None
    assert after is not None and after.quietest is not None
    assert (after.hours, after.grid) == (before.hours, before.grid)
    assert after.quietest.heads == pytest.approx(before.quietest.heads)
    assert (after.quietest.least == before.quietest.least).all()


def test_it_is_small_and_no_picture(tmp_path: Path) -> None:
    """Six bytes at most for each of 880 cells."""
    baseline = Baseline(guard(), known(street(0)))
    live(baseline, street, 3)
    assert baseline.days is not None and baseline.days.quietest is not None
    assert saved(tmp_path, baseline.days).stat().st_size < (DAYS + 1) * ROWS * COLUMNS + 200


def test_it_is_written_when_an_hour_is_over_and_not_between(tmp_path: Path) -> None:
    store, baseline = BaselineStore(tmp_path), Baseline(guard())
    written = 0
    for minute in range(60 * 4):
        baseline.see(head_map(street(minute)), nanoseconds(60.0 * (minute + 1)))
        written += store.follow(baseline)
    assert written == 1 + 3


@pytest.mark.parametrize("restarted", [False, True])
def test_accepting_a_view_forgets_it(tmp_path: Path, restarted: bool) -> None:
    watch, camera = tmp_path / "watch", SceneOptions()
    views, baselines, eye = ViewStore(watch, camera), BaselineStore(watch), guard()
    views.follow(eye)
    baseline = Baseline(eye, known(street(0)))
    baselines.follow(baseline)
    if restarted:
        views, baselines = ViewStore(watch, camera), BaselineStore(watch)
        eye = ViewMonitor(views.load())
        baseline = Baseline(eye, baselines.load())
    assert baseline.nobody is not None
    result = CliRunner().invoke(main, ["view", "accept", "--state", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "counted in it where nobody is" in result.output
    views.follow(eye)
    baseline.see(head_map(street(0)), nanoseconds(1.0))
    baselines.follow(baseline)
    assert baseline.nobody is None
    assert not (watch / FILE).exists()


def test_what_is_forgotten_is_removed_once(tmp_path: Path) -> None:
    saved(tmp_path, known(street(0)))
    store = BaselineStore(tmp_path)
    baseline = Baseline(ViewMonitor(), store.load())
    baseline.see(head_map(street(0)), nanoseconds(1.0))
    assert [store.follow(baseline) for _ in range(2)] == [True, False]
    assert not (tmp_path / FILE).exists()


def other(data: bytes, **changed: object) -> bytes:
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(data), **changed})


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"junk",
        lambda data: data[:-1],
        lambda data: other(data, version=2),
        lambda data: other(data, width=320),
        lambda data: other(data, width=0),
        lambda data: other(data, hours=DAY_HOURS),
        lambda data: other(data, before=[bytes(ROWS * COLUMNS)] * (DAYS + 1)),
        lambda data: other(data, heads=1.0, least=b"\0"),
    ],
)
def test_a_damaged_file_is_reported_and_then_replaced(tmp_path: Path, damage: Damage) -> None:
    path = saved(tmp_path, known(street(0)))
    path.write_bytes(damage(path.read_bytes()))
    store = BaselineStore(tmp_path)
    with pytest.raises(ViewError, match="damaged"):
        store.load()
    baseline = Baseline(guard())
    baseline.see(head_map(street(0)), nanoseconds(1.0))
    assert store.follow(baseline)
    days = BaselineStore(tmp_path).load()
    assert days is not None and days.before == ()


def test_a_damaged_file_goes_also_where_nothing_is_learnt(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"junk")
    assert BaselineStore(tmp_path).follow(Baseline(ViewMonitor()))
    assert not (tmp_path / FILE).exists()


def test_a_disk_that_refuses_is_reported_and_nothing_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store, baseline = BaselineStore(tmp_path / "file"), Baseline(guard(), known(street(0)))
    with pytest.raises(ViewError, match="cannot be written"):
        store.follow(baseline)
    assert not store.follow(baseline)
    assert baseline.nobody is not None
