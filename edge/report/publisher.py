"""From the outbox to the broker: connects, sends what the agenda names, takes in the answers."""

import logging
from dataclasses import dataclass

from edge.common.clock import boottime_ns
from edge.common.errors import RedRoadError, SiteError
from edge.common.program import Program
from edge.common.units import NS_PER_S, nanoseconds
from edge.report.acceptance import Acceptance
from edge.report.agenda import Agenda, News, Task
from edge.report.broker import GOODBYE_S, SESSION_TAKEN_OVER, TURN_S, Broker, BrokerEvent
from edge.report.client_id_conflict import ClientIdConflict
from edge.report.identity import client_id_of
from edge.report.limits import Limits, Outgoing
from edge.report.negotiation import (
    QOS_NOT_SUPPORTED,
    RETAIN_NOT_SUPPORTED,
    Negotiation,
)
from edge.report.payloads import OFFLINE, OFFLINE_LIFETIME_S, STATE_LIFETIME_S, topic
from edge.report.reconnect_backoff import ReconnectBackoff
from edge.report.renewal import Renewal
from edge.report.requests import Received
from edge.report.store import Store
from edge.report.tls import refuse_unusable
from edge.site import Site

INFLIGHT = 20
RESERVED = 2  # of these for what is no row, so that a backlog does not delay it
# A connection that acknowledges nothing of what is under way for this long is dead.
ANSWER_WITHIN = 15 * NS_PER_S
# A message of QoS 0 counts as accepted when the connection lasts for so long after it.
STANDS_AFTER = NS_PER_S
HUNG_UP_WITHIN = 5 * NS_PER_S
# Reasons of MQTT 5 that are about the message: not authorised, topic name invalid, packet too
# large, quota exceeded, payload format invalid, retain or QoS not supported.
ABOUT_A_MESSAGE = {0x87, 0x90, 0x95, 0x97, 0x99, RETAIN_NOT_SUPPORTED, QOS_NOT_SUPPORTED}
BAD_CLIENT_ID = 0x85

NAMESAKE = (
    "another unit, or another report on this one, takes our place at the broker: both are called "
    "{0.name}/{0.unit}; give one of them another site.unit, or end the second report"
)
ID_REFUSED = (
    "the broker does not take our client id {0}: either another unit of this name is connected, "
    "or the broker does not know it; give this unit another site.unit, or allow the id there"
)
SILENT = "it answers no more"

log = logging.getLogger("redroad")


@dataclass
class _UnderWay:
    task: Task
    since: int
    written_at: int | None = None  # of QoS 0, which is never acknowledged


