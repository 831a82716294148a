"""The program `show`: Orders in; text, voice and light out. Neutral whenever in doubt."""

from edge.clock import boottime_ns
from edge.program import Places, running
from edge.show.operator import OperatorTexts
from edge.show.outputs import PinsOutput, SignOutput, VoiceOutput
from edge.show.player import Player
from edge.site import Site
from edge.wire import Order, Page

TICK_S = 0.06


def run(site: Site, places: Places) -> None:
    """Show until asked to stop."""
    with running("show", places) as program:
        player = Player(neutral_page(site))
        sign = SignOutput(site, program, player.neutral)
        sign.show(player.neutral)  # before anything slow: the sign must not stay dark
        program.ready()
        pins = PinsOutput(site, program)
        voice = VoiceOutput(site, program)
        texts = OperatorTexts(site, program, player.neutral.page)
        while not program.stopping:
            for message in program.receive(TICK_S):
                if isinstance(message, Order):
                    player.take(texts.prepared(message), boottime_ns())
            scene = player.scene(boottime_ns())
            pins.show(scene.beacon)
            sign.show(scene, pins.sees_light, pins.lux)
            voice.follow(scene.order)
            program.facts["message"] = scene.message
            program.alive()
        pins.close()
        voice.close()
        sign.close()


def neutral_page(site: Site) -> Page:
    """The text for when nothing is known."""
    return Page(tuple(site.sign.neutral), site.sign.neutral_colour)
