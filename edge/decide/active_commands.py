"""What a control room wants of the sign at the moment, each wish for its time. Pure."""

from edge.common.wire import Action, Command

RELEASED: tuple[Action, ...] = ("hold", "text", "mute")


class ActiveCommands:
    """The newest command of each kind."""

    def __init__(self) -> None:
        self._newest: dict[Action, Command] = {}
        self._released_at = 0

    def take(self, command: Command) -> bool:
        """Follow `command` unless it is repeated, or late; whether it is followed."""
        known = self._newest.get(command.action)
        if known is not None and command.since <= known.since:
            return False
        if command.action in RELEASED and command.since <= self._released_at:
            return False
        self._newest[command.action] = command
        if command.action == "release":
            self._released_at = command.since
            for action in RELEASED:
                self._newest.pop(action, None)
        return True

    def get(self, action: Action, at: int) -> Command | None:
        """The command of this kind that is in force at `at`."""
        command = self._newest.get(action)
        return command if command and command.since <= at < command.until else None

    def in_force(self, at: int) -> tuple[str, ...]:
        """The ids of all that are."""
        return tuple(command.id for action in self._newest if (command := self.get(action, at)))
