"""Every panel shows what it was given: one contract for all of them."""

import importlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pygame
import pytest
from PIL import Image, ImageGrab

from edge.common.errors import PanelError
from edge.common.wire import Level, Page
from edge.show.layout import render
from edge.show.panels import Panel, PanelFrame
from edge.show.panels.emulator import EmulatorPanel, led_px
from edge.show.panels.hdmi import open_hdmi
from edge.show.panels.piomatter import open_piomatter
from edge.show.panels.recorder import RecorderPanel
from edge.show.panels.rgbmatrix import open_rgbmatrix
from edge.site.outputs import Sign
from hil.testkit.mosquitto import free_port, wait_for

PAGE = Page(("매우 혼잡", "진입 금지"), "#ff2020")

Opened = tuple[Panel, Callable[[], Image.Image]]


def frame(image: Image.Image) -> PanelFrame:
    return PanelFrame(image, "critical", Level.CRITICAL, PAGE.lines)


def sign() -> Sign:
    return Sign(port=free_port(), brightness=100)


def middles(enlarged: Image.Image, step: int) -> Image.Image:
    """The colour in the middle of every enlarged LED."""
    size = (enlarged.width // step, enlarged.height // step)
    small = Image.new("RGB", size)
    for y in range(size[1]):
        for x in range(size[0]):
            pixel = enlarged.getpixel((x * step + step // 2, y * step + step // 2))
            small.putpixel((x, y), pixel or 0)
    return small


@contextmanager
def recorder(folder: Path) -> Iterator[Opened]:
    panel = RecorderPanel(folder)
    yield panel, lambda: Image.open(folder / "panel.png")
    panel.close()


@contextmanager
def emulator(_folder: Path) -> Iterator[Opened]:
    options = sign()
    panel = EmulatorPanel(options)

    def read() -> Image.Image:
        with urlopen(f"http://127.0.0.1:{options.port}/image", timeout=5) as answer:
            return middles(Image.open(io.BytesIO(answer.read())), led_px(options.width))

    yield panel, read
    panel.close()


class FakeCanvas:
    def __init__(self, size: tuple[int, int]) -> None:
        self.image = Image.new("RGB", size)

    def SetImage(self, image: Image.Image) -> None:  # noqa: N802  the library's name
        self.image.paste(image)


class FakeMatrix:
    """hzeller's documented API, over a picture in memory."""

    last: "FakeMatrix"

    def __init__(self, options: Any) -> None:
        self.options = options
        self.size = (options.cols * options.chain_length, options.rows * options.parallel)
        self.lit = FakeCanvas(self.size)
        FakeMatrix.last = self

    def CreateFrameCanvas(self) -> FakeCanvas:  # noqa: N802
        return FakeCanvas(self.size)

    def SwapOnVSync(self, canvas: FakeCanvas) -> FakeCanvas:  # noqa: N802
        self.lit, canvas = canvas, self.lit
        return canvas


def library() -> ModuleType:
    module = ModuleType("rgbmatrix")
    vars(module).update(RGBMatrix=FakeMatrix, RGBMatrixOptions=SimpleNamespace)
    return module


@contextmanager
def rgbmatrix(_folder: Path) -> Iterator[Opened]:
    panel = open_rgbmatrix(Sign(), library())
    matrix = FakeMatrix.last
    yield panel, lambda: matrix.lit.image
    panel.close()


HEADLESS = {
    "pixel_outline": 0,
    "pixel_size": 1,
    "pixel_style": "square",
    "pixel_glow": 0,
    "display_adapter": "raw",
    "allow_adapter_fallback": False,
    "icon_path": None,
    "emulator_title": None,
    "log_level": "error",
    "browser": {},
}


@contextmanager
def emulated_rgbmatrix(folder: Path) -> Iterator[Opened]:
    """The driver of HUB75 panels on RGBMatrixEmulator in the place of hzeller's library."""
    (folder / "emulator_config.json").write_text(json.dumps(HEADLESS), encoding="utf-8")
    with chdir(folder):
        emulated = importlib.import_module("RGBMatrixEmulator")
        panel = open_rgbmatrix(Sign(brightness=100), emulated)
        adapter = panel._matrix.canvas.display_adapter
        yield panel, lambda: Image.fromarray(adapter._last_frame())
        panel.close()


class FakePioMatter:
    """Piomatter's documented API, over a picture in memory: what shows is what stood at show()."""

    last: "FakePioMatter"

    def __init__(self, *, colorspace: str, pinout: str, framebuffer: Any, geometry: Any) -> None:
        assert framebuffer.shape == (geometry.height, geometry.width, 3)
        assert 2 << geometry.n_addr_lines <= geometry.height
        self.used = (colorspace, pinout)
        self._framebuffer = framebuffer
        self.lit = Image.new("RGB", (geometry.width, geometry.height))
        FakePioMatter.last = self

    def show(self) -> None:
        self.lit = Image.fromarray(self._framebuffer.copy())


def pi5_library() -> ModuleType:
    module = ModuleType("adafruit_blinka_raspberry_pi5_piomatter")
    names = SimpleNamespace(
        Normal=0, RGB888Packed="rgb", AdafruitMatrixBonnet="bonnet", Active3="active3"
    )
    vars(module).update(
        PioMatter=FakePioMatter,
        Geometry=SimpleNamespace,
        Orientation=names,
        Colorspace=names,
        Pinout=names,
    )
    return module


@contextmanager
def piomatter(_folder: Path) -> Iterator[Opened]:
    panel = open_piomatter(Sign(brightness=100), pi5_library())
    matrix = FakePioMatter.last
    assert matrix.used == ("rgb", "active3")
    yield panel, lambda: matrix.lit
    panel.close()


def screen_surface() -> pygame.Surface:
    screen = pygame.display.get_surface()
    assert screen is not None
    return screen


@contextmanager
def hdmi(_folder: Path) -> Iterator[Opened]:
    """Without a screen: SDL draws into memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDL_VIDEODRIVER", "dummy")
        options = Sign(brightness=100, hdmi_x=40, hdmi_y=16)
        panel = open_hdmi(options)
        screen = screen_surface()

        def read() -> Image.Image:
            whole = Image.frombytes("RGB", screen.get_size(), pygame.image.tobytes(screen, "RGB"))
            return whole.crop((40, 16, 40 + options.width, 16 + options.height))

        yield panel, read
        panel.close()


@pytest.mark.parametrize(
    "kind",
    [recorder, emulator, rgbmatrix, emulated_rgbmatrix, piomatter, hdmi],
    ids=lambda kind: kind.__name__,
)
def test_what_was_sent_can_be_read_back_also_when_it_was_opened_anew(
    kind: Any, tmp_path: Path
) -> None:
    for _ in range(2):  # as after a failure
        with kind(tmp_path) as (panel, read):
            for page in (PAGE, Page(("CLEAR",), "#00d060"), PAGE):
                image = render(page, 128, 64)
                panel.show(frame(image))
                assert read().convert("RGB").tobytes() == image.tobytes()
                back = panel.read_back()
                assert back is None or back.tobytes() == image.tobytes()


def test_the_recorder_notes_changes_only(tmp_path: Path) -> None:
    panel = RecorderPanel(tmp_path)
    for _ in range(3):
        panel.show(frame(render(PAGE, 128, 64)))
    assert len((tmp_path / "panel.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_the_emulator_leaves_signals_and_the_working_folder_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import signal

    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    EmulatorPanel(sign()).close()
    assert signal.getsignal(signal.SIGTERM) is before
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_named() -> None:
    options = sign()
    first = EmulatorPanel(options)
    with pytest.raises(PanelError, match=rf"port {options.port}.*sign\.port"):
        EmulatorPanel(options)
    first.close()


def test_the_page_shows_the_panel_in_a_browser(tmp_path: Path) -> None:
    chromium = next((p for p in ("/usr/bin/chromium",) if os.access(p, os.X_OK)), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    options = sign()
    panel = EmulatorPanel(options)
    image = render(PAGE, 128, 64)
    panel.show(frame(image))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://localhost:{options.port}/")
        page.wait_for_function(
            f"document.getElementById('liveImg').width == {128 * led_px(128)}", timeout=10_000
        )
        data = page.evaluate("document.getElementById('liveImg').toDataURL('image/png')")
        browser.close()
    panel.close()
    with urlopen(data) as picture:
        seen = middles(Image.open(io.BytesIO(picture.read())).convert("RGB"), led_px(128))
    assert seen.tobytes() == image.tobytes()


def test_a_missing_library_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rgbmatrix", None)
    with pytest.raises(PanelError, match=r"rgbmatrix is missing.*build"):
        open_rgbmatrix(Sign())


def test_a_unit_without_pygame_says_which_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(
        PanelError, match=r"pygame is missing.*apt install python3-pygame.*\[hdmi\]"
    ):
        open_hdmi(Sign())


def test_a_pi_5_without_its_library_says_what_to_do() -> None:
    with pytest.raises(PanelError, match=r"Piomatter is missing.*pip install"):
        open_piomatter(Sign())
    with pytest.raises(PanelError, match=r"'classic' is unknown to a Pi 5"):
        open_piomatter(Sign(hardware_mapping="classic"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Sign(hardware_mapping="homemade"), "'homemade' is unknown; one of regular"),
        (Sign(width=100), "100 x 64 px cannot be made of panels of 64 x 32"),
    ],
)
def test_unknown_hardware_stops_with_a_message(options: Sign, words: str) -> None:
    with pytest.raises(PanelError, match=words):
        open_rgbmatrix(options, library())


@contextmanager
def virtual_screen(folder: Path, size: str) -> Iterator[str]:
    """A real X server without a monitor; its DISPLAY."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb on this machine")
    number = folder / "display"
    with number.open("w") as told:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(told.fileno()), "-screen", "0", f"{size}x24", "-nocursor"],
            pass_fds=[told.fileno()],
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: number.read_text() != "", 20, "the virtual screen is there")
            yield f":{number.read_text().strip()}"
        finally:
            server.terminate()
            server.wait(10)


