"""`redroad run`: the four programs as children, as systemd would run them.

Speaks systemd's notification protocol to each child: READY=1 begins its watch, and a child whose
WATCHDOG=1 stays away is killed. A child that ends is started again, after a pause that doubles
with each quick death.
"""

import asyncio
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from edge.common.backoff import Backoff
from edge.common.clock import boottime_ns
from edge.common.errors import LinkError
from edge.common.pdeathsig import die_with_parent
from edge.common.program import Paths, paths_of
from edge.common.units import seconds
from edge.site import Site

LOOK_EVERY_S = 0.2
FIRST_TEXT_LIMIT_S = 4.0
STOP_LIMIT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
STEADY_AFTER_S = 10.0

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Child:
    """A program, and how long it may be silent and take to start: the systemd units say the same.

    One that hangs in its start is ended then: soon where the sign waits for it, later where it has
    a store to open, or a model and a camera.
    """

    name: str
    watchdog_s: float
    start_s: float


# The sign first: neutral text stands before anything can fail.
CHILDREN = (
    Child("show", 2.0, 10.0),
    Child("report", 8.0, 30.0),
    Child("decide", 2.0, 10.0),
    Child("watch", 5.0, 30.0),
)


def supervise(arguments: list[str], paths: Paths, tell: Tell) -> None:
    """Run all programs with these arguments until SIGINT or SIGTERM.

    `tell(name, line)` gets every line that a program prints. LinkError when the runtime folder
    cannot be used, or another `run` already does.
    """
    try:
        paths.runtime.mkdir(parents=True, exist_ok=True)
        held = (paths.runtime / "run.lock").open("w")
    except OSError as error:
        raise LinkError(
            f"runtime folder {paths.runtime} cannot be used: {error.strerror}; "
            "choose another one with --runtime"
        ) from error
    with held as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LinkError(
                f"another `redroad run` already uses {paths.runtime}; "
                "stop it, or choose other folders with --runtime and --state"
            ) from error
        asyncio.run(_run_all(arguments, paths, tell))


async def _run_all(arguments: list[str], paths: Paths, tell: Tell) -> None:
    ended = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, ended.set)
    stopped = asyncio.create_task(ended.wait())
    keepers = [_Keeper(child, arguments, paths, tell) for child in CHILDREN]
    tasks = [asyncio.create_task(keepers[0].keep())]
    ready = asyncio.create_task(keepers[0].ready.wait())
    # The others do not take the processor from the sign's first text.
    await asyncio.wait(
        [stopped, ready], timeout=FIRST_TEXT_LIMIT_S, return_when=asyncio.FIRST_COMPLETED
    )
    tasks += [asyncio.create_task(keeper.keep()) for keeper in keepers[1:]]
    voice = asyncio.create_task(_build_clips(arguments, tell))
    # A keeper never ends by itself: if one does, it failed, and the programs must not go on alone.
    await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]
    for task in (voice, ready, *tasks):
        task.cancel()
    await asyncio.gather(voice, ready, *tasks, return_exceptions=True)
    for task in failed:
        task.result()


async def _build_clips(arguments: list[str], tell: Tell) -> None:
    """Speak what is not spoken yet; show takes the clips as they come."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge", "voice", "build", "--missing", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        stdin=asyncio.subprocess.DEVNULL,
        process_group=0,
        preexec_fn=die_with_parent,
    )
    try:
        await _pass_lines("voice", process.stdout, tell)
        await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise


class _Keeper:
    """Keeps one child alive."""

    def __init__(self, child: Child, arguments: list[str], paths: Paths, tell: Tell) -> None:
        self._child = child
        self._command = [sys.executable, "-m", "edge", child.name, *arguments]
        self._notify_path = paths.runtime / f"{child.name}.notify"
        self._tell = tell
        self._deadline = 0.0
        self.ready = asyncio.Event()

    async def keep(self) -> None:
        """Start, watch and restart the child until cancelled."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        with _notify_socket(self._notify_path) as notify:
            asyncio.get_running_loop().add_reader(notify, self._take_notice, notify)
            while True:
                began = boottime_ns()
                why = await self._live_once()
                if seconds(boottime_ns() - began) >= STEADY_AFTER_S:
                    backoff.worked()
                pause_s = seconds(backoff.next_pause())
                self._tell("run", f"{self._child.name} {why}; starting it again in {pause_s:.1f} s")
                await asyncio.sleep(pause_s)

    async def _live_once(self) -> str:
        """One life of the child; how it ended, in words."""
        self._deadline = time.monotonic() + self._child.start_s
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(self._notify_path), "PYTHONUNBUFFERED": "1"},
            process_group=0,  # Ctrl-C reaches us alone: we end the children in good order
            preexec_fn=die_with_parent,
        )
        lines = asyncio.create_task(_pass_lines(self._child.name, process.stdout, self._tell))
        watch = asyncio.create_task(self._kill_when_silent(process))
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        finally:
            watch.cancel()
            await asyncio.wait([lines], timeout=1.0)
            lines.cancel()
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def _take_notice(self, notify: socket.socket) -> None:
        words = notify.recv(4096).split(b"\n")
        if b"READY=1" in words:
            self.ready.set()
        if b"READY=1" in words or b"WATCHDOG=1" in words:
            self._deadline = time.monotonic() + self._child.watchdog_s

    async def _kill_when_silent(self, process: asyncio.subprocess.Process) -> None:
        while (left := self._deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(left, LOOK_EVERY_S))  # READY=1 brings the deadline nearer
        self._tell("run", f"{self._child.name} gave no sign of life; killing it")
        process.kill()


async def _pass_lines(name: str, stream: asyncio.StreamReader | None, tell: Tell) -> None:
    while stream is not None and (line := await stream.readline()):
        tell(name, line.decode(errors="replace").rstrip())


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, then SIGKILL for one that does not listen."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def _notify_socket(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    notify.bind(str(path))
    return notify


def where_to_look(site: Site, paths: Paths) -> list[str]:
    """Return what a newcomer wants to know first."""
    from edge.show.parts import clips_folder  # noqa: PLC0415  only for these words

    show = paths_of("show", paths.runtime, paths.state)
    report = paths_of("report", paths.runtime, paths.state)
    panel = {
        "emulator": f"open http://localhost:{site.sign.port} to see the LED panel",
        "hdmi": "on the HDMI output",
        "piomatter": "on the LED panel",
        "rgbmatrix": "on the LED panel",
        "recorder": f"recorded in {show.state / 'panel'}",
    }[site.sign.panel]
    broker = site.upstream.host
    upstream = f"{broker}:{site.upstream.port}" if broker else "no broker set: kept in the outbox"
    return [
        f"site      {site.site.name}/{site.site.unit}, camera {site.camera.kind}",
        f"sign      {panel}",
        f"voice     clips in {clips_folder(site, show)}",
        f"upstream  {upstream} ({report.state / 'outbox.sqlite3'})",
        "Ctrl-C ends everything.",
    ]


class Colours:
    """Prints the programs' lines, each with its program's name, in colour on a terminal."""

    _CODES: ClassVar = {"watch": 36, "decide": 33, "show": 35, "report": 32, "run": 31, "voice": 34}

    def __init__(self, coloured: bool) -> None:
        self._coloured = coloured

    def tell(self, name: str, line: str) -> None:
        """Print one line of a program."""
        label = f"{name:<7}"
        if self._coloured:
            label = f"\x1b[{self._CODES.get(name, 37)}m{label}\x1b[0m"
        print(f"{label} {line}", flush=True)
