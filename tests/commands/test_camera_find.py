"""`redroad camera find` before cameras that answer as ONVIF has it."""

import logging
import os
import pty
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner

from edge.cli import main
from edge.commands.camera import discovery
from edge.commands.camera.details import Login, StreamOf, ask
from edge.commands.camera.discovery import Found, camera_of, find
from edge.commands.camera.find import Asked, best_of, find_cameras, section
from edge.common.errors import CameraError
from edge.site.schema import StreamOptions
from tests.commands.onvif_camera import MAIN, SUB, OnvifCamera, Profile

USER, PASSWORD = "viewer", "pa:s w@rd&1"
WAIT_S = 1.0
Make = Callable[..., OnvifCamera]


@pytest.fixture
def make() -> Iterator[Make]:
    made = list[OnvifCamera]()

    def one(**options: object) -> OnvifCamera:
        made.append(OnvifCamera(**options))  # type: ignore[arg-type]
        return made[-1]

    yield one
    for camera in made:
        camera.end()


def nobody(why: str) -> Login | None:
    return None


def at(camera: OnvifCamera) -> tuple[str, ...]:
    return (f"127.0.0.1:{camera.port}",)


def test_a_camera_is_found_by_multicast(make: Make) -> None:
    """With its name and place, at its own address, though it names another, too."""
    camera = make()
    assert find(WAIT_S, camera.discovery_port) == [
        Found("127.0.0.1", camera.port, "Entrance North", "Seoul, Mapo", "SIM-1")
    ]


def test_an_answer_for_another_address_is_no_camera(make: Make) -> None:
    """A login must not be sent to whomever an answer names."""
    camera = make(xaddr_host="192.0.2.9")
    assert find(WAIT_S, camera.discovery_port) == []


@pytest.mark.parametrize(
    "data", [b"", b"<", b"\xff\xfe", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_an_answer_that_is_none_is_left_out(data: bytes) -> None:
    assert list(camera_of(data, "127.0.0.1")) == []


def test_a_name_cannot_command_the_terminal() -> None:
    data = (
        '<e xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:ProbeMatch>'
        "<d:Scopes>onvif://www.onvif.org/name/%1B%5B2Jgone%0A</d:Scopes>"
        "<d:XAddrs>http://10.0.0.1/onvif/device_service</d:XAddrs></d:ProbeMatch></e>"
    )
    (found,) = camera_of(data.encode(), "10.0.0.1")
    assert found.name == "[2Jgone"


def test_what_it_prints_is_a_section_of_the_site_file(make: Make) -> None:
    """Main and sub stream; the smaller one, which is large enough, is what is written."""
    camera = make(user=USER, password=PASSWORD)
    lines = list(find_cameras(WAIT_S, at(camera), Asked(nobody, Login(USER, PASSWORD))))
    text = "\n".join(lines)
    assert "Simulated Street 1" in text
    assert "main  rtsp://127.0.0.1:554/Streaming/Channels/101  (2560x1440 H264, 15 a sec" in text
    assert "sub   rtsp://127.0.0.1:554/Streaming/Channels/102  (1280x720 H264" in text
    options = tomllib.loads(text[text.index("[camera]") :])["camera"]
    stream = StreamOptions.model_validate(options)
    assert stream.url == "rtsp://viewer@127.0.0.1:554/Streaming/Channels/102"
    assert stream.password_file == "camera.password"


def test_the_password_goes_nowhere(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Neither into a log of any level, nor the output, nor the network in plain text."""
    caplog.set_level(logging.DEBUG)
    camera = make(user=USER, password=PASSWORD, uri_query=f"?user=viewer&password={PASSWORD}")
    login = Login(USER, PASSWORD)
    lines = list(find_cameras(WAIT_S, at(camera), Asked(nobody, login)))
    assert any("***" in line for line in lines)
    told = "\n".join([*lines, caplog.text, repr(login), *camera.requests])
    assert PASSWORD not in told
    assert "w@rd" not in told


def test_the_login_is_asked_for_and_a_wrong_one_again(make: Make) -> None:
    camera = make(user=USER, password=PASSWORD)
    asked, given = list[str](), [Login(USER, "wrong"), Login(USER, PASSWORD)]

    def person(why: str) -> Login | None:
        asked.append(why)
        return given.pop(0)

    lines = list(find_cameras(WAIT_S, at(camera), Asked(person)))
    assert "wants a login" in asked[0]
    assert "refuses that login" in asked[1]
    assert any("main" in line for line in lines)


def test_without_a_login_the_camera_is_named_and_the_remedy(make: Make) -> None:
    camera = make(user=USER, password=PASSWORD)
    text = "\n".join(find_cameras(WAIT_S, at(camera), Asked(nobody)))
    assert "wants a login; run this in a terminal, or give --user and --password-file" in text


def test_an_open_camera_needs_no_login(make: Make) -> None:
    details = ask(Found("127.0.0.1", make().port), None)
    assert [stream.width for stream in details.streams] == [MAIN.width, SUB.width]


def test_something_else_on_that_port_is_said_so() -> None:
    with pytest.raises(CameraError, match="look its RTSP address up in its manual"):
        ask(Found("127.0.0.1", 9), None)


def test_nobody_there_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery.find, "__defaults__", (unused_port(),))
    done = CliRunner().invoke(main, ["camera", "find", "--wait", "0.5"])
    assert done.exit_code == 2
    assert "no ONVIF camera answered within 0.5 s; switch ONVIF on" in done.output


def unused_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", 0))
        return int(one.getsockname()[1])


def test_an_address_that_is_none_is_said_so() -> None:
    done = CliRunner().invoke(main, ["camera", "find", "--wait", "0.5", "--address", "x:y"])
    assert done.exit_code == 2
    assert "--address is 'x:y', must be HOST or HOST:PORT" in done.output


@pytest.mark.parametrize(
    ("widths", "best"), [([2560, 1280, 640], 1280), ([640, 352], 640), ([1920], 1920)]
)
def test_the_smallest_stream_that_is_large_enough_is_chosen(widths: list[int], best: int) -> None:
    streams = tuple(StreamOf(f"rtsp://h/{w}", w, w * 9 // 16, "H264", 15) for w in widths)
    assert best_of(streams).width == best


def test_signs_of_an_address_in_the_user_are_quoted() -> None:
    text = section(StreamOf("rtsp://h/x", 1, 1, "", 0), Login("a@b", "c"))
    assert tomllib.loads(text)["camera"]["url"] == "rtsp://a%40b@h/x"


def test_the_command_asks_a_person_and_shows_no_password(make: Make) -> None:
    """In a terminal of its own, as a technician runs it."""
    camera = make(user=USER, password=PASSWORD, profiles=(MAIN, Profile("jpeg", 640, 360, "/j")))
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "edge", "camera", "find", "--address", at(camera)[0]]
    running = subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.close(terminal)
    os.write(controller, f"{USER}\n".encode())
    assert running.stderr is not None
    seen = ""
    while "password:" not in seen and (letter := running.stderr.read(1)):
        seen += letter
    os.write(controller, f"{PASSWORD}\n".encode())
    output, errors = running.communicate(timeout=60)
    shown = os.read(controller, 1 << 16).decode()
    os.close(controller)
    assert "2560x1440" in output
    assert PASSWORD not in output + seen + errors + shown
