"""What `redroad check` and the overlays say of heads that are counted where nobody is."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from edge.cli import main
from edge.commands.check.check import Finding, check_all
from edge.commands.overlays import NOBODY
from edge.common.program import Paths
from edge.watch.baseline import DAY_HOURS, DAYS, Baseline, Days
from edge.watch.baseline_store import FILE, BaselineStore
from tests.watch.baselines import Counts, days_of, guard, known, nobody

SITE = '[sign]\npanel = "recorder"\n'
IN_ZONE, BESIDE = (slice(10, 12), slice(18, 22)), (slice(0, 2), slice(0, 3))


def counted(heads_in_zone: float, beside: float = 0.0) -> Counts:
    """In the demonstration's street, and above its left end."""
    count = nobody()
    count[IN_ZONE] = heads_in_zone / 8
    count[BESIDE] = beside / 6
    return count


def keep(state: Path, days: Days) -> None:
    BaselineStore(state / "watch").follow(Baseline(guard(), days))


def phantoms(folder: Path, site: str) -> Finding:
    """The line of a unit with this state."""
    file = folder / "site.toml"
    file.write_text(site, encoding="utf-8")
    (found,) = check_all(file, Paths(folder / "run", folder / "state"), ("phantoms",))
    return found


def test_check_tells_where_how_many_and_what_to_do(tmp_path: Path) -> None:
    """As a unit has learnt it, day by day."""
    days = days_of(lambda _: counted(1.6, beside=3.0), DAYS * DAY_HOURS)
    keep(tmp_path / "state", days)
    found = phantoms(tmp_path, SITE)
    assert found.ok
    assert "4.6 heads are counted where nobody is, at the quietest hours of 5 days" in found.text
    places = "3.0 in 48x32 px from 0,0; 1.6 in 64x32 px from 288,160 (of 640x352)"
    assert places in found.text
    within = re.search(r"of them ([0-9.]+) in zone 'street'", found.text)
    assert within is not None
    assert 0.8 < float(within[1]) <= 1.6
    assert "no count is changed by it" in found.text
    assert "turn the camera away" in found.text and "mask it" in found.text


def test_a_zone_that_can_never_be_clear_is_a_fault(tmp_path: Path) -> None:
    keep(tmp_path / "state", known(counted(12.0)))
    found = phantoms(tmp_path, SITE)
    assert not found.ok
    assert re.match(
        r"zone 'street' reads [0-9.]+ persons per m² where nobody is, and CAUTION ends below 1.6",
        found.text,
    )
    higher = "[levels]\ncaution = {rise = 9.0, fall = 8.0}\n"
    higher += "crowded = {rise = 10.0, fall = 8.5}\ncritical = {rise = 11.0, fall = 9.0}\n"
    assert phantoms(tmp_path, SITE + higher).ok


def test_a_head_here_and_there_is_no_matter(tmp_path: Path) -> None:
    keep(tmp_path / "state", known(counted(0.8)))
    found = phantoms(tmp_path, SITE)
    assert (found.ok, found.text) == (True, "0.8 heads are counted where nobody is")


@pytest.mark.parametrize("days", [0, 2])
def test_check_says_how_long_it_takes(tmp_path: Path, days: int) -> None:
    if days:
        keep(tmp_path / "state", days_of(lambda _: nobody(), days * DAY_HOURS))
    found = phantoms(tmp_path, SITE)
    assert found.ok
    assert f"after 5 days of running, {days} are over" in found.text


def test_a_damaged_file_is_a_fault(tmp_path: Path) -> None:
    watch = tmp_path / "state" / "watch"
    watch.mkdir(parents=True)
    (watch / FILE).write_bytes(b"junk")
    found = phantoms(tmp_path, SITE)
    assert not found.ok
    assert "damaged" in found.text and "learns anew" in found.text


def count(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["count", *map(str, arguments)])


def test_the_overlay_frames_the_places(tmp_path: Path) -> None:
    """In a picture of twice the size, too: the camera's places, not px."""
    keep(tmp_path, known(counted(3.0)))
    picture, out = tmp_path / "street.png", tmp_path / "out"
    Image.new("RGB", (1280, 704), (90, 90, 90)).save(picture)
    done = count(picture, "--overlay", out, "--state", tmp_path)
    assert done.exit_code == 0, done.output
    drawn = np.asarray(Image.open(out / "street.overlay.png"))
    blue = (drawn == NOBODY).all(axis=-1)
    assert blue[320, 576:704].all() and blue[383, 576:704].all()
    assert blue[320:384, 576].all() and blue[320:384, 703].all()
    assert not blue[:318].any()
    plain = count(picture, "--overlay", tmp_path / "plain")
    assert plain.exit_code == 0
    without = np.asarray(Image.open(tmp_path / "plain" / "street.overlay.png"))
    assert not (without == NOBODY).all(axis=-1).any()


def test_a_state_that_cannot_be_drawn_is_refused_in_one_line(tmp_path: Path) -> None:
    picture = tmp_path / "street.png"
    Image.new("RGB", (640, 352)).save(picture)
    for arguments, words in (
        (("--state", tmp_path), "give that, too"),
        (("--state", tmp_path, "--overlay", tmp_path), "after 5 days of running, 0 are over"),
    ):
        done = count(picture, *arguments)
        assert done.exit_code == 2
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
