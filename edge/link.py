"""The sockets between the programs: Unix datagrams, one inbox a program, never blocking a sender.

A datagram arrives whole or not at all. When a receiver is away, or too slow, what is sent is
dropped and counted: every message has a time and a lifetime, so a later one replaces it, and
`Event`s, which nothing replaces, are kept by their sender (`Outlet.send` tells).
"""

import contextlib
import select
import socket
from pathlib import Path
from types import TracebackType

from edge.errors import LinkError
from edge.wire import WIRE, Message, Wire

MAX_DATAGRAM = 1 << 18
SOCKET_MODE = 0o660  # whoever is in the folder's group may send: each program is another user
MAX_PATH = 107  # bytes in sockaddr_un, less the closing zero


def socket_path(runtime: Path, program: str) -> Path:
    """Where `program` listens. LinkError when the kernel could not take so long a path."""
    path = runtime / f"{program}.sock"
    if len(str(path).encode()) > MAX_PATH:
        raise LinkError(
            f"runtime folder {str(runtime)!r} is too long for a socket: at most "
            f"{MAX_PATH - len(program) - 6} bytes; choose a shorter one with --runtime"
        )
    return path


def listens(runtime: Path, program: str) -> bool:
    """Whether `program` is there to receive; nothing is sent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        return asking.connect_ex(str(socket_path(runtime, program))) == 0


class Inbox:
    """Where one program receives its messages."""

    def __init__(self, runtime: Path, program: str, wire: Wire = WIRE) -> None:
        self.rejected = 0
        self._wire = wire
        path = socket_path(runtime, program)
        path.unlink(missing_ok=True)  # a killed predecessor leaves its name behind
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.bind(str(path))
            path.chmod(SOCKET_MODE)
        except OSError as error:
            raise LinkError(
                f"cannot listen at {path}: {error.strerror}; does the folder exist and is it ours?"
            ) from error

    def receive(self, timeout_s: float) -> list[Message]:
        """Every message waiting, oldest first, after waiting at most `timeout_s` for the first."""
        readable, _, _ = select.select([self._socket], [], [], max(0.0, timeout_s))
        messages: list[Message] = []
        while readable:
            try:
                data = self._socket.recv(MAX_DATAGRAM)
            except BlockingIOError:
                break
            try:
                messages.append(self._wire.decode(data))
            except LinkError:
                self.rejected += 1  # told in the program's Health
        return messages

    def __enter__(self) -> "Inbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._socket.close()


class Outlet:
    """The way to one other program's inbox."""

    def __init__(self, runtime: Path, program: str, wire: Wire = WIRE) -> None:
        self.dropped = 0
        self._wire = wire
        self._path = str(socket_path(runtime, program))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        with contextlib.suppress(OSError):  # a kernel may grant less: large enough by default
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MAX_DATAGRAM)

    def send(self, message: Message) -> bool:
        """Send, without waiting; False when the receiver is away or its inbox is full."""
        try:
            self._socket.sendto(self._wire.encode(message), self._path)
        except OSError:
            self.dropped += 1
            return False
        return True

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
