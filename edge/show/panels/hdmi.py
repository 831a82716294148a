"""LED panels behind a sender card, which takes a part of an HDMI picture: full screen by SDL.

The sign's pixels are shown one to one at an offset, as sender cards want it; the rest is black. On
a unit without a desktop SDL draws by KMS; on one with X or Wayland in a window over everything.
"""

import importlib
import os
from types import ModuleType
from typing import Any

from edge.common.errors import PanelError
from edge.show.panels import PanelFrame
from edge.site.outputs import Sign

NOWHERE = {"dummy", "offscreen"}  # SDL's drivers for tests, which must ask for them by name
# SDL must leave SIGTERM to the program, and the keyboard to the console, where Ctrl-C ends
# `redroad run`; and print nothing on standard output.
QUIET = {
    "SDL_NO_SIGNAL_HANDLERS": "1",
    "SDL_INPUT_LINUX_KEEP_KBD": "1",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
}


class HdmiPanel:
    """A screen that shows the sign at `sign.hdmi_x`, `sign.hdmi_y`."""

    def __init__(self, sign: Sign, library: ModuleType) -> None:
        self._sdl: Any = library
        self._place = (sign.hdmi_x, sign.hdmi_y)
        self._dimmed = [round(value * sign.brightness / 100) for value in range(256)] * 3
        try:
            self._sdl.display.init()
            self._refuse_nowhere()
            self._screen = self._sdl.display.set_mode(
                (0, 0), self._sdl.FULLSCREEN | self._sdl.NOFRAME
            )
            self._sdl.mouse.set_visible(False)
        except self._sdl.error as error:
            raise PanelError(
                f"no screen to draw on: {error}; connect the sender card, and give this user the "
                "groups video and render"
            ) from error
        self._check_size(sign)

    def show(self, frame: PanelFrame) -> None:
        """Show the whole image between two refreshes of the screen."""
        shown = frame.image.point(self._dimmed)
        try:
            picture = self._sdl.image.frombuffer(shown.tobytes(), shown.size, "RGB")
            self._screen.fill((0, 0, 0))
            self._screen.blit(picture, self._place)
            self._sdl.display.flip()
            self._sdl.event.pump()  # a window that takes no events is greyed out as hung
        except self._sdl.error as error:
            raise PanelError(f"the screen refuses the image: {error}; check the cable") from error

    def read_back(self) -> None:
        """Return None: the screen accepts images, and the sender card reports nothing."""

    def close(self) -> None:
        """Release the screen."""
        self._sdl.display.quit()

    def _refuse_nowhere(self) -> None:
        """PanelError without a screen: SDL then draws into nothing, and reports no error."""
        driver = self._sdl.display.get_driver()
        if driver in NOWHERE and os.environ.get("SDL_VIDEODRIVER") != driver:
            self.close()
            raise PanelError(
                "no screen to draw on; connect the sender card before the start, and give this "
                "user the groups video and render"
            )

    def _check_size(self, sign: Sign) -> None:
        wide, high = self._screen.get_size()
        right, low = self._place[0] + sign.width, self._place[1] + sign.height
        if right > wide or low > high:
            self.close()
            raise PanelError(
                f"the sign's {sign.width}x{sign.height} px at {self._place[0]}, {self._place[1]} "
                f"reach beyond the screen's {wide}x{high}; correct sign.hdmi_x, sign.hdmi_y, "
                "sign.width or sign.height"
            )


def open_hdmi(sign: Sign) -> HdmiPanel:
    """Return the screen, ready to show. PanelError when there is none, or it is too small."""
    os.environ.update(QUIET)  # SDL reads its settings from nowhere else
    try:
        return HdmiPanel(sign, importlib.import_module("pygame"))
    except ImportError as error:
        raise PanelError(
            f"the Python module pygame is missing ({error}); run: sudo apt install python3-pygame, "
            "or install redroad-edge with the extra [hdmi]"
        ) from error
