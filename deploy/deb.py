"""Builds the Debian packages: for each release and processor a virtual environment of its own.

Everything comes from the lock; nothing of it is made for the processor this runs on, so all
packages are built on any machine. Same commit, same packages (SOURCE_DATE_EPOCH).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "deploy/locks/appliance.txt"
DEBIAN = ROOT / "deploy/debian"
UNITS = ROOT / "systemd"
BACKOFF_SINCE = 254  # systemd; earlier ones warn of RestartSteps=
UNUSED = ("tests", "docs", "examples", "__pycache__")  # of the packages: a fifth of their size
OLDEST_GLIBC = 17


@dataclass(frozen=True)
class Release:
    """What a release of Debian has: Python's and glibc's minor version, systemd's."""

    codename: str
    number: int
    python: int
    glibc: int
    systemd: int


@dataclass(frozen=True)
class Processor:
    """Its names in Debian and in wheels, and its number in ELF files."""

    debian: str
    machine: str
    elf: int


RELEASES = (Release("bookworm", 12, 11, 36, 252), Release("trixie", 13, 13, 41, 257))
PROCESSORS = (Processor("amd64", "x86_64", 62), Processor("arm64", "aarch64", 183))


def main() -> None:
    """Build what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", choices=[each.codename for each in RELEASES])
    parser.add_argument("--arch", choices=[each.debian for each in PROCESSORS])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    asked = parser.parse_args()
    for release in RELEASES:
        for processor in PROCESSORS:
            if asked.release in {None, release.codename} and asked.arch in {None, processor.debian}:
                print(build(release, processor, asked.out.resolve()), flush=True)


def build(release: Release, processor: Processor, out: Path) -> Path:
    """One package; where it lies."""
    work = ROOT / "build/deb" / f"{release.codename}-{processor.debian}"
    shutil.rmtree(work, ignore_errors=True)
    tree = work / "tree"
    _environment(tree / "usr/lib/redroad", release, processor, work)
    _files(tree, release)
    version = f"{_version()}~deb{release.number}"
    _debian(work / "debian", release, version)
    package = _package(work, release, processor, version)
    out.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(package, out))


def lock_for(release: Release, processor: Processor) -> str:
    """The lock's packages that this target needs, with their hashes, and without conditions.

    pip itself would judge the conditions by the Python and the processor that it runs on.
    """
    target = {
        "python_version": f"3.{release.python}",
        "python_full_version": f"3.{release.python}.0",
        "implementation_name": "cpython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": processor.machine,
        "platform_release": "6.1",
    }
    kept = []
    for line in _locked():
        words, *hashes = line.split(" --hash=")
        wanted = Requirement(words)
        if wanted.marker is None or wanted.marker.evaluate(target):
            kept.append(" --hash=".join([f"{wanted.name}{wanted.specifier}", *hashes]))
    return "\n".join(kept) + "\n"


def _locked() -> Iterator[str]:
    """The lock's requirements, each in one line."""
    text = LOCK.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield " ".join(line.split())


def _environment(venv: Path, release: Release, processor: Processor, work: Path) -> None:
    """A virtual environment as `python3 -m venv` makes one, for another Python than this one."""
    packages = venv / f"lib/python3.{release.python}/site-packages"
    work.mkdir(parents=True)
    lock = work / "lock.txt"
    lock.write_text(lock_for(release, processor), encoding="utf-8")
    target = _target(packages, release, processor)
    _pip("install", "--require-hashes", "--requirement", lock, *target)
    _pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", work, ROOT)
    (wheel,) = work.glob("redroad_edge-*.whl")
    _pip("install", wheel, *target)
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for unused in [path for name in UNUSED for path in packages.glob(f"*/**/{name}")]:
        shutil.rmtree(unused, ignore_errors=True)
    _judge_machine(packages, processor)
    (venv / "bin").mkdir()
    (venv / "bin/python").symlink_to(f"/usr/bin/python3.{release.python}")
    # picamera2 and rgbmatrix are the system's: libcamera and the kernel are, too.
    (venv / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.{release.python}\n",
        encoding="ascii",
    )


