"""LED panels on a Raspberry Pi 5's HUB75 connector, by Adafruit's Piomatter.

hzeller's library cannot drive the Pi 5's pins; this one lets the chip's PIO do it. Written to its
documented API (Geometry, PioMatter, show). It is the extra `piomatter`, installed
where it is configured.
"""

import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np

from edge.common.errors import PanelError
from edge.show.panels import PanelFrame
from edge.show.panels.rgbmatrix import arrangement
from edge.site.outputs import Sign

# sign.hardware_mapping, as for the other library, and the name that this one has for it.
PINOUTS = {
    "regular": "Active3",
    "adafruit-hat": "AdafruitMatrixBonnet",
    "adafruit-hat-pwm": "AdafruitMatrixBonnet",
}


class PiomatterPanel:
    """A panel that shows a shared array of (height, width, 3)."""

    def __init__(self, library: Any, sign: Sign) -> None:
        self._dimmed = [round(value * sign.brightness / 100) for value in range(256)] * 3
        self._lit = np.zeros((sign.height, sign.width, 3), np.uint8)
        geometry = library.Geometry(
            width=sign.width,
            height=sign.height,
            n_addr_lines=round(math.log2(sign.panel_height // 2)),
            rotation=library.Orientation.Normal,
        )
        self._matrix = library.PioMatter(
            colorspace=library.Colorspace.RGB888Packed,
            pinout=getattr(library.Pinout, PINOUTS[sign.hardware_mapping]),
            framebuffer=self._lit,
            geometry=geometry,
        )

    def show(self, frame: PanelFrame) -> None:
        """Light the LEDs as in the image, whole, from the next refresh on."""
        self._lit[:] = np.asarray(frame.image.point(self._dimmed))
        try:
            self._matrix.show()
        except (OSError, RuntimeError) as error:  # a TimeoutError, too
            raise PanelError(
                f"the LED panel refuses the image: {error}; check its wiring"
            ) from error

    def read_back(self) -> None:
        """Return None: LEDs on HUB75 cannot be read back."""

    def close(self) -> None:
        """Release the pins, as the library does when its object ends."""
        del self._matrix


def open_piomatter(sign: Sign, library: ModuleType | None = None) -> PiomatterPanel:
    """Return the panel that `sign` describes. PanelError when library or hardware are missing."""
    arrangement(sign)
    if sign.hardware_mapping not in PINOUTS:
        raise PanelError(
            f"option sign.hardware_mapping = {sign.hardware_mapping!r} is unknown to a Pi 5's "
            f"panel; one of {', '.join(PINOUTS)}"
        )
    try:
        return PiomatterPanel(library or _library(), sign)
    except (RuntimeError, ValueError, OSError) as error:
        raise PanelError(
            f"the LED panel cannot be opened as {sign.hardware_mapping!r}: {error}; "
            "check the section [sign] and the access to /dev/pio0"
        ) from error


def _library() -> ModuleType:
    try:
        return importlib.import_module("adafruit_blinka_raspberry_pi5_piomatter")
    except ImportError as error:
        raise PanelError(
            f"the Python module of Piomatter is missing ({error}); on this Pi 5 run: pip install "
            "Adafruit-Blinka-Raspberry-Pi5-Piomatter (redroad-edge's extra [piomatter])"
        ) from error
