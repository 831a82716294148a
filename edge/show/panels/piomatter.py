"""LED panels on a Raspberry Pi 5's HUB75 connector, by Adafruit's Piomatter.

hzeller's library cannot drive the Pi 5's pins; this one lets the chip's PIO do it. Written to its
documented API (Geometry, PioMatter, show). It is installed where it is configured, by
`pip install Adafruit-Blinka-Raspberry-Pi5-Piomatter`.
"""

import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from edge.common.errors import PanelError
from edge.show.panels import Caption
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

    def show(self, image: Image.Image, _caption: Caption) -> None:
        """Light the LEDs as in the image, whole, from the next refresh on."""
        self._lit[:] = np.asarray(image.point(self._dimmed))
        try:
            self._matrix.show()
        except (OSError, RuntimeError) as error:  # a TimeoutError, too
            raise PanelError(
                f"the LED panel refuses the image: {error}; check its wiring"
            ) from error

    def read_back(self) -> None:
        """LEDs on HUB75 do not answer."""

    def close(self) -> None:
        """The library lets go of the pins when the object ends."""
        del self._matrix


def open_piomatter(sign: Sign, library: ModuleType | None = None) -> PiomatterPanel:
    """The panel that `sign` describes. PanelError when library or hardware are not as said."""
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
            "Adafruit-Blinka-Raspberry-Pi5-Piomatter"
        ) from error
