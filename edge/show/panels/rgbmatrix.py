"""LED panels on a Raspberry Pi's HUB75 connector, by hzeller's rpi-rgb-led-matrix.

Its Python module is on no registry: it is built on the Pi from source. Written to the documented
API (RGBMatrix, CreateFrameCanvas, SetImage, SwapOnVSync), which RGBMatrixEmulator shares.
"""

import importlib
from types import ModuleType
from typing import Any

from edge.common.errors import PanelError
from edge.show.panels import PanelFrame
from edge.site.outputs import Sign

# The adapter boards that the library knows by name (its lib/hardware-mapping.c).
HARDWARE = (
    "regular",
    "regular-pi1",
    "adafruit-hat",
    "adafruit-hat-pwm",
    "classic",
    "classic-pi1",
    "compute-module",
)


class MatrixPanel:
    """A panel behind the library's `RGBMatrix`, drawn on a second canvas and swapped whole."""

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix
        self._canvas = matrix.CreateFrameCanvas()

    def show(self, frame: PanelFrame) -> None:
        """Swap the image in between two refreshes, so that no text is half drawn."""
        try:
            self._canvas.SetImage(frame.image)
            self._canvas = self._matrix.SwapOnVSync(self._canvas)
        except (RuntimeError, ValueError, TypeError) as error:
            raise PanelError(
                f"the LED panel refuses the image: {error}; check its wiring"
            ) from error

    def read_back(self) -> None:
        """Return None: LEDs on HUB75 cannot be read back."""

    def close(self) -> None:
        """Release the pins, as the library does when its object ends."""
        del self._canvas, self._matrix


def open_rgbmatrix(sign: Sign, library: ModuleType | None = None) -> MatrixPanel:
    """Return the panel that `sign` describes. PanelError when library or hardware are missing."""
    chain, parallel = arrangement(sign)
    library = library or _library()
    options = library.RGBMatrixOptions()
    options.rows, options.cols = sign.panel_height, sign.panel_width
    options.chain_length, options.parallel = chain, parallel
    options.hardware_mapping = sign.hardware_mapping
    options.gpio_slowdown = sign.gpio_slowdown
    options.brightness = sign.brightness
    options.drop_privileges = False  # the unit runs without privileges from the start
    try:
        return MatrixPanel(library.RGBMatrix(options=options))
    except (RuntimeError, ValueError, OSError) as error:
        raise PanelError(
            f"the LED panel cannot be opened as {sign.hardware_mapping!r}: {error}; "
            "check the section [sign] and the access to /dev/gpiomem"
        ) from error


def arrangement(sign: Sign) -> tuple[int, int]:
    """Return how many panels are chained, and how many chains run in parallel.

    PanelError when the site file's sizes do not make whole panels.
    """
    if sign.hardware_mapping not in HARDWARE:
        raise PanelError(
            f"option sign.hardware_mapping = {sign.hardware_mapping!r} is unknown; "
            f"one of {', '.join(HARDWARE)}"
        )
    if sign.width % sign.panel_width or sign.height % sign.panel_height:
        raise PanelError(
            f"a sign of {sign.width} x {sign.height} px cannot be made of panels of "
            f"{sign.panel_width} x {sign.panel_height} px; correct the section [sign]"
        )
    return sign.width // sign.panel_width, sign.chains


def _library() -> ModuleType:
    try:
        return importlib.import_module("rgbmatrix")
    except ImportError as error:
        raise PanelError(
            f"the Python module rgbmatrix is missing ({error}); build rpi-rgb-led-matrix with its "
            'Python bindings on this Pi, or set sign.panel = "emulator"'
        ) from error
