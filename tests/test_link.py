"""The sockets: whole messages, no waiting, nothing lost without being counted."""

import socket
import time
from pathlib import Path

import pytest

from edge.errors import LinkError
from edge.link import Inbox, Outlet, socket_path
from edge.wire import Event


def event(name: str) -> Event:
    return Event(name, "start", "test", 1, "because")


def test_messages_arrive_in_order(tmp_path: Path) -> None:
    outlet = Outlet(tmp_path, "decide")
    with Inbox(tmp_path, "decide") as inbox:
        for index in range(8):
            assert outlet.send(event(str(index)))
        received = inbox.receive(1.0)
    assert [message.id for message in received if isinstance(message, Event)] == list("01234567")


def test_nobody_there_is_told_and_counted(tmp_path: Path) -> None:
    outlet = Outlet(tmp_path, "decide")
    assert not outlet.send(event("lost"))
    assert outlet.dropped == 1


def test_a_stopped_receiver_never_blocks_the_sender(tmp_path: Path) -> None:
    outlet = Outlet(tmp_path, "show")
    with Inbox(tmp_path, "show"):
        began = time.monotonic()
        results = [outlet.send(event(str(index))) for index in range(5000)]
        assert time.monotonic() - began < 2.0
    assert results[0]
    assert not results[-1]
    assert outlet.dropped == results.count(False)


def test_a_restarted_receiver_is_found_again(tmp_path: Path) -> None:
    outlet = Outlet(tmp_path, "decide")
    with Inbox(tmp_path, "decide"):
        assert outlet.send(event("before"))
    assert not outlet.send(event("between"))
    with Inbox(tmp_path, "decide") as inbox:
        assert outlet.send(event("after"))
        (received,) = inbox.receive(1.0)
    assert isinstance(received, Event)
    assert received.id == "after"


def test_nonsense_is_counted_and_passed_over(tmp_path: Path) -> None:
    with Inbox(tmp_path, "decide") as inbox:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"hello", str(socket_path(tmp_path, "decide")))
        Outlet(tmp_path, "decide").send(event("good"))
        assert len(inbox.receive(1.0)) == 1
        assert inbox.rejected == 1


def test_receive_waits_no_longer_than_asked(tmp_path: Path) -> None:
    with Inbox(tmp_path, "decide") as inbox:
        began = time.monotonic()
        assert inbox.receive(0.1) == []
        assert 0.09 <= time.monotonic() - began < 1.0


def test_too_long_a_folder_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"too long for a socket.*--runtime"):
        socket_path(tmp_path / ("x" * 100), "decide")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="cannot listen"):
        Inbox(tmp_path / "absent", "decide")
