"""A network camera: the film of the street over RTSP, as FFmpeg packs it, and what befalls it."""

import contextlib
import re
import socket
import socketserver
import threading
import time
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import tomlkit
from av.video.stream import VideoStream

from edge.common.clock import boottime_ns
from edge.common.units import seconds
from edge.site.schema import DEMO_GROUND, DEMO_ZONE
from edge.watch.cameras.rig import Mishap
from edge.watch.frame import Pixels

NAP_S = 0.05
RTP_HZ = 90_000
FAST = {"preset": "ultrafast", "tune": "zerolatency"}
ENCODERS = {
    "H264": ("libx264", FAST | {"x264-params": "repeat-headers=1"}),
    "H265": ("libx265", FAST | {"x265-params": "repeat-headers=1:log-level=none:pools=none"}),
}
Codec = Literal["H264", "H265"]
DESCRIPTION = (
    "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=street\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\n{more}a=control:street\r\n"
)
DESCRIBED = {"H264": "a=fmtp:96 packetization-mode=1\r\n", "H265": ""}
OPTIONS = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n"
BOTH = frozenset({"tcp", "udp"})

# Where the film's street lies: a unit whose camera is a real one must be told.
STREET = tomlkit.dumps(
    {
        "ground": DEMO_GROUND.model_dump(mode="json", exclude_none=True),
        "zone": [DEMO_ZONE.model_dump(mode="json", exclude_none=True)],
    }
)


