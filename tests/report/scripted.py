"""Servers that behave as brokers, clouds and balancers do when something is wrong."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CONNECT, PUBLISH, SUBSCRIBE = 1, 3, 8


@dataclass(frozen=True)
class Packet:
    """One of MQTT 5, as far as a script looks into it."""

    kind: int
    body: bytes

    @property
    def topic(self) -> str:
        return self.body[2 : 2 + int.from_bytes(self.body[:2])].decode()

    @property
    def client_id(self) -> str:
        """Of a CONNECT: after its properties, whose length stands at 10."""
        rest = self.body[11 + self.body[10] :]
        return rest[2 : 2 + int.from_bytes(rest[:2])].decode()

    @property
    def number(self) -> bytes:
        """By which it is acknowledged."""
        at = 2 + len(self.topic.encode()) if self.kind == PUBLISH else 0
        return self.body[at : at + 2]


Script = Callable[["Peer"], None]


class Peer:
    """Who has connected."""

    def __init__(self, made: socket.socket) -> None:
        self._socket = made

    def read(self) -> Packet:
        first = self._bytes(1)[0]
        length = shift = 0
        while True:
            byte = self._bytes(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return Packet(first >> 4, self._bytes(length))

    def write(self, content: bytes) -> None:
        self._socket.sendall(content)

    def wait(self) -> None:
        """Until it goes."""
        while self._socket.recv(4096):
            pass

    def _bytes(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            more = self._socket.recv(count - len(content))
            if not more:
                raise ConnectionError
            content += more
        return content


@contextlib.contextmanager
def scripted(script: Script) -> Iterator[int]:
    """A server that runs the script for every connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    made, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(made,), daemon=True).start()

        def talk(made: socket.socket) -> None:
            with made, contextlib.suppress(OSError):
                script(Peer(made))

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def silent(peer: Peer) -> None:
    """A load balancer with nothing behind it."""
    peer.wait()


def hangs_up(peer: Peer) -> None:
    """As a service that is none of ours."""
    peer.read()


def refuses(code: int, server: str = "") -> Script:
    """A CONNACK that says no, perhaps with the server to go to."""
    reference = b"\x1c" + len(server).to_bytes(2) + server.encode() if server else b""
    body = bytes([0, code, len(reference)]) + reference

    def script(peer: Peer) -> None:
        peer.read()
        peer.write(bytes([0x20, len(body)]) + body)
        peer.wait()

    return script


def cloud(hated: Callable[[Packet], bool], properties: bytes = b"") -> Script:
    """One that hangs up on what it does not like, as AWS IoT does."""

    def script(peer: Peer) -> None:
        peer.read()
        peer.write(bytes([0x20, 3 + len(properties), 0, 0, len(properties)]) + properties)
        while True:
            packet = peer.read()
            if hated(packet):
                return
            if packet.kind == PUBLISH:
                peer.write(b"\x40\x02" + packet.number)
            elif packet.kind == SUBSCRIBE:
                count = packet.body.count(b"redroad/v1") + packet.body.count(b"homeassistant/")
                peer.write(bytes([0x90, 3 + count]) + packet.number + b"\x00" + b"\x01" * count)

    return script
