"""The MQTT broker: one connection at a time, its network thread ours to watch.

paho calls back from its own thread. Nothing is decided there: every callback only puts down what
happened, and the program's own loop picks it up. An exception in a callback would end paho's
thread in silence, so each is caught, queued, and reported as a fault.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec

import paho.mqtt.client as mqtt
from paho.mqtt.enums import LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.common.clock import boottime_ns
from edge.common.units import nanoseconds
from edge.report.client import client_of, expiry_property
from edge.report.limits import Limits, Outgoing, limits_of
from edge.report.negotiation import Terms
from edge.report.payloads import topic
from edge.report.refusals import refusal
from edge.report.requests import Received
from edge.report.tls import in_plain_words
from edge.site import Site

KEEPALIVE_S = 20
TURN_S = 1.0
GOODBYE_S = 2.0
# Looking up a name may take half a minute, and connecting 5 s for each of its addresses.
STUCK_AFTER = nanoseconds(60)
WAITING_AT_MOST = 200  # for our loop; more are dropped, and that is reported

ENDED = "the connection ended"
SESSION_TAKEN_OVER = 0x8E  # MQTT 5: another client connected with our client id
WITH_WILL = 0x04  # MQTT 5.0, 3.14.2.1: the broker publishes the will on disconnect

P = ParamSpec("P")


@dataclass(frozen=True)
class BrokerEvent:
    """What paho reported: `mid` of the packet concerned, `text` for what went wrong.

    `received` is a command that came; "heard" is any other message, with its topic in
    `received.name`. `code` is the broker's reason for "refused" and "ended", None where it gave
    none; `reached` for "ended" is whether the broker was spoken to at all. After "failed" (a
    callback of ours), "taken over" (sent by the broker when another client has our name) and
    "ended" the connection is of no use.
    """

    kind: Literal[
        "connected",
        "heard",
        "acknowledged",
        "refused",
        "received",
        "failed",
        "taken over",
        "ended",
    ]
    mid: int = 0
    text: str = ""
    received: Received | None = None
    limits: Limits | None = None
    code: int | None = None
    reached: bool = False


def guarded(callback: Callable[P, None]) -> Callable[P, None]:
    """A callback of a `Broker` whose exceptions are put down instead of ending paho's thread."""

    @wraps(callback)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  reported as a fault when events are drained
            broker = args[0]
            assert isinstance(broker, Broker)
            broker.put_down(BrokerEvent("failed", text=f"callback failed: {error!r}"))

    return safe


