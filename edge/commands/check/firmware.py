"""Who watches a Raspberry Pi's start: its bootloader, then its kernel, until systemd does.

The bootloader resets a start that hangs in it (BOOT_WATCHDOG_TIMEOUT) and hands the watchdog over
to the kernel (`kernel_watchdog_timeout`), which feeds it until systemd opens it, and for so long at
most. In between Raspberry Pi OS's initramfs switches it off unless the command line forbids it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from edge.common.errors import ServiceError

EEPROM_SINCE = date(2025, 8, 13)  # it has the watchdog, and tries the next partition by itself
BOOT_S = 60  # a card's retries and a disk on USB that wakes up take half of it
START_S = 180  # until systemd: a card is checked after a power cut
LONGEST_S = 600
DEVICE_TREE = Path("proc/device-tree")
CMDLINE = Path("proc/cmdline")
CONFIG = Path("boot/firmware/config.txt")
NVMEM = Path("sys/bus/nvmem/devices")
EEPROM_EDIT = "by: sudo -E rpi-eeprom-config --edit"


@dataclass(frozen=True)
class Firmware:
    """What the EEPROM is and says, what the kernel was given, and what the card would give it.

    `settings` are the EEPROM's own, None where this kernel does not show them, or not to this user.
    """

    built: date | None
    settings: dict[str, str] | None
    kernel: dict[str, str]
    config: dict[str, str]

    @classmethod
    def look(cls, root: Path) -> "Firmware":
        """Read it all below `root`."""
        stamp = _read(root / DEVICE_TREE / "chosen/bootloader/build-timestamp")
        config = _read(root / CONFIG) or b""
        return cls(
            datetime.fromtimestamp(int.from_bytes(stamp, "big"), UTC).date() if stamp else None,
            _eeprom_settings(root),
            _assigned((_read(root / CMDLINE) or b"").split()),
            _assigned(config.splitlines()),
        )

    def judge(self) -> str:
        """Return how a start is watched; ServiceError has a line for each gap, with what to do."""
        if self.built is None:
            return "nobody watches before systemd does: its bootloader gives no date"
        gaps = [*self._gaps_of_eeprom(self.built), *self._gaps_of_kernel()]
        if gaps:
            raise ServiceError("\n".join([*gaps, "then start the Pi anew"]))
        boot = "settings not known" if self.settings is None else f"{self._boot_s:g} s"
        return (
            f"from the start on: bootloader of {self.built} ({boot}), "
            f"kernel ({self._start_s:g} s until systemd)"
        )

    @property
    def _boot_s(self) -> float:
        return _number((self.settings or {}).get("BOOT_WATCHDOG_TIMEOUT"))

    @property
    def _start_s(self) -> float:
        return _number(self.kernel.get("watchdog.open_timeout"))

    def _gaps_of_eeprom(self, built: date) -> Iterator[str]:
        if built < EEPROM_SINCE:
            yield (
                f"the bootloader in the EEPROM is of {built}, must be of {EEPROM_SINCE} or later; "
                "run: sudo rpi-eeprom-update -a"
            )
        if self.settings is None:
            return
        if not 0 < self._boot_s <= LONGEST_S:
            yield (
                f"a bootloader that hangs stays so: BOOT_WATCHDOG_TIMEOUT is {self._boot_s:g} s, "
                f"must be more than 0 and at most {LONGEST_S}; write "
                f"BOOT_WATCHDOG_TIMEOUT={BOOT_S} {EEPROM_EDIT}"
            )
        if self.settings.get("PARTITION_WALK") == "0":
            yield (
                "a partition that does not start has no second: PARTITION_WALK is 0, must be 1; "
                f"take it out {EEPROM_EDIT}"
            )

    def _gaps_of_kernel(self) -> Iterator[str]:
        if not 0 < self._start_s <= LONGEST_S:
            yield (
                f"a kernel that hangs before systemd stays so: it has {self._start_s:g} s, must be "
                f"more than 0 and at most {LONGEST_S}; {self._kernel_remedy()}"
            )
        if self.kernel.get("watchdog_disarm") != "0":
            yield (
                "the initramfs may switch the watchdog off: watchdog_disarm=0 is not in the "
                "kernel's command line; put it at the end of the one line of "
                "/boot/firmware/cmdline.txt"
            )

    def _kernel_remedy(self) -> str:
        written = self.config.get("kernel_watchdog_timeout")
        if 0 < _number(written) <= LONGEST_S:
            return (
                f"/{CONFIG} has kernel_watchdog_timeout={written}, which this start did not take: "
                "move it below [all], and run: sudo apt full-upgrade"
            )
        return f"write kernel_watchdog_timeout={START_S} below [all] in /{CONFIG}"


def _eeprom_settings(root: Path) -> dict[str, str] | None:
    """The firmware's copy of its settings, where the kernel shows it."""
    alias = _read(root / DEVICE_TREE / "aliases/blconfig")
    if alias is None:
        return None
    node = root / DEVICE_TREE / alias.decode("ascii", "replace").strip("\0/")
    for device in (root / NVMEM).glob("*"):
        of_node = device / "of_node"
        if node.exists() and of_node.exists() and of_node.samefile(node):
            settings = _read(device / "nvmem")
            return None if settings is None else _assigned(settings.splitlines())
    return None


def _assigned(words: list[bytes]) -> dict[str, str]:
    """Return the last value of each `name=value`."""
    parts = [word.decode("ascii", "replace").strip(" \t\0").partition("=") for word in words]
    return {name: value for name, equals, value in parts if equals and not name.startswith("#")}


def _number(value: str | None) -> float:
    """Return the whole number it is; 0, as the firmware takes it, for anything else."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else 0.0


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
