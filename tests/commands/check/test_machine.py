"""Lines of the machine: each broken where the kernel, or the disk, would be."""

import subprocess
import sys

import pytest

from hil.faults import FAKETIME
from tests.commands.check.conftest import ROOT_ONLY, Check

MEMINFO = "MemTotal: 905000 kB\nMemAvailable: {kB} kB\n"


def pi(check: Check, millidegrees: int, throttled: str) -> None:
    """Where a Raspberry Pi's kernel tells of heat and power."""
    check.mounts += [
        "mount -t tmpfs tmpfs /sys/class/thermal",
        "mkdir /sys/class/thermal/thermal_zone0",
        f"echo {millidegrees} > /sys/class/thermal/thermal_zone0/temp",
        "mount -t tmpfs tmpfs /sys/devices/platform",
        "mkdir -p /sys/devices/platform/soc/soc:firmware",
        f"echo {throttled} > /sys/devices/platform/soc/soc:firmware/get_throttled",
    ]


@ROOT_ONLY
def test_a_healthy_pi(check: Check) -> None:
    pi(check, 52_300, "0")
    check.in_place_of("/proc/meminfo", MEMINFO.format(kB=600_000))
    found = check.run_command()
    assert found.good("heat") == "52 degrees Celsius"
    assert found.good("power") == "good since boot"
    assert found.good("memory") == "600 MB left"


@ROOT_ONLY
def test_heat_bad_power_and_little_memory_are_reported_with_what_to_do(check: Check) -> None:
    pi(check, 84_000, "50005")
    check.in_place_of("/proc/meminfo", MEMINFO.format(kB=90_000))
    found = check.run("heat", "power", "memory")
    assert "84 degrees Celsius, must be below 80; give shade" in found.fault("heat")
    assert "use a supply of 5.1 V" in found.fault("power")
    assert "90 MB are left, must be 150" in found.fault("memory")


@ROOT_ONLY
@pytest.mark.parametrize(
    ("bits", "ok", "words"),
    [
        ("50000", False, "undervoltage since boot: use a supply of 5.1 V"),
        ("60000", True, "the processor was slowed since boot"),
    ],
)
def test_what_the_supply_did_since_boot_is_reported(
    check: Check, bits: str, ok: bool, words: str
) -> None:
    pi(check, 40_000, bits)
    found = check.run("power")
    assert words in (found.good("power") if ok else found.fault("power"))


def test_a_clock_that_was_never_set_is_reported(check: Check) -> None:
    if FAKETIME is None:
        pytest.skip("Debian's faketime is not installed")
    check.environment |= {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": "@1970-01-02 00:00:00",
        "DONT_FAKE_MONOTONIC": "1",
    }
    words = check.run_command().fault("clock")
    assert "1970-01-0" in words
    assert "connect the network" in words


@ROOT_ONLY
def test_the_filesystem_that_is_read_only_is_named(check: Check) -> None:
    check.state.mkdir()
    check.mounts.append(f"mount -t tmpfs -o ro sdcard {check.state}")
    words = check.run("disk").fault("disk")
    assert f"lies on sdcard, which is mounted read-only at {check.state}" in words
    assert f"sudo mount -o remount,rw {check.state}" in words


@ROOT_ONLY
def test_a_disk_without_room_is_reported(check: Check) -> None:
    check.state.mkdir()
    check.mounts.append(f"mount -t tmpfs -o size=50m tmpfs {check.state}")
    assert "MB left, must be 200; free some" in check.run("disk").fault("disk")


@ROOT_ONLY
def test_a_disk_that_takes_no_more_files_is_reported(check: Check) -> None:
    check.state.mkdir()
    check.mounts.append(f"mount -t tmpfs -o size=1g,nr_inodes=100 tmpfs {check.state}")
    assert "more files, must be 1000; delete some" in check.run("disk").fault("disk")


@ROOT_ONLY
def test_state_in_memory_is_reported(check: Check) -> None:
    check.state.mkdir()
    check.mounts.append(f"mount -t tmpfs none {check.state}")
    words = check.run().fault("disk")
    assert f"lies in memory (tmpfs at {check.state}): nothing that is kept there lasts" in words


@ROOT_ONLY
def test_state_on_an_overlay_over_memory_is_reported(check: Check) -> None:
    check.state.mkdir()
    memory = check.folder / "memory"
    memory.mkdir()
    options = f"lowerdir={check.state},upperdir={memory}/upper,workdir={memory}/work"
    check.mounts += [
        f"mount -t tmpfs none {memory}; mkdir {memory}/upper {memory}/work",
        f"mount -t overlay -o {options} overlay {check.state}",
    ]
    words = check.run().fault("disk")
    assert f"lies on an overlay over memory ({memory}/upper is tmpfs)" in words


@ROOT_ONLY
def test_state_on_an_overlay_over_a_disk_is_good(check: Check) -> None:
    """As in a container."""
    for name in ("state", "upper", "work"):
        (check.folder / name).mkdir()
    options = f"lowerdir={check.state},upperdir={check.folder}/upper,workdir={check.folder}/work"
    check.mounts.append(f"mount -t overlay -o {options} overlay {check.state}")
    assert "takes the outbox" in check.run().good("disk")


@ROOT_ONLY
@pytest.mark.parametrize("word", ["boot=overlay", "overlayroot=tmpfs:recurse=0"])
def test_a_pi_whose_root_is_an_overlay_over_memory_is_reported(check: Check, word: str) -> None:
    """raspi-config hides where it writes; the kernel's command line tells."""
    check.in_place_of("/proc/cmdline", f"console=tty1 {word} rootwait\n")
    table = check.folder / "mountinfo"
    table.write_text("36 35 0:31 / / rw - overlay overlay rw,lowerdir=/lower,upperdir=/upper\n")
    check.mounts.append(f"mount --bind {table} /proc/$PPID/mountinfo")  # of the checking process
    assert f"overlay over memory ({word} in" in check.run().fault("disk")


@ROOT_ONLY
def test_a_folder_of_somebody_else_is_reported(check: Check) -> None:
    """A technician who forgot sudo: nobody's process, root's folder."""
    check.state.mkdir(mode=0o700)
    script = (
        "import os\nfrom pathlib import Path\nfrom edge.commands.check.machine import disk\n"
        "os.setgid(65534)\nos.setuid(65534)\n"
        f"disk(Path({str(check.state / 'report')!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "sudo redroad check" in done.stderr


def test_a_file_in_the_place_of_the_state_is_reported(check: Check) -> None:
    check.state.write_text("no folder")
    done = subprocess.run(check.command(), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is a file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_versions_are_named(check: Check) -> None:
    words = check.run("versions", "panel").good("versions")
    assert words.startswith("redroad 0.")
    assert "Python 3." in words
    assert "Linux" in words
    left = [path for path in check.state.rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["panel.jsonl", "panel.png"] or left == []
