"""Each supported release: its package, in a fresh container, passes `redroad check`.

And is installed over itself, removed and purged.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from deploy.deb import RELEASES
from hil.container.box import STATE
from hil.container.inside import SITE
from hil.container.install import HASTY, PACKAGE
from hil.container.unit import CHECKOUT, Unit, unit
from hil.rig import PROGRAMS
from hil.testkit.mosquitto import wait_for

pytestmark = pytest.mark.timeout(900)  # the first run makes the root

SERVICE_S = 180.0
CHECK_S = 120.0
DPKG_S = 300.0


@pytest.fixture(scope="module", params=[release.codename for release in RELEASES])
def fresh(
    _can_boot: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Unit]:
    """A unit of one release, switched on for the first time."""
    with unit(tmp_path_factory.mktemp("rig"), codename=request.param) as made:
        assert f"VERSION_CODENAME={request.param}\n" in made.box.call("cat", "/etc/os-release")
        yield made


def pass_check(unit: Unit) -> None:
    """Until all run and `redroad check` finds nothing; else the last thing it found is told."""
    wait_for(lambda: set(unit.programs.lives()) == set(PROGRAMS), SERVICE_S, "all are ready")
    faults: list[str] = ["check was not run"]

    def good() -> bool:
        faults[:] = checked(unit)
        return not faults

    try:
        wait_for(good, SERVICE_S, "check finds nothing")
    finally:
        assert faults == []


def checked(unit: Unit) -> list[str]:
    """The faults that the command finds beside the services; its code must say the same."""
    done = subprocess.run(
        [*unit.box.inside, "redroad", "check", "--json"],
        capture_output=True,
        text=True,
        timeout=CHECK_S,
        check=False,
    )
    faults = [line for line in json.loads(done.stdout) if not line["ok"]]
    assert done.returncode == bool(faults), done.stderr
    return [f"{line['part']}: {line['text']}" for line in faults]


def test_a_unit_in_service_passes_check(fresh: Unit) -> None:
    """With a camera, a sound card of ALSA's and a broker."""
    pass_check(fresh)


def test_a_unit_as_it_is_installed_passes_check(fresh: Unit) -> None:
    """With the package's own site file."""
    shutil.copy(CHECKOUT / "deploy/debian/site.toml", fresh.box.root / SITE)
    fresh.box.call("systemctl", "restart", "redroad.target")
    pass_check(fresh)


def test_it_is_installed_over_itself(fresh: Unit) -> None:
    """As an upgrade is: the site file that was changed stays, and all are started anew."""
    site = fresh.box.root / SITE
    changed = f"# ours\n{site.read_text(encoding='utf-8')}"
    site.write_text(changed, encoding="utf-8")
    before = fresh.programs.lives()
    fresh.box.call("dpkg", HASTY, "--install", f"/{PACKAGE}", timeout_s=DPKG_S)
    assert site.read_text(encoding="utf-8") == changed
    pass_check(fresh)
    assert not set(before.values()) & set(fresh.programs.lives().values())


def test_removed_it_leaves_what_is_the_sites(fresh: Unit) -> None:
    fresh.box.call("dpkg", "--remove", "redroad", timeout_s=DPKG_S)
    assert not fresh.programs.lives()
    assert (fresh.box.root / SITE).exists()
    assert (fresh.box.disk / "report").exists()
    assert not (fresh.box.root / "usr/lib/redroad").exists()


def test_purged_it_leaves_nothing(fresh: Unit) -> None:
    """The disk with the state is mounted, and so its folder stays."""
    fresh.box.call("dpkg", "--purge", "redroad", timeout_s=DPKG_S)
    assert not (fresh.box.root / SITE).parent.exists()
    assert fresh.box.call("find", STATE, "-mindepth", "1") == ""
