"""The unit's parts, each tried: for as long as no running unit holds them."""

import time
import wave

from edge.commands.check.ports import holder_of
from edge.common.errors import CameraError, PanelError
from edge.common.program import Paths
from edge.common.wire import Level
from edge.decide.orders import pages_of
from edge.messages import NEUTRAL
from edge.show.layout import render
from edge.show.panels import Panel, PanelFrame
from edge.show.parts import gpio_of, open_contacts, open_lamp, open_panel, open_speaker
from edge.show.pins_driver import BLINK_S
from edge.show.voice import AplaySpeaker
from edge.site import Site
from edge.watch.aspect import doubt_of
from edge.watch.cameras.learnt import NAMES, Learnt
from edge.watch.cameras.once import one_frame

CAMERA_WITHIN_S = 15.0  # as long as opening may take over two transports, with its defaults
SILENCE_HZ = 22050
SILENCE_S = 0.1


def camera(site: Site) -> str:
    """It gives a frame."""
    learnt = Learnt()
    frame = one_frame(site, CAMERA_WITHIN_S, learnt)
    if frame is None:
        raise CameraError(
            f"{site.camera.kind} gave no frame in {CAMERA_WITHIN_S:g} s; "
            "check its cable, power and address"
        )
    height, width, _ = frame.pixels.shape
    over = f" over {NAMES[learnt.transport]}" if learnt.transport else ""
    doubts = doubt_of(site.camera, width, height), learnt.doubt
    said = f"{site.camera.kind} gives frames of {width}x{height} px{over}"
    return "; ".join([said, *(doubt for doubt in doubts if doubt)])


def panel(site: Site, paths: Paths) -> str:
    """Show the neutral text, unless a running unit holds the panel."""
    page = pages_of(NEUTRAL, site)[0]
    scratch = Paths(paths.runtime, paths.runtime)  # leave the records of a running unit alone
    panel = _opened(site, scratch)
    try:
        image = render(page, site.sign.width, site.sign.height)
        panel.show(PanelFrame(image, NEUTRAL.name, Level.UNKNOWN, page.lines))
    except OSError as error:
        raise PanelError(
            f"the panel does not take a picture: {error}; check its cable and the section [sign]"
        ) from error
    finally:
        panel.close()
    return f"{site.sign.panel} shows the neutral text"


def _opened(site: Site, scratch: Paths) -> Panel:
    """Return the panel; where another program holds its port, that is named."""
    try:
        return open_panel(site, scratch)
    except PanelError as error:
        if site.sign.panel == "emulator" and (holder := holder_of(site.sign.port)):
            raise PanelError(
                f"port {site.sign.port} is held by {holder}; end that program, or choose another "
                "sign.port"
            ) from error
        raise


def sound(site: Site, paths: Paths) -> str:
    """Play a moment of silence as show plays: a device that is absent, busy or hung refuses it."""
    silence = paths.runtime / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, SILENCE_HZ, 0, "NONE", "not compressed"))
        file.writeframes(bytes(2 * round(SILENCE_HZ * SILENCE_S)))
    speaker = open_speaker(site, Paths(paths.runtime, paths.runtime))
    speaker.play(silence)
    while speaker.busy():  # raises VoiceError for a device that fails, or hangs for 3 s
        time.sleep(0.05)
    real = isinstance(speaker, AplaySpeaker)
    return f"card {site.voice.card!r} plays" if real else "no sound card is used: only recorded"


def beacon(site: Site, paths: Paths) -> str:
    """Switch the lamp on and off, each read back where it is a pin."""
    scratch = Paths(paths.runtime, paths.runtime)
    lamp = open_lamp(site, scratch, gpio_of(scratch))
    try:
        lamp.light(True)
        time.sleep(BLINK_S)
        lamp.light(False)
    finally:
        lamp.close()
    return f"{site.beacon.output}, follows, off"


def inputs(site: Site, paths: Paths) -> str:
    """They can be read."""
    contacts = open_contacts(site, paths, gpio_of(paths))
    try:
        active = contacts.active()
    finally:
        contacts.close()
    states = ", ".join(f"{n} {'active' if n in active else 'idle'}" for n in site.inputs.wired)
    return states or "none are configured"