class Broker:
    """One connection, from its first packet to its end; the next one is a new `Broker`.

    So nothing of a connection that failed, or of a thread that hangs, lives on in the next.
    """

    def __init__(self, site: Site, terms: Terms) -> None:
        self._host, self._port = str(site.upstream.host), site.upstream.port
        self._terms = terms
        self._happened: queue.SimpleQueue[BrokerEvent] = queue.SimpleQueue()
        self._client = client_of(site, terms=terms)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_log = self._on_log
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        # How many at a time is the publisher's to obey: paho cannot change it once it is connected.
        self._client.max_inflight_messages_set(0)
        self._commands = f"{topic(site, 'command')}/"
        # With this set paho leaves all writing to the network thread: two would mix up packets.
        self._client.on_socket_register_write = self._on_socket_register_write
        self._why, self._reached = ENDED, False
        self._code: int | None = None
        self._abandoned = threading.Event()
        self._turned_at = boottime_ns()
        self._thread = threading.Thread(target=self._network, name="mqtt", daemon=True)
        self._thread.start()

    def publish(self, message: Outgoing) -> int:
        """Hand over a message that fits the limits; the id by which it will be acknowledged.

        One of QoS 0 is "acknowledged" once it is written.
        """
        lifetime = message.lifetime_s
        properties = None if lifetime is None else expiry_property(PacketTypes.PUBLISH, lifetime)
        return self._client.publish(
            message.topic, message.payload, message.qos, message.retain, properties
        ).mid

    def subscribe(self, where: str, qos: int, *, as_published: bool) -> int:
        """Ask for messages; the id by which that will be acknowledged.

        With MQTT 5 what we send ourselves does not come back; and one that was retained by its
        sender is marked so on its way here, `as_published`, though it comes as a new one.
        """
        options = SubscribeOptions(qos, noLocal=True, retainAsPublished=as_published)
        if self._terms.version == "5":
            return self._client.subscribe(where, options=options)[1] or 0
        return self._client.subscribe(where, qos)[1] or 0

    def happened(self) -> list[BrokerEvent]:
        """Everything put down since the last call; an end is the last of it.

        Nothing that a callback put down is lost: the thread puts down before it ends.
        """
        ended = not self._thread.is_alive()
        stuck = boottime_ns() - self._turned_at > STUCK_AFTER
        events = []
        while not self._happened.empty():
            events.append(self._happened.get())
        if ended or stuck:
            why = self._why if ended else "the network thread makes no progress"
            events.append(BrokerEvent("ended", text=why, code=self._code, reached=self._reached))
        return events

    def next(self, timeout_s: float) -> BrokerEvent | None:
        """Wait up to `timeout_s` seconds for the next event and return it; None when none came."""
        try:
            return self._happened.get(timeout=timeout_s)
        except queue.Empty:
            return None if self._thread.is_alive() else BrokerEvent("ended", text=self._why)

    def put_down(self, event: BrokerEvent) -> None:
        """Note something for the program's loop; safe from any thread."""
        self._happened.put(event)

    def abandon(self) -> None:
        """Leave this connection to its thread, which ends when it comes round."""
        self._abandoned.set()

    def close(self) -> None:
        """Disconnect; with MQTT 5 the broker then publishes the will, whatever is still unsent."""
        will = ReasonCode(PacketTypes.DISCONNECT, identifier=WITH_WILL)
        self._client.disconnect(will if self._terms.version == "5" else None)
        self._thread.join(timeout=GOODBYE_S)

    def _network(self) -> None:
        """The thread: whatever ends it, `_why` says so and `happened` finds it ended."""
        try:
            self._client.connect(self._host, self._port, KEEPALIVE_S)
            self._reached = True
            while self._client.loop(TURN_S) == mqtt.MQTT_ERR_SUCCESS:
                self._turned_at = boottime_ns()
                if self._abandoned.is_set():
                    self._client.disconnect()
        except (OSError, ValueError) as error:
            self._why = in_plain_words(str(error))
        except Exception as error:  # noqa: BLE001  reported as a fault when events are drained
            self.put_down(BrokerEvent("failed", text=f"the network thread failed: {error!r}"))

    @guarded
    def _on_connect(
        self,
        client: mqtt.Client,
        _u: Any,
        _f: mqtt.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._why, self._code = refusal(code, properties), code.value
            client.disconnect()
        else:
            limits = limits_of(self._terms.version, properties)
            self.put_down(BrokerEvent("connected", limits=limits))

    @guarded
    def _on_subscribe(
        self, _c: mqtt.Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        self._put_answer(mid, codes[0])

    @guarded
    def _on_message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        name = message.topic.removeprefix(self._commands)
        received = Received(name, bytes(message.payload), message.retain)
        is_command = name != message.topic
        if self._happened.qsize() >= WAITING_AT_MOST:
            overflow = f"more than {WAITING_AT_MOST} messages for us at once; some were let go"
            self.put_down(BrokerEvent("refused", text=overflow))
        else:
            self.put_down(BrokerEvent("received" if is_command else "heard", received=received))

    @guarded
    def _on_disconnect(
        self,
        _c: mqtt.Client,
        _u: Any,
        flags: mqtt.DisconnectFlags,
        code: ReasonCode,
        _p: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._why, self._code = f"the broker ended the connection: {code}", code.value
            if code.value == SESSION_TAKEN_OVER:
                self.put_down(BrokerEvent("taken over", text=self._why, code=code.value))

    @guarded
    def _on_log(self, _c: mqtt.Client, _u: Any, level: int, text: str) -> None:
        """Keep why a connection broke (our certificate refused, say): paho only logs the reason."""
        if level == LogLevel.MQTT_LOG_ERR and self._why == ENDED:
            self._why = in_plain_words(text)

    @guarded
    def _on_publish(
        self, _c: mqtt.Client, _u: Any, mid: int, code: ReasonCode, _p: Properties | None
    ) -> None:
        self._put_answer(mid, code)

    @guarded
    def _on_socket_register_write(self, _c: mqtt.Client, _u: Any, _s: object) -> None:
        """paho's hook into foreign event loops: there is nothing to do."""

    def _put_answer(self, mid: int, code: ReasonCode) -> None:
        if code.is_failure:
            self.put_down(BrokerEvent("refused", mid, str(code), code=code.value))
        else:
            self.put_down(BrokerEvent("acknowledged", mid))
