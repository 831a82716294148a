"""Commands from upstream: judged, remembered by id, passed on while they stand, answered.

The same id is followed once, however often it arrives and whatever restarts in between: what was
answered is kept on disk until the command could not be followed any more, and given again.
"""

from dataclasses import dataclass, replace

import msgspec

from edge.common.clock import boottime_ns, time_synchronised, wall_s
from edge.common.errors import CommandError
from edge.common.program import PROGRAMS, Program
from edge.common.timer import Timer
from edge.common.units import NS_PER_S
from edge.common.wire import COMMANDS, Action, Command, Level
from edge.report.requests import (
    Answer,
    ControlRequest,
    Received,
    ReportRequest,
    TestRequest,
    TextRequest,
    command_of,
    id_in,
    parse,
)
from edge.report.store import Store
from edge.site import Site
from edge.site.command_limits import LONGEST_COMMAND_S, refuse_beyond_limits

AGAIN_EVERY_S = 1.0  # decide may have restarted: commands in force are sent again
EXPIRES_AT_MOST_S = 300.0
REMEMBERED_AT_MOST = 1000
TOLD_A_MINUTE = 60
RELEASED: tuple[Action, ...] = ("hold", "text", "mute")


@dataclass(frozen=True)
class _Remembered:
    """A command as it came, its answer, and when it may be forgotten (Unix, s).

    It stands until another took its place, or its time is over.
    """

    name: str
    payload: str
    answer: Answer
    until_s: float
    stands: bool = True


