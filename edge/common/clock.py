"""Times: CLOCK_BOOTTIME decides, wall-clock time only appears in reports."""

import datetime
import time
from pathlib import Path

from edge.common.units import seconds

# No sign of this product existed before: a wall clock that shows an earlier time was never set.
EARLIEST_PLAUSIBLE_WALL_S = 1_767_225_600  # 2026-01-01 00:00 UTC


def boottime_ns() -> int:
    """Nanoseconds since boot, suspend included; the same for every program of the unit."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_s(at_boottime_ns: int) -> float:
    """Wall-clock time (Unix, seconds) of a moment given in boot time, by the clocks of now."""
    return time.time() - seconds(boottime_ns() - at_boottime_ns)


def time_valid() -> bool:
    """Whether the wall clock shows a plausible time (a Pi without network starts in the past)."""
    return time.time() >= EARLIEST_PLAUSIBLE_WALL_S


def boot_id() -> str:
    """The kernel's random name of this boot: distinguishes boot times of different boots."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def between(begin: datetime.time, end: datetime.time, now: datetime.time) -> bool:
    """Whether `now` lies in hours that may reach past midnight; the end is outside."""
    if begin <= end:
        return begin <= now < end
    return now >= begin or now < end
