"""A driver in a process of its own, so that one that hangs holds up nothing else.

The child is forked: it is there at once, and shares the parent's memory. It keeps a dead-man of
its own: when no wish has come for DEAD_MAN_S, or the parent is gone, it does what is safe.
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

from edge.common.clock import boottime_ns
from edge.common.errors import DriverError
from edge.common.memory import Tidy
from edge.common.units import seconds

DEAD_MAN_S = 2.0
ANSWER_LIMIT_S = 1.0
OPEN_LIMIT_S = 10.0  # of the first answer, with the opening of the device
END_LIMIT_S = 1.0

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Request_contra = TypeVar("Request_contra", contravariant=True)
Reply_co = TypeVar("Reply_co", covariant=True)


class Driver(Protocol[Request_contra, Reply_co]):
    """What serves in the child. It opens its device when it is first needed, and after a failure.

    What goes wrong stands in its replies; an error that it raises ends the child.
    """

    def take(self, request: Request_contra) -> Reply_co:
        """Do as wished, and tell what became of it."""

    def pass_time(self) -> float:
        """Do what is due without a new wish; how long nothing more is due (s)."""

    def close(self) -> None:
        """Give the device back."""


class DriverProcess(Generic[Request, Reply]):
    """The parent's side: never waits, and is told when the driver has to be killed."""

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
        """Whether the last wish is not answered yet."""
        return self._sent_at is not None

    def send(self, request: Request) -> None:
        """Hand over a wish. DriverError when the child is gone."""
        try:
            self._ours.send_bytes(_packed(request))
        except OSError as error:
            raise DriverError(
                f"the {self._name}'s process ended by itself: {error.strerror}"
            ) from error
        self._sent_at = boottime_ns()

    def answer(self) -> Reply | None:
        """The reply that has come. DriverError when it is overdue, or the child is gone."""
        try:
            if self._ours.poll():
                reply: Reply = self._ours.recv()
                self._sent_at, self._limit_s = None, ANSWER_LIMIT_S
                return reply
        except (EOFError, OSError) as error:
            raise DriverError(f"the {self._name}'s process ended by itself") from error
        if self._sent_at is not None and seconds(boottime_ns() - self._sent_at) > self._limit_s:
            raise DriverError(
                f"the {self._name}'s driver hung for {self._limit_s:g} s and was killed"
            )
        return None

    def close(self) -> None:
        """Let the child do what is safe and end; kill it when it does not."""
        self._ours.close()
        self._child.join(END_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """End the child at once. One that hangs in the kernel is not waited for."""
        self._child.kill()
        with contextlib.suppress(OSError):
            self._ours.close()


def _serve(pipe: Connection, name: str, make: Callable[[], Driver[Any, Any]], safe: Any) -> None:
    """The child: do what is wished; what is safe when nothing is."""
    Path("/proc/self/comm").write_text(name, encoding="ascii")  # what `ps` and `top` call it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end comes from the parent alone
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _close_all_but(pipe.fileno())  # not to hold the parent's socket after its end
    driver = make()
    heard_at, tidy = boottime_ns(), Tidy()
    with contextlib.suppress(EOFError, OSError):  # so the parent's end is told
        while True:
            tidy.pass_time()
            if pipe.poll(min(DEAD_MAN_S, driver.pass_time())):
                pipe.send(driver.take(_unpacked(pipe.recv_bytes())))
                heard_at = boottime_ns()
            elif seconds(boottime_ns() - heard_at) >= DEAD_MAN_S:
                driver.take(safe)
    driver.take(safe)
    driver.close()
    os._exit(0)  # without what the parent would do at its end


def _packed(request: Any) -> bytes:
    """Small, so that the pipe takes it at once: a large panel's image would wait for a child that
    has stopped, and hold up beacon and voice meanwhile.
    """
    return zlib.compress(pickle.dumps(request), level=1)


def _unpacked(data: bytes) -> Any:
    return pickle.loads(zlib.decompress(data))


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
