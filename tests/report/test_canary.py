"""A secret that was given to report is in nothing that it writes, whatever goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_commands import TOPIC, asked
from tests.report.test_report import sent, state

CANARY = "canary/secret?40"
LOGIN = 'username = "unit"\npassword_file = "password"\n'


def put(folder: Path, password: str) -> None:
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o600)


def written(report: Report) -> bytes:
    """Everything in every file that is not the secret's own."""
    files = [file for file in report.site_file.parent.rglob("*") if file.is_file()]
    return b"".join(file.read_bytes() for file in files if file.name != "password")


@pytest.fixture
def guarded(tmp_path: Path) -> Mosquitto:
    """A broker that knows the unit by the canary alone."""
    put(tmp_path, CANARY)
    users = tmp_path.parent / f"{tmp_path.name}-users"
    mosquitto_passwd = ["mosquitto_passwd", "-c", "-b", str(users), "unit", CANARY]
    subprocess.run(mosquitto_passwd, check=True, capture_output=True)
    users.chmod(0o644)
    ours = "user root\n" if os.geteuid() == 0 else ""  # the file is this user's
    return Mosquitto(tmp_path, f"{ours}password_file {users}\nallow_anonymous false")


@pytest.mark.parametrize("right", [True, False], ids=["accepted", "refused"])
def test_the_canary_is_nowhere(tmp_path: Path, guarded: Mosquitto, right: bool) -> None:
    guarded.start()
    put(tmp_path, CANARY if right else f"{CANARY}-wrong")
    report = Report(tmp_path, f'host = "127.0.0.1"\nport = {guarded.port}\n{LOGIN}')
    try:
        report.start()
        report.outlet.send(state())
        sent(report, ["a"])
        if right:
            listener = Listener(guarded.port, login=("unit", CANARY))
            wait_for(lambda: listener.on("health"), 15, "the health")
            listener.say(f"{TOPIC}/log", asked("loud", verbosity="DEBUG"))
            listener.say(f"{TOPIC}/text", "no command")
            wait_for(lambda: len(listener.on("reply")) == 2, 10, "the answers")
            assert CANARY not in str(listener.messages)
        else:
            wait_for(lambda: "refuses us" in report.said(), 15, "the refusal")
        guarded.kill()
        wait_for(lambda: "fault: broker" in report.said(), 15, "the fault")
        check = [sys.executable, "-m", "edge", "check", "--site", str(report.site_file)]
        told = subprocess.run(
            [*check, "--state", str(report.state.parent)], capture_output=True, check=False
        )
        assert b"broker" in told.stdout
        assert CANARY.encode() not in told.stdout + told.stderr
    finally:
        report.end()
        guarded.kill()
    assert b"report" in written(report)
    assert CANARY.encode() not in written(report)
