"""When an alert is sent, updated and cancelled.

An alert begins with the level CRITICAL, is updated while that stands, and cancelled by a lower
level that is seen. What is not seen cancels nothing: at UNKNOWN one update says so, and the alert
then ends by its `expires`. What may have arrived is kept on disk, so that a unit that was restarted
goes on with its alert and cancels it.
"""

import contextlib
from dataclasses import dataclass, replace

import msgspec

from edge.common.units import NS_PER_S, nanoseconds, seconds
from edge.common.wire import Level, State
from edge.report.cap import Envelope, Judgement, Kind, cap_message, identifier, judge, reference
from edge.report.feed import Notification
from edge.report.payloads import Stamp
from edge.report.store import Store
from edge.site import Site

TOPIC = "cap"
NOTE = "alerts:cap"
EXPIRES_AFTER_S = 300.0
RENEWED_EVERY = 120 * NS_PER_S
CHANGED_AT_MOST_EVERY = 30 * NS_PER_S  # certainty and severity may change with each picture
UNSENT_IS_FRESH = 10 * NS_PER_S
UNSEEN_AFTER = 10 * NS_PER_S  # shorter gaps are no news


class _Earlier(msgspec.Struct, frozen=True):
    """A message that may have arrived: how to refer to it, and when it expires (Unix, s)."""

    reference: str
    expires_s: float


@dataclass(frozen=True)
class _Made:
    """The newest message; `until` is boot time (ns), as the wall clock may be set."""

    envelope: Envelope
    judgement: Judgement
    notification: Notification
    until: int
    issued: bool = False

    @property
    def cancels(self) -> bool:
        return self.envelope.kind == "Cancel"

    def is_fresh(self, now: int) -> bool:
        """Return whether it is not sent yet, and still true."""
        return not self.issued and now - self.envelope.stamp.at < UNSENT_IS_FRESH


class CapFeed:
    """The alerts of one site."""

    def __init__(self, site: Site, store: Store) -> None:
        self._site, self._store = site, store
        self._newest: _Made | None = None
        self._earlier: list[_Earlier] = []
        self._restored = False
        self._unseen_since: int | None = None

    def follow(self, state: State, stamp: Stamp) -> None:
        """Make the message that the state asks for, if it is not made yet."""
        self._restore()
        self._forget_expired(stamp)
        if state.level is not Level.UNKNOWN:
            self._unseen_since = None
        elif self._unseen_since is None:
            self._unseen_since = stamp.at
        judgement = judge(state, self._site.levels.critical.rise)
        kind = self._due(state.level, judgement, stamp.at)
        if kind is not None:
            self._make(kind, state, judgement, stamp)

    def current(self, stamp: Stamp) -> Notification | None:
        """Return the newest message while it has not expired."""
        if self._newest is None:
            return None
        left_s = max(1, round(seconds(self._newest.until - stamp.at)))
        return replace(self._newest.notification, lifetime_s=left_s)

    def issued(self, notification: Notification) -> None:
        """Refer to it from now on; after a Cancel there is nothing to refer to."""
        newest = self._newest
        if newest is None or newest.notification.key != notification.key or newest.issued:
            return
        self._newest = replace(newest, issued=True)
        if newest.cancels:
            self._earlier.clear()
        else:
            name = reference(self._site, newest.envelope.stamp)
            self._earlier.append(_Earlier(name, newest.envelope.expires_s))
        kept = msgspec.json.encode(self._earlier).decode() if self._earlier else None
        self._store.note(NOTE, kept)

    def acknowledged(self, notification: Notification) -> None:
        """Nothing follows: it is sent again on the next connection, whose broker may lack it."""

    def _due(self, level: Level, judgement: Judgement, now: int) -> Kind | None:
        """Return the kind of message to be made now."""
        if level is Level.CRITICAL:
            return self._due_at_critical(judgement, now)
        newest = self._newest
        if not self._earlier:
            if newest is not None and not newest.cancels:
                self._newest = None  # nobody has heard of it
            return None
        if level is not Level.UNKNOWN:
            cancelled = newest is not None and newest.cancels and newest.is_fresh(now)
            return None if cancelled else "Cancel"
        unseen = self._unseen_since is not None and now - self._unseen_since >= UNSEEN_AFTER
        if newest is None or newest.cancels or newest.judgement.certainty == "Unknown":
            return None
        return "Update" if unseen else None

    def _due_at_critical(self, judgement: Judgement, now: int) -> Kind | None:
        newest = self._newest
        if newest is not None and not newest.cancels:
            pause = CHANGED_AT_MOST_EVERY if judgement != newest.judgement else RENEWED_EVERY
            recent = newest.issued and now - newest.envelope.stamp.at < pause
            if recent or newest.is_fresh(now):
                return None
        return "Update" if self._earlier else "Alert"

    def _make(self, kind: Kind, state: State, judgement: Judgement, stamp: Stamp) -> None:
        lasts_s = EXPIRES_AFTER_S
        if kind == "Cancel":
            left_s = max(each.expires_s for each in self._earlier) - stamp.wall_s
            lasts_s = min(lasts_s, left_s)
            judgement = judgement if self._newest is None else self._newest.judgement
        references = tuple(each.reference for each in self._earlier)
        envelope = Envelope(kind, stamp, stamp.wall_s + lasts_s, references)
        message = cap_message(self._site, state, envelope, judgement)
        key = identifier(self._site, stamp)
        made = Notification(key, TOPIC, message, round(lasts_s), retain=stamp.time_valid)
        self._newest = _Made(envelope, judgement, made, stamp.at + nanoseconds(lasts_s))

    def _forget_expired(self, stamp: Stamp) -> None:
        self._earlier = [each for each in self._earlier if each.expires_s > stamp.wall_s]
        if self._newest is not None and self._newest.until <= stamp.at:
            self._newest = None

    def _restore(self) -> None:
        """What an earlier run of this program has sent, once the disk can be asked."""
        if self._restored or (notes := self._store.notes(NOTE)) is None:
            return
        self._restored = True
        for text in notes:
            with contextlib.suppress(msgspec.MsgspecError):  # kept by another version of us
                self._earlier[:0] = msgspec.json.decode(text, type=list[_Earlier])
