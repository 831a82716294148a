"""What is remembered of a camera from one opening to the next."""

from dataclasses import dataclass

TRANSPORTS = ("tcp", "udp")  # of RTSP, in the order in which they are tried
NAMES = {"tcp": "TCP", "udp": "UDP", "udp_multicast": "multicast"}
MOST_PATIENCE = 8.0
UNSEEN_LOSSES = (
    "H.265 over UDP: what the network loses of a picture mostly does not show, and heads are then "
    'counted wrongly: set camera.transport = "tcp" and allow TCP in the camera, or choose H.264 in '
    "it"
)


@dataclass
class Learnt:
    """What was found out about a camera, for the next time that it is opened."""

    transport: str | None = None  # that gave a picture
    codec: str | None = None  # of RTSP, by FFmpeg's name
    silent: str | None = None  # the transport that took the connection and gave nothing in time
    patience: float = 1.0  # times the timeouts
    single: bool = False  # it gives one picture, and no stream

    @property
    def doubt(self) -> str | None:
        """What is lost on the way and never shows: FFmpeg does not report which packets of RTP are
        missing, and its decoder of H.265 not which slices are damaged.
        """
        return UNSEEN_LOSSES if (self.codec, self.transport) == ("hevc", "udp") else None

    def gave_nothing(self, transport: str | None) -> None:
        """It gave nothing in time: it may be slow, or send nothing over that transport."""
        self.patience = min(MOST_PATIENCE, 2 * self.patience)
        if transport is not None:
            self.silent, self.transport = transport, None
