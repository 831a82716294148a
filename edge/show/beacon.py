"""The beacon: a lamp on a GPIO pin that stands, flashes or is off.

Off is its safe state, from start to stop. After a SIGKILL, and before the start, the pin floats:
a resistor at the relay's input must pull it to off.
"""

import importlib
import os
from pathlib import Path
from typing import Any, Protocol

from edge.errors import BeaconError
from edge.site.schema import Beacon

OFF = "off"
STEADY = "steady"
# Seconds on and seconds off. Nothing may flash at 3 Hz or faster (WCAG 2.3.1).
FLASHES: dict[str, tuple[float, float]] = {"slow": (0.6, 0.6), "fast": (0.25, 0.25)}
PATTERNS = (OFF, STEADY, *FLASHES)

# The Pi's header by the label of its chip: kernel updates renumber the chips.
CHIP_LABELS = ("pinctrl-rp1", "pinctrl-bcm")
MOST_CHIPS = 32


class Lamp(Protocol):
    """A lamp that follows a pattern by itself."""

    def show(self, pattern: str) -> None:
        """Follow `pattern`, one of PATTERNS. BeaconError when it cannot."""

    def close(self) -> None:
        """Off, and give the pin back."""


class NoLamp:
    """For a sign without a beacon."""

    def show(self, pattern: str) -> None:
        """Check the pattern's name, and that is all."""
        _known(pattern)

    def close(self) -> None:
        """Nothing is held."""


class PinLamp:
    """A lamp on a pin of a gpiozero factory, real or mock."""

    def __init__(self, beacon: Beacon, factory: Any) -> None:
        from gpiozero import LED, GPIOZeroError  # noqa: PLC0415  slow to load: after the first text

        self._errors = (GPIOZeroError, OSError, RuntimeError)
        self._pattern = OFF
        try:
            self._led = LED(
                beacon.pin,
                active_high=beacon.active_high,
                initial_value=False,
                pin_factory=factory,
            )
        except self._errors as error:
            raise BeaconError(
                f"pin {beacon.pin} of the beacon cannot be driven: {error}; "
                "check beacon.pin, and that no other program uses it"
            ) from error

    def show(self, pattern: str) -> None:
        """Change to `pattern`; the same one again goes on undisturbed."""
        if _known(pattern) == self._pattern:
            return
        try:
            self._set(pattern)
        except self._errors as error:
            raise BeaconError(f"the beacon does not take {pattern!r}: {error}") from error
        self._pattern = pattern

    def close(self) -> None:
        """Off, and give the pin back."""
        self._led.off()
        self._led.close()

    def _set(self, pattern: str) -> None:
        if pattern in FLASHES:
            on_s, off_s = FLASHES[pattern]
            self._led.blink(on_s, off_s)
        elif pattern == STEADY:
            self._led.on()
        else:
            self._led.off()


def mock_factory() -> Any:
    """Pins that exist only in memory."""
    from gpiozero.pins.mock import MockFactory  # noqa: PLC0415

    return MockFactory()


def gpio_factory(runtime: Path) -> Any:
    """The Pi's own pins. `runtime`: where lgpio may write the pipe that it insists on."""
    os.environ["LG_WD"] = str(runtime)
    try:
        lgpio = importlib.import_module("lgpio")  # reads LG_WD when it is loaded
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415
    except ImportError as error:
        raise BeaconError(
            f"the beacon needs lgpio ({error}); install Debian's python3-lgpio"
        ) from error
    try:
        return LGPIOFactory(chip=find_chip(lgpio))
    except (lgpio.error, OSError, RuntimeError) as error:
        raise BeaconError(
            f"the GPIO chip cannot be opened: {error}; is this user in the group gpio?"
        ) from error


def find_chip(lgpio: Any) -> int:
    """The number of the chip that bears the Pi's header. BeaconError when there is none."""
    labels = {number: _label(lgpio, number) for number in range(MOST_CHIPS) if _exists(number)}
    for number, label in labels.items():
        if label.startswith(CHIP_LABELS):
            return number
    found = ", ".join(labels.values()) or "no chip at all"
    raise BeaconError(
        f"no GPIO chip is labelled {' or '.join(CHIP_LABELS)} (found: {found}); "
        'is this a Raspberry Pi? Else set beacon.output = "none"'
    )


def _exists(number: int) -> bool:
    return Path(f"/dev/gpiochip{number}").exists()


def _label(lgpio: Any, number: int) -> str:
    """The chip's label; empty for one that we may not open."""
    try:
        handle = lgpio.gpiochip_open(number)
    except lgpio.error:
        return ""
    try:
        return str(lgpio.gpio_get_chip_info(handle)[3])
    finally:
        lgpio.gpiochip_close(handle)


def _known(pattern: str) -> str:
    if pattern not in PATTERNS:
        raise BeaconError(f"beacon pattern {pattern!r} is unknown; one of {', '.join(PATTERNS)}")
    return pattern
