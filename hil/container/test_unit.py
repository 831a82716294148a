"""The installed unit in a container: it boots into service, and keeps pictures to itself."""

import io
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from edge.common.clock import boottime_ns
from hil.container.film import frame
from hil.container.inside import unit_of
from hil.container.probe import OUR_PYTHON, PINS, in_place_of, probe
from hil.container.search import pictures_in, pictures_under, writable
from hil.container.unit import SECRET, Unit
from hil.rig import PROGRAMS
from hil.testkit.mosquitto import wait_for

pytestmark = pytest.mark.timeout(900)  # the first run makes the root

REFUSED = "Address family not supported by protocol"
SERVICE_S = 90.0


def level_shown(unit: Unit) -> bool:
    shown = unit.panel.shown()
    return bool(shown) and shown[-1].message not in {"neutral", "dark"}


@pytest.fixture(scope="module")
def served(booted: Unit) -> Unit:
    """A unit whose sign tells a level."""
    wait_for(lambda: level_shown(booted), SERVICE_S, "the sign tells a level")
    return booted


def test_the_unit_boots_into_service(served: Unit) -> None:
    assert served.panel.shown()[0].message == "neutral"
    wait_for(lambda: set(served.programs.lives()) == set(PROGRAMS), SERVICE_S, "all are ready")
    wait_for(served.broker.events, SERVICE_S, "the broker hears events")


def test_nobody_in_the_unit_is_root(served: Unit) -> None:
    users = set[int]()
    for process in (each for p in PROGRAMS for each in served.box.processes(unit_of(p))):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            users.add(process.uids().effective)
    assert len(users) == len(PROGRAMS)
    assert 0 not in users


def probed(served: Unit, program: str) -> dict[str, object]:
    (watch, *_) = served.box.processes(unit_of("watch"))
    inside = Path(f"/proc/{watch.pid}/status").read_text(encoding="ascii")
    (pids,) = (line for line in inside.splitlines() if line.startswith("NSpid:"))
    return probe(served.box, program, served.host, int(pids.split()[-1]))


def test_watch_cannot_open_a_network_socket(served: Unit) -> None:
    found = probed(served, "watch")
    assert {found[kind] for kind in ("ipv4", "ipv6", "packet", "broker")} == {REFUSED}
    assert set(found["interfaces"]) <= {"lo"}  # type: ignore[call-overload]


def test_report_reaches_the_broker_and_no_picture(served: Unit) -> None:
    """It has the network; but no camera, and nothing of watch: memory, folder, process."""
    served.box.call("sh", "-c", "head -c 1 /dev/video0")
    found = probed(served, "report")
    assert found["broker"] == "done"
    assert found["camera"] == "No such file or directory"
    for what in ("memory of watch", "trace of watch", "folder of watch"):
        assert found[what] != "done", what


def test_watch_has_the_camera_that_report_has_not(served: Unit) -> None:
    assert probed(served, "watch")["camera"] == "done"


@pytest.mark.parametrize("program", ["decide", "show"])
def test_the_others_have_neither_network_nor_pictures(served: Unit, program: str) -> None:
    found = probed(served, program)
    assert {found[kind] for kind in ("ipv4", "ipv6", "packet", "broker")} == {REFUSED}
    assert found["memory of watch"] != "done"
    assert found["folder of watch"] != "done"