class Commander:
    """Follows commands for one unit."""

    def __init__(self, site: Site, program: Program, store: Store) -> None:
        self._site, self._program, self._store = site, program, store
        self._ways = {name: program.channel_to(name, COMMANDS) for name in PROGRAMS}
        self._standing: dict[Action, Command] = {}
        self._remembered: dict[str, _Remembered] = {}
        self._again = Timer(AGAIN_EVERY_S)
        self._last_since = 0
        self._told_in = (0, 0)  # the minute, and how many events were reported in it
        self._restored = False

    def take(self, received: Received, level: Level) -> Answer:
        """Follow or refuse a command while the sign shows `level`; return the answer to send."""
        self._restore()
        name = received.name
        try:
            asked = parse(name, received.payload)
            if (known := self._remembered.get(asked.id)) is not None:
                return self._known(known, received)
            self._judge(asked, received, level)
            answer = self._follow(name, asked)
        except CommandError as error:
            return self._reply(Answer(id_in(received.payload), name[:40], False, str(error)))
        self._remember(asked, received, answer)
        return self._reply(answer)

    def refuse_shown(self, name: str, reason: str) -> Answer | None:
        """Take back a text that was accepted and that the sign cannot show; the answer to send.

        None where that was answered before, or nothing is known of the command.
        """
        kept = self._remembered.get(name)
        if kept is None or not kept.answer.accepted:
            return None
        answer = replace(kept.answer, accepted=False, reason=reason)
        self._keep(replace(kept, answer=answer, stands=False))
        for action, command in list(self._standing.items()):
            if command.id == name:
                del self._standing[action]
        return answer

    def work(self, now: int) -> None:
        """Send each command in force again every second until it expires; `now`: boot time, ns."""
        self._restore()
        if not self._again.restart_if_due(now):
            return
        for action, command in list(self._standing.items()):
            if now >= command.until:
                del self._standing[action]
            else:
                self._pass_on(command)
        self._forget(wall_s(now))

    def _judge(self, asked: ControlRequest, received: Received, level: Level) -> None:
        """CommandError for what is sound by itself, but may not be followed now."""
        left_s = asked.expires.timestamp() - wall_s(boottime_ns())
        if received.retained:
            raise CommandError("a command must not be retained; send it once more without")
        if not self._time_valid():
            raise CommandError(
                "this unit's clock is not synchronised: it cannot tell whether this is late"
            )
        if left_s <= 0:
            raise CommandError(f"late: it expired {-left_s:.0f} s ago; send a new one")
        if left_s > EXPIRES_AT_MOST_S:
            raise CommandError(
                f"it expires in {left_s:.0f} s, must be at most {EXPIRES_AT_MOST_S:.0f} s"
            )
        if len(self._remembered) >= REMEMBERED_AT_MOST:
            raise CommandError(f"more than {REMEMBERED_AT_MOST} commands at once; send fewer")
        if isinstance(asked, TestRequest) and level >= Level.CAUTION:
            raise CommandError(f"the sign tells {level.name}, which a test must not interrupt")

    def _follow(self, name: str, asked: ControlRequest) -> Answer:
        if isinstance(asked, ReportRequest):
            return Answer(asked.id, name, True, "state and health follow")
        command = self._command(asked)
        refuse_beyond_limits(command, self._site)
        self._stand(command)
        self._pass_on(command)
        lasts_s = (command.until - command.since) / NS_PER_S
        reason = f"stands for {lasts_s:.0f} s, and then ends by itself"
        if isinstance(asked, TextRequest):
            reason += "; beside the level's words, and at CRITICAL it waits"
        return Answer(asked.id, name, True, reason)

    def _command(self, asked: ControlRequest) -> Command:
        """From now on, and later than every earlier one."""
        self._last_since = max(boottime_ns(), self._last_since + 1)
        return command_of(asked, self._last_since, wall_s(self._last_since))

    def _stand(self, command: Command) -> None:
        """In the place of the one before; a release in the place of all that it ends."""
        for action in (command.action, *(RELEASED if command.action == "release" else ())):
            ended = self._standing.pop(action, None)
            if ended is not None and (kept := self._remembered.get(ended.id)) is not None:
                self._keep(replace(kept, stands=False))
        self._standing[command.action] = command

    def _pass_on(self, command: Command) -> None:
        for name in PROGRAMS if command.action == "log" else ("decide",):
            self._ways[name].send(command)

    def _known(self, known: _Remembered, received: Received) -> Answer:
        """Return the same answer again; another command by the same id is refused."""
        if (known.name, known.payload) == (received.name, received.payload.decode()):
            return known.answer
        reason = f"id {known.answer.id!r} was another command's; give each its own"
        return self._reply(Answer(known.answer.id, received.name, False, reason))

    def _reply(self, answer: Answer) -> Answer:
        """Report it as an event, unless there are so many that they would push out others.

        Returns the answer unchanged.
        """
        minute = boottime_ns() // (60 * NS_PER_S)
        self._told_in = (minute, self._told_in[1] + 1 if self._told_in[0] == minute else 1)
        if self._told_in[1] > TOLD_A_MINUTE:
            self._program.fault("commands", f"more than {TOLD_A_MINUTE} came in a minute")
            return answer
        self._program.recovered("commands")
        verdict = "accepted" if answer.accepted else "refused"
        self._program.event(
            "command",
            f"{answer.command} {answer.id or 'without id'} {verdict}: {answer.reason}",
            after=verdict,
        )
        return answer

    def _remember(self, asked: ControlRequest, received: Received, answer: Answer) -> None:
        """Until it is late by itself, or its effect is over."""
        until_s = max(asked.expires.timestamp(), getattr(asked, "until", asked.expires).timestamp())
        self._keep(_Remembered(received.name, received.payload.decode(), answer, until_s))

    def _keep(self, kept: _Remembered) -> None:
        self._remembered[str(kept.answer.id)] = kept
        self._store.note(f"command:{kept.answer.id}", msgspec.json.encode(kept).decode())

    def _forget(self, now_s: float) -> None:
        for name in [name for name, kept in self._remembered.items() if kept.until_s <= now_s]:
            del self._remembered[name]
            self._store.note(f"command:{name}", None)

    def _restore(self) -> None:
        """Restore the commands in force before a restart, once the clock can date their expiry."""
        if self._restored or not self._time_valid():
            return
        if (notes := self._store.notes("command:")) is None:
            return
        self._restored = True
        for text in notes:
            try:
                self._remind(msgspec.json.decode(text, type=_Remembered))
            except (CommandError, msgspec.MsgspecError) as error:  # kept by another version of us
                self._program.fault(
                    "commands", f"a command that was kept is not understood: {error}"
                )

    def _remind(self, kept: _Remembered) -> None:
        self._remembered.setdefault(str(kept.answer.id), kept)
        if kept.stands and kept.name in LONGEST_COMMAND_S and kept.name != "test":
            command = self._command(parse(kept.name, kept.payload.encode()))
            if command.until > command.since:
                self._standing[command.action] = command

    def _time_valid(self) -> bool:
        return time_synchronised(trusted=self._site.site.clock == "trusted")
