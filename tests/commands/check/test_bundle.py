"""The support bundle, made by the command, of units that are whole, running, and half broken."""

import base64
import json
import os
import subprocess
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image, PngImagePlugin

from edge.commands.bundle.bundle import write_bundle
from edge.common.program import Paths
from edge.report.status import read_status
from hil.testkit.apart import apart
from hil.testkit.appliance import Appliance
from hil.testkit.mosquitto import free_port, wait_for
from hil.testkit.report_process import Report
from tests.commands.check.conftest import SITE, Check
from tests.report.test_canary import CANARY

MEMBERS = {
    "CONTENTS.txt",
    "check.txt",
    "check.json",
    "site.toml",
    "status.json",
    "versions.txt",
    "outbox.json",
    "files.txt",
    "machine.txt",
    "services.txt",
    "journal.txt",
    "kernel.txt",
    "boots.txt",
}
FORMS = (CANARY, quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode().rstrip("="))
PICTURE_CANARY = "canary in a picture"


def bundle(check: Check, *logs: Path) -> dict[str, bytes]:
    """Its members by name, made by the function of the command; its notes as the member ""."""
    check.site_file.write_text(check.site, encoding="utf-8")
    out, errors = check.folder / "bundle.tar.gz", check.folder / "errors"
    errors.touch()
    made = apart(
        write_bundle,
        check.site_file,
        Paths(check.runtime, check.state),
        out,
        logs,
        errors=errors,
        environment=check.environment,
    )
    said = errors.read_bytes()
    assert b"Traceback" not in said
    return {**members_of(out), "": "\n".join(made.notes).encode() + said}


