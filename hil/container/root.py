"""The Debian root of a unit: made once, and again when its packages change."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# What the package depends on, and what the rig itself needs inside.
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "espeak-ng",
    "libespeak-ng1", "alsa-utils", "faketime",
)  # fmt: skip
MMDEBSTRAP = ("mmdebstrap", "--quiet", "--variant=minbase")
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")


def base_root(
    folder: Path, codename: str, *processor: str, packages: Sequence[str] = PACKAGES
) -> Path:
    """A root of the release `codename` in `folder`, from this machine's own apt sources.

    It is for this machine's processor, unless another is named as Debian does.
    """
    contents = (codename, *processor, *packages, *LEFT_OUT)
    key = hashlib.sha256(" ".join(contents).encode()).hexdigest()[:12]
    root = folder / f"debian-{key}"
    if root.exists():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{root.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    options = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
    options += [f"--architectures={name}" for name in processor]
    subprocess.run(
        [*MMDEBSTRAP, f"--include={','.join(packages)}", *options, codename, str(draft), "-"],
        input=_sources(codename),
        text=True,
        check=True,
    )
    draft.rename(root)
    return root


@contextmanager
def layered(merged: Path, upper: Path, *lower: Path) -> Iterator[Path]:
    """`upper` over `lower`, the first of them on top, mounted at `merged` for as long as needed."""
    work = upper.with_name(f"{upper.name}.work")
    for made in (merged, upper, work):
        made.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", options, "overlay", str(merged)], check=True)
    try:
        yield merged
    finally:
        subprocess.run(["umount", "--lazy", str(merged)], check=True)


def release() -> str:
    """This machine's codename, such as bookworm."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    found = re.search(r"^VERSION_CODENAME=(\w+)$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError("/etc/os-release names no release; the rig needs Debian or its kin")
    return found[1]


def _sources(codename: str) -> str:
    """Where this machine has its own release from, for another: its suites have the same tails."""
    own = release()
    return re.sub(rf"(?<=\s){own}(?=[-\s])", codename, _own_sources(own))


def _own_sources(codename: str) -> str:
    """This machine's apt sources of the distribution itself, in either of apt's two forms."""
    apt = Path("/etc/apt")
    stanzas = [
        stanza
        for file in sorted(apt.glob("sources.list.d/*.sources"))
        for stanza in file.read_text(encoding="utf-8").split("\n\n")
        if re.search(rf"^Suites:.*\b{codename}\b", stanza, re.MULTILINE)
    ]
    if stanzas:
        return "\n\n".join(stanza.strip() for stanza in stanzas) + "\n"
    lists = [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]
    lines = [line for file in lists if file.exists() for line in file.read_text().splitlines()]
    kept = [line for line in lines if re.match(rf"deb .*\s{codename}(-updates|-security)?\s", line)]
    if not kept:
        raise RuntimeError(f"apt has no sources of {codename} itself; add Debian's own to /etc/apt")
    return "\n".join(kept) + "\n"
