"""Notifications for other systems, beside the unit's own topics; each kind is a feed."""

from dataclasses import dataclass
from typing import Protocol

from edge.common.wire import State
from edge.report.payloads import Stamp


@dataclass(frozen=True)
class Notification:
    """A message of a feed: `where` is the end of its topic, `key` is its own alone.

    It is retained only where the broker knows an expiry, of `lifetime_s` seconds.
    """

    key: str
    where: str
    payload: str
    lifetime_s: int
    retain: bool


class Feed(Protocol):
    """A kind of notification, made from the state."""

    def follow(self, state: State, stamp: Stamp) -> None:
        """Take in the state as it stands; `stamp` is now."""

    def current(self, stamp: Stamp) -> Notification | None:
        """Return what is to be at the broker now; None where there is nothing."""

    def issued(self, notification: Notification) -> None:
        """Record that it was sent, and may have arrived."""

    def acknowledged(self, notification: Notification) -> None:
        """Record that the broker has it."""
