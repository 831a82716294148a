"""What Home Assistant is to know of us, and what it is to forget.

Every entity is announced at each connection, when Home Assistant begins (its birth message) and
when someone has deleted the device there. What is gone is withdrawn, by an empty message in its
place: what this unit announced itself before its site file changed stands in a note on its disk,
and what another unit in this place has announced is found at the broker, where it is retained.
"""

import json
import random
from collections.abc import Iterator

from edge.common.units import NS_PER_S
from edge.report.cap_feed import TOPIC as CAP
from edge.report.homeassistant import (
    BIRTH,
    BORN,
    discovery,
    discovery_topic,
    first_discovery_topic,
)
from edge.report.machine import has_thermometer
from edge.report.payloads import RETAINED, topic
from edge.report.store import Store
from edge.site import Site

NOTE = "retained"
# All units of a city are asked at once; and Home Assistant wants to be ready.
AGAIN_WITHIN_S = (1.0, 5.0)
RENEWED_EVERY = 6 * 3600 * NS_PER_S  # before it expires at the broker


class Announcer:
    """Knows which retained messages are to be sent; an empty one withdraws."""

    def __init__(self, site: Site, store: Store) -> None:
        self._site, self._store = site, store
        self._wanted: dict[str, str] = {}
        if site.upstream.home_assistant:
            self._wanted = discovery(site, thermometer=has_thermometer())
        retained = (*RETAINED, CAP) if site.alerts.cap else RETAINED
        self._own = {topic(site, name) for name in retained}
        self._pending: dict[str, str] = {}
        self._remembered: set[str] | None = None
        self._begin_at: int | None = None

    @property
    def subscriptions(self) -> tuple[str, str]:
        """Topics to subscribe to: Home Assistant's birth, and announcements under our topics."""
        return BIRTH, discovery_topic(self._site, "+", "+")

    def connected(self) -> None:
        """Make every entity due for announcement, and note what will be retained before it is."""
        self._recall()
        self._begin_at = 0

    def hear(self, where: str, payload: str, now: int, *, retained: bool) -> None:
        """Process a received message of one of its subscriptions."""
        if where == BIRTH:
            if payload == BORN and not retained:
                self._soon(now)
        elif payload and where not in self._wanted:
            self._pending[where] = ""
        elif not payload and where in self._wanted:
            self._soon(now)

    def due(self, now: int) -> Iterator[tuple[str, str]]:
        """Topics and payloads, of what is gone first."""
        if self._begin_at is not None and now >= self._begin_at:
            self._begin(now)
        yield from sorted(self._pending.items(), key=lambda each: (each[1] != "", len(each[1])))

    def done(self, where: str, payload: str) -> None:
        """Record that the broker acknowledged this announcement."""
        if self._pending.get(where) == payload:
            del self._pending[where]
        if not payload and self._remembered is not None and where in self._remembered:
            self._keep(self._remembered - {where})

    def _begin(self, now: int) -> None:
        self._begin_at = now + RENEWED_EVERY
        gone = self._recall()
        self._pending = {**self._pending, **dict.fromkeys(gone, ""), **self._wanted}

    def _recall(self) -> set[str]:
        """Return what stands retained of us and has no place any more; and note what will."""
        if self._remembered is None:
            notes = self._store.notes(NOTE)
            if notes is None:
                return set()  # the disk cannot be asked: the next connection will
            kept = {name for text in notes for name in json.loads(text)}
            self._remembered = kept or {first_discovery_topic(self._site)}
        ours = self._own | set(self._wanted)
        if not ours <= self._remembered:
            self._keep(self._remembered | ours)
        return self._remembered - ours

    def _keep(self, topics: set[str]) -> None:
        self._remembered = topics
        self._store.note(NOTE, json.dumps(sorted(topics)))

    def _soon(self, now: int) -> None:
        self._begin_at = now + round(random.uniform(*AGAIN_WITHIN_S) * NS_PER_S)
