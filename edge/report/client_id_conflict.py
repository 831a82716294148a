"""Whether another unit has our name: it then writes the health that we find at the broker. Pure.

Two clients of one name take the connection from each other. Some brokers say so (reason 142),
some only hang up. But a unit that reconnects finds, retained on its own topic, a health newer
than the last that it sent itself.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec


class _Health(msgspec.Struct):
    """The fields of a health that say when it was sent."""

    time: datetime
    time_valid: bool
    boot_id: str
    at_boot_ns: int


@dataclass
class ClientIdConflict:
    """Remembers when this unit last sent its own health."""

    _last: _Health | None = None
    _last_before: _Health | None = None

    def connected(self) -> None:
        """Begin a connection: any health found now was sent before it."""
        self._last_before = self._last

    def note_sent(self, health: str) -> None:
        """Record this unit's own health (JSON) as it is sent."""
        self._last = msgspec.json.decode(health, type=_Health)

    def is_another(self, health: bytes) -> bool:
        """Return whether this health, found on our topic, was sent by another unit."""
        ours = self._last_before
        try:
            found = msgspec.json.decode(health, type=_Health)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False  # nothing is known of its sender
        if ours is None:
            return False  # of ours before a restart, perhaps
        if found.boot_id == ours.boot_id:
            return found.at_boot_ns > ours.at_boot_ns
        return found.time_valid and ours.time_valid and _is_later(found.time, ours.time)


def _is_later(one: datetime, other: datetime) -> bool:
    return one.tzinfo is not None and other.tzinfo is not None and one > other
