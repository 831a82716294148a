"""`make emulated`: the package for arm64, installed and run on this machine in emulation.

For each release: it installs without a network, every model counts the golden picture as on any
processor, and a replay gives its tables. Services are not started, and `redroad check` is only
printed: what is emulated is too slow for its bounds of time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.deb import RELEASES
from edge.commands.check.planned import GOLDEN_TOLERANCE
from edge.watch.manifest import Manifest, shipped_manifest
from hil.container.box import missing
from hil.container.install import install
from hil.container.root import base_root, layered
from hil.container.unit import CACHE, CHECKOUT
from hil.testkit.locked import locked

PROCESSOR = "arm64"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
# A namespace of its own, without a network; the mounts vanish with it.
ENTER = 'for each in proc sys dev; do mount --rbind /$each "$0/$each"; done; exec chroot "$0" "$@"'
QEMU = "LiteRT crashes in QEMU 7.2 of Bookworm: take qemu-user-binfmt of Trixie"
PICTURE = "/opt/pictures/golden.jpg"


def main() -> None:
    """Try each release; ends with 1 when anything differs from what it must be."""
    parser = argparse.ArgumentParser(prog="make emulated", description=__doc__)
    parser.add_argument("--release", choices=[each.codename for each in RELEASES])
    only = parser.parse_args().release
    if lacking := missing() or _no_emulator():
        sys.exit(lacking)
    try:
        names = [only] if only else [release.codename for release in RELEASES]
        wrong = [line for name in names for line in tried(name)]
    except subprocess.CalledProcessError as error:
        wrong = [f"{' '.join(map(str, error.cmd))} ended with {error.returncode}; {QEMU}"]
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(bool(wrong))


def tried(codename: str) -> list[str]:
    """What is wrong with the package of this release."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, locked(CACHE):
        base = base_root(CACHE, codename, PROCESSOR)
        with layered(Path(folder) / "root", Path(folder) / "changes", base) as root:
            install(root, CHECKOUT, codename, PROCESSOR)
            return used(root, codename)


def used(root: Path, codename: str) -> list[str]:
    """Run the installed commands, and tell what they should not have said."""
    manifest = Manifest(shipped_manifest())
    picture = root / PICTURE.lstrip("/")
    picture.parent.mkdir()
    picture.write_bytes(manifest.golden_picture.read_bytes())
    print(f"{codename} {_said(root, 'uname', '-m')}: {_said(root, 'redroad', '--version')}")
    wrong = list[str]()
    for entry in manifest.entries:
        told = _said(root, "redroad", "count", PICTURE, "--json", "--model", entry.name)
        count = json.loads(told)["count"]
        print(f"{codename} {entry.name}: {count} heads, {entry.golden_count} expected", flush=True)
        if abs(count - entry.golden_count) > GOLDEN_TOLERANCE * entry.golden_count:
            wrong.append(f"{codename} {entry.name} counts {count}, must be {entry.golden_count}")
    print(_said(root, "redroad", "replay", str(Path(PICTURE).parent), "--out", "/opt/out"))
    print(_said(root, "sh", "-c", "redroad check || true"), flush=True)
    return wrong


def _said(root: Path, *command: str) -> str:
    inside = ["unshare", "--mount", "--net", "sh", "-ec", ENTER, str(root), *command]
    return subprocess.run(inside, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _no_emulator() -> str:
    """What to do where the kernel knows none; empty where it does."""
    if any(BINFMT.glob("*aarch64*")):
        return ""
    return (
        f"this machine runs no {PROCESSOR}: install QEMU for programs, and run: "
        f"mount -t binfmt_misc none {BINFMT}; {QEMU}"
    )


if __name__ == "__main__":
    main()
