"""Who watches a Raspberry Pi's start: read from a tree as a Pi's kernel and card have it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.commands.check.services import SERVICES, Services
from edge.common.errors import ServiceError

INSTALLED = Services({name: {"LoadState": "loaded"} for name in SERVICES})
NEW = datetime(2025, 11, 5, 17, 37, tzinfo=UTC)
SETTINGS = "[all]\nBOOT_UART=0\nBOOT_ORDER=0xf461\nBOOT_WATCHDOG_TIMEOUT=60\n"
CMDLINE = "coherent_pool=1M watchdog.open_timeout=180 console=tty1 rootwait watchdog_disarm=0\n"
CONFIG = "dtparam=audio=off\n[all]\nkernel_watchdog_timeout=180\n"

Pi = Callable[..., Path]


@pytest.fixture
def pi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pi:
    """Make the files of a Pi, and a systemctl that tells of its watchdog; return its root."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text("#!/bin/sh\necho RuntimeWatchdogUSec=15s\n")
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")

    def make(
        *,
        built: datetime | None = NEW,
        settings: str | None = SETTINGS,
        cmdline: str = CMDLINE,
        config: str = CONFIG,
        identity: str = "Broadcom BCM2835 Watchdog timer",
        board: str = "Raspberry Pi 5 Model B Rev 1.0",
    ) -> Path:
        root = tmp_path / "root"
        write(root, "proc/device-tree/model", board.encode() + b"\0")
        write(root, "dev/watchdog0", b"")
        write(root, "sys/class/watchdog/watchdog0/identity", identity.encode() + b"\n")
        write(root, "proc/cmdline", cmdline.encode())
        write(root, "boot/firmware/config.txt", config.encode())
        if built is not None:
            date_bootloader(root, built)
        if settings is not None:
            eeprom(root, settings)
        return root

    return make


def write(root: Path, name: str, content: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def date_bootloader(root: Path, built: datetime) -> None:
    stamp = int(built.timestamp()).to_bytes(4, "big")
    write(root, "proc/device-tree/chosen/bootloader/build-timestamp", stamp)


def eeprom(root: Path, settings: str) -> None:
    """The firmware's copy of its settings among other devices, padded to its room."""
    write(root, "proc/device-tree/aliases/blconfig", b"/reserved-memory/nvram@0\0")
    for number, words in enumerate(("BOOT_WATCHDOG_TIMEOUT=7\n", settings)):
        node = root / f"proc/device-tree/reserved-memory/nvram@{1 - number}"
        node.mkdir(parents=True)
        device = f"sys/bus/nvmem/devices/rmem{number}"
        write(root, f"{device}/nvmem", words.encode().ljust(512, b"\0"))
        (root / device / "of_node").symlink_to(node)


def faults(root: Path) -> str:
    with pytest.raises(ServiceError) as told:
        INSTALLED.watchdog(root)
    return str(told.value)


def test_a_pi_that_is_watched_from_the_start_on(pi: Pi) -> None:
    assert INSTALLED.watchdog(pi()) == (
        "resets the machine after 15 s; from the start on: bootloader of 2025-11-05 (60 s), "
        "kernel (180 s until systemd)"
    )


def test_an_eeprom_that_is_too_old_is_reported_with_its_date(pi: Pi) -> None:
    root = pi(built=datetime(2025, 8, 12, 23, 59, tzinfo=UTC))
    assert faults(root).splitlines() == [
        "the bootloader in the EEPROM is of 2025-08-12, must be of 2025-08-13 or later; "
        "run: sudo rpi-eeprom-update -a",
        "then start the Pi anew",
    ]
    date_bootloader(root, datetime(2025, 8, 13, tzinfo=UTC))
    assert "bootloader of 2025-08-13" in INSTALLED.watchdog(root)


@pytest.mark.parametrize("value", ["", "0", "601", "soon", "-1"])
def test_a_bootloader_that_does_not_watch_itself_is_reported(pi: Pi, value: str) -> None:
    told = faults(pi(settings=SETTINGS.replace("=60", f"={value}")))
    assert "must be more than 0 and at most 600; write BOOT_WATCHDOG_TIMEOUT=60 by: sudo -E" in told


def test_a_setting_that_is_commented_out_is_none(pi: Pi) -> None:
    told = faults(pi(settings=SETTINGS.replace("BOOT_WATCHDOG", "#BOOT_WATCHDOG")))
    assert "BOOT_WATCHDOG_TIMEOUT is 0 s" in told


def test_settings_that_are_not_shown_are_no_fault(pi: Pi) -> None:
    assert "bootloader of 2025-11-05 (settings not known)" in INSTALLED.watchdog(pi(settings=None))


def test_a_partition_walk_that_was_switched_off_is_reported(pi: Pi) -> None:
    assert "PARTITION_WALK is 0, must be 1" in faults(pi(settings=SETTINGS + "PARTITION_WALK=0\n"))


def test_a_kernel_that_is_not_watched_is_reported(pi: Pi) -> None:
    unwatched = CMDLINE.replace("watchdog.open_timeout=180 ", "")
    told = faults(pi(cmdline=unwatched, config="[all]\n"))
    assert "it has 0 s, must be more than 0 and at most 600; write kernel_watchdog_" in told
    assert "timeout=180 below [all] in /boot/firmware/config.txt" in told


def test_a_setting_that_the_firmware_did_not_take_is_told_apart(pi: Pi) -> None:
    told = faults(pi(cmdline=CMDLINE.replace("watchdog.open_timeout=180 ", "")))
    assert "has kernel_watchdog_timeout=180, which this start did not take: move it" in told


def test_an_initramfs_that_may_switch_it_off_is_reported(pi: Pi) -> None:
    told = faults(pi(cmdline=CMDLINE.replace("watchdog_disarm=0", "watchdog_disarm=1")))
    assert "put it at the end of the one line of /boot/firmware/cmdline.txt" in told


def test_all_gaps_are_told_at_once(pi: Pi) -> None:
    old = datetime(2024, 9, 23, tzinfo=UTC)
    told = faults(pi(built=old, settings="", cmdline="rootwait\n", config="")).splitlines()
    assert len(told) == 5
    assert told[-1] == "then start the Pi anew"


def test_a_bootloader_without_a_date_is_told(pi: Pi) -> None:
    """A Pi 3, or one that was started by U-Boot."""
    assert "its bootloader gives no date" in INSTALLED.watchdog(pi(built=None))


def test_another_board_has_no_such_firmware(pi: Pi) -> None:
    root = pi(built=None, settings=None, cmdline="", config="", board="NVIDIA Jetson Orin Nano")
    assert INSTALLED.watchdog(root) == "resets the machine after 15 s"


def test_a_pi_without_its_watchdog_is_reported(pi: Pi) -> None:
    root = pi()
    (root / "dev/watchdog0").unlink()
    assert "remove dtparam=watchdog=off" in faults(root)


def test_a_timer_that_hangs_with_the_kernel_is_reported(pi: Pi) -> None:
    assert "take softdog out of /etc/modules" in faults(pi(identity="Software Watchdog"))
