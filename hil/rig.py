"""What a scenario may do to a unit, and see of it: nothing here knows what the unit is made of.

The container (`hil/container/`) is one such unit. A virtual or a real board takes its place by
the same protocols, without a change to any scenario. Moments are CLOCK_BOOTTIME nanoseconds of
the machine the rig runs on.
"""

import signal
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Protocol

from edge.watch.cameras.rig import Mishap

PROGRAMS = ("show", "decide", "watch", "report")
DARK, UNPLUGGED = "dark", "unplugged"  # what stands on a panel without power, and on none


@dataclass(frozen=True)
class Shown:
    """What stood on the panel from a moment on."""

    at: int
    message: str


@dataclass(frozen=True)
class Lit:
    """Whether the lamp was lit from a moment on."""

    at: int
    lit: bool


class Power(Protocol):
    """The unit's supply."""

    def on(self) -> None:
        """Let it boot."""

    def cut(self) -> None:
        """Pull the plug: nothing in the unit is told."""


class Programs(Protocol):
    """The four programs, as the unit's service manager runs them."""

    def send(self, program: str, signum: signal.Signals) -> bool:
        """Send a signal; False when the program does not run."""

    def lives(self) -> Mapping[str, str]:
        """A name for the present life of each program that is ready; none is given twice."""

    def restart(self, program: str) -> None:
        """Ask for a new start; does not wait for it. Nothing, while there is no power."""


class Files(Protocol):
    """What a bad upgrade or a dying disk does to the unit's files."""

    def spoil_model(self) -> None:
        """Damage every model."""

    def spoil_site(self) -> None:
        """Put a site file with a mistake in the place of the right one."""

    def restore_model(self) -> None:
        """As they were shipped."""

    def restore_site(self) -> None:
        """The right one."""


class Camera(Protocol):
    """The camera, and what it truly looks at."""

    def fail(self, mishap: Mishap) -> None:
        """Let something befall it."""

    def mend(self, mishap: Mishap) -> None:
        """As before; what else has befallen it lasts."""


class Panel(Protocol):
    """The LED panel."""

    def shown(self) -> list[Shown]:
        """Every change so far, in order."""

    def unplug(self) -> None:
        """It takes nothing any more."""

    def plug(self) -> None:
        """It takes what it is given."""


class Lamp(Protocol):
    """The beacon's lamp."""

    def lit(self) -> list[Lit]:
        """Every change so far, in order."""


class Sound(Protocol):
    """The sound card."""

    def heard_at(self) -> int:
        """When something was heard last; 0 for never."""

    def hang(self) -> None:
        """It takes no more sound, and does not say so."""

    def vanish(self) -> None:
        """The card is gone."""

    def mend(self) -> None:
        """It plays."""


class Broker(Protocol):
    """The broker, and whoever listens to it."""

    def cut(self) -> None:
        """Nothing passes between unit and broker; neither is told."""

    def hang(self) -> None:
        """It keeps its connections and answers nothing."""

    def mend(self) -> None:
        """As it was."""

    def events(self) -> Set[str]:
        """The ids of all events that have arrived."""

    def heard_at(self) -> int:
        """When something came from the unit last."""


class Clock(Protocol):
    """The unit's wall clock."""

    def jump(self, to: str) -> None:
        """To a moment (`@1970-01-01 00:00:00`) or by a distance (`+3650d`)."""


class Disk(Protocol):
    """The partition of what must last."""

    def fill(self) -> None:
        """To the last byte."""

    def free(self) -> None:
        """Give the room back."""

    def turn_read_only(self) -> None:
        """As the kernel does when the disk answers with errors; lasts until the next boot."""

    def damage_outbox(self) -> None:
        """Overwrite the outbox with noise."""

    def waiting(self) -> Set[str]:
        """The ids of all events that wait on the disk."""


class Load(Protocol):
    """What else may burden the unit."""

    def exhaust_memory(self) -> bool:
        """Take all memory there is, until the kernel ends someone; False when it ended nobody."""

    def flood_log(self) -> bool:
        """Write as many lines as the log takes, for some seconds; False without power."""

    def tell_events(self, count: int) -> None:
        """So many events for upstream, as fast as they are taken."""


@dataclass(frozen=True)
class Rig:
    """One unit with all that is around it."""

    power: Power
    programs: Programs
    files: Files
    camera: Camera
    panel: Panel
    lamp: Lamp
    sound: Sound
    broker: Broker
    clock: Clock
    disk: Disk
    load: Load
