"""The whole way with real processes: what dies or hangs, and what the sign shows then."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from edge.commands.run import CHILDREN
from edge.common.clock import boottime_ns
from hil.testkit.appliance import SCENE_SITE, SITE, ZONE, Appliance, send
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for

NEUTRAL_WITHIN_S = 5.0
BACK_WITHIN_S = 10.0

PROGRAMS = [child.name for child in CHILDREN]


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """One that runs through all faults of this module, as a unit in the street would."""
    unit = Appliance(tmp_path_factory.mktemp("unit"))
    unit.start()
    yield unit
    unit.abandon()


def wait_until_back(unit: Appliance, program: str, old_pid: int) -> None:
    """The program is a new process, and the sign shows a level again."""
    began = time.monotonic()
    pid = unit.wait_for_new_pid(program, old_pid)
    if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
        send(pid, signal.SIGCONT)
    unit.wait_until_level(BACK_WITHIN_S + NEUTRAL_WITHIN_S - (time.monotonic() - began))


def test_the_first_text_is_neutral(appliance: Appliance) -> None:
    appliance.wait_until_level()
    assert appliance.shown()[0].message == "neutral"


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP], ids=["kill", "stop"])
@pytest.mark.parametrize("program", ["watch", "decide", "show"])
def test_a_lost_program_leaves_a_neutral_sign_and_comes_back(
    appliance: Appliance, program: str, signum: signal.Signals
) -> None:
    appliance.wait_until_level()
    pid = appliance.pid(program)
    since = send(pid, signum)
    if program == "watch" and signum is signal.SIGKILL:
        send(appliance.wait_for_new_pid("watch", pid), signal.SIGSTOP)  # or it is back too soon
    assert appliance.seconds_to_neutral(since) <= NEUTRAL_WITHIN_S
    wait_until_back(appliance, program, pid)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP], ids=["kill", "stop"])
def test_without_report_the_sign_goes_on(appliance: Appliance, signum: signal.Signals) -> None:
    appliance.wait_until_level()
    before, starts = len(appliance.shown()), appliance.starts("report")
    send(appliance.pid("report"), signum)
    wait_for(lambda: appliance.starts("report") > starts, 15, "report is back")
    assert "neutral" not in {shown.message for shown in appliance.shown()[before:]}


def test_a_stopped_program_that_goes_on_in_time_is_left_alone(appliance: Appliance) -> None:
    appliance.wait_until_level()
    pid = appliance.pid("decide")
    send(pid, signal.SIGSTOP)
    time.sleep(1.0)
    send(pid, signal.SIGCONT)
    time.sleep(2.0)
    assert appliance.pid("decide") == pid


def test_five_quick_deaths_do_not_end_the_restarting(appliance: Appliance) -> None:
    for _ in range(5):
        wait_for(lambda: appliance.pid("watch"), 15, "watch runs")
        send(appliance.pid("watch"), signal.SIGKILL)
        time.sleep(0.3)
    appliance.wait_until_level(30)


def test_another_run_in_the_same_folders_is_refused(appliance: Appliance) -> None:
    appliance.wait_until_level()
    other = Appliance(appliance.runtime.parent)
    other.start()
    assert other._process is not None
    assert other._process.wait(timeout=20) == 2
    assert "another `redroad run` already uses" in other.said()
    assert appliance.message()


def test_a_runtime_folder_that_cannot_be_made_is_reported_in_one_line(tmp_path: Path) -> None:
    unit = Appliance(tmp_path)
    (tmp_path / "file").touch()
    unit.runtime = tmp_path / "file" / "run"
    unit.start()
    assert unit._process is not None
    assert unit._process.wait(timeout=20) == 2
    assert "cannot be used: Not a directory; choose another one with --runtime" in unit.said()
    assert "Traceback" not in unit.said()


def test_ctrl_c_ends_everything_and_leaves_a_neutral_sign(appliance: Appliance) -> None:
    appliance.wait_until_level()
    children = appliance.children()
    assert appliance.end() == 0
    _, left = psutil.wait_procs(children, timeout=3)  # init may take its time to bury orphans
    assert not left
    assert appliance.message() == "neutral"
    assert "redroad: all programs have ended" in appliance.said()
    assert "Traceback" not in appliance.said()


@pytest.mark.parametrize("stopped", PROGRAMS)
def test_a_killed_run_leaves_no_orphans(tmp_path: Path, stopped: str) -> None:
    """Not even of a program that was stopped, and hears nothing."""
    unit = Appliance(tmp_path)
    unit.start()
    try:
        unit.wait_until_level()
        children = {child: words_of(child) for child in unit.children()}
        pid = unit.pid(stopped)
        send(pid, signal.SIGSTOP)
        wait_for(lambda: is_stopped(pid), 10, "it stands still")
        unit.end(signal.SIGKILL)
        _, left = psutil.wait_procs(list(children), timeout=10)
    finally:
        unit.abandon()
    assert not [children[child] for child in left]


def is_stopped(pid: int) -> bool:
    """All of its threads: before, the kernel does not count it as stopped."""
    states = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return all("(stopped)" in state for state in states)


def words_of(process: psutil.Process) -> str:
    """Its command; nothing for one that has just ended, as those that make clips do."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_a_wrong_site_file_is_reported_before_anything_starts(tmp_path: Path) -> None:
    unit = Appliance(tmp_path, "[camera]\nkind = 'scene'\nfpss = 3\n")
    unit.start()
    assert unit._process is not None
    assert unit._process.wait(timeout=20) == 2
    assert "camera.fpss = 3 is unknown; did you mean 'fps'?" in unit.said()
    assert unit.shown() == []


