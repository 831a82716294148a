"""The machine's measures, from files such as a Raspberry Pi's kernel has."""

import time
from pathlib import Path
from typing import Any

from edge.common.clock import boottime_ns
from edge.common.program import Paths, Program
from edge.common.wire import Health
from edge.report.machine import judge, look
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report

PI = {
    "sys/class/thermal/thermal_zone0/temp": "81237\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    "proc/meminfo": "MemTotal: 3884360 kB\nMemAvailable: 3100000 kB\n",
    "proc/uptime": "5025.11 19000.12\n",
}


def pi(root: Path, **changes: str) -> Path:
    for name, text in {**PI, **changes}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return root


def test_a_hot_pi_with_bad_power_is_reported_and_its_recovery_too(tmp_path: Path) -> None:
    machine = look(tmp_path, pi(tmp_path))
    assert (machine.temperature_c, machine.memory_free_mb, machine.uptime_s) == (81.237, 3100, 5025)
    assert machine.throttled is not None
    assert [words.split(":")[0] for words in machine.throttled] == [
        "undervoltage",
        "the processor is throttled",
    ]
    program = Program("report", Paths(tmp_path, tmp_path))
    judge(machine, program)
    assert set(program.faults) == {"heat", "power"}
    cool = {
        "sys/class/thermal/thermal_zone0/temp": "40000",
        "sys/devices/platform/soc/soc:firmware/get_throttled": "50000",
    }
    judge(look(tmp_path, pi(tmp_path, **cool)), program)
    assert program.faults == {}


def test_what_the_kernel_does_not_tell_is_unknown(tmp_path: Path) -> None:
    machine = look(tmp_path / "absent", tmp_path)
    assert set(vars(machine).values()) == {None}
    garbled = look(tmp_path, pi(tmp_path, **dict.fromkeys(PI, "what?")))
    assert (garbled.temperature_c, garbled.throttled, garbled.uptime_s) == (None, None, None)


def test_this_machine_reports_something(tmp_path: Path) -> None:
    machine = look(tmp_path)
    assert machine.memory_free_mb and machine.disk_free_mb and machine.uptime_s


# Python's own start-up hook: the real program looks at another machine's files.
HOOK = """
from pathlib import Path
import edge.report.machine as machine
machine.look.__defaults__ = (Path({root!r}),)
"""
REPORTED_WITHIN_S = 60.0


def test_throttling_is_reported_within_a_minute_with_the_frame_rate(
    report: Report, broker: Mosquitto, tmp_path: Path
) -> None:
    hook, root, listener = tmp_path / "hook", tmp_path / "pi", Listener(broker.port)
    well = {"sys/devices/platform/soc/soc:firmware/get_throttled": "0"}
    pi(root, **well)
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK.format(root=str(root)), encoding="utf-8")
    report.start(PYTHONPATH=f"{hook}:{Path(__file__).parents[2]}")
    wait_for(lambda: listener.on("health"), 20, "the first health")
    assert listener.on("health")[-1]["throttled"] == []
    assert listener.on("health")[-1]["pictures_per_s"] is None  # watch tells nothing yet
    assert listener.on("health")[-1]["counted_where_nobody_is"] is None
    pi(root)
    until = time.monotonic() + REPORTED_WITHIN_S

    def told() -> bool:
        report.ways["watch"].send(Health("watch", boottime_ns(), {}, 0, {"pictures_per_s": 1.7}))
        health = listener.on("health")[-1]
        slow = any("throttled" in words for words in health["throttled"])
        return slow and health["pictures_per_s"] == 1.7

    wait_for(told, until - time.monotonic(), "throttling and rate")

    def events() -> list[Any]:
        return [each for each in listener.on("events") if each["after"] == "power"]

    wait_for(events, 10, "the event")
    assert "undervoltage" in events()[0]["reason"]
