"""The GPIO pins as they are driven apart: the beacon's pattern in, the inputs out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.errors import BeaconError, InputError
from edge.common.units import nanoseconds, seconds
from edge.show.backoff import Backoff
from edge.show.beacon import FLASHES, OFF, Lamp, is_lit
from edge.show.driver_process import DEAD_MAN_S
from edge.show.inputs import Contacts, read_lux

LUX_EVERY_S, LUX_SHARE = 1.0, 0.1  # a reading may take as long as a blink
BLINK_S = 0.05  # how finely a flash keeps its time


@dataclass(frozen=True)
class PinsStatus:
    """The inputs that are active, the street's light, and what fails; empty where nothing does."""

    active: frozenset[str] = frozenset()
    lux: float | None = None
    beacon_fault: str = ""
    inputs_fault: str = ""


class Pins:
    """Lamp and contacts, each opened when it is first needed, and again after a failure."""

    def __init__(
        self,
        open_lamp: Callable[[], Lamp],
        open_contacts: Callable[[], Contacts],
        lux_file: Path | None = None,
    ) -> None:
        self._open_lamp, self._open_contacts = open_lamp, open_contacts
        self._lux_file, self._lux_at = lux_file, 0
        self._lamp: Lamp | None = None
        self._contacts: Contacts | None = None
        self._lamp_backoff, self._contacts_backoff = Backoff(), Backoff()
        self._pattern, self._since = OFF, 0
        self._told = PinsStatus()

    def take(self, pattern: str) -> PinsStatus:
        """Follow `pattern`; the same one again goes on undisturbed."""
        if pattern != self._pattern:
            self._pattern, self._since = pattern, boottime_ns()
        self._follow()
        self._feel()
        return self._told

    def pass_time(self) -> float:
        """Go on flashing."""
        if self._pattern not in FLASHES:
            return DEAD_MAN_S
        self._follow()
        return BLINK_S

    def close(self) -> None:
        """Give the pins back, the lamp off."""
        if self._lamp is not None:
            self._lamp.close()
        if self._contacts is not None:
            self._contacts.close()

    def _follow(self) -> None:
        if not self._lamp_backoff.due():
            return
        fault = ""
        try:
            lit = is_lit(self._pattern, seconds(boottime_ns() - self._since))
            if self._lamp is None:
                self._lamp = self._open_lamp()
            self._lamp.light(lit)
        except BeaconError as error:
            fault = str(error)
            self._lamp_backoff.failed()
        else:
            self._lamp_backoff.worked()
        self._told = replace(self._told, beacon_fault=fault)

    def _feel(self) -> None:
        if not self._contacts_backoff.due():
            return
        try:
            if self._contacts is None:
                self._contacts = self._open_contacts()
            active, lux = self._contacts.active(), self._lux()
            self._told = replace(self._told, active=active, lux=lux, inputs_fault="")
        except (InputError, BeaconError) as error:
            self._told = replace(self._told, active=frozenset(), lux=None, inputs_fault=str(error))
            self._contacts_backoff.failed()
        else:
            self._contacts_backoff.worked()

    def _lux(self) -> float | None:
        """The street's light, evened out over some ten seconds: not of every headlight."""
        before = self._told.lux
        if self._lux_file is None:
            return None
        if before is not None and boottime_ns() - self._lux_at < nanoseconds(LUX_EVERY_S):
            return before
        self._lux_at, now = boottime_ns(), read_lux(self._lux_file)
        return now if before is None else before + (now - before) * LUX_SHARE
