"""What the four programs share: start, heartbeat, faults, health, a clean end.

A program is told by systemd, or by `redroad run` which speaks the same protocol, where to send
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

from edge.common.clock import boottime_ns, nanoseconds
from edge.common.events import Events
from edge.common.link import Inbox, Sender
from edge.common.memory import Tidy, give_back_what_is_free
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
LONGEST = 1000  # characters of a reason
AS_INSTALLED = (
    "run: sudo systemd-tmpfiles --create redroad.conf; sudo systemctl restart redroad.target"
)
NOBODY: Mapping[str, Wire] = MappingProxyType({})

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

    It hears report's commands, and whom `hears` names: of each, what may come from there.
    """

    def __init__(self, name: str, places: Paths, hears: Mapping[str, Wire] = NOBODY) -> None:
        self.name = name
        self.places = places
        self.inbox = Inbox(places.runtime, name, {"report": COMMANDS, **hears})
        self.stopping = self._ended = False
        self.fault_count = 0
        self.faults: dict[str, str] = {}
        self.facts: dict[str, float | str] = {}
        self._outlets: list[Sender] = []
        self._report: Sender | None = None
        self._events: Events | None = None
        if name != "report":
            self._report = self.channel_to("report", EVENTS)
            # A way of its own: what it tells again is not lost.
            self._events = Events(Sender(places.runtime, name, "report", EVENTS))
        self._local: list[Event | Health] = []
        self._health_at = 0
        self._verbose_until = 0
        self._tidy = Tidy()
        self._notifier = sdnotify.SystemdNotifier()

    def channel_to(self, receiver: str, wire: Wire) -> Sender:
        """The way to another program; that it may not be told is a fault from now on."""
        self._outlets.append(Sender(self.places.runtime, self.name, receiver, wire))
        return self._outlets[-1]

    def ready(self) -> None:
        """Tell the service manager that the work has begun."""
        self._notifier.notify("READY=1")
        self.event("start", f"{self.name} started")

    def receive(self, timeout_s: float) -> list[Message]:
        """What the others told; the verbosity of the log is commanded to every program alike."""
        messages = self.inbox.receive(timeout_s)
        for message in messages:
            if isinstance(message, Ack) and self._events:
                self._events.take(message)
            elif isinstance(message, Command) and message.action == "log":
                log.setLevel(message.verbosity)
                self._verbose_until = min(message.until, boottime_ns() + nanoseconds(LOG_AT_MOST_S))
        if boottime_ns() >= self._verbose_until:
            log.setLevel(logging.NOTSET)
        return messages

    def alive(self) -> None:
        """Tell the service manager that the work has advanced, and report what it has not kept."""
        self._notifier.notify("WATCHDOG=1")
        self._judge_ways()
        if self._events:
            self._events.tell(boottime_ns())
        self._tidy.pass_time()
        if boottime_ns() - self._health_at >= nanoseconds(HEALTH_EVERY_S):
            self._health_at = boottime_ns()
            self._tell(self.health())

    def event(
        self,
        kind: str,
        reason: str,
        *,
        zone: str | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        """Report that something happened; told again until report has kept it."""
        reason = reason[:LONGEST]
        log.info("%s: %s", kind, reason)
        name = uuid.uuid4().hex
        self._tell(Event(name, kind, self.name, boottime_ns(), reason, zone, before, after))

    def fault(self, part: str, reason: str) -> None:
        """Note that `part` fails; counted each time, reported when it begins or changes."""
        self.fault_count += 1
        reason = reason[:LONGEST]
        if self.faults.get(part) != reason:
            self.faults[part] = reason
            log.warning("fault: %s: %s", part, reason)
            self._tell(
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
            "undelivered": sum(outlet.dropped for outlet in self._outlets),
        }
        if self._events and self._events.dropped:
            facts["events_dropped"] = self._events.dropped
        return Health(self.name, boottime_ns(), dict(self.faults), self.fault_count, facts)

    def ended(self) -> None:
        """Tell that the work is over; report tells it itself, while its outbox is still open."""
        if not self._ended:
            self._ended = True
            self.event("stop", f"{self.name} ended on request")
            self.alive()

    def take_local(self) -> list[Event | Health]:
        """What report tells of itself: it has nobody else to send it to."""
        taken, self._local = self._local, []
        return taken

    def _judge_ways(self) -> None:
        """Whether we hear and are heard, and nobody tells us anything who may not."""
        if self.inbox.fault:
            reason = self.inbox.fault
        elif any(outlet.is_closed for outlet in self._outlets):
            reason = f"{self.name} may not tell the others what it has to; {AS_INSTALLED}"
        elif self.inbox.is_open and _is_installed(self.places):
            reason = f"{self.name} can be told things by all programs; {AS_INSTALLED}"
        else:
            self.recovered("sockets")
            return
        if self.faults.get("sockets") != reason:
            self.fault("sockets", reason)

    def _tell(self, message: Event | Health) -> None:
        if self._report is None or self._events is None:
            self._local.append(message)
        elif isinstance(message, Event):
            self._events.add(message)
            self._events.tell(boottime_ns())
        else:
            self._report.send(message)

    def stop(self, signum: int, _frame: FrameType | None) -> None:
        """End the work soon (SIGTERM, SIGINT)."""
        log.info("stopping on %s", signal.Signals(signum).name)
        self.stopping = True


def _is_installed(places: Paths) -> bool:
    """Whether root made the runtime folder; whoever else has one runs all programs alone."""
    return places.runtime.stat().st_uid == 0 != os.geteuid()


@contextmanager
def running(name: str, places: Paths, hears: Mapping[str, Wire] = NOBODY) -> Iterator[Program]:
    """Set up logging, memory, signals and sockets for the program `name`, and end it cleanly."""
    give_back_what_is_free()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    with suppress(OSError):  # told by who cannot listen there
        places.runtime.mkdir(parents=True, exist_ok=True)
    program = Program(name, places, hears)
    signal.signal(signal.SIGTERM, program.stop)
    signal.signal(signal.SIGINT, program.stop)
    with program.inbox:
        yield program
        program.ended()
