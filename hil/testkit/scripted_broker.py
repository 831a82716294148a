"""A broker with the manners of the large clouds: it says what it takes, and hangs up on the rest.

It speaks just as much MQTT 5 and 3.1.1 as a unit does: real sockets, real packets. What it makes of
a message, the test says.
"""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
TAKE = 0
V311, V5 = 4, 5
UNSUPPORTED_311, UNSUPPORTED_5 = 1, 0x84


@dataclass(frozen=True)
class HangUp:
    """End the connection: with this reason of MQTT 5, or without a word."""

    reason: int | None = None


@dataclass(frozen=True)
class Published:
    """A message as it came; `size` is the whole packet's."""

    topic: str
    payload: Any
    qos: int
    retain: bool
    size: int
    expiry: int | None


Judge = Callable[[Published], int | HangUp]


def take_all(_message: Published) -> int | HangUp:
    """Every message is taken."""
    return TAKE


class ScriptedBroker:
    """Serves one client after another on a port of its own."""

    def __init__(
        self,
        judge: Judge = take_all,
        *,
        properties: bytes = b"",
        version: int = V5,
        will_retain_refused: bool = False,
    ) -> None:
        self.judge = judge
        self.taken: list[Published] = []
        self.connections = 0  # that were accepted
        self._clients: set[socket.socket] = set()
        self._properties, self._version = properties, version
        self._will_retain_refused = will_retain_refused
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def topics(self) -> list[str]:
        """Of all that was taken, by the last parts of their names."""
        return [message.topic for message in list(self.taken)]

    def close(self) -> None:
        """No further client."""
        self._server.close()

    def restart(self) -> None:
        """End all connections, whatever was sent on them; further ones are taken."""
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._clients.add(client)
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            _, _, connect = _packet(client)
            name_length = struct.unpack("!H", connect[:2])[0]
            version, flags = connect[2 + name_length], connect[3 + name_length]
            if version > self._version:
                client.sendall(bytes([CONNACK << 4, 2, 0, UNSUPPORTED_311]))
                return
            if self._will_retain_refused and flags & 0x20:
                client.sendall(bytes([CONNACK << 4, 3, 0, 0x9A, 0]))
                return
            v5 = version == V5
            said = bytes([len(self._properties)]) + self._properties if v5 else b""
            client.sendall(bytes([CONNACK << 4, 2 + len(said), 0, 0]) + said)
            self.connections += 1
            while self._answer(client, v5):
                pass

    def _answer(self, client: socket.socket, v5: bool) -> bool:
        """Take one packet; whether the connection goes on."""
        kind, flags, body = _packet(client)
        if kind == PUBLISH:
            return self._take(client, v5, flags, body)
        if kind == SUBSCRIBE:
            code = bytes([0]) if v5 else b""
            client.sendall(bytes([SUBACK << 4, 3 + len(code)]) + body[:2] + code + bytes([1]))
        elif kind == PINGREQ:
            client.sendall(bytes([PINGRESP << 4, 0]))
        return kind != DISCONNECT

    def _take(self, client: socket.socket, v5: bool, flags: int, body: bytes) -> bool:
        qos, retain = flags >> 1 & 3, bool(flags & 1)
        length = struct.unpack("!H", body[:2])[0]
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        mid, rest = (rest[:2], rest[2:]) if qos else (b"", rest)
        expiry = None
        if v5:
            properties, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            expiry = struct.unpack("!I", properties[1:5])[0] if properties[:1] == b"\x02" else None
        payload: Any = rest.decode()
        if payload.startswith("{"):
            payload = json.loads(payload)
        size = 2 + (len(body) > 127) + len(body)
        message = Published(topic, payload, qos, retain, size, expiry)
        verdict = self.judge(message)
        if isinstance(verdict, HangUp):
            if verdict.reason is not None and v5:
                client.sendall(bytes([DISCONNECT << 4, 2, verdict.reason, 0]))
            return False
        if verdict == TAKE:
            self.taken.append(message)
        if qos:
            code = bytes([verdict]) if v5 and verdict else b""
            client.sendall(bytes([PUBACK << 4, 2 + len(code)]) + mid + code)
        return True


def _packet(client: socket.socket) -> tuple[int, int, bytes]:
    """Kind, flags and body of the next packet. EOFError at the end."""
    first = _exactly(client, 1)[0]
    length = shift = 0
    while True:
        byte = _exactly(client, 1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return first >> 4, first & 15, _exactly(client, length)


def _exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = client.recv(size - len(found))
        if not more:
            raise EOFError
        found += more
    return found
