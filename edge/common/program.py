"""What the four programs share: start, heartbeat, faults, health, a clean end.

systemd, or `redroad run` by the same protocol, says in the environment where a program sends
READY=1 and WATCHDOG=1. It sends WATCHDOG=1 only from `alive`, which it calls when its own work
has advanced, so that a stuck program is killed and started anew.
"""

import logging
import os
import resource
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, MappingProxyType

import sdnotify

from edge.common.clock import boottime_ns
from edge.common.events import Events
from edge.common.link import Inbox, Sender
from edge.common.memory import Tidy, give_back_what_is_free
from edge.common.timer import Timer
from edge.common.units import nanoseconds
from edge.common.wire import (
    COMMANDS,
    EVENTS,
    LOG_AT_MOST_S,
    Ack,
    Command,
    Event,
    Health,
    Message,
    Wire,
)

PROGRAMS = ("watch", "decide", "show", "report")
HEALTH_EVERY_S = 10.0
MAX_REASON_CHARS = 1000  # characters of a reason
AS_INSTALLED = (
    "run: sudo systemd-tmpfiles --create redroad.conf; sudo systemctl restart redroad.target"
)
NO_SENDERS: Mapping[str, Wire] = MappingProxyType({})

log = logging.getLogger("redroad")


@dataclass(frozen=True)
class Paths:
    """The folders a program may use: `runtime` for sockets, `state` for what must last."""

    runtime: Path
    state: Path


def paths_of(name: str, runtime: Path, state: Path) -> Paths:
    """The folders of the program `name`: the sockets of all, and a folder of state of its own."""
    return Paths(runtime, state / name)


