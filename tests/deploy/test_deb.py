"""The Debian package: what it holds, what it needs, and that it works where it is unpacked."""

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import __version__
from edge.watch.manifest import Manifest, shipped_manifest
from hil.container.install import package_of

ROOT = Path(__file__).parents[2]
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PYTHON = Path("/usr/bin/python3.11")
NATIVE = "av, cv2, lgpio, matplotlib, numpy, PIL.Image, pydantic"


@pytest.fixture(scope="module")
def package() -> Path:
    """The package for Bookworm and this machine's processor; the rig installs the same."""
    return package_of(ROOT, "bookworm", ARCH)


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Its files, as on a unit."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    (folder / "usr/bin/python3.11").symlink_to(PYTHON)  # on a unit Debian's own lies there
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def scripts(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its fields and scripts."""
    folder = tmp_path_factory.mktemp("package") / "control"
    subprocess.run(["dpkg-deb", "--control", package, folder], check=True)
    return folder


# The first build fetches the wheels.
pytestmark = [pytest.mark.timeout(1200), pytest.mark.processes]


def test_it_holds_all_that_a_unit_reads(unpacked: Path) -> None:
    edge = unpacked / "usr/lib/redroad/lib/python3.11/site-packages/edge"
    manifest = Manifest(shipped_manifest())
    models = {path.name for path in (edge / "shipped_models").iterdir()}
    assert {entry.file for entry in manifest.entries} <= models
    units = {path.name for path in (unpacked / "lib/systemd/system").iterdir()}
    assert {path.name for path in (ROOT / "systemd/system").iterdir()} <= units
    for file in (
        "etc/redroad/site.toml",
        "usr/bin/redroad",
        "usr/lib/sysusers.d/redroad.conf",
        "usr/lib/tmpfiles.d/redroad.conf",
        "usr/lib/sysctl.d/redroad.conf",
        "usr/lib/udev/rules.d/60-redroad.rules",
        "usr/lib/systemd/journald.conf.d/redroad.conf",
        "usr/lib/systemd/system.conf.d/redroad.conf",
        "usr/share/doc/redroad/examples/network-camera.conf",
        "usr/share/doc/redroad/sites/pole-pi.toml",
    ):
        assert (unpacked / file).is_file(), file


def test_no_backoff_where_systemd_does_not_know_it(unpacked: Path) -> None:
    assert not list(unpacked.rglob("20-backoff.conf"))


def test_everything_in_it_belongs_to_root(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "-c", package], text=True, capture_output=True, check=True)
    owners = {line.split()[1] for line in listed.stdout.splitlines()}
    assert owners == {"root/root"}


def test_it_says_what_it_needs_and_what_a_technician_may_change(scripts: Path) -> None:
    control = (scripts / "control").read_text(encoding="utf-8")
    assert f"Version: {__version__}~deb12\n" in control
    assert "python3 (>= 3.11~), python3 (<< 3.12~)" in control
    for needed in ("espeak-ng", "libespeak-ng1", "alsa-utils", "systemd (>= 252)"):
        assert needed in control
    assert (scripts / "conffiles").read_text(encoding="utf-8").split() == ["/etc/redroad/site.toml"]


@pytest.mark.parametrize(
    ("system", "refused"),
    [
        ('ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"', False),
        ('ID=raspbian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Raspbian 12"', False),
        ('ID=debian\nVERSION_CODENAME=trixie\nPRETTY_NAME="Debian 13"', True),
        ('ID=ubuntu\nVERSION_CODENAME=jammy\nPRETTY_NAME="Ubuntu 22.04.5 LTS"', True),
    ],
)
def test_another_system_is_refused_in_one_line(
    scripts: Path, tmp_path: Path, system: str, refused: bool
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(system + "\n", encoding="utf-8")
    done = subprocess.run(
        ["sh", scripts / "preinst", "install"],
        env=os.environ | {"DPKG_ROOT": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.returncode != 0) is refused
    assert done.stderr.count("\n") == refused
    if refused:
        name = re.search(r'PRETTY_NAME="(.*)"', system)
        assert name is not None
        assert name[1] in done.stderr
        assert "bookworm" in done.stderr


def test_it_is_fit_for_service_where_it_is_unpacked(unpacked: Path, tmp_path: Path) -> None:
    """Debian's own Python, no module of this checkout, the site file as shipped."""
    assert PYTHON.exists(), "install Debian's python3"
    python = str(unpacked / "usr/lib/redroad/bin/python")
    paths = {
        "REDROAD_SITE": str(unpacked / "etc/redroad/site.toml"),
        "REDROAD_RUNTIME": str(tmp_path / "run"),
        "REDROAD_STATE": str(tmp_path / "state"),
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PATH": os.environ["PATH"],
    }

    def redroad(*words: str) -> subprocess.CompletedProcess[str]:
        command = [python, "-m", "edge", *words]
        return subprocess.run(
            command, env=paths, cwd=ROOT, text=True, capture_output=True, check=False
        )

    where = subprocess.run(
        [python, "-c", f"import edge, {NATIVE}; print(edge.__file__)"],
        env=paths,
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    assert where.stdout.splitlines()[-1].startswith(str(unpacked))
    assert redroad("--version").stdout == f"redroad, version {__version__}\n"
    built = redroad("voice", "build")
    assert built.returncode == 0, built.stderr
    told = json.loads(redroad("check", "--json").stdout)
    parts = {each["part"]: each for each in told}
    for part in ("site", "models", "texts", "panel", "clips", "disk"):
        assert parts[part]["ok"], parts[part]
