"""The LED panel in a browser tab, by RGBMatrixEmulator; only this machine can open the page.

Three habits of that library are worked around here, with its own classes: on import it writes a
configuration file into the working folder; its server listens to the whole network; and it handles
SIGTERM and SIGINT itself.
"""

import asyncio
import concurrent.futures
import contextlib
import importlib
import logging
import tempfile
import threading
from types import SimpleNamespace
from typing import Any

from edge.common.errors import PanelError
from edge.show.panels import PanelFrame
from edge.show.panels.rgbmatrix import MatrixPanel
from edge.site.outputs import Sign

HOST = "127.0.0.1"
PAGE_WIDTH_PX = 1024
FRAMES_PER_S = 5
OPEN_LIMIT_S = 10.0

log = logging.getLogger("redroad")


def led_px(width: int) -> int:
    """Return how wide an LED is drawn (px), so that a sign `width` LEDs wide fills the page."""
    return max(3, min(8, PAGE_WIDTH_PX // width))


class EmulatorPanel:
    """The panel's page on http://localhost:PORT."""

    def __init__(self, sign: Sign) -> None:
        options = _options(sign)
        adapter = _from("adapters.browser_adapter.adapter").BrowserAdapter(
            sign.width, sign.height, options
        )
        adapter.loaded = True  # _Page serves it
        options.display_adapter = SimpleNamespace(get_instance=lambda *_: adapter)
        self._panel = MatrixPanel(_from("emulation.matrix").RGBMatrix(options=options))
        self._page = _Page(adapter, sign.port)
        log.info("the LED panel is shown on http://localhost:%d", sign.port)

    def show(self, frame: PanelFrame) -> None:
        """Send the image to every open page."""
        self._panel.show(frame)

    def read_back(self) -> None:
        """Return None: a page in a browser cannot be read back."""

    def close(self) -> None:
        """Stop the server."""
        self._page.close()


class _Page:
    """The library's web pages, served by a thread of this class."""

    def __init__(self, adapter: Any, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        opened: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(
            target=self._serve, args=(adapter, port, opened), name="panel page", daemon=True
        )
        self._thread.start()
        try:
            opened.result(OPEN_LIMIT_S)
        except (OSError, TimeoutError) as error:
            raise PanelError(
                f"the panel's page cannot open port {port}: {error}; "
                "end the program that uses it, or choose another sign.port (a service needs the "
                "drop-in emulator.conf)"
            ) from error

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(OPEN_LIMIT_S)

    def _serve(self, adapter: Any, port: int, opened: concurrent.futures.Future[None]) -> None:
        asyncio.set_event_loop(self._loop)
        server_class = _from("adapters.browser_adapter.server").Server
        server_class.instance = None  # the library keeps one for ever, also a closed one
        try:
            server = server_class(adapter).instance
            listener = server.app.listen(port, address=HOST)
        except OSError as error:
            opened.set_exception(error)
            return
        opened.set_result(None)
        self._loop.run_forever()
        server.periodic.stop()
        listener.stop()


def _options(sign: Sign) -> Any:
    """The library's options, all set here: none is read from a file."""
    styles = _from("internal.pixel_style").PixelStyle
    options = SimpleNamespace(
        rows=sign.height,
        cols=sign.width,
        chain_length=1,
        parallel=1,
        pixel_mapper_config="",
        brightness=100,  # a screen is dimmed by its owner; colours stay as sent
        pixel_size=led_px(sign.width),
        pixel_style=styles.CIRCLE,
        pixel_glow=0,
        icon_path=None,
        emulator_title="redroad",
        browser=SimpleNamespace(
            port=sign.port,
            target_fps=FRAMES_PER_S,
            fps_display=False,
            quality=100,
            image_border=True,
            debug_text=False,
            image_format="PNG",  # lossless
        ),
    )
    options.screen = _from("internal.screen").Screen(options)
    return options


def _from(module: str) -> Any:
    """A module of RGBMatrixEmulator, imported in a folder that is removed with its stray file."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return importlib.import_module(f"RGBMatrixEmulator.{module}")


def _is_serious(record: logging.LogRecord) -> bool:
    """Whether a library's log record is a warning or worse; no other is logged."""
    return record.levelno >= logging.WARNING


for name in ("RGBME", "tornado.access"):
    logging.getLogger(name).addFilter(_is_serious)
