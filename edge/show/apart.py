"""The panel's driver in a process of its own, so that one that hangs holds up nothing else.

The child is forked: it is there at once, and shares the parent's memory. It keeps a dead-man of
its own: when no picture has come for DEAD_MAN_S, or the parent is gone, it shows the neutral one.
What it answers tells how far the display is proven.
"""

import contextlib
import enum
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

from PIL import Image

from edge.clock import boottime_ns, seconds
from edge.errors import PanelError
from edge.show.panels import Caption, Panel

DEAD_MAN_S = 2.0
ANSWER_LIMIT_S = 1.0  # of a picture
OPEN_LIMIT_S = 10.0  # of the first one, with the opening of the panel
END_LIMIT_S = 1.0

Open = Callable[[], Panel]


class Proof(enum.Enum):
    """Whether the panel is known to show what it was sent."""

    PROVEN = "proven"  # read back, and the same
    UNPROVEN = "unproven"  # taken without complaint; this panel cannot be read back
    FAILED = "failed"  # refused, or read back as something else


@dataclass(frozen=True)
class Shot:
    """An image with what it says."""

    image: Image.Image
    caption: Caption


@dataclass(frozen=True)
class Answer:
    """What became of a Shot; `why` is empty unless it failed."""

    proof: Proof
    why: str = ""


class PanelApart:
    """The parent's side: never waits, and is told when the driver has to be killed."""

    def __init__(self, opening: Open, neutral: Shot) -> None:
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe()
        self._child = context.Process(
            target=_serve, args=(theirs, opening, neutral), name="panel", daemon=True
        )
        self._child.start()
        theirs.close()
        self._sent_at: int | None = None
        self._limit_s = OPEN_LIMIT_S

    @property
    def waiting(self) -> bool:
        """Whether the last Shot is not answered yet."""
        return self._sent_at is not None

    def send(self, shot: Shot) -> None:
        """Hand over a Shot. PanelError when the child is gone."""
        try:
            self._ours.send(shot)
        except OSError as error:
            raise PanelError(f"the panel's process ended by itself: {error.strerror}") from error
        self._sent_at = boottime_ns()

    def answer(self) -> Answer | None:
        """The answer that has come. PanelError when it is overdue, or the child is gone."""
        try:
            if self._ours.poll():
                answer: Answer = self._ours.recv()
                self._sent_at, self._limit_s = None, ANSWER_LIMIT_S
                return answer
        except (EOFError, OSError) as error:
            raise PanelError("the panel's process ended by itself") from error
        if self._sent_at is not None and seconds(boottime_ns() - self._sent_at) > self._limit_s:
            raise PanelError(f"the panel's driver hung for {self._limit_s:g} s and was killed")
        return None

    def close(self) -> None:
        """Let the child show the neutral text and end; kill it when it does not."""
        self._ours.close()
        self._child.join(END_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """End the child at once. One that hangs in the kernel is not waited for."""
        self._child.kill()
        with contextlib.suppress(OSError):
            self._ours.close()


def _serve(pipe: Connection, opening: Open, neutral: Shot) -> None:
    """The child: show what comes; the neutral text when nothing does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end comes from the parent alone
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _close_all_but(pipe.fileno())  # not to hold the parent's socket, nor its pins, after its end
    driver = _Driver(opening)
    with contextlib.suppress(EOFError, OSError):  # so the parent's end is told
        while True:
            if pipe.poll(DEAD_MAN_S):
                pipe.send(driver.show(pipe.recv()))
            else:
                driver.show(neutral)
    driver.show(neutral)
    driver.close()
    os._exit(0)  # without what the parent would do at its end


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))


class _Driver:
    """The panel, opened when it is first needed, and again after a failure."""

    def __init__(self, opening: Open) -> None:
        self._opening = opening
        self._panel: Panel | None = None

    def show(self, shot: Shot) -> Answer:
        try:
            if self._panel is None:
                self._panel = self._opening()
            self._panel.show(shot.image, shot.caption)
            back = self._panel.read_back()
        except PanelError as error:
            self.close()
            return Answer(Proof.FAILED, str(error))
        if back is None:
            return Answer(Proof.UNPROVEN)
        if back.tobytes() == shot.image.tobytes():
            return Answer(Proof.PROVEN)
        return Answer(Proof.FAILED, "the panel shows something else than it was sent")

    def close(self) -> None:
        if self._panel is not None:
            self._panel.close()
        self._panel = None
