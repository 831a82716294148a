"""The sockets: whole messages, no waiting, nothing lost without being counted."""

import os
import platform
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from edge.common.errors import LinkError
from edge.common.link import MAX_PER_READ, Inbox, Sender, socket_path
from edge.common.wire import COMMANDS, EVENTS, Command, Event, Health, Message, Wire

KERNEL = tuple(int(part) for part in platform.release().split(".")[:2])


def event(name: str, source: str = "decide") -> Event:
    return Event(name, "start", source, 1, "reason")


def inbox(folder: Path) -> Inbox:
    return Inbox(folder, "report", {"decide": EVENTS, "show": EVENTS})


def outlet_to(folder: Path, sender: str = "decide", wire: Wire = EVENTS) -> Sender:
    return Sender(folder, sender, "report", wire)


def test_messages_arrive_in_order(tmp_path: Path) -> None:
    outlet = outlet_to(tmp_path)
    with inbox(tmp_path) as opened:
        for index in range(8):
            assert outlet.send(event(str(index)))
        received = opened.receive(1.0)
    assert [message.id for message in received if isinstance(message, Event)] == list("01234567")


def test_nobody_there_is_reported_and_counted(tmp_path: Path) -> None:
    outlet = outlet_to(tmp_path)
    assert not outlet.send(event("lost"))
    assert outlet.dropped == 1


def test_a_stopped_receiver_never_blocks_the_sender(tmp_path: Path) -> None:
    outlet = outlet_to(tmp_path)
    with inbox(tmp_path):
        began = time.monotonic()
        results = [outlet.send(event(str(index))) for index in range(5000)]
        assert time.monotonic() - began < 2.0
    assert results[0]
    assert not results[-1]
    assert outlet.dropped == results.count(False)


def test_a_restarted_receiver_is_found_again(tmp_path: Path) -> None:
    outlet = outlet_to(tmp_path)
    with inbox(tmp_path):
        assert outlet.send(event("before"))
    assert not outlet.send(event("between"))
    with inbox(tmp_path) as opened:
        assert outlet.send(event("after"))
        (received,) = opened.receive(1.0)
    assert isinstance(received, Event)
    assert received.id == "after"


def test_nonsense_is_counted_and_passed_over(tmp_path: Path) -> None:
    with inbox(tmp_path) as opened:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"hello", str(socket_path(tmp_path, "decide", "report")))
        outlet_to(tmp_path).send(event("good"))
        assert len(opened.receive(1.0)) == 1
        assert opened.rejected == 1


def test_what_another_may_say_is_refused_here(tmp_path: Path) -> None:
    """A program that was taken over can tell no more than its own kinds of messages."""
    command = Command("id", "release", "somebody", 1, 2)
    with inbox(tmp_path) as opened:
        assert outlet_to(tmp_path, wire=COMMANDS).send(command)
        assert opened.receive(1.0) == []
        assert opened.rejected == 1


def test_nobody_speaks_for_another(tmp_path: Path) -> None:
    """Neither of what happened to it nor of its health."""
    with inbox(tmp_path) as opened:
        outlet_to(tmp_path, "show").send(event("invented"))
        outlet_to(tmp_path, "show").send(Health("decide", 1, {}, 0, {}))
        outlet_to(tmp_path, "decide").send(event("true"))
        assert [m.id for m in opened.receive(1.0) if isinstance(m, Event)] == ["true"]
        assert opened.receive(0.1) == []
        assert opened.rejected == 2


def test_what_is_too_long_is_not_understood(tmp_path: Path) -> None:
    long = Event("long", "start", "decide", 1, "x" * EVENTS.max_bytes)
    with inbox(tmp_path) as opened:
        outlet_to(tmp_path).send(long)
        outlet_to(tmp_path).send(event("good"))
        assert [m.id for m in opened.receive(1.0) if isinstance(m, Event)] == ["good"]
        assert opened.rejected == 1


def test_who_is_not_heard_has_no_way(tmp_path: Path) -> None:
    with inbox(tmp_path):
        assert not outlet_to(tmp_path, "watch").send(event("unheard"))


