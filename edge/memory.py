"""What a program does so that it holds the memory that it uses, and not the most it ever used."""

import ctypes

LIBC = ctypes.CDLL(None)  # once: each makes a class of its own, which stays for hours
M_TRIM_THRESHOLD = -1  # of glibc's <malloc.h>
FREE_BYTES = 1 << 20


def give_back_what_is_free() -> None:
    """Have the C library return freed memory to the kernel once there is a megabyte of it.

    By itself it learns from the first large array that is freed to keep so much for the next one,
    in each thread: 100 MB after a program's start. Setting any threshold ends that (mallopt(3)).
    """
    LIBC.mallopt(M_TRIM_THRESHOLD, FREE_BYTES)


def give_back_free_pages() -> None:
    """Return at once whatever pages are free, also those below something that is in use.

    Else the most that was ever in use, at any place of the heap, stays for ever (malloc_trim(3)).
    """
    LIBC.malloc_trim(0)
