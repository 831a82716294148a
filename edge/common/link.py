"""The sockets between the programs: Unix datagrams, one way each, never blocking a sender.

Each pair of programs that talk has a socket of its own, `decide-to-show/socket`: what a program
believes depends on who sent it, and who may send is decided by the kernel from the folder's owner
(the receiver) and group (the sender). A flood by one fills no queue but its own, and no program can
impersonate another.

A datagram arrives whole or not at all. When a receiver is away, or too slow, what is sent is
dropped and counted: every message has a time and a lifetime, so a later one replaces it, and
`Event`s, which nothing replaces, are sent again until acknowledged (`edge.common.events`).
"""

import contextlib
import os
import select
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from edge.common.clock import boottime_ns
from edge.common.errors import LinkError
from edge.common.timer import Timer
from edge.common.wire import Message, Wire

SEND_BUFFER = 1 << 18  # bytes
SOCKET_MODE = 0o660  # the folder's group may send: each program is another user
FOLDER_MODE = 0o710
MAX_PATH = 107  # bytes in sockaddr_un, less the closing zero
# Whether a message may carry open files. Nobody here sends any, and who closes the last of a
# connection that lingers waits for it: so long a program could be kept from its work. Where Linux
# is older than 6.16 they do come.
SO_PASSRIGHTS = 83
FILES_AT_MOST = 253  # SCM_MAX_FD; of more than are asked for the kernel closes the rest itself
NO_LINGER = struct.pack("ii", 0, 0)
# Of one sender in one go: a flood must not keep a program from its work.
MAX_PER_READ = 100
RETRY_LISTEN_S = 1.0


def socket_path(runtime: Path, sender: str, receiver: str) -> Path:
    """The socket by which `sender` reaches `receiver`. LinkError when the path is too long."""
    path = runtime / f"{sender}-to-{receiver}" / "socket"
    if (beyond := len(str(path).encode()) - MAX_PATH) > 0:
        raise LinkError(
            f"runtime folder {str(runtime)!r} is too long for a socket: at most "
            f"{len(str(runtime).encode()) - beyond} bytes; choose a shorter one with --runtime"
        )
    return path


def listens(runtime: Path, program: str) -> bool:
    """Whether `program` listens on any of its sockets; nothing is sent."""
    return any(_answers(path) for path in runtime.glob(f"*-to-{program}/socket"))


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        return asking.connect_ex(str(path)) == 0


class Inbox:
    """Where one program receives its messages: `receives_from` maps senders to message types.

    Where it cannot listen it reports so in `fault`, and tries again each second: a sign that
    receives nothing still shows its neutral text. `is_open`: a folder had to be made here, so that
    programs other than its sender may write to it.
    """

    def __init__(self, runtime: Path, program: str, receives_from: Mapping[str, Wire]) -> None:
        self.rejected = 0
        self.is_open = False
        self.fault = ""
        self._listen_timer = Timer(RETRY_LISTEN_S)
        self._unbound = {
            socket_path(runtime, sender, program): (sender, wire)
            for sender, wire in receives_from.items()
        }
        self._channels: dict[socket.socket, tuple[str, Wire]] = {}
        self._listen()

    def receive(self, timeout_s: float) -> list[Message]:
        """All waiting messages, each sender's oldest first; waits at most `timeout_s` for one."""
        if self._unbound and self._listen_timer.due(boottime_ns()):
            self._listen()
        readable, _, _ = select.select(list(self._channels), [], [], max(0.0, timeout_s))
        return [message for ready in readable for message in self._waiting(ready)]

    def _listen(self) -> None:
        self._listen_timer.restart(boottime_ns())
        self.fault = ""
        for path, channel in list(self._unbound.items()):
            try:
                self.is_open |= _make(path.parent)
                self._channels[_bound(path)] = channel
                del self._unbound[path]
            except OSError as error:
                self.fault = (
                    f"cannot listen at {path}: {error.strerror}; does the folder exist and is it "
                    "ours?"
                )

    def _waiting(self, ready: socket.socket) -> list[Message]:
        sender, wire = self._channels[ready]
        messages: list[Message] = []
        for _ in range(MAX_PER_READ):
            try:
                message = wire.decode(_read(ready, wire.max_bytes))
            except BlockingIOError:
                break
            except LinkError:
                self.rejected += 1  # reported in the program's Health
                continue
            if message.sender in {None, sender}:
                messages.append(message)
            else:
                self.rejected += 1
        return messages

    def __enter__(self) -> "Inbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for opened in self._channels:
            opened.close()


def _read(ready: socket.socket, most: int) -> bytes:
    """The next message, up to `most` bytes; files that came with it are closed without waiting."""
    data, files, _, _ = socket.recv_fds(ready, most, FILES_AT_MOST)
    for file in files:
        try:
            passed = socket.socket(fileno=file)
        except OSError:  # it is none
            os.close(file)
            continue
        with passed, contextlib.suppress(OSError):
            passed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    return data


def _bound(path: Path) -> socket.socket:
    """A socket at `path`. OSError where there can be none."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    with contextlib.suppress(OSError):  # Linux knows it since 6.16
        opened.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
    try:
        path.unlink(missing_ok=True)  # a killed predecessor leaves its name behind
        opened.bind(str(path))
        path.chmod(SOCKET_MODE)
    except OSError:
        opened.close()
        raise
    return opened


def _make(folder: Path) -> bool:
    """Make the folder if it is missing (not installed, or removed); True if it had to be made.

    It is then open to the runtime folder's group, which has all programs: a sign that accepts too
    many senders is better than one that accepts none.
    """
    before = os.umask(0)
    try:
        folder.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        return False
    finally:
        os.umask(before)
    return True


class Sender:
    """The channel from one program to another's inbox.

    `is_closed`: the kernel refused the last message, as this program may not send there.
    """

    def __init__(self, runtime: Path, sender: str, receiver: str, wire: Wire) -> None:
        self.dropped = 0
        self.is_closed = False
        self._wire = wire
        self._path = str(socket_path(runtime, sender, receiver))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        with contextlib.suppress(OSError):  # a kernel may grant less: large enough by default
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def send(self, message: Message) -> bool:
        """Send, without waiting; False when the receiver is away or its inbox is full."""
        try:
            self._socket.sendto(self._wire.encode(message), self._path)
        except OSError as error:
            self.dropped += 1
            self.is_closed = isinstance(error, PermissionError)
            return False
        self.is_closed = False
        return True

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
