"""What is to be sent next on a connection, the most important first.

The state comes before "online", so that no one takes for valid what an earlier run of this unit
left retained, and so do the command subscriptions; then come events, and optional messages last.
So that an hour of backlog does not keep all else waiting, that has its turn every `TURN`.

MQTT 5 brokers are sent an expiry with each retained message. An MQTT 3.1.1 broker would
keep it for ever, so with one no message that is about now is retained.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from edge.common.clock import boot_id
from edge.common.timer import Timer
from edge.common.units import NS_PER_S
from edge.common.wire import State
from edge.report.acceptance import Acceptance, Item, Rank
from edge.report.announcer import Announcer
from edge.report.cap_feed import CapFeed
from edge.report.feed import Feed, Notification
from edge.report.homeassistant import PREFIX
from edge.report.limits import Limits, Outgoing
from edge.report.onvif import OnvifFeed
from edge.report.outbox import Kind, Waiting
from edge.report.payloads import (
    DISCOVERY_LIFETIME_S,
    HEALTH_LIFETIME_S,
    HISTORICAL_AFTER_S,
    ONLINE,
    ONLINE_LIFETIME_S,
    STATE_LIFETIME_S,
    UNDATED_LIFETIME_S,
    Stamp,
    topic,
    with_history,
)
from edge.report.store import Store
from edge.site import Site

STATE_EVERY_S, ONLINE_EVERY_S, HEALTH_EVERY_S = 10.0, 20.0, 60.0
TURN = 5 * NS_PER_S
SKIPPED_AGAIN_AFTER = 60 * NS_PER_S
REPLIES_AT_MOST = 1000

What = Literal[
    "state", "online", "health", "reply", "row", "announcement", "notification", "subscription"
]


@dataclass(frozen=True)
class News:
    """What is sent besides the outbox: the payloads are made only when they are sent.

    `urgent` changes whenever the state has to be sent at once, `faults` likewise for the health.
    `now` is the state itself as it stands, and when; where `time_valid` is true there, the age of
    what is sent can be judged.
    """

    state: Callable[[], str]
    health: Callable[[], str]
    urgent: object
    faults: object
    now: tuple[State, Stamp]


@dataclass(frozen=True)
class Task:
    """Something to send: a message, or without one a subscription to `where`."""

    what: What
    item: Item
    message: Outgoing | None = None
    where: str = ""
    waiting: Waiting | None = None
    notification: Notification | None = None

    def repeats(self, other: "Task") -> bool:
        """Return whether it is the same row or announcement once more."""
        if self.waiting is not None and other.waiting is not None:
            return self.waiting.seq == other.waiting.seq
        return self.what == other.what == "announcement" and self.message == other.message


@dataclass
class _Lane:
    """The rows of one kind: up to which place they were sent, and when one was passed over."""

    kind: Kind
    rank: Rank
    place: int = 0
    passed_over_at: int | None = None


@dataclass
class _Connection:
    """What was sent on the present connection, and when."""

    limits: Limits = field(default_factory=Limits)
    state_settled: bool = False
    sent: tuple[object, object] = (None, None)
    state_timer: Timer = field(default_factory=lambda: Timer(STATE_EVERY_S))
    online_timer: Timer = field(default_factory=lambda: Timer(ONLINE_EVERY_S))
    health_timer: Timer = field(default_factory=lambda: Timer(HEALTH_EVERY_S))
    asked: set[str] = field(default_factory=set)  # subscriptions
    notified: set[str] = field(default_factory=set)  # keys of notifications
    is_cleared: bool = False


class Agenda:
    """Decides what is due; the caller that sends it reports the outcome."""

    def __init__(self, site: Site, store: Store, acceptance: Acceptance) -> None:
        self._site, self._store, self._acceptance = site, store, acceptance
        self._announcer = Announcer(site, store)
        self._boot_id = boot_id()
        self._lanes = [
            _Lane("events", "main"),
            _Lane("counts", "main"),
            _Lane("crowdflow", "optional"),
        ]
        self._feeds = _feeds(site, store)
        self._replies: list[str] = []
        self._now_on = _Connection()
        self._fed_at = 0
        self.without_retain: set[str] = set()  # topics that the broker hung up on when retained

    def connected(self, limits: Limits, now: int) -> None:
        """A new connection: everything is due."""
        self._now_on = _Connection(limits)
        self._announcer.connected()
        self._fed_at = now
        for lane in self._lanes:
            lane.place = 0

    def tell_now(self) -> None:
        """Let state and health be due."""
        self._now_on.sent = (None, None)

    def reply(self, payload: str) -> None:
        """Answer a command; one whose answer is lost with the connection may be sent again."""
        self._replies = [*self._replies, payload][-REPLIES_AT_MOST:]

    def follow(self, news: News) -> None:
        """Let the feeds take in the state, also while there is no connection."""
        for feed in self._feeds:
            feed.follow(*news.now)

    def hear(self, where: str, payload: str, now: int, *, retained: bool) -> None:
        """Process a received message that is not a command."""
        if where.startswith(f"{PREFIX}/"):
            self._announcer.hear(where, payload, now, retained=retained)

    def due(self, now: int, news: News, rows: int) -> Iterator[Task]:
        """Yield the tasks to send for as long as the caller iterates; at most `rows` rows."""
        on = self._now_on
        if self._state_is_due(now, news):
            yield self._state(news)
        if not on.state_settled:
            return
        if self._site.upstream.commands:
            yield from self._subscribe(topic(self._site, "command/#"), "main")
        yield from self._online(now)
        # By our own health another unit of our name is found.
        yield from self._subscribe(topic(self._site, "health"), "optional")
        if hungry := now - self._fed_at > TURN:
            yield from self._optional(now, news)
        for lane in self._lanes[:2]:
            yield from self._rows(lane, now, rows)
        if not hungry:
            yield from self._optional(now, news)
        yield from self._rows(self._lanes[2], now, rows)
        self._fed_at = now

    def issued(self, task: Task, now: int, news: News) -> None:
        """Record that the task was sent and is not yet acknowledged."""
        on = self._now_on
        match task.what:
            case "state":
                on.state_timer.restart(now)
                on.sent = (news.urgent, on.sent[1])
            case "online":
                on.is_cleared = True
                if task.message and task.message.payload:
                    on.online_timer.restart(now)
            case "health":
                on.health_timer.restart(now)
                on.sent = (on.sent[0], news.faults)
            case "reply":
                self._replies.pop(0)
            case "subscription":
                on.asked.add(task.where)
            case "row" if task.waiting is not None:
                self._lane_of(task.waiting).place = task.waiting.seq
            case "notification" if task.notification is not None:
                on.notified.add(task.notification.key)
                for feed in self._feeds:
                    feed.issued(task.notification)
        if task.item.rank == "optional":
            self._fed_at = now

    def acknowledged(self, task: Task) -> None:
        """Record that the broker acknowledged the task."""
        if task.what == "state":
            self._now_on.state_settled = True
        elif task.what == "announcement" and task.message is not None:
            self._announcer.done(task.message.topic, task.message.payload)
        elif task.notification is not None:
            for feed in self._feeds:
                feed.acknowledged(task.notification)

    def passed_over(self, task: Task, now: int) -> None:
        """Skip a task that the broker does not accept: a row stays stored, and the rest goes on."""
        if task.what == "state":
            self._now_on.state_settled = True
        elif task.waiting is not None:
            lane = self._lane_of(task.waiting)
            lane.place, lane.passed_over_at = max(lane.place, task.waiting.seq), now
        elif task.notification is not None:
            self._now_on.notified.discard(task.notification.key)

    def _state_is_due(self, now: int, news: News) -> bool:
        on = self._now_on
        return on.state_timer.due(now) or news.urgent != on.sent[0]

    def _state(self, news: News) -> Task:
        """With MQTT 3.1.1 it is not retained, and not kept for those who are away (QoS 0)."""
        v5 = self._now_on.limits.version == "5"
        dated = news.now[1].time_valid
        lifetime = STATE_LIFETIME_S if dated else UNDATED_LIFETIME_S
        return self._task(
            "state",
            "state",
            "first",
            news.state(),
            retain=v5 and dated,
            lifetime_s=lifetime,
            qos=1 if v5 else 0,
        )

    def _online(self, now: int) -> Iterator[Task]:
        """With MQTT 3.1.1 what is retained is cleared: "online" would stand there for ever."""
        on = self._now_on
        if not on.online_timer.due(now):
            return
        v5, name = on.limits.version == "5", "availability"
        if not v5 and not on.is_cleared:
            yield self._task("online", name, "first", "", retain=True)
        yield self._task("online", name, "first", ONLINE, retain=v5, lifetime_s=ONLINE_LIFETIME_S)

    def _optional(self, now: int, news: News) -> Iterator[Task]:
        on = self._now_on
        yield from self._notifications(news)
        if on.health_timer.due(now) or news.faults != on.sent[1]:
            yield self._task(
                "health", "health", "main", news.health(), retain=True, lifetime_s=HEALTH_LIFETIME_S
            )
        for payload in list(self._replies):
            yield self._task("reply", "reply", "optional", payload)
        for where in self._announcer.subscriptions:
            yield from self._subscribe(where, "optional")
        for where, payload in self._announcer.due(now):
            message = self._fitting(where, payload, retain=True, lifetime_s=DISCOVERY_LIFETIME_S)
            group = PREFIX if where.startswith(f"{PREFIX}/") else where
            item = Item(group, where, message.size, "optional")
            yield Task("announcement", item, message)

    def _notifications(self, news: News) -> Iterator[Task]:
        """Notifications for other systems, once on each connection; as important as an event."""
        on = self._now_on
        for feed in self._feeds:
            notice = feed.current(news.now[1])
            if notice is not None and notice.key not in on.notified:
                retain = notice.retain and on.limits.version == "5"
                task = self._task(
                    "notification",
                    notice.where,
                    "main",
                    notice.payload,
                    retain=retain,
                    lifetime_s=notice.lifetime_s,
                )
                yield replace(task, notification=notice)

    def _rows(self, lane: _Lane, now: int, rows: int) -> Iterator[Task]:
        again = lane.passed_over_at
        if again is not None and now - again > SKIPPED_AGAIN_AFTER:
            lane.place, lane.passed_over_at = 0, None
        if self._acceptance.is_given_up(self._item(lane.kind, lane.rank, 0), now):
            lane.place = 0
            return
        if rows <= 0:
            return
        for waiting in self._store.oldest(rows, lane.place, lane.kind):
            row = waiting.row
            late = row.boot_id != self._boot_id or now - row.at > HISTORICAL_AFTER_S * NS_PER_S
            payload = with_history(row.payload, late)
            yield self._task("row", lane.kind, lane.rank, payload, waiting=waiting)

    def _lane_of(self, waiting: Waiting) -> _Lane:
        return next(lane for lane in self._lanes if lane.kind == waiting.row.kind)

    def _item(self, name: str, rank: Rank, size: int) -> Item:
        where = topic(self._site, name)
        return Item(where, where, size, rank)

    def _fitting(
        self, where: str, payload: str, *, retain: bool, lifetime_s: int | None, qos: int = 1
    ) -> Outgoing:
        retain = retain and where not in self.without_retain
        return self._now_on.limits.fit(Outgoing(where, payload, retain, lifetime_s, qos))

    def _task(
        self,
        what: What,
        name: str,
        rank: Rank,
        payload: str,
        *,
        retain: bool = False,
        lifetime_s: int | None = None,
        qos: int = 1,
        waiting: Waiting | None = None,
    ) -> Task:
        where = topic(self._site, name)
        message = self._fitting(where, payload, retain=retain, lifetime_s=lifetime_s, qos=qos)
        return Task(what, self._item(name, rank, message.size), message, waiting=waiting)

    def _subscribe(self, where: str, rank: Rank) -> Iterator[Task]:
        if where not in self._now_on.asked:
            words = f"subscription to {where}"
            yield Task("subscription", Item(words, words, len(where), rank), where=where)


def _feeds(site: Site, store: Store) -> list[Feed]:
    """Those that the site file asks for."""
    feeds: list[Feed] = []
    if site.alerts.cap:
        feeds.append(CapFeed(site, store))
    if site.alerts.onvif:
        feeds.append(OnvifFeed(site))
    return feeds
