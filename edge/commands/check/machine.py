"""What the kernel reports of the machine: memory, heat, power, clock, disk, versions."""

import importlib.metadata
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge import __version__
from edge.common.clock import time_plausible, time_synchronised
from edge.common.errors import MachineError, OutboxError
from edge.report.machine import HOT_C, Machine, throttled_bits
from edge.report.outbox import Outbox, Row
from edge.report.store import OUTBOX_FILE
from edge.site import Site

LEAST_FREE_MB = 200
LEAST_FILES = 1000
LEAST_MEMORY_MB = 150
SINCE_BOOT = 16  # the firmware's bit of what has been, above that of what is
UNDERVOLTAGE = 0
MODEL = Path("proc/device-tree/model")
CMDLINE = Path("/proc/cmdline")
MEMORY_KINDS = ("tmpfs", "ramfs")
MEMORY_DEVICES = ("/dev/zram", "/dev/ram")
OVERLAYS = ("overlay", "aufs")
# What raspi-config and overlayroot give the kernel: their upper folder is hidden after the start.
MEMORY_ROOTS = ("boot=overlay", "overlayroot=tmpfs")
MOUNTS = Path("/proc/self/mountinfo")
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
RUNTIMES = ("ai-edge-litert", "tflite-runtime")


def versions() -> str:
    """Of everything that a report of a fault must name."""
    installed = {dist.name: dist.version for dist in importlib.metadata.distributions()}
    parts = [f"redroad {__version__}", f"Python {platform.python_version()}"]
    parts += [f"{name} {installed[name]}" for name in RUNTIMES if name in installed]
    parts += [_system(), f"Linux {platform.release()} {platform.machine()}", model()]
    return ", ".join(part for part in parts if part)


def model(root: Path = Path("/")) -> str:
    """Return the board's name; empty where it has none."""
    try:
        return (root / MODEL).read_text(encoding="ascii", errors="replace").strip("\0\n")
    except OSError:
        return ""


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return ""


def memory(machine: Machine) -> str:
    """Enough is left for a night with more people than this."""
    free = machine.memory_free_mb
    if free is None:
        return "not told by this kernel"
    if free < LEAST_MEMORY_MB:
        raise MachineError(
            f"{free} MB are left, must be {LEAST_MEMORY_MB}; end what else runs here, or start anew"
        )
    return f"{free} MB left"


def heat(machine: Machine) -> str:
    """Cool enough to run at full speed."""
    if machine.temperature_c is None:
        return "not told by this machine"
    reading = f"{machine.temperature_c:.0f} degrees Celsius"
    if machine.temperature_c >= HOT_C:
        raise MachineError(f"{reading}, must be below {HOT_C:.0f}; give shade, air or a cooler")
    return reading


def power(machine: Machine) -> str:
    """The supply holds, and has held since boot: one that sags ruins memory cards."""
    bits = throttled_bits()
    if machine.throttled is None or bits is None:
        return "not told by this machine"
    if machine.throttled:
        raise MachineError("\n".join(machine.throttled))
    if bits >> (SINCE_BOOT + UNDERVOLTAGE) & 1:
        raise MachineError(
            "there was undervoltage since boot: use a supply of 5.1 V and a shorter cable, "
            "then start anew"
        )
    slowed = bits >> SINCE_BOOT != 0
    return "good" + (", but the processor was slowed since boot" if slowed else " since boot")


def clock(site: Site) -> str:
    """It was set; levels need none, but reports, certificates and quiet hours do."""
    now = datetime.now(UTC)
    if not time_plausible():
        raise MachineError(
            f"shows {now:%Y-%m-%d %H:%M} UTC, so it was never set; the levels are right all the "
            "same, but no certificate can be judged, and night and quiet hours wait; connect the "
            "network, or: sudo timedatectl set-time"
        )
    there = now.astimezone(ZoneInfo(site.site.time_zone))
    times = f"{now:%Y-%m-%d %H:%M} UTC, {there:%H:%M} in {site.site.time_zone}"
    if site.site.clock == "trusted":
        return f"{times}, trusted as site.clock has it"
    if time_synchronised():
        return f"{times}, set by the network"
    return f"{times}, not synchronised yet: commands are refused until a time server has answered"


@dataclass(frozen=True)
class Mount:
    """A mounted filesystem."""

    point: str
    source: str
    read_only: bool
    kind: str
    options: tuple[str, ...]  # of the filesystem itself

    @property
    def upper(self) -> Path | None:
        """Where an overlay keeps what is written."""
        named = [option.partition("=")[2] for option in self.options if option[:9] == "upperdir="]
        return Path(named[0]) if named else None


