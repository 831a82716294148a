"""Times: CLOCK_BOOTTIME decides, wall-clock time only appears in reports."""

import ctypes
import datetime
import time
from pathlib import Path

from edge.common.units import seconds

TIMESYNCD = Path("/run/systemd/timesync/synchronized")  # since its first answer after the boot
STA_UNSYNC, TIME_ERROR = 0x40, 5  # <sys/timex.h>
LIBC = ctypes.CDLL(None)  # once: each makes a class of its own, which stays for hours

# No sign of this product existed before: a wall clock that shows an earlier time was never set.
EARLIEST_PLAUSIBLE_WALL_S = 1_767_225_600  # 2026-01-01 00:00 UTC


class _Timex(ctypes.Structure):
    """The beginning of struct timex, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )


def boottime_ns() -> int:
    """Nanoseconds since boot, suspend included; the same for every program of the unit."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_s(at_boottime_ns: int) -> float:
    """Wall-clock time (Unix, seconds) of a moment given in boot time, by the clocks of now."""
    return time.time() - seconds(boottime_ns() - at_boottime_ns)


def time_plausible() -> bool:
    """Whether the wall clock shows a possible time (a Pi without network starts in the past)."""
    return time.time() >= EARLIEST_PLAUSIBLE_WALL_S


def time_synchronised(*, trusted: bool = False) -> bool:
    """Whether the wall clock is right, by the word of the kernel or of systemd-timesyncd.

    A plausible time is not enough: without a battery it is one that was kept on disk, hours or
    days ago. `trusted` is the owner's own word, for a place without a time server.
    """
    return time_plausible() and (trusted or _kernel_is_synchronised() or TIMESYNCD.exists())


def _kernel_is_synchronised() -> bool:
    """As whatever disciplines the clock has told the kernel, not longer ago than it allows.

    adjtimex(2); asking needs no privilege.
    """
    asked = _Timex()
    answer = LIBC.adjtimex(ctypes.byref(asked))
    return answer not in (-1, TIME_ERROR) and not asked.status & STA_UNSYNC


def boot_id() -> str:
    """The kernel's random name of this boot: distinguishes boot times of different boots."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def between(begin: datetime.time, end: datetime.time, now: datetime.time) -> bool:
    """Whether `now` lies in hours that may reach past midnight; the end is outside."""
    if begin <= end:
        return begin <= now < end
    return now >= begin or now < end
