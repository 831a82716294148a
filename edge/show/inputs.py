"""The cabinet's inputs: door contact, service button, the panel's light and the street's.

Every input is pulled up, and its contact closes to ground: a cable torn off reads as open.
"""

from pathlib import Path
from typing import Any, Protocol

from edge.common.errors import InputError
from edge.site.outputs import Inputs

# What is reported when an input becomes idle or active; the light is part of the panel's proof.
DOOR, SERVICE, LIGHT = "door", "service", "light"
WORDS = {
    DOOR: ("the door is shut", "the door is open"),
    SERVICE: ("the service button is released", "the service button is pressed"),
}


class Contacts(Protocol):
    """The inputs of the site."""

    def active(self) -> frozenset[str]:
        """Return the names of the active inputs. InputError when they cannot be read."""

    def close(self) -> None:
        """Release the pins."""


class NoContacts:
    """For a cabinet without inputs."""

    def active(self) -> frozenset[str]:
        """Return no name."""
        return frozenset()

    def close(self) -> None:
        """Do nothing: no device is open."""


class FolderContacts:
    """Simulated inputs: one is active while a file of its name is in the folder."""

    def __init__(self, names: frozenset[str], folder: Path) -> None:
        self._names, self._folder = names, folder

    def active(self) -> frozenset[str]:
        """Return the names of the files in the folder that are inputs."""
        return frozenset(name for name in self._names if (self._folder / name).exists())

    def close(self) -> None:
        """Do nothing: no device is open."""


def read_lux(path: Path) -> float:
    """Return what a light sensor measures, in lux.

    `path` is its in_illuminance_input in Linux's sysfs. InputError when it has no number.
    """
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} holds no lux: {error}; check inputs.lux_file") from error


class PinContacts:
    """Inputs on pins of a gpiozero factory, real or mock."""

    def __init__(self, inputs: Inputs, factory: Any) -> None:
        from gpiozero import GPIOZeroError, InputDevice  # noqa: PLC0415  slow to load

        self._errors = (GPIOZeroError, OSError, RuntimeError)
        self._active_high = {name: wired.active_high for name, wired in inputs.wired.items()}
        try:
            self._devices = {
                name: InputDevice(wired.pin, pull_up=True, pin_factory=factory)
                for name, wired in inputs.wired.items()
            }
        except self._errors as error:
            raise InputError(
                f"the inputs cannot be read: {error}; check the section [inputs], and that no "
                "other program uses these pins"
            ) from error

    def active(self) -> frozenset[str]:
        """Return the names of the active inputs. gpiozero takes pulled-up ones for active low."""
        try:
            low = {name for name, device in self._devices.items() if device.is_active}
        except self._errors as error:
            raise InputError(f"the inputs cannot be read: {error}") from error
        return frozenset(
            name for name, active_high in self._active_high.items() if (name in low) != active_high
        )

    def close(self) -> None:
        """Release the pins."""
        for device in self._devices.values():
            device.close()
