"""The program `show`: Orders in; text, voice and light out. Neutral whenever in doubt."""

import gc

from edge.common.clock import boottime_ns
from edge.common.program import Paths, Program, running
from edge.common.units import seconds
from edge.common.wire import ORDERS, Order, Page
from edge.show.operator import OperatorTexts
from edge.show.outputs import PinsOutput, SignOutput, VoiceOutput
from edge.show.player import Player, SignContent, newest_of
from edge.site import Site

TICK_S = 0.06


def run(site: Site, paths: Paths, mistake: str = "") -> None:
    """Show Orders until SIGTERM or SIGINT.

    `mistake` says why the last valid site file is used; empty where the present one is.
    """
    gc.freeze()  # a collection marks what it looks at, and so copies it in each driver's process
    with running("show", paths, {"decide": ORDERS}) as program:
        player = Player(neutral_page(site))
        sign = SignOutput(site, program, player.neutral)
        sign.show(player.neutral)  # before anything slow: the sign must not stay dark
        pins = PinsOutput(site, program)
        pins.show(player.neutral.beacon)  # nor the lamp lit, as a killed process may leave it
        program.ready()
        if mistake:
            program.fault("site", f"{mistake}; the last valid one is in use")
        voice = VoiceOutput(site, program)
        texts = OperatorTexts(site, program)
        while not program.stopping:
            orders = [each for each in program.receive(TICK_S) if isinstance(each, Order)]
            if newest := newest_of(orders, boottime_ns()):
                player.follow(texts.prepared(newest), boottime_ns())
            content = player.content(boottime_ns())
            pins.show(content.beacon)
            sign.show(content, pins.sees_light, pins.lux)
            voice.follow(content.order)
            program.facts["message"] = content.message
            _report_age(program, orders[-1:], content)
            program.alive()
        pins.close()
        voice.close()
        sign.close()


def _report_age(program: Program, newest: list[Order], content: SignContent) -> None:
    """Report how old (s) the newest picture behind the Order was when the Order was shown."""
    if content.order is None:
        program.facts.pop("picture_age_s", None)
    for order in newest:
        if order.taken_at is not None:
            age_s = seconds(boottime_ns() - order.taken_at)
            program.facts["picture_age_s"] = round(age_s, 3)


def neutral_page(site: Site) -> Page:
    """Return the site's neutral text, for when nothing is known."""
    return Page(tuple(site.sign.neutral), site.sign.neutral_colour)
