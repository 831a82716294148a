"""The MQTT broker: one connection at a time, its network thread ours to watch.

paho calls back from its own thread. Nothing is decided there: every callback only puts down what
happened, and the program's own loop picks it up. An exception in a callback would end paho's
thread in silence, so each is caught, put down, and told as a fault.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, LogLevel
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.common.clock import boottime_ns
from edge.common.units import NS_PER_S
from edge.report.payloads import OFFLINE, topic
from edge.report.refusals import refusal
from edge.report.requests import Received
from edge.report.tls import context_of, in_plain_words, password_of
from edge.site import Site

KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 5.0
TURN_S = 1.0
UNACKNOWLEDGED = 10  # the smallest Receive Maximum of the usual brokers; paho does not ask for it
# Looking up a name may take half a minute, and connecting 5 s for each of its addresses.
STUCK_AFTER = 60 * NS_PER_S

MOST_COMMANDS = 200  # waiting for our loop; more are let go, and told

ENDED = "the connection ended"
SESSION_TAKEN_OVER = 142  # MQTT 5: another client connected with our client id

_AT_LEAST_ONCE = SubscribeOptions(qos=1)
_ONCE_READ = SubscribeOptions(qos=0)  # what is retained, and then no more

P = ParamSpec("P")


@dataclass(frozen=True)
class BrokerEvent:
    """What paho told: `mid` of the message it is about, `text` for what went wrong.

    `received` is a command that came, or for "found" the state that was retained in our own place
    before this connection. "failed" is a callback of ours, "taken over" is told by the
    broker when another client has our name; after these and "ended" the connection is of no use.
    """

    kind: Literal[
        "connected",
        "found",
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


def guarded(callback: Callable[P, None]) -> Callable[P, None]:
    """A callback of a `Broker` whose exceptions are put down instead of ending paho's thread."""

    @wraps(callback)
    def safe(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  told as a fault by whoever drains
            broker = args[0]
            assert isinstance(broker, Broker)
            broker.put_down(BrokerEvent("failed", text=f"callback failed: {error!r}"))

    return safe


class Broker:
    """One connection, from its first packet to its end; the next one is a new `Broker`.

    So nothing of a connection that failed, or of a thread that hangs, lives on in the next.
    """

    def __init__(self, site: Site) -> None:
        self._host, self._port = str(site.upstream.host), site.upstream.port
        self._happened: queue.SimpleQueue[BrokerEvent] = queue.SimpleQueue()
        self._client = client_of(site)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_log = self._on_log
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._commands, self._state = topic(site, "command"), topic(site, "state")
        # With this set paho leaves all writing to the network thread: two would mix up packets.
        self._client.on_socket_register_write = self._on_socket_register_write
        self._why = ENDED
        self._abandoned = threading.Event()
        self._turned_at = boottime_ns()
        self._thread = threading.Thread(target=self._network, name="mqtt", daemon=True)
        self._thread.start()

    def publish(self, where: str, payload: str, *, retain: bool) -> int:
        """Hand over a message at QoS 1; the id by which it will be acknowledged."""
        return self._client.publish(where, payload, qos=1, retain=retain).mid

    def happened(self) -> list[BrokerEvent]:
        """Everything put down since the last call; an end is the last of it.

        Nothing that a callback put down is lost: the thread puts down before it ends.
        """
        ended = not self._thread.is_alive()
        stuck = boottime_ns() - self._turned_at > STUCK_AFTER
        happenings = []
        while not self._happened.empty():
            happenings.append(self._happened.get())
        if ended or stuck:
            why = self._why if ended else "the network thread makes no progress"
            happenings.append(BrokerEvent("ended", text=why))
        return happenings

    def put_down(self, broker_event: BrokerEvent) -> None:
        """Note something for the program's loop; safe from any thread."""
        self._happened.put(broker_event)

    def abandon(self) -> None:
        """Leave this connection to its thread, which ends when it comes round."""
        self._abandoned.set()

    def close(self) -> None:
        """Say goodbye; the will is then told by ourselves, not by the broker."""
        self._client.disconnect()
        self._thread.join(timeout=2.0)

    def _network(self) -> None:
        """The thread: whatever ends it, `_why` says so and `happened` finds it ended."""
        try:
            self._client.connect(self._host, self._port, KEEPALIVE_S)
            while self._client.loop(TURN_S) == mqtt.MQTT_ERR_SUCCESS:
                self._turned_at = boottime_ns()
                if self._abandoned.is_set():
                    self._client.disconnect()
        except (OSError, ValueError) as error:
            self._why = in_plain_words(str(error))
        except Exception as error:  # noqa: BLE001  told as a fault by whoever drains
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
            self._why = refusal(code, properties)
            client.disconnect()
        else:
            client.subscribe([(f"{self._commands}/#", _AT_LEAST_ONCE), (self._state, _ONCE_READ)])
            self.put_down(BrokerEvent("connected"))

    @guarded
    def _on_subscribe(
        self, _c: mqtt.Client, _u: Any, _m: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        """A broker that does not let us read our own state only hides others of our name."""
        if codes[0].is_failure:
            told = f"the broker lets us hear no commands: {codes[0]}"
            self.put_down(BrokerEvent("refused", text=told))

    @guarded
    def _on_message(self, client: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        received = Received(
            message.topic.removeprefix(f"{self._commands}/"), bytes(message.payload), message.retain
        )
        if message.topic == self._state:
            client.unsubscribe(self._state)
            if message.retain:
                self.put_down(BrokerEvent("found", received=received))
            return
        if self._happened.qsize() >= MOST_COMMANDS:
            self.put_down(
                BrokerEvent("refused", text=f"more than {MOST_COMMANDS} commands at once")
            )
            return
        self.put_down(BrokerEvent("received", received=received))

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
            self._why = f"the broker ended the connection: {code}"
            if code.value == SESSION_TAKEN_OVER:
                self.put_down(BrokerEvent("taken over", text=self._why))

    @guarded
    def _on_log(self, _c: mqtt.Client, _u: Any, level: int, told: str) -> None:
        """paho tells only its log why a connection broke, such as our certificate's refusal."""
        if level == LogLevel.MQTT_LOG_ERR and self._why == ENDED:
            self._why = in_plain_words(told)

    @guarded
    def _on_publish(
        self, _c: mqtt.Client, _u: Any, mid: int, code: ReasonCode, _p: Properties | None
    ) -> None:
        if code.is_failure:
            self.put_down(BrokerEvent("refused", mid, f"the broker refuses a message: {code}"))
        else:
            self.put_down(BrokerEvent("acknowledged", mid))

    @guarded
    def _on_socket_register_write(self, _c: mqtt.Client, _u: Any, _s: object) -> None:
        """paho's hook into foreign event loops: there is nothing to do."""


def client_of(site: Site, client_id: str = "", will: str = OFFLINE) -> mqtt.Client:
    """A client for the site's broker, with its last will: the unit's, and the one that tries it.

    `redroad check` has a `client_id` of its own beside a running unit, and a will that is true.
    """
    upstream = site.upstream
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id or client_id_of(site),
        protocol=mqtt.MQTTv5,
    )
    if upstream.username is not None:
        client.username_pw_set(upstream.username, password_of(site))
    if (context := context_of(site)) is not None:
        client.tls_set_context(context)
    client.will_set(topic(site, "availability"), will, qos=1, retain=True)
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.max_inflight_messages_set(UNACKNOWLEDGED)
    return client


def client_id_of(site: Site) -> str:
    """Of the unit: another of this name takes its place at the broker."""
    return f"redroad-{site.site.name}-{site.site.unit}-unit"
