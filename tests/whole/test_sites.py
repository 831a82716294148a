"""Every shipped example site loads, runs, and never shows what it cannot know."""

from pathlib import Path

import pytest

from edge.site import Site, load_site
from hil.testkit.appliance import Appliance
from hil.testkit.mosquitto import wait_for

SITES = sorted((Path(__file__).parents[2] / "deploy" / "sites").glob("*.toml"))
# What each shows on a machine without its devices; and what it says of them.
EXPECTED = {
    "demo": ("a level", ""),
    "night-market": ("a level", ""),
    "crossing-rtsp": ("neutral", "fault: camera: "),
    "pole-pi": ("", "fault: camera: "),
}


def test_every_site_has_its_expectation() -> None:
    assert {site.stem for site in SITES} == set(EXPECTED)


def test_the_demonstration_spells_out_the_defaults() -> None:
    """No option of demo.toml differs from what `redroad run` takes without a site file."""
    spelled = load_site(SITES[0].with_name("demo.toml"))
    assert spelled.model_dump() == Site().model_dump()


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.stem)
def test_every_site_runs(site: Path, tmp_path: Path) -> None:
    message, said = EXPECTED[site.stem]
    text = site.read_text(encoding="utf-8")
    if site.stem == "demo":  # the emulator's page is looked at elsewhere; here the texts count
        text = text.replace('panel = "emulator"', 'panel = "recorder"')
    unit = Appliance(tmp_path, text)
    unit.start()
    try:
        if message == "a level":
            unit.wait_until_level()
        wait_for(lambda: message in {unit.message(), "a level"}, 30, f"the sign shows {message!r}")
        wait_for(lambda: said in unit.said(), 20, f"the log says {said!r}")
        wait_for(lambda: all(map(unit.starts, ("show", "decide", "report"))), 20, "all have begun")
        assert "Traceback" not in unit.said()
        assert unit.end() == 0
    finally:
        unit.abandon()
