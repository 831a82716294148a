"""How long the network takes to a camera and back, as the kernel has measured it."""

import os
import socket
from contextlib import suppress
from pathlib import Path

# struct tcp_info of linux/tcp.h: the smallest round trip of the last minutes, in microseconds.
MIN_RTT_AT, MIN_RTT_END = 148, 152
UNKNOWN = 0xFFFFFFFF


def round_trip_s(port: int) -> float:
    """The smallest round trip of this process's TCP connection to `port`; 0 where none is known.

    FFmpeg keeps its sockets to itself, so that ours are looked through.
    """
    with suppress(OSError):
        for entry in Path("/proc/self/fd").iterdir():
            found_s = _round_trip_of(entry, port)
            if found_s is not None:
                return found_s
    return 0.0


def _round_trip_of(entry: Path, port: int) -> float | None:
    """Of this descriptor, where it is such a connection; any may have been closed meanwhile."""
    with suppress(OSError):
        if str(entry.readlink()).startswith("socket:"):
            with socket.socket(fileno=os.dup(int(entry.name))) as one:
                if one.type == socket.SOCK_STREAM and one.getpeername()[1:2] == (port,):
                    return _measured_s(one)
    return None


def _measured_s(connection: socket.socket) -> float:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, MIN_RTT_END)
    found = int.from_bytes(info[MIN_RTT_AT:MIN_RTT_END], "little")
    return 0.0 if found == UNKNOWN else found / 1e6