class RtspCamera:
    """Serves on an address of the rig's own, over those of TCP and UDP that it `offers`.

    It sends nothing over those that are `silent`. Who begins to play gets the last `cached` packets
    first, as from cameras and recorders that keep some. The film's time is the time since boot.
    """

    def __init__(
        self,
        host: str,
        film: Path,
        fps: float,
        offers: frozenset[str] = BOTH,
        *,
        cached: int = 0,
        silent: frozenset[str] = frozenset(),
        codec: Codec = "H264",
    ) -> None:
        self._codec = codec
        self._film: Pixels = np.load(film, mmap_mode="r")
        self._fps = fps
        self._befallen = set[Mishap]()
        self._ended = threading.Event()
        self._server = _Server((host, 0), self._befallen, _Offer(codec, offers, cached, silent))
        self.asked_for = self._server.asked_for
        self.url = f"rtsp://{host}:{self._server.server_address[1]}/street"
        self.site = f'kind = "stream"\nurl = "{self.url}"\nfps = {fps}\n{STREET}'
        self._packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._packets.bind(("127.0.0.1", 0))
        self._packets.settimeout(NAP_S)
        self._threads = [
            threading.Thread(target=run, daemon=True)
            for run in (self._server.serve_forever, self._paint, self._relay)
        ]
        for thread in self._threads:
            thread.start()

    def fail(self, mishap: Mishap) -> None:
        """Let something befall it: "away" ends connections, "hung" answers and sends nothing,
        "frozen" sends the same encoded picture again and again."""
        self._befallen.add(mishap)
        if mishap == "away":
            self._server.hang_up()

    def mend(self, mishap: Mishap) -> None:
        """As before; what else has befallen it lasts."""
        self._befallen.discard(mishap)

    def end(self) -> None:
        """Leave nothing behind."""
        self._ended.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        for thread in self._threads:
            thread.join()
        self._packets.close()

    def _paint(self) -> None:
        """Encode what is to be seen now, and hand it to `_relay` in RTP packets."""
        with av.open(f"rtp://127.0.0.1:{self._packets.getsockname()[1]}", "w", "rtp") as rtp:
            encoder, options = ENCODERS[self._codec]
            rate = Fraction(self._fps).limit_denominator(100)
            stream = rtp.add_stream(encoder, rate=rate, options=options)
            assert isinstance(stream, VideoStream)
            _, stream.height, stream.width, _ = self._film.shape
            stream.pix_fmt, stream.gop_size = "yuv420p", 1
            painted = list[bytes]()
            began = boottime_ns()
            while not self._ended.wait(1 / self._fps):
                now = boottime_ns()
                if "frozen" not in self._befallen or not painted:
                    shown = int(seconds(now) * self._fps) % len(self._film)
                    painted = _packets(stream, self._film[shown])
                for data in painted:
                    rtp.mux_one(_packet(data, stream, seconds(now - began)))

    def _relay(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                packet = self._packets.recv(1 << 16)
                if "hung" not in self._befallen:
                    self._server.send(packet)


def _packets(stream: VideoStream, pixels: Pixels) -> list[bytes]:
    """A picture that stands by itself, so that it can be sent again."""
    picture = av.VideoFrame.from_ndarray(np.array(pixels), format="rgb24")
    return [bytes(packet) for packet in stream.encode(picture)]


def _packet(data: bytes, stream: VideoStream, at_s: float) -> Any:
    """With the time at which it was painted, also where that comes late."""
    packet = av.Packet(data)
    packet.stream, packet.time_base = stream, Fraction(1, RTP_HZ)
    packet.pts = packet.dts = round(at_s * RTP_HZ)
    return packet


@dataclass(frozen=True)
class _Offer:
    """What the camera sends, over which transports, and what it has kept."""

    codec: Codec
    transports: frozenset[str]
    cached: int
    silent: frozenset[str]

    @property
    def description(self) -> str:
        """Of the stream, to who asks."""
        return DESCRIPTION.format(codec=self.codec, more=DESCRIBED[self.codec])


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        befallen: set[Mishap],
        offer: _Offer,
    ) -> None:
        super().__init__(address, _Session)
        self.befallen = befallen
        self.offer = offer
        self.asked_for = list[str]()
        self.cache = deque[bytes](maxlen=offer.cached)
        self.playing = dict[_Session, socket.socket]()
        self.datagrams = socket.socket(self.address_family, socket.SOCK_DGRAM)
        self.datagrams.bind((address[0], 0))

    def server_close(self) -> None:
        super().server_close()
        self.datagrams.close()

    def send(self, packet: bytes) -> None:
        """A packet to each that plays: a datagram, or in the stream of its answers."""
        self.cache.append(packet)
        for session, connection in list(self.playing.items()):
            try:
                self.send_to(session, connection, packet)
            except OSError:
                self.playing.pop(session, None)

    def send_to(self, session: "_Session", connection: socket.socket, packet: bytes) -> None:
        """As it was set up."""
        if session.port:
            self.datagrams.sendto(packet, (session.client_address[0], session.port))
        else:
            connection.sendall(b"$\0" + len(packet).to_bytes(2) + packet)

    def hang_up(self) -> None:
        """End all connections."""
        for connection in list(self.playing.values()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.playing.clear()


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    port = 0  # of the player, for datagrams
    is_silent = False

    def handle(self) -> None:
        """Answer until the other end is gone, or this one has failed."""
        with contextlib.suppress(OSError):
            while "away" not in self.server.befallen and (asked := self._asked()):
                while "hung" in self.server.befallen:
                    time.sleep(NAP_S)
                self._answer(*asked)
        self.server.playing.pop(self, None)

    def _asked(self) -> tuple[str, str, str] | None:
        """Method, number and transport of the next request; what the player tells of its reception
        is left out."""
        while (first := self.rfile.read(1)) == b"$":
            header = self.rfile.read(3)
            self.rfile.read(int.from_bytes(header[1:]))
        if not first:
            return None
        lines = [first.decode() + self.rfile.readline().decode().strip()]
        while line := self.rfile.readline().decode().strip():
            lines.append(line)
        number = next(line for line in lines if line.lower().startswith("cseq:"))
        transport = next((line for line in lines if line.lower().startswith("transport:")), "")
        return lines[0].partition(" ")[0], number, transport

    def _answer(self, method: str, number: str, transport: str) -> None:
        body = self.server.offer.description if method == "DESCRIBE" else ""
        status, more = "200 OK", OPTIONS if method == "OPTIONS" else ""
        if body:
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        if method == "SETUP":
            status, more = self._set_up(transport)
        head = f"RTSP/1.0 {status}\r\n{number}\r\nSession: 1\r\n{more}\r\n"
        self.wfile.write((head + body).encode())
        if method == "PLAY" and not self.is_silent:
            for packet in list(self.server.cache):
                self.server.send_to(self, self.connection, packet)
            self.server.playing[self] = self.connection

    def _set_up(self, transport: str) -> tuple[str, str]:
        """Status and headers of the answer to a SETUP."""
        wanted = "multicast" if "multicast" in transport else "udp"
        wanted = "tcp" if "RTP/AVP/TCP" in transport else wanted
        self.server.asked_for.append(wanted)
        if wanted not in self.server.offer.transports:
            return "461 Unsupported Transport", ""
        self.is_silent = wanted in self.server.offer.silent
        if wanted == "tcp":
            return "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        if wanted == "multicast":
            group = "destination=239.1.2.3;port=5000-5001;ttl=1"
            return "200 OK", f"Transport: RTP/AVP;multicast;{group}\r\n"
        match = re.search(r"client_port=(\d+)-(\d+)", transport)
        self.port = int(match[1]) if match else 0
        own = self.server.datagrams.getsockname()[1]
        return "200 OK", (
            f"Transport: RTP/AVP;unicast;client_port={self.port}-{self.port + 1};"
            f"server_port={own}-{own + 1}\r\n"
        )