def screen_shows(display: str, image: Image.Image) -> bool:
    """Whether the whole screen is the image at its place on black."""
    expected = Image.new("RGB", (800, 600))
    expected.paste(image, (100, 50))
    return ImageGrab.grab(xdisplay=display).convert("RGB").tobytes() == expected.tobytes()


def test_a_screen_shows_the_sign_pixel_by_pixel_at_its_place_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with virtual_screen(tmp_path, "800x600") as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
        options = Sign(brightness=100, hdmi_x=100, hdmi_y=50)
        panel = open_hdmi(options)
        for page in (Page(("CLEAR",), "#00d060"), PAGE):
            image = render(page, options.width, options.height)
            panel.show(frame(image))
            wait_for(partial(screen_shows, display, image), 5, "the screen shows the page")
        panel.close()


def test_brightness_dims_what_a_screen_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    panel = open_hdmi(Sign(brightness=50))
    panel.show(frame(Image.new("RGB", (128, 64), (200, 100, 0))))
    assert screen_surface().get_at((3, 3))[:3] == (100, 50, 0)
    panel.close()


def test_a_sign_beyond_the_screen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with pytest.raises(PanelError, match=r"128x64 px at 7000, 0 reach beyond .*sign\.hdmi_x"):
        open_hdmi(Sign(hdmi_x=7000))


def test_without_a_screen_sdl_does_not_draw_into_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to itself SDL takes its driver for tests where it finds no screen."""
    if list(Path("/dev/dri").glob("card*")):
        pytest.skip("this machine has a screen")
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(PanelError, match=r"no screen to draw on.*connect the sender card"):
        open_hdmi(Sign())


def test_without_a_screen_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "kmsdrm")
    with pytest.raises(PanelError, match=r"no screen to draw on: .*; connect the sender card"):
        open_hdmi(Sign())
