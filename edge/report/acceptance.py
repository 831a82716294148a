"""What the broker is known to take, and what was given up for it. Pure.

Some brokers answer a message that they refuse; others (AWS IoT, or any by MQTT 3.1.1) hang up on
it, and one refused message sent again and again would stop all others for ever. So whatever this
broker has not taken before goes alone: when the connection then ends, that message is the suspect.
After some such ends, or one for which the broker names the reason, it is given up by itself and
tried again later.

Messages of one `group` are allowed or denied together (a topic of ours, or Home Assistant's). As
long as nothing of a group was ever taken, the whole group is given up. Later a single topic is; and
where the size may be why, what is smaller still goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edge.common.units import NS_PER_S

Rank = Literal["first", "main", "optional"]

ENDS: dict[Rank, int] = {"first": 3, "main": 3, "optional": 2}  # until a message is given up
ANSWERED_AGAIN_AFTER = 60 * NS_PER_S  # where the broker answers, asking costs one message
HUNG_UP_AGAIN_AFTER: dict[Rank, int] = {  # where it hangs up, it costs a connection
    "first": 60 * NS_PER_S,
    "main": 600 * NS_PER_S,
    "optional": 3600 * NS_PER_S,
}
STEP = 256  # bytes: sizes that differ by less are alike
NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Item:
    """What is judged of a message or subscription: `size` in bytes."""

    group: str
    topic: str
    size: int
    rank: Rank


@dataclass(frozen=True)
class _GivenUp:
    item: Item
    reason: str
    again_at: int
    whole_group: bool

    def holds(self, item: Item) -> bool:
        same = item.topic == self.item.topic and item.size >= self.item.size
        return item.group == self.item.group and (self.whole_group or same)


class Acceptance:
    """Remembers over all connections of this program."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}  # by group: the largest size
        self._ends: dict[str, int] = {}  # by topic: connections that ended at it
        self._given_up: list[_GivenUp] = []
        self._blamed = False

    @property
    def suspects(self) -> bool:
        """Whether a message is suspected of ending connections, and not yet found out."""
        return bool(self._ends)

    def is_suspected(self, items: Sequence[Item]) -> bool:
        """Return whether a connection has ended at this one before."""
        return len(items) == 1 and items[0].topic in self._ends

    def connected(self, now: int) -> None:
        """A connection that nothing of ours is known to have cost: all may be asked anew.

        Its broker may be another one, or its permissions mended.
        """
        if not self._blamed:
            self._given_up = [replace(each, again_at=now) for each in self._given_up]
        self._blamed = False

    def goes_alone(self, item: Item) -> bool:
        """Return whether nothing else may be under way with it."""
        return item.size > self._taken.get(item.group, 0)

    def is_given_up(self, item: Item, now: int) -> bool:
        """Return whether it is not to be sent for the time being."""
        return any(each.holds(item) and now < each.again_at for each in self._given_up)

    def acknowledged(self, item: Item) -> None:
        """Record that the broker acknowledged the item."""
        taken = -(-item.size // STEP) * STEP
        self._taken[item.group] = max(taken, self._taken.get(item.group, 0))
        self._ends.pop(item.topic, None)
        self._given_up = [each for each in self._given_up if not each.holds(item)]

    def refused(self, item: Item, reason: str, now: int, *, by_size: bool = False) -> None:
        """Give up an item that the broker or its limits refused; `by_size`: for its size."""
        self._ends.pop(item.topic, None)
        self._give_up(item, reason, now + ANSWERED_AGAIN_AFTER, by_size=by_size)

    def hung_up(self, under_way: Sequence[Item], reason: str, now: int, *, named: bool) -> None:
        """The connection has ended by the broker's will; `named` when that is about a message."""
        if len(under_way) != 1 or not self.goes_alone(under_way[0]):
            for item in under_way:
                self._taken.pop(item.group, None)
            return
        (item,) = under_way
        self._blamed = True
        self._ends[item.topic] = self._ends.get(item.topic, 0) + 1
        known = any(each.holds(item) for each in self._given_up)
        if named or known or self._ends[item.topic] >= ENDS[item.rank]:
            del self._ends[item.topic]
            again_at = now + HUNG_UP_AGAIN_AFTER[item.rank]
            self._give_up(item, reason, again_at, by_size=item.group in self._taken)

    def words(self) -> str:
        """What is given up, each with topic, size and the broker's reason; empty when nothing is.

        The same from try to try, so that it is reported once.
        """
        found = sorted(self._given_up, key=lambda each: each.item.topic)
        parts = [
            f"{each.item.topic} ({each.item.size} bytes{', and its like' * each.whole_group}): "
            f"{each.reason}"
            for each in found[:NAMED_AT_MOST]
        ]
        if len(found) > NAMED_AT_MOST:
            parts.append(f"and {len(found) - NAMED_AT_MOST} more")
        return "; ".join(parts)

    def _give_up(self, item: Item, reason: str, again_at: int, *, by_size: bool) -> None:
        held = [each for each in self._given_up if each.holds(item)]
        if held:
            self._given_up = [
                replace(each, again_at=again_at) if each in held else each
                for each in self._given_up
            ]
            return
        group = item.topic == item.group or item.group not in self._taken
        self._given_up = [each for each in self._given_up if each.item.topic != item.topic]
        self._given_up.append(_GivenUp(item, reason, again_at, group and not by_size))
