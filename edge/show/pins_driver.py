"""The GPIO pins in their driver process: the beacon's pattern in, the inputs' state out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.errors import BeaconError, InputError
from edge.common.timer import Timer
from edge.common.units import seconds
from edge.show.beacon import FLASHES, OFF, Lamp, is_lit
from edge.show.driver_process import DEAD_MAN_S, driver_backoff
from edge.show.inputs import Contacts, read_lux

LUX_EVERY_S, LUX_SHARE = 1.0, 0.1  # a reading may take as long as a blink
BLINK_S = 0.05  # how finely a flash keeps its time


@dataclass(frozen=True)
class PinsStatus:
    """The names of the active inputs, the street's light (lux), and what fails: empty if nothing.

    `lux` is None without a sensor, and while the inputs fail.
    """

    active: frozenset[str] = frozenset()
    lux: float | None = None
    beacon_fault: str = ""
    inputs_fault: str = ""


class PinsDriver:
    """Serves lamp and contacts; each is opened when it is first needed, and after a failure."""

    def __init__(
        self,
        open_lamp: Callable[[], Lamp],
        open_contacts: Callable[[], Contacts],
        lux_file: Path | None = None,
    ) -> None:
        self._open_lamp = open_lamp
        self._open_contacts = open_contacts
        self._lux_file, self._lux_timer = lux_file, Timer(LUX_EVERY_S)
        self._lamp: Lamp | None = None
        self._contacts: Contacts | None = None
        self._lamp_backoff, self._contacts_backoff = driver_backoff(), driver_backoff()
        self._pattern, self._since = OFF, 0
        self._status = PinsStatus()

    def handle(self, pattern: str) -> PinsStatus:
        """Switch the lamp by `pattern`, read the inputs, and return their status.

        A pattern that is already followed goes on undisturbed.
        """
        if pattern != self._pattern:
            self._pattern, self._since = pattern, boottime_ns()
        self._switch_lamp()
        self._read_inputs()
        return self._status

    def pass_time(self) -> float:
        """Go on flashing; return for how long nothing more is due (s)."""
        if self._pattern not in FLASHES:
            return DEAD_MAN_S
        self._switch_lamp()
        return BLINK_S

    def close(self) -> None:
        """Switch the lamp off, and release the pins."""
        if self._lamp is not None:
            self._lamp.close()
        if self._contacts is not None:
            self._contacts.close()

    def _switch_lamp(self) -> None:
        if not self._lamp_backoff.due(boottime_ns()):
            return
        fault = ""
        try:
            lit = is_lit(self._pattern, seconds(boottime_ns() - self._since))
            if self._lamp is None:
                self._lamp = self._open_lamp()
            self._lamp.light(lit)
        except BeaconError as error:
            fault = str(error)
            self._lamp_backoff.failed(boottime_ns())
        else:
            self._lamp_backoff.worked()
        self._status = replace(self._status, beacon_fault=fault)

    def _read_inputs(self) -> None:
        if not self._contacts_backoff.due(boottime_ns()):
            return
        try:
            if self._contacts is None:
                self._contacts = self._open_contacts()
            active, lux = self._contacts.active(), self._read_lux()
            self._status = replace(self._status, active=active, lux=lux, inputs_fault="")
        except (InputError, BeaconError) as error:
            self._status = replace(
                self._status, active=frozenset(), lux=None, inputs_fault=str(error)
            )
            self._contacts_backoff.failed(boottime_ns())
        else:
            self._contacts_backoff.worked()

    def _read_lux(self) -> float | None:
        """The street's light (lux), averaged over some ten seconds: headlights count for little."""
        before = self._status.lux
        if self._lux_file is None:
            return None
        if before is not None and not self._lux_timer.due(boottime_ns()):
            return before
        self._lux_timer.restart(boottime_ns())
        now = read_lux(self._lux_file)
        return now if before is None else before + (now - before) * LUX_SHARE
