"""The Raspberry Pi's own pins, by gpiozero on lgpio."""

import importlib
import os
from pathlib import Path
from typing import Any

from edge.common.errors import BeaconError

# The Pi's header by the label of its chip: kernel updates renumber the chips.
CHIP_LABELS = ("pinctrl-rp1", "pinctrl-bcm")
MOST_CHIPS = 32


def gpio_factory(folder: Path) -> Any:
    """Return gpiozero's factory of the Pi's pins. BeaconError when the chip cannot be opened.

    lgpio writes a pipe into `folder`, which is show's own: where others may write, a file could
    have the pipe's place.
    """
    os.environ["LG_WD"] = str(folder)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        lgpio = importlib.import_module("lgpio")  # reads LG_WD when it is loaded
        from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin  # noqa: PLC0415
    except ImportError as error:
        raise BeaconError(
            f"the GPIO pins need lgpio ({error}), which the package for a Pi (arm64) has inside; "
            'on a PC set beacon.output = "none"'
        ) from error
    except OSError as error:  # there is no pipe, then
        raise BeaconError(
            f"lgpio cannot write its pipe into {folder}: {error.strerror}; free that folder"
        ) from error

    class SteadyPin(LGPIOPin):  # type: ignore[misc]
        """An output that has its level from the start: gpiozero's own pin is first driven low."""

        def output_with_state(self, state: bool) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

    chip = find_chip(lgpio)
    try:
        factory = LGPIOFactory(chip=chip)
    except (lgpio.error, OSError, RuntimeError) as error:
        raise BeaconError(
            f"the GPIO chip cannot be opened: {error}; is this user in the group gpio?"
        ) from error
    factory.pin_class = SteadyPin
    return factory


def find_chip(lgpio: Any) -> int:
    """Return the number of the chip with the Pi's header. BeaconError when there is none."""
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
    """The chip's label; empty for one that this user may not open."""
    try:
        handle = lgpio.gpiochip_open(number)
    except lgpio.error:
        return ""
    try:
        return str(lgpio.gpio_get_chip_info(handle)[3])
    finally:
        lgpio.gpiochip_close(handle)
