"""The program `show`: Orders in; text, voice and light out. Neutral whenever in doubt."""

import gc

from edge.common.clock import boottime_ns
from edge.common.program import Paths, Program, running
from edge.common.units import seconds
from edge.common.wire import ORDERS, Order, Page
from edge.show.operator import OperatorTexts
from edge.show.outputs import PinsOutput, SignOutput, VoiceOutput
from edge.show.player import Player, Scene, newest_of
from edge.site import Site

TICK_S = 0.06


def run(site: Site, paths: Paths, mistake: str = "") -> None:
    """Show until asked to stop; `mistake` is why another site file serves than the present one."""
    gc.freeze()  # a collection marks what it looks at, and so copies it in each driver's process
    with running("show", paths, {"decide": ORDERS}) as program:
        player = Player(neutral_page(site))
        sign = SignOutput(site, program, player.neutral)
        sign.show(player.neutral)  # before anything slow: the sign must not stay dark
        pins = PinsOutput(site, program)
        pins.show(player.neutral.beacon)  # nor the lamp lit, as a life that was killed may leave it
        program.ready()
        if mistake:
            program.fault("site", f"{mistake}; the last right one serves")
        voice = VoiceOutput(site, program)
        texts = OperatorTexts(site, program, player.neutral.page)
        while not program.stopping:
            orders = [told for told in program.receive(TICK_S) if isinstance(told, Order)]
            if newest := newest_of(orders, boottime_ns()):
                player.take(texts.prepared(newest), boottime_ns())
            scene = player.scene(boottime_ns())
            pins.show(scene.beacon)
            sign.show(scene, pins.sees_light, pins.lux)
            voice.follow(scene.order)
            program.facts["message"] = scene.message
            _tell_age(program, orders[-1:], scene)
            program.alive()
        pins.close()
        voice.close()
        sign.close()


def _tell_age(program: Program, newest: list[Order], scene: Scene) -> None:
    """How old the last picture was (s) when the Order that stands on it was shown."""
    if scene.order is None:
        program.facts.pop("picture_age_s", None)
    for order in newest:
        if order.taken_at is not None:
            age_s = seconds(boottime_ns() - order.taken_at)
            program.facts["picture_age_s"] = round(age_s, 3)


def neutral_page(site: Site) -> Page:
    """The text for when nothing is known."""
    return Page(tuple(site.sign.neutral), site.sign.neutral_colour)