class Publisher:
    """Keeps the broker up to date; with no broker configured it does nothing."""

    def __init__(self, site: Site, program: Program, store: Store) -> None:
        self._site, self._program, self._store = site, program, store
        self._name = f"{site.upstream.host}:{site.upstream.port}"
        self._broker: Broker | None = None
        self._left: list[Broker] = []
        self._backoff, self._renewal = ReconnectBackoff(), Renewal(site)
        self._conflict = ClientIdConflict()
        self._negotiation = Negotiation(site.upstream.protocol)
        self._acceptance = Acceptance()
        self._agenda = Agenda(site, store, self._acceptance)
        self._reconnect_at = 0
        self._limits: Limits | None = None  # while connected
        self._under_way: dict[int, _UnderWay] = {}
        self._received: list[Received] = []
        self._answered_at = 0
        self._is_acknowledged = False
        self._told_refused = ""

    def work(self, now: int, news: News) -> None:
        """Process the broker's events; send what is due."""
        self._agenda.follow(news)
        self._broker = self._broker or self._set_up(now)
        if self._broker is not None:
            self._take_all(self._broker, now)
        self._hear_out_the_left()
        self._renew(now)
        if self._broker is None or self._limits is None:
            return
        self._judge(now)
        self._send(self._broker, self._limits, now, news)

    def received(self) -> list[Received]:
        """Return the commands that came since the last call."""
        taken, self._received = self._received, []
        return taken

    def reply(self, payload: str) -> None:
        """Answer a command."""
        self._agenda.reply(payload)

    def tell_now(self) -> None:
        """Let state and health be due."""
        self._agenda.tell_now()

    def close(self, last_state: str) -> None:
        """Leave no level retained, report that the unit is gone, and disconnect."""
        broker, limits = self._broker, self._limits
        if broker is None:
            return
        if limits is not None:
            v5 = limits.version == "5"
            last = [
                Outgoing(self._topic("state"), last_state, v5, STATE_LIFETIME_S),
                Outgoing(self._topic("availability"), OFFLINE, True, OFFLINE_LIFETIME_S),
            ]
            wanted = {broker.publish(limits.fit(message)) for message in last}
            if not self._await(broker, wanted) and not v5:
                return  # without a disconnect the broker publishes the will
        broker.close()

    def _await(self, broker: Broker, wanted: set[int]) -> bool:
        """Return whether all these are acknowledged within the time for a goodbye."""
        until = boottime_ns() + nanoseconds(GOODBYE_S)
        while wanted and boottime_ns() < until:
            event = broker.next(timeout_s=TURN_S / 10)
            if event is not None and event.kind == "acknowledged":
                wanted.discard(event.mid)
            elif event is not None and event.kind == "ended":
                break
        return not wanted

    def _set_up(self, now: int) -> Broker | None:
        """A new connection, or None when there is none to make or not yet."""
        if self._site.upstream.host is None or now < self._reconnect_at:
            return None
        self._renewal.use()
        try:
            return Broker(self._site, self._negotiation.terms)
        except RedRoadError as error:
            self._lose(now, BrokerEvent("ended", text=str(error)))
            return None

    def _take_all(self, broker: Broker, now: int) -> None:
        done: list[int] = []
        lost: BrokerEvent | None = None
        for event in broker.happened():
            match event.kind:
                case "connected":
                    self._welcome(event.limits or Limits(), now)
                case "acknowledged":
                    done += self._acknowledged(event.mid, now)
                case "refused":
                    self._refused(event, now)
                case "heard" if event.received is not None:
                    self._hear(event.received, now)
                case "received" if event.received is not None:
                    self._received.append(event.received)
                case _:
                    lost = lost or event
        done += self._stood(now)
        if done:
            self._store.acknowledge(done)
        if self._under_way and now - self._answered_at > ANSWER_WITHIN:
            lost = lost or BrokerEvent("ended", text=SILENT)
        if lost is not None:
            self._lose(now, lost)

    def _acknowledged(self, mid: int, now: int) -> list[int]:
        """Take in an acknowledgement; the places of the rows that the broker has now."""
        under_way = self._under_way.get(mid)
        self._answered_at = now
        if under_way is None:
            return []
        message = under_way.task.message
        if message is not None and message.qos == 0 and self._alone(under_way.task):
            under_way.written_at = now
            return []
        self._is_acknowledged |= message is None or message.qos > 0
        return self._take(mid, under_way.task)

    def _stood(self, now: int) -> list[int]:
        """Likewise for QoS 0, which is never acknowledged, once the connection has lasted."""
        stood = [
            (mid, each.task)
            for mid, each in self._under_way.items()
            if each.written_at is not None and now - each.written_at > STANDS_AFTER
        ]
        return [seq for mid, task in stood for seq in self._take(mid, task)]

    def _take(self, mid: int, task: Task) -> list[int]:
        del self._under_way[mid]
        self._acceptance.acknowledged(task.item)
        self._agenda.acknowledged(task)
        return [] if task.waiting is None else [task.waiting.seq]

    def _refused(self, event: BrokerEvent, now: int) -> None:
        self._answered_at = now
        under_way = self._under_way.pop(event.mid, None)
        if under_way is None:
            self._program.fault("commands", f"{self._name}: {event.text}")
            return
        self._give_up(under_way.task, event.text, now)

    def _give_up(self, task: Task, reason: str, now: int, *, by_size: bool = False) -> None:
        if task.what == "subscription" and task.item.rank == "optional":
            log.warning("%s: %s: %s", self._name, task.item.topic, reason)
        else:
            self._acceptance.refused(task.item, reason, now, by_size=by_size)
        self._agenda.passed_over(task, now)

    def _hear(self, received: Received, now: int) -> None:
        if received.name == self._topic("health"):
            if received.retained and self._conflict.is_another(received.payload):
                self._note_conflict(now)
            return
        payload = received.payload.decode(errors="replace")
        self._agenda.hear(received.name, payload, now, retained=received.retained)

    def _judge(self, now: int) -> None:
        """What is mended, and what the broker does not take."""
        if not self._backoff.in_conflict(now):
            self._program.recovered("name")
        proved = self._is_acknowledged and not self._acceptance.suspects
        if proved and self._backoff.is_trusted(now):
            self._program.recovered("broker")
            self._program.recovered("certificates")
        if words := self._acceptance.words():
            kept = "it is left out, or kept in the outbox, and tried again"
            refusal = f"{self._name} does not take {words}; {kept}"
            if refusal != self._told_refused:
                self._told_refused = refusal
                self._program.fault("refused", refusal)
        else:
            self._told_refused = ""
            self._program.recovered("refused")

    def _lose(self, now: int, lost: BrokerEvent) -> None:
        """Report why, and drop this connection; after a pause all is sent anew on another."""
        connected = self._limits is not None
        if lost.code == BAD_CLIENT_ID and not connected:
            self._program.fault("name", ID_REFUSED.format(client_id_of(self._site)))
        if lost.kind == "taken over" or lost.code == SESSION_TAKEN_OVER:
            self._note_conflict(now)
        if connected and self._backoff.in_conflict(now):
            self._leave(now + self._backoff.after_conflict())  # the fault stands
            return
        if connected:
            self._negotiation.ended()
            if lost.kind == "ended":
                self._blame(lost, now)
        elif lost.reached and self._negotiation.refused(lost.code):
            self._leave(now)
            return
        kept = "all is kept, and it is tried again"
        self._program.fault("broker", f"{self._name}: {lost.text}; {kept}")
        ours = lost.kind == "failed"
        pause = self._backoff.after_our_failure(now) if ours else self._backoff.after_loss(now)
        self._leave(now + pause)

    def _blame(self, lost: BrokerEvent, now: int) -> None:
        """Find out whether a message of ours has cost the connection."""
        under_way = list(self._under_way.values())
        items = [each.task.item for each in under_way]
        is_optional = all(item.rank == "optional" for item in items)
        silent = lost.text == SILENT
        late = any(now - each.since > HUNG_UP_WITHIN for each in under_way)
        named = lost.code in ABOUT_A_MESSAGE
        if not is_optional and (silent or late) and not named:
            return  # a network that is away, most likely
        again = named or self._acceptance.is_suspected(items)
        message = under_way[0].task.message if len(under_way) == 1 else None
        if again and message is not None and message.retain and not is_optional:
            # That may be all that it does not take: such a message is worth more than that.
            log.warning("%s is sent without being retained from now on", message.topic)
            self._agenda.without_retain.add(message.topic)
            return
        self._acceptance.hung_up(items, lost.text, now, named=named)

    def _note_conflict(self, now: int) -> None:
        self._backoff.note_conflict(now)
        self._program.fault("name", NAMESAKE.format(self._site.site))

    def _leave(self, again_at: int) -> None:
        """Leave this connection, for another at that time."""
        if self._broker is not None:
            self._broker.abandon()
            self._left.append(self._broker)
        self._broker, self._limits, self._is_acknowledged = None, None, False
        self._under_way.clear()
        self._reconnect_at = again_at

    def _hear_out_the_left(self) -> None:
        """Report failures of connections being closed, too; they do not affect the next one."""
        for broker in list(self._left):
            for event in broker.happened():
                if event.kind == "failed":
                    self._program.fault("callbacks", f"{self._name}: {event.text}")
                    self._program.recovered("callbacks")
                elif event.kind == "ended":
                    self._left.remove(broker)

    def _renew(self, now: int) -> None:
        """Connect anew with certificates or a password that were replaced, once they are sound."""
        if self._limits is None or not self._renewal.due(now):
            return
        try:
            refuse_unusable(self._site)
        except SiteError as error:
            self._program.fault("certificates", f"{error}; until then it goes on with the old ones")
            return
        message = "certificates or password were replaced: connecting with the new ones"
        self._program.event("input", message, after="certificates")
        self._leave(now + self._backoff.after_loss(now))

    def _welcome(self, limits: Limits, now: int) -> None:
        """Begin a new connection: everything that is retained is sent anew."""
        self._limits = limits
        self._negotiation.accepted()
        self._backoff.connected(now)
        self._conflict.connected()
        self._acceptance.connected(now)
        self._agenda.connected(limits, now)
        self._answered_at = now
        self._program.facts["mqtt"] = limits.version
        if lost := limits.lost():
            log.warning("%s: %s", self._name, lost)

    def _send(self, broker: Broker, limits: Limits, now: int, news: News) -> None:
        """Send what is due, as much at a time as the broker takes."""
        window = min(INFLIGHT, limits.receive_maximum)
        reserved = RESERVED if window > 2 * RESERVED else 0
        rows = window - reserved - len(self._under_way)
        for task in self._agenda.due(now, news, rows):
            if self._is_under_way(task):
                continue
            if self._acceptance.is_given_up(task.item, now):
                self._agenda.passed_over(task, now)
                continue
            if limits.packet_bytes is not None and task.item.size > limits.packet_bytes:
                reason = f"it takes {limits.packet_bytes} bytes at most"
                self._give_up(task, reason, now, by_size=True)
                continue
            free = window - len(self._under_way)
            if free <= (reserved if task.waiting is not None else 0):
                return
            alone = self._alone(task)
            if alone and self._under_way:
                return
            self._issue(broker, task, now, news)
            if alone:
                return

    def _alone(self, task: Task) -> bool:
        return self._acceptance.goes_alone(task.item)

    def _is_under_way(self, task: Task) -> bool:
        return any(each.task.repeats(task) for each in self._under_way.values())

    def _issue(self, broker: Broker, task: Task, now: int, news: News) -> None:
        if not self._under_way:
            self._answered_at = now  # nothing was asked, so nothing is late
        if task.message is not None:
            mid = broker.publish(task.message)
        else:
            commands = task.item.rank == "main"
            mid = broker.subscribe(task.where, 1 if commands else 0, as_published=commands)
        self._under_way[mid] = _UnderWay(task, now)
        self._agenda.issued(task, now, news)
        if task.what == "health" and task.message is not None:
            self._conflict.note_sent(task.message.payload)

    def _topic(self, name: str) -> str:
        return topic(self._site, name)
