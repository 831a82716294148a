"""Which panel, loudspeaker and beacon serve: chosen here, by the site file, and nowhere else."""

import logging
from pathlib import Path

from edge.program import Places
from edge.show.beacon import Lamp, NoLamp, PinLamp, gpio_factory, mock_factory
from edge.show.panels import Panel
from edge.show.voice import AplaySpeaker, RecorderSpeaker, Speaker, has_sound_card
from edge.site import Site

log = logging.getLogger("redroad")


def open_panel(site: Site, places: Places) -> Panel:
    """The site's panel, ready to show. PanelError says what is wrong and what to do."""
    # Each driver is loaded only where it is configured.
    match site.sign.panel:
        case "recorder":
            from edge.show.panels.recorder import RecorderPanel  # noqa: PLC0415

            return RecorderPanel(places.state / "panel")
        case "hdmi":
            from edge.show.panels.hdmi import open_hdmi  # noqa: PLC0415

            return open_hdmi(site.sign)
        case "rgbmatrix":
            from edge.show.panels.rgbmatrix import open_rgbmatrix  # noqa: PLC0415

            return open_rgbmatrix(site.sign)
        case "piomatter":
            from edge.show.panels.piomatter import open_piomatter  # noqa: PLC0415

            return open_piomatter(site.sign)
        case "emulator":
            from edge.show.panels.emulator import EmulatorPanel  # noqa: PLC0415

            return EmulatorPanel(site.sign)


def open_speaker(site: Site, places: Places) -> Speaker:
    """The site's loudspeaker."""
    output = site.voice.output
    if output == "auto":
        output = "aplay" if has_sound_card() else "record"
        if output == "record":
            log.info("no sound card found: clips are not heard, only recorded as played")
    if output == "aplay":
        return AplaySpeaker(site.voice.card)
    return RecorderSpeaker(places.state / "voice")


def open_lamp(site: Site, places: Places) -> Lamp:
    """The site's beacon, off. BeaconError says what is wrong and what to do."""
    if site.beacon.output == "none":
        return NoLamp()
    if site.beacon.output == "simulated":
        return PinLamp(site.beacon, mock_factory())
    return PinLamp(site.beacon, gpio_factory(places.runtime))


def clips_folder(site: Site, places: Places) -> Path:
    """Where the WAV files of the spoken warnings lie."""
    return site.path(site.voice.clips) if site.voice.clips else places.state / "voice"