def test_a_camera_that_is_away_leaves_a_neutral_sign(tmp_path: Path) -> None:
    site = SCENE_SITE.replace(
        'kind = "scene"', 'kind = "stream"\nurl = "rtsp://127.0.0.1:9/street"'
    )
    unit = Appliance(tmp_path, site + ZONE)
    unit.start()
    try:
        wait_for(lambda: "fault: camera:" in unit.said(), 20, "the camera's fault is told")
        time.sleep(5)
        assert {shown.message for shown in unit.shown()} == {"neutral"}
        assert unit.starts("watch") == 1
    finally:
        unit.abandon()


def test_the_broker_gets_everything_also_what_it_missed(tmp_path: Path) -> None:
    """State retained, transitions as events, aggregates; then an outage in the midst of it."""
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    upstream = f'[upstream]\nhost = "127.0.0.1"\nport = {mosquitto.port}\naggregate_s = 5\n'
    unit = Appliance(tmp_path, SITE + upstream)
    listener = Listener(mosquitto.port)
    unit.start()
    try:
        unit.wait_until_level()
        wait_for(lambda: listener.on("counts"), 20, "the first aggregate")
        wait_for(lambda: _transitions(listener), 10, "the first transition")
        mosquitto.kill()
        outage = boottime_ns()
        send(unit.pid("watch"), signal.SIGSTOP)  # makes transitions that the broker misses
        unit.seconds_to_neutral(outage)
        unit.wait_until_level()
        listener.close()
        send(unit.pid("report"), signal.SIGSTOP)  # else it could tell before anybody listens
        mosquitto.start()
        listener = Listener(mosquitto.port)
        send(unit.pid("report"), signal.SIGCONT)
        wait_for(
            lambda: [m for m in _transitions(listener) if m["after"] == "UNKNOWN"],
            30,
            "the transition that was missed",
        )
        retained = Listener(mosquitto.port)
        wait_for(lambda: retained.on("state"), 10, "the retained state")
        assert retained.on("state")[0]["zones"][0]["people"] is not None
        retained.close()
    finally:
        listener.close()
        unit.abandon()
        mosquitto.kill()


def _transitions(listener: Listener) -> list[dict[str, str]]:
    return [message for message in listener.on("events") if message["kind"] == "transition"]