def bundle_by_command(check: Check, *logs: Path) -> dict[str, bytes]:
    """The same end to end; what the command said as the member ""."""
    out = check.folder / "bundle.tar.gz"
    more = (word for log in logs for word in ("--log", str(log)))
    done = subprocess.run(
        check.command("support-bundle", "--out", str(out), *more),
        env=os.environ | check.environment,
        capture_output=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    return {**members_of(out), "": done.stdout + done.stderr}


def members_of(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        members = {entry.name.partition("/")[2]: entry for entry in archive.getmembers()}
        return {name: _content(archive, entry) for name, entry in members.items()}


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(entry)
    assert file is not None
    return file.read()


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def test_a_secret_is_nowhere_in_it(check: Check) -> None:
    """In the site file and its mistakes, in the secrets' files, in the journal and in a log."""
    put(check.folder / "password", CANARY)
    put(check.folder / "camera.password", CANARY)
    check.site = (
        f'# password = "{CANARY}"\n{SITE}'
        f'[camera]\nkind = "stream"\nurl = "rtsp://u:{quote(CANARY, safe="")}@127.0.0.1:9/x"\n'
        f'password_file = "camera.password"\npasswort = "{CANARY}"\n'
        f'[upstream]\nhost = "127.0.0.1"\nport = {free_port()}\nusername = "unit"\n'
        'password_file = "password"\n'
    )
    log = "\n".join(f"report WARNING login with {form} refused" for form in FORMS)
    put(check.folder / "run.log", log + f"\nmqtt://unit:{CANARY}@broker\npassword={CANARY}\n")
    check.tool("journalctl", f"cat {check.folder / 'run.log'}")
    told = bundle_by_command(check, check.folder / "run.log")
    assert told.keys() - {""} == MEMBERS | {"logs/1-run.log"}
    for name, content in told.items():
        assert not [form for form in FORMS if form.encode() in content], name
    for name in ("journal.txt", "logs/1-run.log"):
        assert told[name].count(b"login with *** refused") == 3
    assert b"did you mean" in told["check.txt"]


def test_the_words_of_a_report_that_was_refused_hold_no_secret(tmp_path: Path) -> None:
    """A real report, its real log, and its outbox."""
    put(tmp_path / "password", CANARY)
    report = Report(
        tmp_path,
        f'host = "127.0.0.1"\nport = {free_port()}\nusername = "u"\npassword_file = "password"\n',
    )
    try:
        report.start()
        wait_for(lambda: "fault: broker" in report.said(), 20, "the fault")
        whole = Check(tmp_path, report.site_file.read_text(encoding="utf-8"))
        told = bundle(whole, report.log)
    finally:
        report.end()
    assert b"fault: broker" in told["logs/1-report.log"]
    assert json.loads(told["outbox.json"])
    assert CANARY.encode() not in b"".join(told.values())


def pictured(folder: Path) -> list[Path]:
    """Pictures as careless hands might leave them."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", PICTURE_CANARY)
    noise.save(folder / "picture.png", pnginfo=info)
    noise.save(folder / "picture.jpg", comment=PICTURE_CANARY.encode())
    (folder / "street.log").write_bytes((folder / "picture.jpg").read_bytes())
    (folder / "status.json").write_bytes((folder / "picture.png").read_bytes())
    data = base64.b64encode((folder / "picture.jpg").read_bytes()).decode()
    (folder / "page.log").write_text(f"before data:image/jpeg;base64,{data} after\n")
    return [folder / "street.log", folder / "picture.png", folder / "page.log"]


def test_no_picture_is_in_it(check: Check) -> None:
    logs = pictured(check.runtime)
    pictured(check.state / "show" / "panel")
    told = bundle(check, *logs)
    for name, content in told.items():
        content.decode()  # texts only
        for sign in (b"\x89PNG", b"\xff\xd8\xff", PICTURE_CANARY.encode(), b"/9j/"):
            assert sign not in content, name
    assert told["logs/3-page.log"] == b"before data:image/jpeg;base64,(long data left out) after\n"
    assert b"is no text, and is left out" in told["logs/1-street.log"]
    assert b"picture.jpg" in told["files.txt"]  # by name only


def test_a_running_unit_gives_its_state_and_goes_on(check: Check) -> None:
    unit = Appliance(check.folder, SITE)
    paths = Paths(check.runtime, check.state)
    try:
        unit.start()
        wait_for(lambda: read_status(paths) and unit.shown(), 60, "the unit tells its state")
        told = bundle(check, unit.log)
        assert json.loads(told["status.json"])["health"]["programs"]
        assert b"no unit runs" not in told["check.txt"]
        assert b"Traceback" not in unit.log.read_bytes()
        assert (check.state / "show" / "panel" / "panel.png").exists()
        assert b"\x89PNG" not in b"".join(told.values())
    finally:
        unit.abandon()


@pytest.mark.processes
def test_a_unit_half_broken_gives_the_other_half(check: Check) -> None:
    """A site file that is none, a torn outbox, a systemd that hangs, and hardly a tool."""
    put(check.state / "report" / "outbox.sqlite3", "no database" * 999)
    put(check.runtime / "status.json", '{"half')
    check.site = f'[upstream]\npassword = "{CANARY}"\nhost = \n'
    check.tool("systemctl", "exec sleep 60")
    check.environment["PATH"] = str(check.folder / "tools") + ":/bin"
    told = bundle(check)
    assert told.keys() - {""} == MEMBERS
    assert b"not valid TOML" in told["site.toml"]
    assert b"not valid TOML" in told["check.txt"]
    assert b"no answer in 5 s" in told["check.txt"]
    assert b"no answer in 15 s" in told["services.txt"]
    assert b"cannot be read" in told["outbox.json"]
    assert CANARY.encode() not in b"".join(told.values())


def test_it_is_bounded_and_keeps_the_newest(check: Check) -> None:
    """Twenty logs of a million random lines each do not fit."""
    random = os.urandom(3_000_000).hex()
    lines = "\n".join(random[at : at + 60] for at in range(0, len(random), 60))
    logs = [check.folder / f"{number}.log" for number in range(20)]
    for log in logs:
        put(log, f"the oldest\n{lines}\nthe newest\n")
    told = bundle(check, *logs)
    assert (check.folder / "bundle.tar.gz").stat().st_size < 16_000_000
    assert sum(map(len, told.values())) < 17_000_000
    assert told["logs/1-0.log"].endswith(b"\nthe newest\n")
    assert b"the oldest" not in told["logs/1-0.log"]
    assert b"logs/20-19.log was left out: the bundle is full" in told["CONTENTS.txt"]


@pytest.mark.parametrize("place", ["absent/bundle.tar.gz", "full/bundle.tar.gz"])
def test_a_place_that_does_not_take_it_is_reported_in_one_line(check: Check, place: str) -> None:
    if place.startswith("full"):
        if os.geteuid() != 0:
            pytest.skip("only root can mount")
        (check.folder / "full").mkdir()
        check.mounts.append(f"mount -t tmpfs -o size=4k tmpfs {check.folder / 'full'}")
    done = subprocess.run(
        check.command("support-bundle", "--out", str(check.folder / place)),
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if not line.startswith("INFO:")]
    assert done.returncode == 2
    assert len(told) == 1
    assert "name another place with --out" in told[0]
    assert list(check.folder.rglob("bundle*")) == []


def test_two_logs_of_one_name_are_both_there(check: Check) -> None:
    for folder in ("a", "b"):
        put(check.folder / folder / "run.log", f"from {folder}\n")
    told = bundle(check, *(check.folder / folder / "run.log" for folder in "ab"))
    logs = [content for name, content in told.items() if name.startswith("logs/")]
    assert sorted(logs) == [b"from a\n", b"from b\n"]
