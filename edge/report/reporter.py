"""How `report` handles received messages: stores them, sends them once the broker is there."""

import logging

from edge.common.clock import boot_id, boottime_ns, time_synchronised, wall_s
from edge.common.program import PROGRAMS, Program
from edge.common.timer import Timer
from edge.common.wire import Event, Health, Message, State
from edge.report.acknowledgements import Acknowledgements
from edge.report.agenda import News
from edge.report.aggregate import Aggregate, Aggregator
from edge.report.commander import Commander
from edge.report.fiware import crowd_flow
from edge.report.machine import judge, look
from edge.report.outbox import Kind, Row
from edge.report.payloads import (
    Condition,
    Stamp,
    as_json,
    as_of,
    counts_fields,
    counts_id,
    event_fields,
    health_fields,
    reply_fields,
    state_fields,
    unknown_state,
)
from edge.report.publisher import Publisher
from edge.report.restarts import Restarts
from edge.report.status import WRITTEN_EVERY_S, forget_status, write_status
from edge.report.store import Store
from edge.site import Site

log = logging.getLogger("redroad")


class Reporter:
    """Outbox, aggregates and broker of one unit."""

    def __init__(self, site: Site, program: Program) -> None:
        self._site = site
        self._program = program
        self._boot_id = boot_id()
        outbox_bytes = site.upstream.outbox_mb * 1_000_000
        self._store = Store(program.paths.state, outbox_bytes, program)
        self._acknowledgements = Acknowledgements(program, self._store)
        zones = [zone.name for zone in site.zone]
        self._aggregator = Aggregator(site.upstream.aggregate_s, zones, boottime_ns())
        self._health: dict[str, Health] = {}
        # Sent at once, to replace what the broker retained from before a power cut.
        self._state = unknown_state(zones, boottime_ns(), "report has only just started")
        self._publisher = Publisher(site, program, self._store)
        self._commander = Commander(site, program, self._store)
        self._restarts = Restarts(self._store, self._boot_id)
        self._machine = look(program.paths.state)
        self._look_timer = Timer(WRITTEN_EVERY_S)
        if site.upstream.host is None:
            log.info("no broker is configured: everything waits in the outbox")

    def take(self, message: Message) -> None:
        """Store what a program sent.

        No State or Health is believed that is dated in the future.
        """
        now = boottime_ns()
        if isinstance(message, Event):
            self._keep_event(message, min(max(0, message.at), now))
        elif isinstance(message, State | Health) and not 0 <= message.at <= now:
            self._program.fault("clock", "a program tells of the future, and is not believed")
        elif isinstance(message, State):
            for aggregate in self._aggregator.add(message):
                self._keep_counts(aggregate)
            self._state = message
        elif isinstance(message, Health):
            self._health[message.program] = message

    def _keep_event(self, event: Event, at: int) -> None:
        if not self._acknowledgements.take(event):
            return
        fields = event_fields(event, self._stamp(at))
        self._store.put(Row(event.id, "events", self._boot_id, at, as_json(fields)))
        if event.kind == "command" and event.source == "show":
            self._refuse_shown(event)
        if event.kind == "start" and event.source in PROGRAMS:
            self._restarts.started(event)

    def _refuse_shown(self, event: Event) -> None:
        """A text that was accepted and cannot be shown is answered so."""
        answer = self._commander.refuse_shown(str(event.command), event.reason)
        if answer is not None:
            self._publisher.reply(as_json(reply_fields(answer, self._stamp(boottime_ns()))))

    def work(self) -> None:
        """Close periods, write, and send what can be sent."""
        now = boottime_ns()
        for aggregate in self._aggregator.pass_time(now):
            self._keep_counts(aggregate)
        if self._look_timer.restart_if_due(now):
            self._machine = look(self._program.paths.state)
            judge(self._machine, self._program)
            payloads = self._state_payload(now), self._health_payload()
            write_status(self._program, self._site.digest(), *payloads)
        for message in self._program.pop_local():
            self.take(message)
        self._store.write()
        self._restarts.keep()
        self._publisher.work(now, self._news(now))
        self._acknowledgements.give()
        self._command(now)

    def close(self) -> None:
        """Store what waits and disconnect."""
        for message in self._program.pop_local():
            self.take(message)
        now = boottime_ns()
        names = [zone.name for zone in self._site.zone]
        ended = unknown_state(names, now, "report has ended")
        self._publisher.close(as_json(state_fields(ended, self._stamp(now))))
        self._store.close()
        forget_status(self._program.paths)

    def _command(self, now: int) -> None:
        """Follow and answer what came from upstream, where the site file allows that."""
        came = self._publisher.received()
        if not self._site.upstream.commands:
            return
        for received in came:
            answer = self._commander.take(received, as_of(self._state, now).level)
            self._publisher.reply(as_json(reply_fields(answer, self._stamp(now))))
            if answer.accepted and answer.command == "report":
                self._publisher.tell_now()
        self._commander.work(now)

    def _keep_counts(self, aggregate: Aggregate) -> None:
        stamp = self._stamp(aggregate.end)
        name = counts_id(aggregate, self._boot_id)
        forms: list[tuple[Kind, dict[str, object]]] = [("counts", counts_fields(aggregate, stamp))]
        if self._site.upstream.fiware:
            forms.append(("crowdflow", crowd_flow(aggregate, stamp, self._site)))
        for kind, fields in forms:
            row = Row(f"{name}:{kind}", kind, self._boot_id, aggregate.end, as_json(fields))
            self._store.put(row)

    def _news(self, now: int) -> News:
        state = as_of(self._state, now)
        return News(
            state=lambda: self._state_payload(now),
            health=self._health_payload,
            urgent=(state.level, state.message, state.picture_faults, state.held, state.muted),
            faults=[(name, health.faults) for name, health in sorted(self._health.items())],
            now=(state, self._stamp(now)),
        )

    def _state_payload(self, now: int) -> str:
        return as_json(state_fields(as_of(self._state, now), self._stamp(now)))

    def _health_payload(self) -> str:
        self._health["report"] = self._program.health()
        now = boottime_ns()
        state = as_of(self._state, now)
        condition = Condition(
            machine=self._machine,
            outbox_depth=self._store.depth(),
            outbox_dropped=self._store.dropped,
            restarts=self._restarts.since_boot(),
            picture_faults=state.picture_faults,
            frame_age_s=state.frame_age_s,
        )
        return as_json(health_fields(self._health, self._stamp(now), condition))

    def _stamp(self, at: int) -> Stamp:
        return Stamp(self._boot_id, at, wall_s(at), self._time_valid())

    def _time_valid(self) -> bool:
        return time_synchronised(trusted=self._site.site.clock == "trusted")