def test_a_flood_of_one_keeps_nobody_else_out(tmp_path: Path) -> None:
    flood, quiet = outlet_to(tmp_path, "show"), outlet_to(tmp_path, "decide")
    with inbox(tmp_path) as opened:
        while flood.send(event("flood", "show")):
            pass
        assert quiet.send(event("quiet"))
        received = {message.id for message in opened.receive(1.0) if isinstance(message, Event)}
    assert received == {"flood", "quiet"}


class Flooded(Wire):
    """Each message that is read is followed by another, as fast as one may read."""

    def __init__(self, flood: Sender) -> None:
        super().__init__(Event | Health)
        self._flood, self._left = flood, 3 * MAX_PER_READ

    def decode(self, data: bytes) -> Message:
        self._left -= 1
        assert self._left, "receive goes on and on"
        self._flood.send(event("flood"))
        return super().decode(data)


def test_a_flood_does_not_keep_the_receiver_from_its_work(tmp_path: Path) -> None:
    flood = outlet_to(tmp_path)
    with Inbox(tmp_path, "report", {"decide": Flooded(flood)}) as opened:
        flood.send(event("first"))
        assert len(opened.receive(1.0)) == MAX_PER_READ


UNPRIVILEGED = """
import os, pathlib, sys
from edge.common.link import Inbox
from edge.common.wire import EVENTS
os.setuid(65534)
print(Inbox(pathlib.Path(sys.argv[1]), "report", {"show": EVENTS}).fault)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_may_not_be_entered_is_reported_too(tmp_path: Path) -> None:
    (tmp_path / "closed" / "run").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    command = [sys.executable, "-c", UNPRIVILEGED, str(tmp_path / "closed" / "run")]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    assert "Permission denied; does the folder exist and is it ours?" in done.stdout


def test_receive_waits_no_longer_than_asked(tmp_path: Path) -> None:
    with inbox(tmp_path) as opened:
        began = time.monotonic()
        assert opened.receive(0.1) == []
        assert 0.09 <= time.monotonic() - began < 1.0


def test_too_long_a_folder_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"too long for a socket.*--runtime"):
        socket_path(tmp_path / ("x" * 100), "decide", "report")


@contextmanager
def lingering() -> Iterator[socket.socket]:
    """A connection with more to send than the other end takes; its last close takes 5 s."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = socket.create_connection(server.getsockname())
        with server.accept()[0]:
            sender.setblocking(False)
            with suppress(BlockingIOError):
                while sender.send(bytes(1 << 20)):
                    pass
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
            yield sender


def send_with(file: int, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.connect(str(socket_path(folder, "decide", "report")))
        socket.send_fds(stranger, [EVENTS.encode(event("loaded"))], [file])


@pytest.mark.skipif(KERNEL < (6, 16), reason="Linux can refuse files in messages since 6.16")
def test_no_open_file_comes_with_a_message(tmp_path: Path) -> None:
    with inbox(tmp_path) as opened, socket.socket() as passed:
        with pytest.raises(PermissionError):
            send_with(passed.fileno(), tmp_path)
        assert opened.receive(0.1) == []


def test_where_one_comes_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who gets the last of a connection that lingers would have to as it closes."""
    monkeypatch.setattr("edge.common.link.SO_PASSRIGHTS", -1)  # as before Linux 6.16
    with inbox(tmp_path) as opened, lingering() as passed:
        send_with(passed.fileno(), tmp_path)
        passed.close()
        began = time.monotonic()
        assert len(opened.receive(1.0)) == 1
        assert time.monotonic() - began < 1.0


def test_a_file_that_is_no_socket_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.common.link.SO_PASSRIGHTS", -1)
    reader, writer = os.pipe()
    with inbox(tmp_path) as opened:
        send_with(writer, tmp_path)
        os.close(writer)
        assert len(opened.receive(1.0)) == 1
        assert os.read(reader, 1) == b""  # nobody has the other end any more
    os.close(reader)


def test_who_cannot_listen_says_so_and_does_as_soon_as_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "absent"
    with inbox(folder) as opened:
        assert "cannot listen" in opened.fault
        assert "does the folder exist" in opened.fault
        assert opened.receive(0.1) == []
        folder.mkdir()
        time.sleep(1.0)
        assert opened.receive(0.0) == []
        assert opened.fault == ""
        assert outlet_to(folder).send(event("heard"))
        assert len(opened.receive(1.0)) == 1