class Program:
    """One running program of the unit.

    It receives report's commands, and from each sender of `receives_from` its message types.
    """

    def __init__(
        self, name: str, paths: Paths, receives_from: Mapping[str, Wire] = NO_SENDERS
    ) -> None:
        self.name = name
        self.paths = paths
        self.inbox = Inbox(paths.runtime, name, {"report": COMMANDS, **receives_from})
        self.stopping = self._ended = False
        self.fault_count = 0
        self.faults: dict[str, str] = {}
        self.facts: dict[str, float | str] = {}
        self._senders: list[Sender] = []
        self._to_report: Sender | None = None
        self._events: Events | None = None
        if name != "report":
            self._to_report = self.channel_to("report", EVENTS)
            # A channel of its own, so that a resend is not counted as lost.
            self._events = Events(Sender(paths.runtime, name, "report", EVENTS))
        self._local: list[Event | Health] = []
        self._health_timer = Timer(HEALTH_EVERY_S)
        self._verbose_until = 0
        self._tidy = Tidy()
        self._notifier = sdnotify.SystemdNotifier()

    def channel_to(self, receiver: str, wire: Wire) -> Sender:
        """Open the channel to another program; a refused message is a fault from now on."""
        self._senders.append(Sender(self.paths.runtime, self.name, receiver, wire))
        return self._senders[-1]

    def ready(self) -> None:
        """Notify the service manager that the work has begun."""
        self._notifier.notify("READY=1")
        self.event("start", f"{self.name} started")

    def receive(self, timeout_s: float) -> list[Message]:
        """Messages from the other programs; a "log" command sets every program's verbosity."""
        messages = self.inbox.receive(timeout_s)
        for message in messages:
            if isinstance(message, Ack) and self._events:
                self._events.acknowledge(message)
            elif isinstance(message, Command) and message.action == "log":
                log.setLevel(message.verbosity)
                self._verbose_until = min(message.until, boottime_ns() + nanoseconds(LOG_AT_MOST_S))
        if boottime_ns() >= self._verbose_until:
            log.setLevel(logging.NOTSET)
        return messages

    def alive(self) -> None:
        """Notify the service manager that the work has advanced; send the events that are due."""
        self._notifier.notify("WATCHDOG=1")
        self._check_sockets()
        if self._events:
            self._events.send_due(boottime_ns())
        self._tidy.pass_time()
        if self._health_timer.restart_if_due(boottime_ns()):
            self._report(self.health())

    def event(
        self,
        kind: str,
        reason: str,
        *,
        zone: str | None = None,
        before: str | None = None,
        after: str | None = None,
        command: str | None = None,
    ) -> None:
        """Log and report an event; it is sent again until report acknowledges it."""
        reason = reason[:MAX_REASON_CHARS]
        log.info("%s: %s", kind, reason)
        name = uuid.uuid4().hex
        at = boottime_ns()
        self._report(Event(name, kind, self.name, at, reason, zone, before, after, command))

    def fault(self, part: str, reason: str) -> None:
        """Note that `part` fails; counted each time, reported when it begins or changes."""
        self.fault_count += 1
        reason = reason[:MAX_REASON_CHARS]
        if self.faults.get(part) != reason:
            self.faults[part] = reason
            log.warning("fault: %s: %s", part, reason)
            self._report(
                Event(uuid.uuid4().hex, "fault", self.name, boottime_ns(), reason, after=part)
            )

    def recovered(self, part: str) -> None:
        """Note that `part` works; reported when it had failed."""
        reason = self.faults.pop(part, None)
        if reason is not None:
            self.event("recovery", f"{part} works again; before: {reason}", after=part)

    def health(self) -> Health:
        """This program's own state, with its peak memory in MB."""
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        facts = {
            **self.facts,
            "memory_mb": round(peak_mb, 1),
            "rejected": self.inbox.rejected,
            "undelivered": sum(sender.dropped for sender in self._senders),
        }
        if self._events and self._events.dropped:
            facts["events_dropped"] = self._events.dropped
        return Health(self.name, boottime_ns(), dict(self.faults), self.fault_count, facts)

    def ended(self) -> None:
        """Report that the work is over; report itself does so while its outbox is still open."""
        if not self._ended:
            self._ended = True
            self.event("stop", f"{self.name} ended on request")
            self.alive()

    def pop_local(self) -> list[Event | Health]:
        """Return and clear what report reports of itself, which has no channel to itself."""
        taken, self._local = self._local, []
        return taken

    def _check_sockets(self) -> None:
        """Fault while a socket cannot listen, may not send, or accepts any sender."""
        if self.inbox.fault:
            reason = self.inbox.fault
        elif any(sender.is_closed for sender in self._senders):
            reason = f"{self.name} may not send to the other programs; {AS_INSTALLED}"
        elif self.inbox.is_open and _is_installed(self.paths):
            reason = f"any program may send to {self.name}; {AS_INSTALLED}"
        else:
            self.recovered("sockets")
            return
        if self.faults.get("sockets") != reason:
            self.fault("sockets", reason)

    def _report(self, message: Event | Health) -> None:
        if self._to_report is None or self._events is None:
            self._local.append(message)
        elif isinstance(message, Event):
            self._events.add(message)
            self._events.send_due(boottime_ns())
        else:
            self._to_report.send(message)

    def stop(self, signum: int, _frame: FrameType | None) -> None:
        """End the work soon (SIGTERM, SIGINT)."""
        log.info("stopping on %s", signal.Signals(signum).name)
        self.stopping = True


def _is_installed(paths: Paths) -> bool:
    """Whether root made the runtime folder; any other owner runs all programs as one user."""
    return paths.runtime.stat().st_uid == 0 != os.geteuid()


@contextmanager
def running(
    name: str, paths: Paths, receives_from: Mapping[str, Wire] = NO_SENDERS
) -> Iterator[Program]:
    """Set up logging, memory, signals and sockets for the program `name`, and end it cleanly."""
    give_back_what_is_free()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    with suppress(OSError):  # reported as the fault of a socket that cannot listen
        paths.runtime.mkdir(parents=True, exist_ok=True)
    program = Program(name, paths, receives_from)
    signal.signal(signal.SIGTERM, program.stop)
    signal.signal(signal.SIGINT, program.stop)
    with program.inbox:
        yield program
        program.ended()
