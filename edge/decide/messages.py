"""The table of messages: for every level, what the sign shows, says and flashes."""

from dataclasses import dataclass

from edge.site.schema import Site
from edge.wire import Level, Order, Page

# An Order outlives its repetition several times, and is dead well within the 5 s after which the
# sign must be neutral when this program is gone.
ORDER_LIFETIME_S = 3.0
ORDER_EVERY_S = 0.5

GREEN, AMBER, ORANGE, RED = "#00d060", "#ffb000", "#ff6a00", "#ff2020"


@dataclass(frozen=True)
class Message:
    """One row: pages in turn, clips in turn, the beacon's pattern, and its weight among others."""

    name: str
    pages: tuple[Page, ...]
    clips: tuple[str, ...] = ()
    beacon: str = "off"
    priority: int = 0


MESSAGES: dict[Level, Message] = {
    Level.CLEAR: Message(
        "clear",
        (Page(("보행 원활", "CLEAR"), GREEN),),
    ),
    Level.CAUTION: Message(
        "caution",
        (
            Page(("약간 혼잡", "천천히 걸어요"), AMBER),
            Page(("GETTING BUSY", "SLOW DOWN"), AMBER),
        ),
        clips=("caution-ko", "caution-en"),
        beacon="slow",
        priority=1,
    ),
    Level.CROWDED: Message(
        "crowded",
        (
            Page(("혼잡", "우회하세요"), ORANGE),
            Page(("CROWDED", "USE OTHER", "STREETS"), ORANGE),
        ),
        clips=("crowded-ko", "crowded-en"),
        beacon="slow",
        priority=2,
    ),
    Level.CRITICAL: Message(
        "critical",
        (
            Page(("매우 혼잡", "진입 금지"), RED),
            Page(("DANGER", "DO NOT", "ENTER"), RED),
        ),
        clips=("critical-ko", "critical-en"),
        beacon="fast",
        priority=3,
    ),
}


def neutral(site: Site) -> Message:
    """The message for UNKNOWN: it claims nothing about the street."""
    return Message("neutral", (Page(tuple(site.sign.neutral), site.sign.neutral_colour),))


def order_for(level: Level, site: Site, at: int) -> Order:
    """The Order that makes the sign tell `level` from `at` on."""
    message = MESSAGES.get(level) or neutral(site)
    return Order(
        message=message.name,
        level=level,
        pages=message.pages,
        clips=message.clips,
        beacon=message.beacon,
        priority=message.priority,
        issued_at=at,
        lifetime_s=ORDER_LIFETIME_S,
    )