def mount_of(path: Path) -> Mount | None:
    """Return what is mounted where `path` lies; None where the kernel does not report it."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    place, found = path.resolve(), None
    for line in lines:
        mount = _mount(line)
        covers = mount is not None and place.is_relative_to(mount.point)
        if mount and covers and (found is None or len(mount.point) >= len(found.point)):
            found = mount  # of two on one point the later hides the other
    return found


def _mount(line: str) -> Mount | None:
    """A line of mountinfo: ... point options ... - type source options."""
    before, _, after = line.partition(" - ")
    first, last = before.split(), after.split()
    if len(first) < 6 or len(last) < 3:
        return None
    point, source = (text.replace("\\040", " ") for text in (first[4], last[1]))
    options = tuple(last[2].split(","))
    read_only = "ro" in (*first[5].split(","), *options)
    return Mount(point, source, read_only, last[0], options)


def disk(state: Path) -> str:
    """Write and read an outbox of its own beside the real one."""
    try:
        _refuse_read_only(state)
        kept = _kept(state)
    except OutboxError:
        raise
    except PermissionError as error:
        raise OutboxError(f"{state} is not yours to write; run: sudo redroad check") from error
    except OSError as error:
        raise OutboxError(
            f"{state} cannot be written ({error.strerror or error}); free or repair that disk"
        ) from error
    if kept != 1:
        raise OutboxError(f"{state} does not keep what is written; replace that disk")
    root = mount_of(Path("/"))
    how = "" if root is None else f"; / is read-{'only' if root.read_only else 'write'}"
    free_mb = _free(state)
    _refuse_memory(state)
    return f"{state} takes the outbox, {free_mb} MB free{how}"


def _refuse_read_only(state: Path) -> None:
    mount = mount_of(_nearest(state))
    if mount is not None and mount.read_only:
        raise OutboxError(
            f"{state} lies on {mount.source}, which is mounted read-only at {mount.point}; run: "
            f"sudo mount -o remount,rw {mount.point}; if that does not last, replace that disk"
        )


def _refuse_memory(state: Path) -> None:
    """OutboxError where what is written is gone with the next power cut."""
    mount = mount_of(_nearest(state))
    where = "" if mount is None else _in_memory(mount)
    if where:
        raise OutboxError(
            f"{state} lies {where}: nothing that is kept there lasts; mount a disk at {state}, or "
            "let a folder of one serve with --state"
        )


def _in_memory(mount: Mount) -> str:
    """How a mount lies in memory; empty for one on a disk, or whose disk cannot be seen."""
    if mount.kind in MEMORY_KINDS or mount.source.startswith(MEMORY_DEVICES):
        return f"in memory ({mount.kind} at {mount.point})"
    if mount.kind not in OVERLAYS:
        return ""
    boot = CMDLINE.read_text(encoding="ascii", errors="replace") if CMDLINE.exists() else ""
    said = [word for word in boot.split() if word.partition(":")[0] in MEMORY_ROOTS]
    if mount.point == "/" and said:
        return f"on an overlay over memory ({said[0]} in the kernel's command line)"
    upper = mount_of(mount.upper) if mount.upper is not None and mount.upper.exists() else None
    if upper is not None and upper.point != mount.point and _in_memory(upper):
        return f"on an overlay over memory ({mount.upper} is {upper.kind})"
    return ""


def _nearest(path: Path) -> Path:
    """It, or the folder above it that is there."""
    return next(folder for folder in (path.resolve(), *path.resolve().parents) if folder.exists())


def _kept(state: Path) -> int:
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=state, prefix=".check-") as folder:
        outbox = Outbox(Path(folder) / OUTBOX_FILE, 1_000_000)
        outbox.put([Row("check", "events", "check", 0, "{}")])
        kept = outbox.depth()
        outbox.close()
    return kept


def _free(state: Path) -> int:
    """Megabytes; OutboxError where they are too few, or too few files may be made."""
    free_mb = shutil.disk_usage(state).free // 1_000_000
    if free_mb < LEAST_FREE_MB:
        raise OutboxError(f"{state} has {free_mb} MB left, must be {LEAST_FREE_MB}; free some")
    files = os.statvfs(state)
    if files.f_files and files.f_favail < LEAST_FILES:
        raise OutboxError(
            f"the disk of {state} takes {files.f_favail} more files, must be {LEAST_FILES}; "
            "delete some"
        )
    return free_mb
