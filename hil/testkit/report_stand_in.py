"""In report's place: hears programs that run, and tells them that it keeps their events."""

from pathlib import Path

from edge.common.link import Inbox, Sender
from edge.common.wire import COMMANDS, EVENTS, Ack, Event, Message


class ReportStandIn:
    """Without it what they tell would come again every three seconds, and in time end."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self._inbox = Inbox(folder, "report", dict.fromkeys(programs, EVENTS))
        self._ways = {name: Sender(folder, "report", name, COMMANDS) for name in programs}

    def receive(self, timeout_s: float) -> list[Message]:
        """As an inbox does."""
        messages = self._inbox.receive(timeout_s)
        for message in messages:
            if isinstance(message, Event):
                self._ways[message.source].send(Ack((message.id,)))
        return messages