def _target(packages: Path, release: Release, processor: Processor) -> list[str]:
    """pip's options for packages of another Python and processor."""
    tags = [f"manylinux_2_{minor}" for minor in range(release.glibc, OLDEST_GLIBC - 1, -1)]
    tags += ["manylinux2014", "manylinux2010", "manylinux1", "linux"]
    options = ["--no-deps", "--no-compile", "--target", str(packages), "--upgrade"]
    options += ["--ignore-requires-python"]  # it would ask this Python; the lock has asked theirs
    options += ["--implementation", "cp", "--python-version", f"3.{release.python}"]
    for tag in tags:
        options += ["--platform", f"{tag}_{processor.machine}"]
    return options


def _judge_machine(packages: Path, processor: Processor) -> None:
    """What has no wheel is built here, which is right for Python alone, not for machine code."""
    for path in packages.rglob("*.so*"):
        with path.open("rb") as file:
            head = file.read(20)
        if head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") != processor.elf:
            sys.exit(f"{path} is not for {processor.machine}; the lock needs a wheel of it")


def _files(tree: Path, release: Release) -> None:
    """What is beside the virtual environment."""
    system = tree / "lib/systemd/system"
    shutil.copytree(UNITS / "system", system)
    if release.systemd >= BACKOFF_SINCE:
        for program in ("watch", "decide", "report"):
            shutil.copytree(UNITS / "backoff", system / f"redroad-{program}.service.d")
    for name in ("journald.conf.d", "system.conf.d"):
        shutil.copytree(UNITS / name, tree / "usr/lib/systemd" / name)
    shutil.copytree(UNITS / "sysctl.d", tree / "usr/lib/sysctl.d")
    shutil.copytree(UNITS / "rules.d", tree / "usr/lib/udev/rules.d")
    documents = tree / "usr/share/doc/redroad"
    shutil.copytree(UNITS / "examples", documents / "examples")
    shutil.copytree(ROOT / "deploy/sites", documents / "sites")
    shutil.copy(UNITS / "README.md", documents / "systemd.md")
    for source, place in (("redroad", "usr/bin"), ("site.toml", "etc/redroad")):
        (tree / place).mkdir(parents=True)
        shutil.copy(DEBIAN / source, tree / place)


def _debian(folder: Path, release: Release, version: str) -> None:
    """The folder `debian` of the package's source."""
    folder.mkdir()
    for source in DEBIAN.iterdir():
        if source.name not in {"redroad", "site.toml"}:
            text = source.read_text(encoding="utf-8").replace("@CODENAME@", release.codename)
            (folder / source.name).write_text(
                text.replace("@PYTHON@", f"3.{release.python}"), encoding="utf-8"
            )
    (folder / "rules").chmod(0o755)
    for kind in ("sysusers", "tmpfiles"):
        shutil.copy(UNITS / f"{kind}.d/redroad.conf", folder / f"redroad.{kind}")
    date = format_datetime(datetime.fromtimestamp(_epoch(), UTC))
    (folder / "changelog").write_text(
        f"redroad ({version}) {release.codename}; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
        f" -- Red Road <redroad@invalid>  {date}\n",
        encoding="utf-8",
    )
    (folder / "source").mkdir()
    (folder / "source/format").write_text("3.0 (native)\n", encoding="ascii")


def _package(work: Path, release: Release, processor: Processor, version: str) -> Path:
    python = f"python3 (>= 3.{release.python}~), python3 (<< 3.{release.python + 1}~)"
    environment = {
        **os.environ,
        "REDROAD_PYTHON": python,
        "SOURCE_DATE_EPOCH": str(_epoch()),
        "DEB_BUILD_OPTIONS": "noautodbgsym",
    }
    command = ["dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps"]
    with (work / "build.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [*command, f"--host-arch={processor.debian}"],
            cwd=work,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        sys.exit(f"dpkg-buildpackage failed; its words are in {work / 'build.log'}")
    return work.parent / f"redroad_{version}_{processor.debian}.deb"


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *map(str, arguments)], check=False)
    if done.returncode:
        sys.exit("pip failed; its words stand above")


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _epoch() -> int:
    """The commit's time: two builds of it are the same."""
    if told := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(told)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit("this is no git checkout; set SOURCE_DATE_EPOCH to the time of this version")
    return int(done.stdout)


if __name__ == "__main__":
    main()
