"""Options of sign, voice and beacon, and of the cabinet's inputs."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from edge.common.text import shown_text, spoken_text
from edge.messages import CAUTION, CLEAR, CRITICAL, CROWDED, NEUTRAL
from edge.site.hub75 import PINS
from edge.site.section import Given, Section, cleaned


def _once(languages: list[str]) -> list[str]:
    if len(set(languages)) < len(languages):
        raise ValueError("a language stands twice; name each once")
    return languages


def _critical_is_spoken(levels: list[str]) -> list[str]:
    if "critical" not in levels:
        raise ValueError("voice.spoken lacks 'critical', which is always spoken; add it")
    return levels


def _hours(begin: str | None, end: str | None, option: str) -> None:
    """Hours that begin when they end would be none, or the whole day: nobody can tell."""
    if begin is not None and begin == end:
        raise ValueError(
            f"{option}_from and {option}_to are both {begin}: no hour lies between them; "
            "change one, or take both out"
        )


def _card_by_name(card: str) -> str:
    if re.search(r"(^|:)(CARD=)?\d", card):
        raise ValueError(
            f"{card!r} names the sound card by its number, which another may have after a start; "
            "name it as `aplay -L` lists it, such as plughw:CARD=Device"
        )
    return card


Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Known = Literal["clear", "caution", "crowded", "critical"]
Spoken = Literal["caution", "crowded", "critical"]
Pattern = Literal["off", "steady", "slow", "fast"]
Percent = Annotated[int, Field(ge=1, le=100)]
Language = Literal["ko", "en", "zh", "ja"]
Languages = Annotated[list[Language], Field(min_length=1, max_length=4), AfterValidator(_once)]
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Text = Annotated[str, Field(min_length=1, max_length=40), cleaned(shown_text)]
Speech = Annotated[str, Field(min_length=1, max_length=400), cleaned(spoken_text)]
GpioPin = Annotated[int, Field(ge=0, le=27)]


class Colours(Section):
    """The colours of the levels' pages: near traffic signals a city may want others."""

    clear: Colour = CLEAR.colour
    caution: Colour = CAUTION.colour
    crowded: Colour = CROWDED.colour
    critical: Colour = CRITICAL.colour


class Sign(Section):
    """The LED panel and the text it shows when nothing is known."""

    panel: Literal["emulator", "hdmi", "piomatter", "recorder", "rgbmatrix"] = "emulator"
    width: Annotated[int, Field(ge=32, le=384)] = 128
    height: Annotated[int, Field(ge=16, le=384)] = 64
    brightness: Percent = 70
    night_brightness: Percent | None = None
    night_from: TimeOfDay | None = None
    night_to: TimeOfDay | None = None
    pixel_pitch_mm: Annotated[float, Field(gt=0, le=50)] | None = None
    viewing_distance_m: Annotated[float, Field(gt=0, le=200)] | None = None
    port: Annotated[int, Field(ge=1024, le=65535)] = 8888
    hdmi_x: Annotated[int, Field(ge=0, le=7680)] = 0
    hdmi_y: Annotated[int, Field(ge=0, le=4320)] = 0
    hardware_mapping: Given = "regular"
    gpio_slowdown: Annotated[int, Field(ge=0, le=8)] = 2
    panel_width: Annotated[int, Field(ge=16, le=128)] = 64
    panel_height: Annotated[int, Field(ge=16, le=64)] = 32
    neutral: Annotated[list[Text], Field(min_length=1, max_length=3)] = list(NEUTRAL.lines)
    neutral_colour: Colour = NEUTRAL.colour
    page_s: Annotated[float, Field(ge=2, le=4)] = 3.0
    colours: Colours = Colours()
    languages: Languages = ["ko", "en", "zh", "ja"]

    @property
    def chains(self) -> int:
        """How many chains of panels run in parallel, one above another."""
        return self.height // self.panel_height

    @model_validator(mode="after")
    def _night_has_hours(self) -> Self:
        _hours(self.night_from, self.night_to, "sign.night")
        return self

    @model_validator(mode="after")
    def _adapter_has_the_chains(self) -> Self:
        """rpi-rgb-led-matrix ends the whole program where it is asked for more."""
        most = len(PINS.get(self.hardware_mapping, ()))
        if self.panel == "rgbmatrix" and 0 < most < self.chains:
            raise ValueError(
                f"sign.hardware_mapping = {self.hardware_mapping!r} takes at most {most} of the "
                f"panels one above another, and a sign {self.height} px high of panels of "
                f"{self.panel_height} px has {self.chains}; take panels as high as the sign, or an "
                'adapter of "regular" wiring'
            )
        return self


