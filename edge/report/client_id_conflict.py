"""Whether another unit has our name: it then writes the health that we find at the broker. Pure.

Two clients of one name take the connection from each other. Some brokers say so (reason 142),
some only hang up. But whoever comes back finds, retained in its own place, a health that is newer
than the last that it told itself.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec


class _Told(msgspec.Struct):
    """When a health was told, of all that it has."""

    time: datetime
    time_valid: bool
    boot_id: str
    at_boot_ns: int


@dataclass
class ClientIdConflict:
    """Remembers when we told our own health last."""

    _last: _Told | None = None
    _last_before: _Told | None = None

    def connected(self) -> None:
        """What is found now was told before this connection."""
        self._last_before = self._last

    def tell(self, health: str) -> None:
        """Our own health, as it is sent."""
        self._last = msgspec.json.decode(health, type=_Told)

    def told(self, health: bytes) -> bool:
        """Whether this health, found in our place, is another's."""
        ours = self._last_before
        try:
            found = msgspec.json.decode(health, type=_Told)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False  # of whatever wrote it we know nothing
        if ours is None:
            return False  # of ours before a restart, perhaps
        if found.boot_id == ours.boot_id:
            return found.at_boot_ns > ours.at_boot_ns
        return found.time_valid and ours.time_valid and _is_later(found.time, ours.time)


def _is_later(one: datetime, other: datetime) -> bool:
    return one.tzinfo is not None and other.tzinfo is not None and one > other
