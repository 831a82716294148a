"""The beacon: a lamp that is steady, flashes or is off. Off is its safe state."""

import json
from pathlib import Path
from typing import Any, Protocol

from edge.common.clock import boottime_ns
from edge.common.errors import BeaconError
from edge.site.outputs import Beacon

OFF = "off"
STEADY = "steady"
# Seconds on and seconds off. Nothing may flash at 3 Hz or faster (WCAG 2.3.1).
FLASHES: dict[str, tuple[float, float]] = {"slow": (0.6, 0.6), "fast": (0.25, 0.25)}
PATTERNS = (OFF, STEADY, *FLASHES)


def is_lit(pattern: str, elapsed_s: float) -> bool:
    """Whether the lamp is lit `elapsed_s` after `pattern` began. BeaconError for an unknown one."""
    if pattern in FLASHES:
        on_s, off_s = FLASHES[pattern]
        return elapsed_s % (on_s + off_s) < on_s
    if pattern not in PATTERNS:
        raise BeaconError(f"beacon pattern {pattern!r} is unknown; one of {', '.join(PATTERNS)}")
    return pattern == STEADY


class Lamp(Protocol):
    """A lamp that is lit or not."""

    def light(self, on: bool) -> None:
        """Switch the lamp on or off. BeaconError when it does not follow."""

    def close(self) -> None:
        """Switch the lamp off, and release its pin."""


class NoLamp:
    """For a sign without a beacon."""

    def light(self, on: bool) -> None:
        """Do nothing: there is no lamp."""

    def close(self) -> None:
        """Do nothing: no device is open."""


class RecorderLamp:
    """A simulated lamp that records every change in beacon.jsonl."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "beacon.jsonl"
        self._lit: bool | None = None
        self.light(False)

    def light(self, on: bool) -> None:
        """Record the change, if it is one. BeaconError when the disk refuses."""
        if on is self._lit:
            return
        try:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            with self._record.open("a", encoding="utf-8") as record:
                record.write(json.dumps({"at": boottime_ns(), "lit": on}) + "\n")
        except OSError as error:
            raise BeaconError(
                f"cannot record in {self._record}: {error.strerror}; free or repair that disk"
            ) from error
        self._lit = on

    def close(self) -> None:
        """Switch the lamp off."""
        self.light(False)


class PinLamp:
    """A lamp, or its relay, on a pin of a gpiozero factory, real or mock.

    After the program's end the pin keeps its level or floats, as the kernel decides: a resistor at
    the relay's input must pull it to off.
    """

    def __init__(self, beacon: Beacon, factory: Any) -> None:
        from gpiozero import DigitalOutputDevice, GPIOZeroError  # noqa: PLC0415  slow to load

        self._errors = (GPIOZeroError, OSError, RuntimeError)
        self._name = f"pin {beacon.pin} of the beacon"
        try:
            self._output = DigitalOutputDevice(
                beacon.pin,
                active_high=beacon.active_high,
                initial_value=False,
                pin_factory=factory,
            )
        except self._errors as error:
            raise BeaconError(
                f"{self._name} cannot be driven: {error}; "
                "check beacon.pin, and that no other program uses it"
            ) from error

    def light(self, on: bool) -> None:
        """Switch the pin, and read it back. BeaconError when it reads otherwise."""
        try:
            self._output.value = on
            follows = bool(self._output.value) is on
        except self._errors as error:
            raise BeaconError(f"{self._name} cannot be switched: {error}") from error
        if not follows:
            raise BeaconError(
                f"{self._name} does not follow: it was switched {'on' if on else 'off'} and reads "
                "otherwise; look for a short circuit"
            )

    def close(self) -> None:
        """Switch the lamp off, and release its pin."""
        self._output.off()
        self._output.close()
