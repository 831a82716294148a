"""How the product comes into a root."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PARTS = (
    "edge/**/*", "models/*.tflite", "models/manifest.toml", "models/golden.jpg", "systemd/**/*",
    "deploy/locks/appliance.txt", "pyproject.toml",
)  # fmt: skip
PLACES = {
    "system": "usr/lib/systemd/system",
    "system.conf.d": "usr/lib/systemd/system.conf.d",
    "journald.conf.d": "usr/lib/systemd/journald.conf.d",
    "sysusers.d": "usr/lib/sysusers.d",
    "tmpfiles.d": "usr/lib/tmpfiles.d",
}
COMMAND = """#!/bin/sh
export REDROAD_SITE="${REDROAD_SITE-/etc/redroad/site.toml}"
export REDROAD_RUNTIME="${REDROAD_RUNTIME-/run/redroad}"
export REDROAD_STATE="${REDROAD_STATE-/var/lib/redroad}"
exec /usr/lib/redroad/bin/python3 -m edge "$@"
"""


def version_of(checkout: Path) -> str:
    """A name of all that is installed: it changes with every byte."""
    digest = hashlib.sha256()
    for file in (file for part in PARTS for file in sorted(checkout.glob(part))):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(checkout)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def install(root: Path, checkout: Path) -> None:
    """Install the checkout as the package does."""
    subprocess.run(
        ["chroot", root, "python3", "-m", "venv", "--without-pip", "/usr/lib/redroad"], check=True
    )
    (packages,) = (root / "usr/lib/redroad/lib").glob("python3*/site-packages")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--target",
        str(packages),
    ]
    lock = checkout / "deploy/locks/appliance.txt"
    subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)
    subprocess.run([*pip, "--no-build-isolation", "--no-deps", str(checkout)], check=True)
    inside = "/usr/lib/redroad"
    subprocess.run(
        ["chroot", root, f"{inside}/bin/python3", "-m", "compileall", "-q", inside], check=False
    )
    command = root / "usr/bin/redroad"
    command.write_text(COMMAND, encoding="ascii")
    command.chmod(0o755)
    for folder, place in PLACES.items():
        shutil.copytree(checkout / "systemd" / folder, root / place, dirs_exist_ok=True)
    (root / "etc/redroad").mkdir()
    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True)
    subprocess.run(["systemctl", f"--root={root}", "enable", "redroad.target"], check=True)
