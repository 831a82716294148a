"""A driver in a process of its own, so that one that hangs holds up nothing else.

Panels and pins are driven by native code, which may hang in a call that no thread of ours can end;
a process can be killed, and systemd's watchdog need not end the voice with it. The child is forked:
it is there at once, where a new Python takes seconds on a Pi 4, and shares its parent's memory.

The child keeps a dead-man timer of its own: when no request has come for DEAD_MAN_S, or its parent
is gone, it does what is safe.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import zlib
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from edge.common.backoff import Backoff
from edge.common.clock import boottime_ns
from edge.common.errors import DriverError
from edge.common.memory import Tidy
from edge.common.units import seconds

DEAD_MAN_S = 2.0
REPLY_LIMIT_S = 1.0
OPEN_LIMIT_S = 10.0  # for the first reply, with the opening of the device
END_LIMIT_S = 1.0
# The longest pause is shorter than the dead-man timer: that would put the neutral text, or nothing,
# on a panel that has just come back, while the next try is waited for.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, DEAD_MAN_S - 0.5

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Request_contra = TypeVar("Request_contra", contravariant=True)
Reply_co = TypeVar("Reply_co", covariant=True)


def driver_backoff() -> Backoff:
    """Return the backoff of one device: pauses that double, shorter than the dead-man timer."""
    return Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)


class Driver(Protocol[Request_contra, Reply_co]):
    """What runs in the child. It opens its device when it is first needed, and after a failure.

    Its replies carry what goes wrong; an error that it raises ends the child.
    """

    def handle(self, request: Request_contra) -> Reply_co:
        """Carry out the request, and return its outcome."""

    def pass_time(self) -> float:
        """Do what is due without a new request; return for how long nothing more is due (s)."""

    def close(self) -> None:
        """Release the device."""


class DriverProcess(Generic[Request, Reply]):
    """The parent's side of one child: it never waits, and DriverError is the end of the child.

    `make` returns the driver, in the child; `safe` is the request that the child carries out by
    itself when it gets no other.
    """

    def __init__(
        self, name: str, make: Callable[[], Driver[Request, Reply]], safe: Request
    ) -> None:
        context = multiprocessing.get_context("fork")
        self._name = name
        self._ours, theirs = context.Pipe()
        self._child = context.Process(
            target=_serve, args=(theirs, name, make, safe), name=name, daemon=True
        )
        self._child.start()
        theirs.close()
        self._sent_at: int | None = None
        self._limit_s = OPEN_LIMIT_S

    @property
    def waiting(self) -> bool:
        """Whether the reply to the last request has not come yet."""
        return self._sent_at is not None

    def send(self, request: Request) -> None:
        """Send the child a request. DriverError when the child is gone."""
        try:
            self._ours.send_bytes(_packed(request))
        except OSError as error:
            raise DriverError(
                f"the {self._name}'s process ended by itself: {error.strerror}"
            ) from error
        self._sent_at = boottime_ns()

    def reply(self) -> Reply | None:
        """Return the reply that has come, or None. DriverError when it is overdue, or never comes.

        Overdue is what takes longer than REPLY_LIMIT_S, the first one OPEN_LIMIT_S.
        """
        try:
            if self._ours.poll():
                reply: Reply = self._ours.recv()
                self._sent_at, self._limit_s = None, REPLY_LIMIT_S
                return reply
        except (EOFError, OSError) as error:
            raise DriverError(f"the {self._name}'s process ended by itself") from error
        if self._sent_at is not None and seconds(boottime_ns() - self._sent_at) > self._limit_s:
            raise DriverError(
                f"the {self._name}'s driver hung for {self._limit_s:g} s and was killed"
            )
        return None

    def close(self) -> None:
        """Let the child do what is safe and end; kill it when it does not within END_LIMIT_S."""
        self._ours.close()
        self._child.join(END_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """Kill the child. One that hangs in the kernel is not waited for."""
        self._child.kill()
        with contextlib.suppress(OSError):
            self._ours.close()


def _serve(pipe: Connection, name: str, make: Callable[[], Driver[Any, Any]], safe: Any) -> None:
    """The child's main loop: it carries out requests, and what is safe when none comes."""
    Path("/proc/self/comm").write_text(name, encoding="ascii")  # what `ps` and `top` call it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end comes from the parent alone
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _close_all_but(pipe.fileno())  # not to hold the parent's socket after its end
    driver = make()
    requested_at, tidy = boottime_ns(), Tidy()
    with contextlib.suppress(EOFError, OSError):  # the parent has ended
        while True:
            tidy.pass_time()
            if pipe.poll(min(DEAD_MAN_S, driver.pass_time())):
                pipe.send(driver.handle(_unpacked(pipe.recv_bytes())))
                requested_at = boottime_ns()
            elif seconds(boottime_ns() - requested_at) >= DEAD_MAN_S:
                driver.handle(safe)
    driver.handle(safe)
    driver.close()
    os._exit(0)  # without what the parent would do at its end


def _packed(request: Any) -> bytes:
    """The request in few bytes, which the pipe takes at once.

    A large panel's image would wait for a child that has stopped, and hold up beacon and voice.
    """
    return zlib.compress(pickle.dumps(request), level=1)


def _unpacked(data: bytes) -> Any:
    return pickle.loads(zlib.decompress(data))


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
