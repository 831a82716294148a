"""Beacon and inputs: on gpiozero's own mock, on its code for lgpio, and simulated."""

import importlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest

from edge.common.errors import BeaconError, InputError, SiteError
from edge.show.beacon import FLASHES, PATTERNS, Lamp, PinLamp, RecorderLamp, is_lit
from edge.show.gpio import gpio_factory
from edge.show.inputs import Contacts, FolderContacts, PinContacts
from edge.show.pins_driver import PinsDriver
from edge.site import load_site
from edge.site.outputs import Beacon, Contact, Inputs

DOOR, SERVICE = 5, 6
WIRED = Inputs(
    source="gpio", door=Contact(pin=DOOR, active_high=True), service=Contact(pin=SERVICE)
)


class FakeLgpio(ModuleType):
    """lgpio's calls over lines in memory, each of whose levels is noted as it is driven."""

    error = OSError
    SET_PULL_NONE, SET_PULL_UP, SET_PULL_DOWN = 1 << 7, 1 << 5, 1 << 6
    BOTH_EDGES, RISING_EDGE, FALLING_EDGE = 3, 1, 2

    def __init__(self, labels: dict[int, str]) -> None:
        super().__init__("lgpio")
        self.labels = labels
        self.opened: list[int] = []
        self.mode: dict[int, int] = {}
        self.level: dict[int, int] = {}
        self.driven: list[tuple[int, int]] = []
        self.stuck: set[int] = set()

    def gpiochip_open(self, number: int) -> int:
        if not self.labels[number]:
            raise OSError("permission denied")
        self.opened.append(number)
        return number

    def gpiochip_close(self, handle: int) -> None:
        self.opened.remove(handle)

    def gpio_get_chip_info(self, handle: int) -> list[object]:
        return [0, 54, f"gpiochip{handle}", self.labels[handle]]

    def gpio_claim_input(self, _handle: int, pin: int, flags: int = 0) -> None:
        self.mode[pin] = flags
        if flags & self.SET_PULL_UP:
            self.level[pin] = 1

    def gpio_claim_output(self, _handle: int, pin: int, level: int = 0) -> None:
        self.mode[pin] = 1 << 1
        self._drive(pin, level)

    def gpio_free(self, _handle: int, pin: int) -> None:
        self.mode.pop(pin, None)

    def gpio_write(self, _handle: int, pin: int, level: int) -> None:
        self._drive(pin, int(level))

    def gpio_read(self, _handle: int, pin: int) -> int:
        return self.level.get(pin, 0)

    def gpio_get_mode(self, _handle: int, pin: int) -> int:
        return self.mode.get(pin, 0)

    def _drive(self, pin: int, level: int) -> None:
        self.driven.append((pin, level))
        if pin not in self.stuck:
            self.level[pin] = level


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    """A Pi 5 whose chips were renumbered; the first is closed to us."""
    fake = FakeLgpio({0: "", 1: "raspberrypi-exp-gpio", 11: "pinctrl-rp1"})
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.setattr("edge.show.gpio._exists", fake.labels.__contains__)
    sys.modules.pop("gpiozero.pins.lgpio", None)
    module = importlib.import_module("gpiozero.pins.lgpio")
    monkeypatch.setattr(module.LGPIOFactory, "_get_revision", lambda _: 0xC04170)
    yield fake
    module.LGPIOFactory.pins.clear()  # shared by all factories
    module.LGPIOFactory._reservations.clear()
    del sys.modules["gpiozero.pins.lgpio"]  # it holds on to the fake


@contextmanager
def mock(_folder: Path, _fake: FakeLgpio) -> Iterator[tuple[Any, Callable[[int, int], None]]]:
    from gpiozero.pins.mock import MockFactory

    factory = MockFactory()

    def drive(pin: int, level: int) -> None:
        factory.pin(pin)._change_state(bool(level))

    yield factory, drive


