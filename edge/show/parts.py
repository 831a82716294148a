"""Which panel, loudspeaker and pins are used: chosen here, by the site file, and nowhere else."""

import logging
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from edge.common.program import Paths
from edge.show.beacon import Lamp, NoLamp, PinLamp, RecorderLamp
from edge.show.gpio import gpio_factory
from edge.show.inputs import Contacts, FolderContacts, NoContacts, PinContacts
from edge.show.panels import Panel
from edge.show.pins_driver import PinsDriver
from edge.show.voice import AplaySpeaker, RecorderSpeaker, Speaker, has_sound_card
from edge.site import Site

log = logging.getLogger("redroad")


def open_panel(site: Site, paths: Paths) -> Panel:
    """Return the site's panel, ready to show. PanelError says what is wrong and what to do."""
    # Each driver is loaded only where it is configured.
    match site.sign.panel:
        case "recorder":
            from edge.show.panels.recorder import RecorderPanel  # noqa: PLC0415

            return RecorderPanel(paths.state / "panel")
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


def open_speaker(site: Site, paths: Paths) -> Speaker:
    """Return the site's loudspeaker: for "auto" a sound card if there is one, else a recorder."""
    output = site.voice.output
    if output == "auto":
        output = "aplay" if has_sound_card() else "record"
        if output == "record":
            log.info("no sound card found: clips are not played, only recorded as played")
    if output == "aplay":
        return AplaySpeaker(site.voice.card)
    return RecorderSpeaker(paths.state / "voice")


def make_pins_driver(site: Site, paths: Paths) -> PinsDriver:
    """Return the driver of the site's beacon and inputs; nothing is opened yet."""
    factory, lux_file = gpio_of(paths), site.inputs.lux_file
    return PinsDriver(
        partial(open_lamp, site, paths, factory),
        partial(open_contacts, site, paths, factory),
        site.path(lux_file) if lux_file else None,
    )


def gpio_of(paths: Paths) -> Callable[[], Any]:
    """Return what makes the Pi's factory of pins at its first call, and returns it at each."""
    return cache(partial(gpio_factory, paths.runtime / "pins"))


def open_lamp(site: Site, paths: Paths, factory: Callable[[], Any]) -> Lamp:
    """Return the site's beacon, off. BeaconError says what is wrong and what to do."""
    match site.beacon.output:
        case "none":
            return NoLamp()
        case "simulated":
            return RecorderLamp(paths.state)
        case "gpio":
            return PinLamp(site.beacon, factory())


def open_contacts(site: Site, paths: Paths, factory: Callable[[], Any]) -> Contacts:
    """Return the site's inputs. InputError, or BeaconError of the chip, says what is wrong."""
    match site.inputs.source:
        case "none":
            return NoContacts()
        case "simulated":
            return FolderContacts(frozenset(site.inputs.wired), paths.state / "inputs")
        case "gpio":
            return PinContacts(site.inputs, factory())


def clips_folder(site: Site, paths: Paths) -> Path:
    """Return the folder of the spoken warnings' WAV files."""
    return site.path(site.voice.clips) if site.voice.clips else paths.state / "voice"
