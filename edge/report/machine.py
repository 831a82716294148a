"""The machine's condition: heat, power, memory, disk. None where the kernel reports nothing.

Files are read as bytes: CPython keeps a name for every text file it opens (some hundreds of them),
and a program that looks every ten seconds would grow for its first hour. Paths are kept for the
like reason: see `edge/common/memory.py`.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from edge.common.program import Program

MEMORY, UPTIME = Path("proc/meminfo"), Path("proc/uptime")
HOT_C = 80.0  # where a Raspberry Pi begins to slow down
# Bits of the Raspberry Pi firmware's get_throttled that are set at the moment.
THROTTLED = {
    0: "undervoltage: use a supply of 5.1 V and a shorter cable",
    1: "the processor's frequency is capped",
    2: "the processor is throttled",
    3: "the processor is near its limit of temperature",
}


@dataclass(frozen=True)
class Machine:
    """One look: degrees Celsius, what the firmware complains of, megabytes, seconds."""

    temperature_c: float | None
    throttled: tuple[str, ...] | None
    memory_free_mb: int | None
    disk_free_mb: int | None
    uptime_s: int | None


def has_thermometer(root: Path = Path("/")) -> bool:
    """Return whether the kernel reports a temperature of this machine."""
    return _temperature_c(root) is not None


def look(state: Path, root: Path = Path("/")) -> Machine:
    """Read the kernel's files under `root`; `state` is a folder on the disk that counts."""
    memory = _field(root / MEMORY, "MemAvailable:")
    up = _field(root / UPTIME, "")
    return Machine(
        temperature_c=_temperature_c(root),
        throttled=_throttled(root),
        memory_free_mb=None if memory is None else round(memory / 1000),
        disk_free_mb=_disk_free_mb(state),
        uptime_s=None if up is None else int(up),
    )


def judge(machine: Machine, program: Program) -> None:
    """Report overheating and bad power as faults when they begin, and their recovery."""
    if machine.temperature_c is not None and machine.temperature_c >= HOT_C:
        program.fault("heat", f"{HOT_C:.0f} degrees Celsius or more; give shade or air")
    else:
        program.recovered("heat")
    if machine.throttled:
        program.fault("power", "; ".join(machine.throttled))
    else:
        program.recovered("power")


def throttled_bits(root: Path = Path("/")) -> int | None:
    """Return the firmware's bits: those of now, and sixteen higher those of any time since boot."""
    files = root.glob("sys/devices/platform/soc*/soc*firmware/get_throttled")
    return next((bits for file in files if (bits := _number(file, base=16)) is not None), None)


def _temperature_c(root: Path) -> float | None:
    """The warmest of all."""
    zones = [_number(file) for file in root.glob("sys/class/thermal/thermal_zone*/temp")]
    warm = [millidegrees / 1000 for millidegrees in zones if millidegrees is not None]
    return max(warm, default=None)


def _throttled(root: Path) -> tuple[str, ...] | None:
    """From the Pi firmware's hexadecimal file; None where there is none."""
    bits = throttled_bits(root)
    if bits is None:
        return None
    return tuple(words for bit, words in THROTTLED.items() if bits >> bit & 1)


def _number(file: Path, base: int = 10) -> int | None:
    try:
        return int(file.read_bytes(), base)
    except (OSError, ValueError):
        return None


def _field(file: Path, name: str) -> float | None:
    """Return the first number of the line that begins with `name`."""
    try:
        for line in file.read_bytes().decode("ascii").splitlines():
            if line.startswith(name):
                return float(line.removeprefix(name).split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return None


def _disk_free_mb(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free // 1_000_000
    except OSError:
        return None
