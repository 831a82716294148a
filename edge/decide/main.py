"""The program `decide`: Sightings in, Orders and States out."""

from edge.common.clock import boottime_ns
from edge.common.errors import CommandError
from edge.common.program import Paths, Program, running
from edge.common.sighting import SIGHTINGS, Sighting
from edge.common.timer import Timer
from edge.common.wire import ORDERS, STATES, Command
from edge.decide.decider import Decider, ZoneTransition
from edge.decide.orders import ORDER_EVERY_S
from edge.site import Site

STATE_EVERY_S = 1.0
TICK_S = 0.2


def run(site: Site, paths: Paths) -> None:
    """Decide until asked to stop."""
    with running("decide", paths, {"watch": SIGHTINGS}) as program:
        decider = Decider(site)
        publisher = _Publisher(program)
        program.ready()
        while not program.stopping:
            for message in program.receive(TICK_S):
                if isinstance(message, Sighting):
                    _report(program, decider.see(message, boottime_ns()))
                    _report_ground(program, decider)
                elif isinstance(message, Command):
                    _follow(program, decider, message)
            _report(program, decider.pass_time(boottime_ns()))
            publisher.publish(decider)
            program.alive()


def _follow(program: Program, decider: Decider, command: Command) -> None:
    try:
        _report(program, decider.follow(command, boottime_ns()))
    except CommandError as error:  # report let it pass, and should not have
        program.fault("commands", f"command {command.id}: {error}")


def _report_ground(program: Program, decider: Decider) -> None:
    """A site without density says why, also where its level is UNKNOWN all along."""
    if decider.ground_fault is None:
        program.recovered("ground")
    else:
        program.fault("ground", f"there is no density: {decider.ground_fault}")


def _report(program: Program, changes: list[ZoneTransition]) -> None:
    for change in changes:
        transition = change.transition
        program.event(
            "transition",
            transition.reason,
            zone=change.zone,
            before=transition.before.name,
            after=transition.after.name,
        )


class _Publisher:
    """Sends the Order on every change and twice a second, the State on change and each second."""

    def __init__(self, program: Program) -> None:
        self._show = program.channel_to("show", ORDERS)
        self._report = program.channel_to("report", STATES)
        self._published: object = None
        self._order_timer = Timer(ORDER_EVERY_S)
        self._state_timer = Timer(STATE_EVERY_S)

    def publish(self, decider: Decider) -> None:
        """Send what is due."""
        now = boottime_ns()
        order = decider.order(now)
        content = (order.message, order.pages, order.notice)
        changed = content != self._published
        if changed or self._order_timer.due(now):
            self._show.send(order)
            self._order_timer.restart(now)
        if changed or self._state_timer.due(now):
            self._report.send(decider.state(now, order.message))
            self._state_timer.restart(now)
        self._published = content
