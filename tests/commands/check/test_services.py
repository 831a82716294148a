"""What is made of systemd's words; systemd itself, with the units installed, is on the rig."""

import time
from collections.abc import Mapping

import pytest

from edge.commands.check.services import SERVICES, TARGET
from tests.commands.check.conftest import ROOT_ONLY, Check

# As systemd 252 prints it.
UNIT = """Type=notify
NRestarts={restarts}
Result={result}
Id={name}
LoadState={load}
ActiveState={active}
SubState={sub}
UnitFileState={enabled}
ActiveEnterTimestampMonotonic={since_us}
"""
SHORT = {name.removeprefix("redroad-").partition(".")[0]: name for name in (TARGET, *SERVICES)}
PARTS = ("camera", "panel", "sound", "beacon", "inputs")
DEVICES = [
    "mount -t tmpfs tmpfs /dev",
    "mknod -m 666 /dev/null c 1 3",
    "mknod -m 666 /dev/urandom c 1 9",
    "mkdir /dev/shm && touch /dev/watchdog0",
]


def block(name: str, **changed: object) -> str:
    usual = {
        "name": name,
        "restarts": 0,
        "result": "success",
        "load": "loaded",
        "active": "active",
        "sub": "active" if name == TARGET else "running",
        "enabled": "enabled" if name == TARGET else "static",
        "since_us": 12_000_000,
    }
    return UNIT.format(**(usual | changed))


def systemd(
    check: Check, changed: Mapping[str, Mapping[str, object]] | None = None, watchdog: str = "15s"
) -> None:
    """Let systemctl tell of healthy units, but for those changed (by their short name)."""
    told = "\n".join(block(name, **(changed or {}).get(of, {})) for of, name in SHORT.items())
    (check.folder / "told").write_text(told, encoding="utf-8")
    check.tool(
        "systemctl",
        f'case "$*" in\n*RuntimeWatchdogUSec*) echo RuntimeWatchdogUSec={watchdog};;\n'
        f"*) cat {check.folder}/told;;\nesac",
    )


def test_without_systemd_the_check_goes_on(check: Check) -> None:
    check.environment["PATH"] = "/nowhere"
    assert "nothing starts by itself" in check.run("services").good("services")


def test_services_that_are_not_installed_are_reported(check: Check) -> None:
    systemd(check, {name: {"load": "not-found"} for name in SHORT})
    assert "none is installed" in check.run("services").good("services")


def test_healthy_services_are_reported_with_their_restarts(check: Check) -> None:
    systemd(check, {"report": {"active": "inactive"}})
    told = check.run("services")
    assert "redroad-report.service is inactive" in told.fault("services")
    systemd(check, {"watch": {"restarts": 3}})
    told = check.run("services", "programs", *PARTS)
    assert told.good("services") == "all active and enabled; started again since boot: watch 3"
    assert "sudo redroad check" in told.fault("programs")  # they run, and nothing is told
    for part in PARTS:
        assert "in use by the services" in told.good(part)
    assert list(check.state.rglob("panel*")) == []  # and nothing was taken from them


def test_a_unit_without_report_is_none_the_worse(check: Check) -> None:
    systemd(check, {"report": {"load": "masked", "active": "inactive"}})
    assert check.run("services").good("services").endswith("none; report is left out")


@pytest.mark.parametrize(
    ("of", "changed", "words"),
    [
        ("redroad", {"enabled": "disabled"}, "sudo systemctl enable --now redroad.target"),
        ("redroad", {"active": "inactive"}, "sudo systemctl start redroad.target"),
        ("show", {"load": "not-found"}, "redroad-show.service is not-found; reinstall it"),
        ("watch", {"load": "masked"}, "sudo systemctl unmask redroad-watch.service"),
        (
            "decide",
            {"active": "activating", "sub": "auto-restart", "result": "watchdog"},
            "is activating (auto-restart, watchdog); see: journalctl -u redroad-decide.service",
        ),
    ],
)
def test_what_is_wrong_with_a_service_is_reported(
    check: Check, of: str, changed: dict[str, object], words: str
) -> None:
    systemd(check, {of: changed})
    assert words in check.run("services").fault("services")


def test_a_service_that_does_not_stay_is_reported(check: Check) -> None:
    systemd(check, {"watch": {"restarts": 9, "since_us": round(time.monotonic() * 1e6)}})
    assert "was started again 9 times, last" in check.run("services").fault("services")


@pytest.mark.processes
def test_a_systemd_that_hangs_is_reported(check: Check) -> None:
    check.tool("systemctl", "exec sleep 60")
    assert "no answer in 5 s; start the machine anew" in check.run("services").fault("services")


@ROOT_ONLY
@pytest.mark.parametrize(
    ("limit", "ok", "words"),
    [
        ("15s", True, "resets the machine after 15 s"),
        ("1min 30s", False, "RuntimeWatchdogSec is 1min 30s, must be more than 0 and at most 15 s"),
        ("0", False, "RuntimeWatchdogSec is 0, must be"),
        ("infinity", False, "RuntimeWatchdogSec is infinity, must be"),
    ],
)
def test_a_watchdog_that_is_not_fed_is_reported(
    check: Check, limit: str, ok: bool, words: str
) -> None:
    check.mounts += DEVICES
    systemd(check, watchdog=limit)
    found = check.run("watchdog")
    assert words in (found.good("watchdog") if ok else found.fault("watchdog"))
