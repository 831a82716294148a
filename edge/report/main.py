"""The program `report`: States and Events in; outbox and MQTT out."""

from edge.common.program import Paths, running
from edge.common.wire import EVENTS, STATES
from edge.report.reporter import Reporter
from edge.site import Site

TICK_S = 0.2


def run(site: Site, paths: Paths, mistake: str = "") -> None:
    """Report until asked to stop; `mistake` is why not by the present site file."""
    receives_from = {"watch": EVENTS, "decide": STATES, "show": EVENTS}
    with running("report", paths, receives_from) as program:
        reporter = Reporter(site, program)
        program.ready()
        if mistake:
            program.fault("site", f"{mistake}; the last valid one is in use")
        while not program.stopping:
            for message in program.receive(TICK_S):
                reporter.take(message)
            reporter.work()
            program.alive()
        program.ended()
        reporter.close()