@contextmanager
def on_lgpio(folder: Path, fake: FakeLgpio) -> Iterator[tuple[Any, Callable[[int, int], None]]]:
    yield gpio_factory(folder), fake.level.__setitem__


FACTORIES = pytest.mark.parametrize("factory_of", [mock, on_lgpio], ids=lambda f: f.__name__)


@FACTORIES
@pytest.mark.parametrize("active_high", [True, False])
def test_a_lamp_follows_and_idles_safe(
    factory_of: Any, active_high: bool, tmp_path: Path, lgpio: FakeLgpio
) -> None:
    with factory_of(tmp_path, lgpio) as (factory, _):
        lamp = PinLamp(Beacon(active_high=active_high), factory)
        pin = factory.pin(19)
        assert pin.state == (not active_high)
        for on in (True, False, True):
            lamp.light(on)
            assert pin.state == (on == active_high)
        lamp.close()


def test_the_pin_has_its_safe_level_from_the_start_and_at_the_end(
    tmp_path: Path, lgpio: FakeLgpio
) -> None:
    """An active-low relay must not fire for a moment when the pin becomes an output."""
    lamp = PinLamp(Beacon(active_high=False), gpio_factory(tmp_path))
    assert lgpio.driven == [(19, 1)]
    lamp.light(True)
    lamp.close()
    assert [level for _, level in lgpio.driven] == [1, 0, 1]


def test_a_pin_that_does_not_follow_is_a_fault(tmp_path: Path, lgpio: FakeLgpio) -> None:
    lamp = PinLamp(Beacon(), gpio_factory(tmp_path))
    lgpio.stuck.add(19)
    with pytest.raises(BeaconError, match=r"pin 19 .* does not follow: it was switched on"):
        lamp.light(True)


@FACTORIES
def test_inputs_are_active_as_they_are_wired(
    factory_of: Any, tmp_path: Path, lgpio: FakeLgpio
) -> None:
    with factory_of(tmp_path, lgpio) as (factory, drive):
        contacts = PinContacts(WIRED, factory)
        assert contacts.active() == {"door"}  # pulled up: a cable torn off reads as open
        drive(DOOR, 0)
        assert contacts.active() == frozenset()
        drive(SERVICE, 0)
        drive(DOOR, 1)
        assert contacts.active() == {"door", "service"}
        contacts.close()


def test_the_chip_is_found_by_its_label(tmp_path: Path, lgpio: FakeLgpio) -> None:
    assert gpio_factory(tmp_path).chip == 11
    assert lgpio.opened == [11]
    del lgpio.labels[11], lgpio.labels[0]
    with pytest.raises(BeaconError, match="found: raspberrypi-exp-gpio"):
        gpio_factory(tmp_path)


def test_a_pin_in_use_is_reported(tmp_path: Path, lgpio: FakeLgpio) -> None:
    factory = gpio_factory(tmp_path)
    lamp = PinLamp(Beacon(pin=DOOR), factory)
    with pytest.raises(InputError, match="pin GPIO5 is already in use"):
        PinContacts(WIRED, factory)
    lamp.close()


OPEN_CHIP = """
import os, pathlib, sys
import gpiozero, gpiozero.pins.local, edge.show.gpio  # from folders that only root may enter
os.chdir(sys.argv[2])
os.getuid() or os.setuid(65534)
try:
    edge.show.gpio.gpio_factory(pathlib.Path(sys.argv[1]))
except OSError as error:
    print(error)
"""


