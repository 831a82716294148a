"""From the outbox to the broker: a few messages under way at a time, each until acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.common.clock import boot_id
from edge.common.errors import RedRoadError, SiteError
from edge.common.program import Program
from edge.common.units import NS_PER_S
from edge.report.backoff import ReconnectBackoff
from edge.report.broker import Broker, BrokerEvent
from edge.report.client_id_conflict import ClientIdConflict
from edge.report.homeassistant import discovery, discovery_topic
from edge.report.outbox import Waiting
from edge.report.payloads import (
    HISTORICAL_AFTER_S,
    OFFLINE,
    ONLINE,
    as_json,
    topic,
    with_history,
)
from edge.report.renewal import Renewal
from edge.report.requests import Received
from edge.report.store import Store
from edge.report.tls import refuse_unusable
from edge.site import Site

INFLIGHT = 20
STATE_EVERY = 10 * NS_PER_S
HEALTH_EVERY = 60 * NS_PER_S
# A connection that acknowledges nothing of what is under way for this long is dead.
ANSWER_WITHIN = 15 * NS_PER_S
REFUSED_AGAIN_AFTER = 60 * NS_PER_S

NAMESAKE = (
    "another unit, or another report on this one, takes our place at the broker: both are called "
    "{0.name}/{0.unit}; give one of them another site.unit, or end the second report"
)


@dataclass(frozen=True)
class News:
    """What is told besides the outbox: the payloads are made only when they are sent.

    `urgent` changes whenever the state has to be told at once, `faults` likewise for the health.
    """

    state: Callable[[], str]
    health: Callable[[], str]
    urgent: object
    faults: object


class Publisher:
    """Keeps the broker up to date; with no broker configured it does nothing."""

    def __init__(self, site: Site, program: Program, store: Store) -> None:
        self._site, self._program, self._store = site, program, store
        self._name = f"{site.upstream.host}:{site.upstream.port}"
        self._boot_id = boot_id()
        self._broker: Broker | None = None
        self._left: list[Broker] = []
        self._backoff, self._renewal, self._conflict = (
            ReconnectBackoff(),
            Renewal(site),
            ClientIdConflict(),
        )
        self._again_at = 0
        self._connected = False
        self._under_way: dict[int, Waiting] = {}
        self._received: list[Received] = []
        self._last_place = self._refused_at = 0
        self._answered_at = 0
        self._told: tuple[object, object] = (None, None)
        self._state_at = self._health_at = 0

    def work(self, now: int, news: News) -> None:
        """Take what the broker told; send what is due."""
        self._broker = self._broker or self._set_up(now)
        if self._broker is not None:
            self._take_all(self._broker, now)
        self._hear_out_the_left()
        self._renew(now)
        if self._broker is None or not self._connected:
            return
        if not self._backoff.in_conflict(now):
            self._program.recovered("name")
        self._send_news(self._broker, now, news)
        self._send_rows(self._broker, now)

    def received(self) -> list[Received]:
        """The commands that came since the last call."""
        taken, self._received = self._received, []
        return taken

    def reply(self, payload: str) -> None:
        """Answer a command; one whose answer is lost with the connection may be sent again."""
        if self._broker is not None and self._connected:
            self._broker.publish(self._topic("reply"), payload, retain=False)

    def tell_now(self) -> None:
        """Let state and health be due."""
        self._told = (None, None)

    def close(self) -> None:
        """Tell that we are gone, and go."""
        if self._broker is not None:
            if self._connected:
                self._broker.publish(self._topic("availability"), OFFLINE, retain=True)
            self._broker.close()

    def _set_up(self, now: int) -> Broker | None:
        """A new connection, or None when there is none to make or not yet."""
        if self._site.upstream.host is None or now < self._again_at:
            return None
        self._renewal.use()
        try:
            return Broker(self._site)
        except RedRoadError as error:
            self._lose(now, BrokerEvent("ended", text=str(error)))
            return None

    def _take_all(self, broker: Broker, now: int) -> None:
        done: list[int] = []
        lost: BrokerEvent | None = None
        for broker_event in broker.happened():
            if broker_event.kind == "acknowledged":
                self._answered_at = now
                if (waiting := self._under_way.pop(broker_event.mid, None)) is not None:
                    done.append(waiting.seq)
            elif broker_event.kind == "connected":
                self._welcome(broker, now)
            elif broker_event.kind == "found" and broker_event.received is not None:
                if self._conflict.told(broker_event.received.payload):
                    self._note_conflict(now)
            elif broker_event.received is not None:
                self._received.append(broker_event.received)
            elif broker_event.kind == "refused":
                self._under_way.pop(broker_event.mid, None)  # stays kept
                self._refused_at = now
                self._program.fault("broker", f"{self._name}: {broker_event.text}")
            else:
                lost = lost or broker_event
        if done:
            self._store.acknowledge(done)
        if self._under_way and now - self._answered_at > ANSWER_WITHIN:
            lost = lost or BrokerEvent("ended", text="it answers no more")
        if lost is not None:
            self._lose(now, lost)

    def _lose(self, now: int, lost: BrokerEvent) -> None:
        """Tell why, and give this connection up; after a pause all is told anew on another."""
        if lost.kind == "taken over":
            self._note_conflict(now)
        if self._connected and self._backoff.in_conflict(now):
            pause = self._backoff.after_conflict()  # the fault stands
        else:
            kept = "all is kept, and it is tried again"
            self._program.fault("broker", f"{self._name}: {lost.text}; {kept}")
            ours = lost.kind == "failed"
            pause = self._backoff.after_our_failure(now) if ours else self._backoff.after_loss(now)
        self._leave(now + pause)

    def _note_conflict(self, now: int) -> None:
        self._backoff.note_conflict(now)
        self._program.fault("name", NAMESAKE.format(self._site.site))

    def _leave(self, again_at: int) -> None:
        """Leave this connection, for another at that time."""
        if self._broker is not None:
            self._broker.abandon()
            self._left.append(self._broker)
        self._broker, self._connected = None, False
        self._under_way.clear()
        self._again_at = again_at

    def _hear_out_the_left(self) -> None:
        """What fails while a connection is left is told, too, and does the next one no harm."""
        for broker in list(self._left):
            for broker_event in broker.happened():
                if broker_event.kind == "failed":
                    self._program.fault("callbacks", f"{self._name}: {broker_event.text}")
                    self._program.recovered("callbacks")
                elif broker_event.kind == "ended":
                    self._left.remove(broker)

    def _renew(self, now: int) -> None:
        """Connect anew with certificates or a password that were replaced, once they are sound."""
        if not self._connected or not self._renewal.due(now):
            return
        try:
            refuse_unusable(self._site)
        except SiteError as error:
            self._program.fault("certificates", f"{error}; until then it goes on with the old ones")
            return
        told = "certificates or password were replaced: connecting with the new ones"
        self._program.event("input", told, after="certificates")
        self._leave(now + self._backoff.after_loss(now))

    def _welcome(self, broker: Broker, now: int) -> None:
        """A new connection: we are online, and all that is retained is told anew."""
        self._connected = True
        self._backoff.connected(now)
        self._conflict.connected()
        self._answered_at = now
        self._told = (None, None)
        self._last_place = self._state_at = self._health_at = 0
        broker.publish(self._topic("availability"), ONLINE, retain=True)
        if self._site.upstream.home_assistant:
            broker.publish(discovery_topic(self._site), as_json(discovery(self._site)), retain=True)
        self._program.recovered("broker")
        self._program.recovered("certificates")

    def _send_news(self, broker: Broker, now: int, news: News) -> None:
        told_urgent, told_faults = self._told
        if news.urgent != told_urgent or now - self._state_at >= STATE_EVERY:
            state = news.state()
            broker.publish(self._topic("state"), state, retain=True)
            self._conflict.tell(state)
            self._state_at = now
        if news.faults != told_faults or now - self._health_at >= HEALTH_EVERY:
            broker.publish(self._topic("health"), news.health(), retain=True)
            self._health_at = now
        self._told = (news.urgent, news.faults)

    def _send_rows(self, broker: Broker, now: int) -> None:
        """Fill up what is under way with the next rows in line."""
        free = INFLIGHT - len(self._under_way)
        if free == 0:
            return
        if not self._under_way:
            self._answered_at = now  # nothing was asked, so nothing is late
            self._try_refused_again(now)
        for waiting in self._store.oldest(free, self._last_place):
            row = waiting.row
            late = row.boot_id != self._boot_id or now - row.at > HISTORICAL_AFTER_S * NS_PER_S
            mid = broker.publish(
                self._topic(row.kind), with_history(row.payload, late), retain=False
            )
            self._under_way[mid] = waiting
            self._last_place = waiting.seq

    def _try_refused_again(self, now: int) -> None:
        """Begin with the oldest again: the broker's permissions may have been mended."""
        if self._refused_at and now - self._refused_at > REFUSED_AGAIN_AFTER:
            self._refused_at = self._last_place = 0

    def _topic(self, name: str) -> str:
        return topic(self._site, name)