WAYS = {
    "watch-to-decide",
    "decide-to-show",
    *(f"{program}-to-report" for program in PROGRAMS),
    *(f"report-to-{program}" for program in PROGRAMS),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_reaches_those_it_may_tell(served: Unit, program: str) -> None:
    """A report that was taken over from the network can neither order the sign nor invent counts.

    Its own inbox everyone reaches, too, and nobody can take another's away.
    """
    found = probed(served, program)
    assert set(found["sent"]) == {way for way in WAYS if program in way.split("-to-")}  # type: ignore[call-overload]
    assert found["taken"] == []


def test_the_pins_open_without_root_in_a_folder_that_is_read_only(served: Unit) -> None:
    """As far as a machine without pins allows: lgpio ends before, where it may not write."""
    found = in_place_of(served.box, "show", OUR_PYTHON, PINS)
    assert (found["cwd"], found["alone"]) == ("/", 1)
    assert found["uid"] != 0
    assert found["ours"].startswith("no GPIO chip is labelled")


def test_no_picture_lies_where_the_unit_can_write(served: Unit) -> None:
    time.sleep(5)
    assert pictures_under(writable(served.box)) == []
    log = served.box.call("journalctl", "--no-pager", "--output=export").encode()
    assert pictures_in(log) == []
    assert SECRET.encode() not in log
    assert pictures_in(repr(served.listener.heard()).encode()) == []


def test_the_search_finds_a_picture_in_every_disguise(tmp_path: Path) -> None:
    """The bait: the same camera's picture as files, raw, in a database."""
    pixels = frame(100)
    for form in ("JPEG", "PNG", "WEBP", "GIF", "TIFF"):
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, form)
        (tmp_path / form).write_bytes(data.getvalue())
    np.save(tmp_path / "saved.npy", pixels)
    (tmp_path / "rgb").write_bytes(b"before" + pixels.tobytes())
    (tmp_path / "grey").write_bytes(b"1" + pixels[..., 1].tobytes())
    (tmp_path / "float").write_bytes(pixels[..., 1].astype(np.float32).tobytes())
    database = sqlite3.connect(tmp_path / "database")
    database.execute("CREATE TABLE t (b BLOB)")
    database.execute("INSERT INTO t VALUES (?)", (pixels[:8, :128].tobytes(),))
    database.commit()
    database.close()
    (tmp_path / "harmless").write_bytes(np.random.default_rng(1).bytes(1 << 20))
    found = {Path(line.partition(":")[0]).name for line in pictures_under([tmp_path])}
    assert found == {path.name for path in tmp_path.iterdir()} - {"harmless"}


def test_sockets_that_somebody_removed_are_there_again_after_a_start(served: Unit) -> None:
    """Until the next boot, which makes them as they were, all programs may tell all others."""
    served.box.call("sh", "-c", "rm -r /run/redroad/*-to-*; systemctl restart redroad.target")
    began = boottime_ns()

    def told() -> bool:
        levels = {change.message for change in served.panel.shown() if change.at > began}
        return bool(levels - {"neutral", "dark"})

    wait_for(told, SERVICE_S, "the sign tells a level again")
    wait_for(lambda: "sockets" in faults(served, "show"), SERVICE_S, "that is told")
    served.box.call("systemd-tmpfiles", "--create", "redroad.conf")
    served.box.call("systemctl", "restart", "redroad.target")
    wait_for(lambda: "sockets" not in faults(served, "show"), SERVICE_S, "all is as installed")


def test_a_program_that_may_not_tell_another_says_so(served: Unit) -> None:
    served.box.call("chmod", "0700", "/run/redroad/decide-to-show")
    wait_for(lambda: "sockets" in faults(served, "decide"), SERVICE_S, "that is told")
    assert "systemd-tmpfiles --create" in faults(served, "decide")["sockets"]
    wait_for(lambda: not level_shown(served), 10, "a neutral sign")
    served.box.call("chmod", "2710", "/run/redroad/decide-to-show")
    wait_for(lambda: "sockets" not in faults(served, "decide"), SERVICE_S, "the recovery")


def faults(unit: Unit, program: str) -> dict[str, str]:
    """What the program's newest health has told upstream; nothing before there is one."""
    told = [payload for topic, payload, _ in unit.listener.heard() if topic.endswith("/health")]
    programs = told[-1]["programs"] if told else {}
    found: dict[str, str] = programs.get(program, {}).get("faults", {})
    return found