def test_lgpio_itself_starts_unprivileged_in_a_folder_it_may_not_write() -> None:
    """Real lgpio, which writes a pipe where LG_WD says; without it, it would end right there."""
    pytest.importorskip("lgpio", reason="lgpio is not installed for this Python")
    if list(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has a GPIO chip")

    def told(pipe_in: Path, working: Path) -> str:
        command = [sys.executable, "-c", OPEN_CHIP, str(pipe_in), str(working)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False
        ).stdout

    with TemporaryDirectory() as ours, TemporaryDirectory() as closed:
        Path(ours).chmod(0o777)
        Path(closed).chmod(0o555)
        assert "no chip at all" in told(Path(ours), Path(closed))
        assert [path.name[:8] for path in Path(ours).iterdir()] == [".lgd-nfy"]
        assert "cannot write its pipe into" in told(Path(closed), Path(closed))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_nothing_flashes_at_3_hz_or_faster(pattern: str) -> None:
    lit = [is_lit(pattern, tick / 1000) for tick in range(12_000)]
    rises = sum(not before and after for before, after in itertools.pairwise(lit))
    assert rises / 12 < 3
    assert (rises > 0) == (pattern in FLASHES)
    assert lit[0] == (pattern != "off")


def test_an_unknown_pattern_is_refused() -> None:
    with pytest.raises(BeaconError, match="'disco' is unknown; one of off, steady"):
        is_lit("disco", 0)


class Dead:
    """A lamp that fails until it is mended."""

    def __init__(self) -> None:
        self.mended, self.lit = False, False

    def light(self, on: bool) -> None:
        if not self.mended:
            raise BeaconError("the lamp is dead")
        self.lit = on

    def close(self) -> None:
        self.lit = False


def test_a_dead_lamp_does_not_keep_the_inputs_from_being_read(tmp_path: Path) -> None:
    lamp = Dead()
    contacts: Contacts = FolderContacts(frozenset({"door"}), tmp_path)
    open_lamp: Callable[[], Lamp] = lambda: lamp  # noqa: E731
    pins = PinsDriver(open_lamp, lambda: contacts)
    assert pins.handle("steady").beacon_fault == "the lamp is dead"
    (tmp_path / "door").touch()
    assert pins.handle("steady").active == {"door"}
    lamp.mended = True
    end = time.monotonic() + 3
    while pins.handle("steady").beacon_fault:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert lamp.lit
    pins.close()
    assert not lamp.lit


def test_the_street_s_light_is_evened_out_and_a_dead_sensor_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.show.pins_driver.LUX_EVERY_S", 0.0)
    sensor = tmp_path / "in_illuminance_input"
    pins = PinsDriver(Dead, lambda: FolderContacts(frozenset(), tmp_path), sensor)
    sensor.write_text("100.0\n", encoding="ascii")
    assert pins.handle("off").lux == 100.0
    sensor.write_text("1000\n", encoding="ascii")  # headlights
    assert pins.handle("off").lux == pytest.approx(190.0)
    sensor.unlink()
    status = pins.handle("off")
    assert status.lux is None and "holds no lux" in status.inputs_fault


def test_a_simulated_lamp_notes_its_changes(tmp_path: Path) -> None:
    lamp = RecorderLamp(tmp_path)
    for on in (True, True, False):
        lamp.light(on)
    lamp.close()
    record = (tmp_path / "beacon.jsonl").read_text(encoding="utf-8")
    assert [line.split('"lit": ')[1] for line in record.splitlines()] == [
        "false}",
        "true}",
        "false}",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[inputs]\ndoor = {pin = 5}\n", "inputs.source is missing"),
        ('[inputs]\nsource = "gpio"\ndoor = {pin = 5}\nlight = {pin = 5}\n', "both use pin 5"),
        (
            '[beacon]\noutput = "gpio"\npin = 17\n[sign]\npanel = "rgbmatrix"\n',
            "the LED panel both",
        ),
        ('[inputs]\nsource = "gpio"\ndoor = {pin = 40}\n', "at most 27"),
        ('[inputs]\nsource = "gpio"\ndor = {pin = 5}\n', "did you mean 'door'"),
    ],
)
def test_inputs_that_cannot_be_get_one_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError, match=line) as caught:
        load_site(file)
    assert len(str(caught.value).splitlines()) == 1
