"""The control room's commands in force: the newest of each kind, each for its time. Pure."""

from edge.common.wire import Action, Command, Level

RELEASED: tuple[Action, ...] = ("hold", "text", "mute")


class ActiveCommands:
    """The newest command of each kind; times are CLOCK_BOOTTIME ns."""

    def __init__(self) -> None:
        self._newest: dict[Action, Command] = {}
        self._released_at = 0

    def accept(self, command: Command) -> bool:
        """Put `command` in force unless it is repeated, or late; returns whether it was."""
        known = self._newest.get(command.action)
        if known is not None and command.since <= known.since:
            return False
        if command.action in RELEASED and command.since <= self._released_at:
            return False
        self._newest[command.action] = command
        if command.action == "release":
            self._released_at = command.since
            for action in RELEASED:
                if action in self._newest and self._newest[action].since < command.since:
                    del self._newest[action]
        return True

    def get(self, action: Action, at: int) -> Command | None:
        """The command of this kind that is in force at `at`."""
        command = self._newest.get(action)
        return command if command and command.since <= at < command.until else None

    def held(self, at: int) -> Level | None:
        """The level that is held at `at`."""
        hold = self.get("hold", at)
        return None if hold is None else hold.level

    def ended(self, action: Action, after: int, at: int) -> Command | None:
        """The command of this kind whose time ended later than `after`, and not later than `at`."""
        command = self._newest.get(action)
        return command if command and after < command.until <= at else None

    def in_force(self, at: int) -> tuple[str, ...]:
        """The ids of all that are."""
        return tuple(command.id for action in self._newest if (command := self.get(action, at)))
