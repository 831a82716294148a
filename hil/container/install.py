"""How the product comes into a root: by its own package."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hil.testkit.locked import locked

PACKAGE = "opt/redroad.deb"  # stays there, as at a technician's who may need it again
HASTY = "--force-unsafe-io"  # no power is cut meanwhile: it need not wait for the disk
PARTS = (
    "edge/**/*", "models/*.tflite", "models/manifest.toml", "models/golden.jpg", "systemd/**/*",
    "deploy/deb.py", "deploy/debian/*", "deploy/locks/appliance.txt", "deploy/sites/*",
    "pyproject.toml",
)  # fmt: skip


def version_of(checkout: Path) -> str:
    """A name of all that goes into the package: it changes with every byte."""
    digest = hashlib.sha256()
    for file in (file for part in PARTS for file in sorted(checkout.glob(part))):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(checkout)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def own_processor() -> str:
    """Debian's name for it."""
    return _said("dpkg", "--print-architecture")


def package_of(checkout: Path, release: str, processor: str) -> Path:
    """Its package for `release`: built once for all tests, and again when a byte of it changes."""
    packages = checkout / "build/packages"
    folder = packages / f"{release}-{processor}-{version_of(checkout)}"
    with locked(packages):
        if not (built := [*folder.glob("*.deb")]):
            for old in packages.glob(f"{release}-{processor}-*"):
                shutil.rmtree(old)
            builder = [sys.executable, str(checkout / "deploy/deb.py"), "--release", release]
            draft = packages / "draft"
            shutil.rmtree(draft, ignore_errors=True)
            _said(*builder, "--arch", processor, "--out", str(draft))
            draft.rename(folder)
            built = [*folder.glob("*.deb")]
    (package,) = built
    return package


def install(root: Path, checkout: Path, release: str, processor: str) -> None:
    """Install the package for `release` as a technician does: without a network."""
    shutil.copy(package_of(checkout, release, processor), root / PACKAGE)
    # Without a network, which proves that the package needs none.
    inside = ["unshare", "--net", "chroot", str(root)]
    apt = ["apt-get", "install", "--yes", "--quiet", "--option=Dpkg::Use-Pty=false"]
    apt += [f"--option=Dpkg::Options::={HASTY}"]
    subprocess.run(
        [*inside, *apt, f"/{PACKAGE}"],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
