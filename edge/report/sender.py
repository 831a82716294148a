"""From the outbox to the broker: a few messages under way at a time, each until acknowledged."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.clock import NS_PER_S, boot_id, boottime_ns
from edge.errors import RedRoadError
from edge.program import Program
from edge.report.broker import Broker, Happening
from edge.report.outbox import Waiting
from edge.report.payloads import HISTORICAL_AFTER_S, OFFLINE, ONLINE, topic, with_history
from edge.report.store import Store
from edge.site import Site

INFLIGHT = 20
STATE_EVERY = 10 * NS_PER_S
HEALTH_EVERY = 60 * NS_PER_S
# A connection that acknowledges nothing of what is under way for this long is dead.
ANSWER_WITHIN = 15 * NS_PER_S
SETUP_AGAIN_AFTER = 30 * NS_PER_S


@dataclass(frozen=True)
class News:
    """What is told besides the outbox: the payloads are made only when they are sent.

    `urgent` changes whenever the state has to be told at once, `faults` likewise for the health.
    """

    state: Callable[[], str | None]
    health: Callable[[], str]
    urgent: object
    faults: object


class Sender:
    """Keeps the broker up to date; with no broker configured it does nothing."""

    def __init__(self, site: Site, program: Program, store: Store) -> None:
        self._site, self._program, self._store = site, program, store
        self._boot_id = boot_id()
        self._broker: Broker | None = None
        self._setup_at = 0
        self._connected = False
        self._under_way: dict[int, Waiting] = {}
        self._last_place = 0
        self._answered_at = 0
        self._told: tuple[object, object] = (None, None)
        self._state_at = self._health_at = 0

    def work(self, now: int, news: News) -> None:
        """Take what the broker told; send what is due."""
        broker = self._broker or self._set_up(now)
        if broker is None:
            return
        for happening in broker.happened():
            self._take(broker, happening)
        if not self._connected:
            return
        self._send_news(broker, now, news)
        self._send_rows(broker, now)
        if self._under_way and now - self._answered_at > ANSWER_WITHIN:
            self._answered_at = now
            self._program.fault("broker", f"{broker.name} answers no more; connecting anew")
            broker.reconnect()

    def close(self) -> None:
        """Tell that we are gone, and go."""
        if self._broker is not None:
            if self._connected:
                self._broker.publish(self._topic("availability"), OFFLINE, retain=True)
            self._broker.close()

    def _set_up(self, now: int) -> Broker | None:
        """The broker, or None when there is none or its options cannot be used."""
        if self._site.upstream.host is None or now < self._setup_at:
            return None
        try:
            self._broker = Broker(self._site)
        except RedRoadError as error:
            self._program.fault("broker", str(error))
            self._setup_at = now + SETUP_AGAIN_AFTER
        return self._broker

    def _take(self, broker: Broker, happening: Happening) -> None:
        if happening.kind == "acknowledged":
            self._answered_at = boottime_ns()
            waiting = self._under_way.pop(happening.mid, None)
            if waiting is not None:
                self._store.acknowledge([waiting.seq])
        elif happening.kind == "connected":
            self._welcome(broker)
        elif happening.kind == "unreached" or (happening.kind == "lost" and self._connected):
            self._connected = False
            self._program.fault("broker", f"{broker.name}: {happening.text}; all is kept")
        elif happening.kind == "lost":
            pass  # the end of a connection that never stood: told as unreached already
        elif happening.kind == "refused":
            self._under_way.pop(happening.mid, None)  # stays on disk, for the next connection
            self._program.fault("broker", f"{broker.name}: {happening.text}")
        else:
            # What the callback had to tell is lost: a new connection tells all anew.
            self._connected = False
            self._program.fault("broker", f"{broker.name}: {happening.text}; connecting anew")
            broker.reconnect()

    def _welcome(self, broker: Broker) -> None:
        """A new connection: we are online, and all that is retained is told anew."""
        self._connected = True
        self._answered_at = boottime_ns()
        self._told = (None, None)
        self._last_place = self._state_at = self._health_at = 0
        broker.publish(self._topic("availability"), ONLINE, retain=True)
        self._program.recovered("broker")

    def _send_news(self, broker: Broker, now: int, news: News) -> None:
        told_urgent, told_faults = self._told
        if news.urgent != told_urgent or now - self._state_at >= STATE_EVERY:
            payload = news.state()
            if payload is not None:
                broker.publish(self._topic("state"), payload, retain=True)
                self._state_at = now
        if news.faults != told_faults or now - self._health_at >= HEALTH_EVERY:
            broker.publish(self._topic("health"), news.health(), retain=True)
            self._health_at = now
        self._told = (news.urgent, news.faults)

    def _send_rows(self, broker: Broker, now: int) -> None:
        """Fill up what is under way with the next rows in line.

        After a reconnect paho repeats what was under way by itself, with the same ids.
        """
        on_the_way = {waiting.seq for waiting in self._under_way.values()}
        for waiting in self._store.oldest(INFLIGHT, self._last_place):
            if waiting.seq in on_the_way or len(self._under_way) >= INFLIGHT:
                continue
            row = waiting.row
            late = row.boot_id != self._boot_id or now - row.at > HISTORICAL_AFTER_S * NS_PER_S
            mid = broker.publish(
                self._topic(row.kind), with_history(row.payload, late), retain=False
            )
            self._under_way[mid] = waiting
            self._last_place = waiting.seq

    def _topic(self, name: str) -> str:
        return topic(self._site, name)