class Wording(Section):
    """What a site says in its own words; what is left out stays as shipped (edge/messages.py)."""

    headline: Text | None = None
    action: Text | None = None
    short: Text | None = None
    spoken: Speech | None = None


class Voice(Section):
    """Spoken warnings: "auto" plays where a sound card is, and records where there is none.

    `recordings` is a folder of the city's own: NAME.wav takes the place of that clip. Quiet hours
    silence all but CRITICAL, and the night's volume lowers all but CRITICAL.
    """

    output: Literal["auto", "aplay", "record"] = "auto"
    card: Annotated[Given, AfterValidator(_card_by_name)] = "default"
    clips: Given | None = None
    recordings: Given | None = None
    languages: Languages = ["ko", "en", "zh", "ja"]
    spoken: Annotated[list[Spoken], AfterValidator(_critical_is_spoken)] = [
        "caution",
        "crowded",
        "critical",
    ]
    repeat_s: Annotated[float, Field(ge=5, le=3600)] = 20.0
    quiet_from: TimeOfDay | None = None
    quiet_to: TimeOfDay | None = None
    volume: Percent = 100
    night_volume: Percent | None = None
    night_from: TimeOfDay | None = None
    night_to: TimeOfDay | None = None

    @model_validator(mode="after")
    def _hours_are_whole(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("of voice.quiet_from and voice.quiet_to one is missing; add it")
        hours = (self.night_volume, self.night_from, self.night_to)
        if None in hours and any(value is not None for value in hours):
            raise ValueError(
                "voice.night_volume, voice.night_from and voice.night_to go together; add the rest"
            )
        _hours(self.quiet_from, self.quiet_to, "voice.quiet")
        _hours(self.night_from, self.night_to, "voice.night")
        return self


class Beacon(Section):
    """The lamp on a GPIO pin; where nothing may flash it stands instead.

    `patterns` are the site's own, of some levels.
    """

    output: Literal["none", "gpio", "simulated"] = "simulated"
    pin: GpioPin = 19
    active_high: bool = True
    flashing: bool = True
    patterns: dict[Known, Pattern] = {}


class Contact(Section):
    """One input: its pin, pulled up, and whether it is active when high or when at ground."""

    pin: GpioPin
    active_high: bool = False


class Inputs(Section):
    """Contacts of the cabinet: door (active: open), service button, feedback of the panel's light.

    "simulated" takes an input for active while a file of its name lies in the folder `inputs` of
    the state folder. `lux_file` is the file in which Linux gives what a light sensor measures (its
    in_illuminance_input); the panel's brightness follows it.
    """

    source: Literal["none", "gpio", "simulated"] = "none"
    door: Contact | None = None
    service: Contact | None = None
    light: Contact | None = None
    lux_file: Given | None = None

    @property
    def wired(self) -> dict[str, Contact]:
        """Those there are, by name."""
        named = {"door": self.door, "service": self.service, "light": self.light}
        return {name: contact for name, contact in named.items() if contact is not None}

    @model_validator(mode="after")
    def _source_is_named(self) -> Self:
        if self.wired and self.source == "none":
            raise ValueError('inputs.source is missing; write source = "gpio" or "simulated"')
        return self
