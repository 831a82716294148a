"""The units by systemd's own judgement: silent, closed, and as patient as `redroad run`."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.commands.run import CHILDREN, Child
from edge.common.program import PROGRAMS
from hil.testkit.appliance import Appliance
from hil.testkit.mosquitto import wait_for

UNITS = Path(__file__).parents[2] / "systemd"
SYSTEM = Path("/usr/lib/systemd/system")
SERVICES = sorted(path.name for path in (UNITS / "system").glob("*.service"))
EXAMPLES = sorted((UNITS / "examples").glob("*.conf"))
MOST_EXPOSED = 1.5  # of 10, by `systemd-analyze security`; 2.0 is the limit that was set
BACKOFF_SINCE = 254
WAYS = {
    match[1]
    for line in (UNITS / "tmpfiles.d/redroad.conf").read_text(encoding="utf-8").splitlines()
    if (match := re.match(r"d /run/redroad/(\S+-to-\S+)", line))
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system that has systemd's own units and ours, and a command `redroad`."""
    shutil.copytree(SYSTEM, tmp_path / "usr/lib/systemd/system", symlinks=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    shutil.copytree(UNITS / "system", tmp_path / "usr/lib/systemd/system", dirs_exist_ok=True)
    for name in ("sysusers.d", "tmpfiles.d"):
        shutil.copytree(UNITS / name, tmp_path / "usr/lib" / name)
    command = tmp_path / "usr/bin/redroad"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n", encoding="ascii")
    command.chmod(0o755)
    (tmp_path / "etc/redroad").mkdir(parents=True)
    return tmp_path


def analyze(root: Path, *words: str) -> str:
    """What `systemd-analyze` prints; it must find nothing wrong."""
    command = ["systemd-analyze", f"--root={root}", "--man=no", *words]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def exposure(root: Path, service: str) -> float:
    told = analyze(
        root, "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:g}", service
    )
    match = re.search(rf"exposure level for {service}: ([\d.]+)", told)
    assert match, told
    return float(match[1])


def test_systemd_finds_nothing_to_say(root: Path) -> None:
    assert analyze(root, "verify", "redroad.target", *SERVICES) == ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_is_closed(root: Path, service: str) -> None:
    assert exposure(root, service) <= MOST_EXPOSED


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_its_unit_closed(root: Path, example: Path) -> None:
    match = re.search(r"/etc/systemd/system/(\S+)\.d/", example.read_text(encoding="utf-8"))
    assert match, "an example says where it goes"
    folder = root / "etc/systemd/system" / f"{match[1]}.d"
    folder.mkdir(parents=True)
    shutil.copy(example, folder)
    assert analyze(root, "verify", match[1]) == ""
    assert exposure(root, match[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("child", CHILDREN, ids=lambda child: child.name)
def test_a_program_may_be_silent_as_long_as_under_run(child: Child) -> None:
    unit = read(f"redroad-{child.name}.service")
    assert float(unit["Service"]["WatchdogSec"]) == child.watchdog_s
    assert float(unit["Service"]["TimeoutStartSec"]) == child.start_s


def test_the_sign_is_first() -> None:
    after = {name: read(name)["Unit"].get("After", "") for name in SERVICES}
    assert "redroad-" not in after["redroad-show.service"]
    assert "redroad-show.service" in after["redroad-decide.service"]
    assert "redroad-decide.service" in after["redroad-watch.service"]


def test_no_unit_can_take_another_down() -> None:
    for name in SERVICES:
        assert not {"Requires", "BindsTo", "Requisite", "Conflicts"} & set(read(name)["Unit"])


def test_the_backoff_is_understood_where_it_is_installed(root: Path) -> None:
    """The package installs it where systemd is new enough; elsewhere it would be a warning."""
    version = subprocess.run(["systemctl", "--version"], text=True, capture_output=True, check=True)
    folder = root / "usr/lib/systemd/system/redroad-watch.service.d"
    folder.mkdir()
    shutil.copy(UNITS / "backoff/20-backoff.conf", folder)
    command = ["systemd-analyze", f"--root={root}", "--man=no", "verify", "redroad-watch.service"]
    told = subprocess.run(command, text=True, capture_output=True, check=False).stderr
    new_enough = int(version.stdout.split()[1]) >= BACKOFF_SINCE
    assert ("RestartSteps" in told) is not new_enough


def test_users_and_folders_are_made(root: Path) -> None:
    """Each program is a user of its own; a socket's folder is of two: one listens, one tells."""
    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True, capture_output=True)
    users = {line.split(":")[0] for line in lines(root / "etc/passwd")}
    groups = {line.split(":")[0]: line.split(":") for line in lines(root / "etc/group")}
    named = {match[1] for name in SERVICES if (match := re.search(r"User=(\S+)", text(name)))}
    assert named == {"redroad-watch", "redroad-decide", "redroad-show", "redroad-report"}
    assert named <= users
    assert set(groups["redroad"][3].split(",")) == named
    for device in ("audio", "gpio", "video", "render"):
        assert "redroad-report" not in groups[device][3]
        assert "redroad-decide" not in groups[device][3]
    if os.geteuid() == 0:  # only root may give folders away
        tmpfiles = ["systemd-tmpfiles", f"--root={root}", "--create", "redroad.conf"]
        subprocess.run(tmpfiles, check=True, capture_output=True)
        made = (root / "run/redroad").stat()
        assert oct(made.st_mode) == "0o43770"
        assert made.st_gid == int(groups["redroad"][2])
        assert oct((root / "etc/redroad").stat().st_mode) == "0o40750"
        ways = {way.name: way.stat() for way in (root / "run/redroad").glob("*-to-*")}
        ids = {line.split(":")[0]: int(line.split(":")[2]) for line in lines(root / "etc/passwd")}
        assert set(ways) == WAYS
        for name, way in ways.items():
            sender, _, receiver = name.partition("-to-")
            assert oct(way.st_mode) == "0o42710"
            assert way.st_uid == ids[f"redroad-{receiver}"]
            assert way.st_gid == int(groups[f"redroad-{sender}"][2])


def test_every_way_of_a_running_unit_has_its_folder(tmp_path: Path) -> None:
    """One that the package does not make would be closed to its sender."""
    appliance = Appliance(tmp_path)
    appliance.start()
    try:
        started = [f"{name} started" for name in PROGRAMS]
        wait_for(lambda: all(told in appliance.said() for told in started), 30, "all started")
        made = {folder.name for folder in appliance.runtime.glob("*-to-*")}
    finally:
        appliance.abandon()
    assert made == WAYS


def test_the_pins_are_given_to_a_group_that_show_is_in() -> None:
    rules = (UNITS / "rules.d/60-redroad.rules").read_text(encoding="utf-8")
    (group,) = re.findall(r'KERNEL=="gpiochip\*", GROUP="(\w+)", MODE="0660"', rules)
    members = (UNITS / "sysusers.d/redroad.conf").read_text(encoding="utf-8")
    assert re.search(rf"^m redroad-show +{group}$", members, re.MULTILINE)
    assert not re.search(rf"^m redroad-(watch|report|decide) +{group}$", members, re.MULTILINE)


def test_the_hardware_watchdog_is_one_that_a_pi_can_keep() -> None:
    parser = configparser.ConfigParser()
    parser.read(UNITS / "system.conf.d/redroad.conf")
    assert 0 < float(parser["Manager"]["RuntimeWatchdogSec"].removesuffix("s")) <= 15


def text(unit: str) -> str:
    return (UNITS / "system" / unit).read_text(encoding="utf-8")


def read(unit: str) -> dict[str, dict[str, str]]:
    """A unit's sections; of a key that is given twice, all values."""
    sections: dict[str, dict[str, str]] = {}
    for line in text(unit).splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section[key] = f"{section[key]} {value}" if key in section else value
    return sections


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()
