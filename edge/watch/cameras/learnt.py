"""What is remembered of a camera from one opening to the next."""

from dataclasses import dataclass

TRANSPORTS = ("tcp", "udp")  # of RTSP, in the order in which they are tried
NAMES = {"tcp": "TCP", "udp": "UDP", "udp_multicast": "multicast"}
MOST_PATIENCE = 8.0


@dataclass
class Learnt:
    """What was found out about a camera, for the next time that it is opened."""

    transport: str | None = None  # that gave a picture
    silent: str | None = None  # the transport that took the connection and gave nothing in time
    patience: float = 1.0  # times the timeouts
    single: bool = False  # it gives one picture, and no stream

    def gave_nothing(self, transport: str | None) -> None:
        """It gave nothing in time: it may be slow, or send nothing over that transport."""
        self.patience = min(MOST_PATIENCE, 2 * self.patience)
        if transport is not None:
            self.silent, self.transport = transport, None
