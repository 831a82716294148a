"""What the broker is known to take, and what was given up for it. Pure.

Some brokers answer a message that they refuse; others (AWS IoT, or any by MQTT 3.1.1) hang up on
it, and one refused message sent again and again would stop all others for ever. So whatever this
broker has not taken before goes alone, and so does what was under way as a connection ended: when
the connection then ends, that message is to blame. After some such ends, or one for which the
broker names the reason, it is given up by itself and tried again later, after growing pauses.

Messages of one `group` are allowed or denied together (a topic of ours, or Home Assistant's). As
long as nothing of a group was ever taken, the whole group is given up. Later a single topic is; and
where the size may be why, what is no larger than the broker has taken still goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from edge.common.units import NS_PER_S

Rank = Literal["first", "main", "optional"]

ENDS: dict[Rank, int] = {"first": 3, "main": 3, "optional": 2}  # until a message is given up
ANSWERED_AGAIN_AFTER = 60 * NS_PER_S  # where the broker answers, asking costs one message
# Where it hangs up, asking costs a connection: the first pause, which doubles up to the longest.
HUNG_UP_AGAIN_AFTER: dict[Rank, int] = {
    "first": 60 * NS_PER_S,
    "main": 600 * NS_PER_S,
    "optional": 3600 * NS_PER_S,
}
HUNG_UP_LONGEST: dict[Rank, int] = {
    "first": 600 * NS_PER_S,
    "main": 3600 * NS_PER_S,
    "optional": 3600 * NS_PER_S,
}
FORGOTTEN_AFTER = 300 * NS_PER_S  # what has not come again by then
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
class _Suspect:
    """Messages of one topic, from this size on, that were under way as connections ended.

    `ends` counts the connections on which nothing else was.
    """

    size: int
    ends: int
    at: int


@dataclass(frozen=True)
class _GivenUp:
    """`above`: larger ones of this topic; None: the whole group."""

    item: Item
    reason: str
    again_at: int
    above: int | None
    tries: int = 0

    def holds(self, item: Item) -> bool:
        if self.above is None:
            return item.group == self.item.group
        return item.topic == self.item.topic and item.size > self.above

    def after_taking(self, item: Item) -> "_GivenUp | None":
        """Return what is still given up once the broker has taken this."""
        if not self.holds(item):
            return self
        if self.above is None or item.size >= self.item.size:
            return None
        return replace(self, above=item.size)


class Acceptance:
    """Remembers over all connections of this program."""

    def __init__(self) -> None:
        self._took: dict[str, int] = {}  # by group: the largest size acknowledged
        self._trusted: dict[str, int] = {}  # by group: up to which size nothing need go alone
        self._suspects: dict[str, _Suspect] = {}  # by topic
        self._given_up: list[_GivenUp] = []
        self._blamed = False

    @property
    def suspects(self) -> bool:
        """Whether a message is suspected of ending connections, and not yet found out."""
        return any(suspect.ends for suspect in self._suspects.values())

    def is_suspected(self, items: Sequence[Item]) -> bool:
        """Return whether a connection has ended at this one before."""
        if len(items) != 1 or (suspect := self._suspects.get(items[0].topic)) is None:
            return False
        return suspect.ends > 0

    def pass_time(self, now: int) -> None:
        """Forget ends that did not come again, and what is not sent any more."""
        self._suspects = {
            topic: suspect
            for topic, suspect in self._suspects.items()
            if now - suspect.at < FORGOTTEN_AFTER
        }
        self._given_up = [each for each in self._given_up if now - each.again_at < FORGOTTEN_AFTER]

    def connected(self, now: int) -> None:
        """A connection that nothing of ours is known to have cost: all may be asked anew.

        Its broker may be another one, or its permissions mended.
        """
        if not self._blamed:
            self._given_up = [replace(each, again_at=now) for each in self._given_up]
        self._blamed = False

    def goes_alone(self, item: Item) -> bool:
        """Return whether nothing else may be under way with it."""
        suspect = self._suspects.get(item.topic)
        if suspect is not None and item.size >= suspect.size:
            return True
        return item.size > self._trusted.get(item.group, 0)

    def is_given_up(self, item: Item, now: int) -> bool:
        """Return whether it is not to be sent for the time being."""
        return any(each.holds(item) and now < each.again_at for each in self._given_up)

    def acknowledged(self, item: Item) -> None:
        """Record that the broker acknowledged the item."""
        self._took[item.group] = max(item.size, self._took.get(item.group, 0))
        trusted = -(-item.size // STEP) * STEP
        self._trusted[item.group] = max(trusted, self._trusted.get(item.group, 0))
        suspect = self._suspects.get(item.topic)
        if suspect is not None and item.size >= suspect.size:
            del self._suspects[item.topic]
        left = [each.after_taking(item) for each in self._given_up]
        self._given_up = [each for each in left if each is not None]

    def refused(self, item: Item, reason: str, now: int, *, by_size: bool = False) -> None:
        """Give up an item that the broker or its limits refused; `by_size`: for its size."""
        self._suspects.pop(item.topic, None)
        whole = not by_size and (item.topic == item.group or item.group not in self._took)
        above = None if whole else item.size - 1
        self._give_up(_GivenUp(item, reason, now + ANSWERED_AGAIN_AFTER, above))

    def hung_up(self, under_way: Sequence[Item], reason: str, now: int, *, named: bool) -> None:
        """The connection has ended by the broker's will; `named` when that is about a message."""
        alone = len(under_way) == 1 and self.goes_alone(under_way[0])
        for item in under_way:
            self._suspect(item, now, ends=int(alone))
            if not alone:
                self._trusted.pop(item.group, None)
        if alone:
            self._blame(under_way[0], reason, now, named=named)

    def spare(self) -> None:
        """Record that the message which cost the connection is to go in another way next."""
        self._blamed = True

    def words(self) -> str:
        """What is given up, each with topic, size and the broker's reason; empty when nothing is.

        The same from try to try, so that it is reported once.
        """
        found = sorted(self._given_up, key=lambda each: each.item.topic)
        parts = []
        for each in found[:NAMED_AT_MOST]:
            like = ", and its like" if each.above is None else ""
            parts.append(f"{each.item.topic} ({each.item.size} bytes{like}): {each.reason}")
        if len(found) > NAMED_AT_MOST:
            parts.append(f"and {len(found) - NAMED_AT_MOST} more")
        return "; ".join(parts)

    def _suspect(self, item: Item, now: int, ends: int) -> None:
        before = self._suspects.get(item.topic, _Suspect(item.size, 0, now))
        size = min(item.size, before.size)
        self._suspects[item.topic] = _Suspect(size, before.ends + ends, now)

    def _blame(self, item: Item, reason: str, now: int, *, named: bool) -> None:
        """Nothing else was under way: give it up once that is certain enough."""
        self._blamed = True
        suspect = self._suspects[item.topic]
        tries = max((each.tries + 1 for each in self._given_up if each.holds(item)), default=0)
        if not (named or tries or suspect.ends >= ENDS[item.rank]):
            return
        del self._suspects[item.topic]
        if not tries:
            item = replace(item, size=suspect.size)
        pause = min(HUNG_UP_AGAIN_AFTER[item.rank] << tries, HUNG_UP_LONGEST[item.rank])
        self._give_up(_GivenUp(item, reason, now + pause, self._bound(item), tries))

    def _bound(self, item: Item) -> int | None:
        """Return the size above which to give up what a broker hung up on; None: its group."""
        took = self._took.get(item.group)
        if took is not None and took < item.size:
            return took  # the size may be why
        return None if took is None or item.topic == item.group else item.size - 1

    def _give_up(self, given_up: _GivenUp) -> None:
        """As before, but for the next try; or anew, in the place of all else of that topic."""
        item, again_at = given_up.item, given_up.again_at
        held = [each for each in self._given_up if each.holds(item)]
        if not held:
            others = [each for each in self._given_up if each.item.topic != item.topic]
            self._given_up = [*others, given_up]
            return
        self._given_up = [
            replace(each, again_at=again_at, tries=given_up.tries) if each in held else each
            for each in self._given_up
        ]
