"""What a child process owes its parent: to end with it, however that ends."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to end this process with its parent: orphans would hold sockets and panel.

    A stopped process handles no SIGTERM. In a process group of its own, but in its parent's
    session, it gets SIGHUP and SIGCONT as well: POSIX does so to every orphaned group that is
    stopped.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
