"""What a broker takes, as it says in its CONNACK, and what is sent accordingly. Pure."""

from dataclasses import dataclass, replace
from typing import Literal

from paho.mqtt.properties import Properties

Version = Literal["5", "3.1.1"]

# MQTT 5.0, 3.2.2.3.3: so many where the broker names no Receive Maximum.
RECEIVE_MAXIMUM = 65_535
# A 3.1.1 broker cannot say how much it takes; the smallest bound of the usual ones is this.
UNACKNOWLEDGED_311 = 10


@dataclass(frozen=True)
class Outgoing:
    """A message to be sent: `lifetime_s` is how long a broker may keep it for late readers."""

    topic: str
    payload: str
    retain: bool = False
    lifetime_s: int | None = None
    qos: int = 1

    @property
    def size(self) -> int:
        """Bytes of the MQTT 5 packet: what Maximum Packet Size is about (2.1.4, 3.3)."""
        properties = 1 + (0 if self.lifetime_s is None else 5)
        packet_id = 2 if self.qos else 0
        rest = 2 + len(self.topic.encode()) + packet_id + properties + len(self.payload.encode())
        return 1 + _bytes_of_length(rest) + rest


@dataclass(frozen=True)
class Limits:
    """What the broker of this connection takes. `packet_bytes` is None where it named no bound."""

    version: Version = "5"
    packet_bytes: int | None = None
    receive_maximum: int = RECEIVE_MAXIMUM
    retain: bool = True
    qos: int = 1
    wildcards: bool = True

    def fit(self, message: Outgoing) -> Outgoing:
        """Return the message adapted to what this broker accepts."""
        return replace(
            message,
            retain=message.retain and self.retain,
            lifetime_s=message.lifetime_s if self.version == "5" else None,
            qos=min(message.qos, self.qos),
        )

    def lost(self) -> str:
        """Return what cannot be had from this broker, in words; empty when nothing is lost."""
        parts = []
        if self.version == "3.1.1":
            parts.append(
                "MQTT 3.1.1 has no expiry, so no state is retained and a late reader waits up to "
                "10 s; and a message that the broker refuses is not told as such"
            )
        elif not self.retain:
            parts.append("the broker retains nothing: a late reader waits up to 10 s")
        if not self.qos:
            parts.append("the broker acknowledges nothing: what is lost on the way is lost")
        return "; ".join(parts)


def limits_of(version: Version, properties: Properties | None) -> Limits:
    """From the properties of a CONNACK (MQTT 5.0, 3.2.2.3)."""
    if version == "3.1.1":
        return Limits(version, receive_maximum=UNACKNOWLEDGED_311)
    said = vars(properties) if properties is not None else {}
    return Limits(
        version,
        packet_bytes=said.get("MaximumPacketSize"),
        receive_maximum=int(said.get("ReceiveMaximum", RECEIVE_MAXIMUM)),
        retain=bool(said.get("RetainAvailable", 1)),
        qos=min(1, int(said.get("MaximumQoS", 1))),
        wildcards=bool(said.get("WildcardSubscriptionAvailable", 1)),
    )


def _bytes_of_length(rest: int) -> int:
    """Return the size in bytes of the variable byte integer for a packet's length (1.5.5)."""
    return 1 + (rest > 127) + (rest > 16_383) + (rest > 2_097_151)
