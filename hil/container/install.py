"""How the product comes into a root: by its own package."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

PARTS = (
    "edge/**/*", "models/*.tflite", "models/manifest.toml", "models/golden.jpg", "systemd/**/*",
    "deploy/deb.py", "deploy/debian/*", "deploy/locks/appliance.txt", "pyproject.toml",
)  # fmt: skip


def version_of(checkout: Path) -> str:
    """A name of all that goes into the package: it changes with every byte."""
    digest = hashlib.sha256()
    for file in (file for part in PARTS for file in sorted(checkout.glob(part))):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(checkout)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def install(root: Path, checkout: Path, release: str) -> None:
    """Build the package for `release`, and install it as a technician does: without a network."""
    processor = _said("dpkg", "--print-architecture")
    build = [sys.executable, str(checkout / "deploy/deb.py"), "--release", release]
    built = _said(*build, "--arch", processor, "--out", str(root / "root"))
    package = Path(built.splitlines()[-1])
    # Without a network, which proves that the package needs none.
    inside = ["unshare", "--net", "chroot", str(root)]
    apt = ["apt-get", "install", "--yes", "--quiet", "--option=Dpkg::Use-Pty=false"]
    subprocess.run(
        [*inside, *apt, f"/root/{package.name}"],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    package.unlink()


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
