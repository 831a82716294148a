"""What a program does so that it holds the memory that it uses, and not the most it ever used.

One thing it must do by itself: keep a path that it uses again and again. The parts of a new one are
interned, and hundreds that come and go have CPython rebuild its table of interned strings, larger
by half a megabyte.
"""

from edge.common.clock import LIBC, boottime_ns
from edge.common.timer import Timer

M_TRIM_THRESHOLD = -1  # of glibc's <malloc.h>
FREE_BYTES = 1 << 20
EVERY_S = 10.0


def give_back_what_is_free() -> None:
    """Have the C library return freed memory to the kernel once there is a megabyte of it.

    By itself it learns from the first large array that is freed to keep so much for the next one,
    in each thread: 100 MB after a program's start. Setting any threshold ends that (mallopt(3)).
    """
    LIBC.mallopt(M_TRIM_THRESHOLD, FREE_BYTES)


class Tidy:
    """Returns whatever pages are free, every ten seconds, also those below something in use.

    Else the most that was ever in use, at any place of the heap, stays for ever (malloc_trim(3)).
    """

    def __init__(self) -> None:
        self._trim_timer = Timer(EVERY_S)

    def pass_time(self) -> None:
        """Trim the heap if that is due; to be called often."""
        if self._trim_timer.restart_if_due(boottime_ns()):
            LIBC.malloc_trim(0)
