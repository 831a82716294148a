"""What the unit does at its broker, done once by `redroad check`.

It connects as the unit does, by the same will, options and limits, subscribes to what the unit
reads, publishes one message of each kind, waits for each acknowledgement, and listens for its own
messages. A broker that hangs up on a topic, as the large clouds do, is asked again for the rest.

Where no unit runs here it has the unit's own client id, for permissions may hang on that; beside a
running one, or where another unit of this name has just reported, an id of its own.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import LogLevel
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.common.clock import boot_id, boottime_ns, time_synchronised, wall_s
from edge.common.errors import BrokerError
from edge.report.broker import KEEPALIVE_S
from edge.report.client import client_of, expiry_property
from edge.report.identity import client_id_of
from edge.report.limits import Limits, Outgoing, limits_of
from edge.report.negotiation import Negotiation, Terms
from edge.report.payloads import OFFLINE, ONLINE, Stamp, topic
from edge.report.reach import SILENT, reach, why_silent
from edge.report.refusals import refusal
from edge.report.status import Status
from edge.report.tls import in_plain_words, refuse_unusable
from edge.report.trial_messages import BY, trial_messages
from edge.site import Site

ANSWER_S, HEAR_S = 4.0, 1.0
TOTAL_S = 16.0  # of all: `check` gives each of its lines 20 s
TURN_S = 0.05
HANGS_UP = "it hangs up"
LATELY_S = 70.0  # how old another unit's state may be for that unit to count as running
BAD_CLIENT_ID, NOT_AUTHORIZED = 133, 135


@dataclass
class Tried:
    """The outcome: `refused` by topic with the reason, `heard` the topics that came back."""

    taken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class _Who:
    """As whom we connect, and until when (monotonic, s)."""

    client_id: str
    will: str
    until: float


class _RefusedError(BrokerError):
    """No connection: `code` is the CONNACK's, None where it hung up without one."""

    def __init__(self, text: str, code: int | None) -> None:
        super().__init__(text)
        self.code = code


class _Connection:
    """One connection, worked by its caller's own thread, and what came of it."""

    def __init__(self, site: Site, who: _Who, terms: Terms) -> None:
        self._site, self._id, self._until, self._terms = site, who.client_id, who.until, terms
        self.client = client_of(site, who.client_id, who.will, terms)
        self.limits = Limits(terms.version)
        self._properties: Properties | None = None
        self.answers: dict[int, Sequence[ReasonCode]] = {}
        self.messages: list[tuple[str, bytes, bool]] = []  # topic, payload, whether retained
        self.ended = ""
        self._told: ReasonCode | None = None
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message
        self.client.on_disconnect = self._on_disconnect
        self.client.on_log = self._on_log

    def open(self) -> None:
        """BrokerError where the broker does not let us in."""
        upstream = self._site.upstream
        try:
            self.client.connect(str(upstream.host), upstream.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise BrokerError(in_plain_words(str(error))) from error
        self.wait(lambda: self._told is not None, ANSWER_S)
        if self._told is None:
            if self.ended == HANGS_UP or (self.ended and upstream.ca_file is None):
                raise _RefusedError(self._why_not(), None)
            raise BrokerError(self._why_not())
        if self._told.is_failure:
            raise _RefusedError(refusal(self._told, self._properties, self._id), self._told.value)
        self.limits = limits_of(self._terms.version, self._properties)

    def _why_not(self) -> str:
        """Return why no CONNACK came."""
        if self._site.upstream.ca_file is None:
            return why_silent(self._site, hung_up=bool(self.ended))
        if self.ended in {"", HANGS_UP}:
            return SILENT if not self.ended else in_plain_words("SSL: EOF occurred")
        return self.ended

    def wait(self, done: Callable[[], object], limit_s: float) -> bool:
        """Work until it is done; False when the time is over, or the connection."""
        until = min(time.monotonic() + limit_s, self._until)
        while not done():
            if self.ended or time.monotonic() > until:
                return False
            if self.client.loop(TURN_S) != mqtt.MQTT_ERR_SUCCESS:
                self.ended = self.ended or HANGS_UP
                return bool(done())
        return True

    def close(self) -> None:
        """Disconnect; the will is not published."""
        if not self.ended:
            self.client.disconnect()

    def _on_connect(
        self, _c: mqtt.Client, _u: Any, _f: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._told, self._properties = code, properties

    def _on_publish(self, _c: mqtt.Client, _u: Any, mid: int, code: ReasonCode, _p: Any) -> None:
        self.answers[mid] = [code]

    def _on_subscribe(
        self, _c: mqtt.Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        self.answers[mid] = codes

    def _on_message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload), message.retain))

    def _on_disconnect(
        self, _c: mqtt.Client, _u: Any, flags: mqtt.DisconnectFlags, code: ReasonCode, _p: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self.ended = f"{HANGS_UP}: {str(code).lower()}"

    def _on_log(self, _c: mqtt.Client, _u: Any, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR and not self.ended:
            self.ended = in_plain_words(text)


def try_broker(site: Site, status: Status | None = None) -> Tried:
    """All that a unit does there; `status` is the running unit's, if one runs here.

    BrokerError where the broker does not let us in, or another unit has our name.
    """
    until = time.monotonic() + TOTAL_S
    refuse_unusable(site)
    reach(site)
    online = status is not None and "broker" not in _faults(status)
    will = ONLINE if online else OFFLINE
    beside = f"{client_id_of(site)}_check"
    if status is None:
        _refuse_another_of_our_name(site, _Who(beside, will, until))
    client_id = client_id_of(site) if status is None else beside
    now = boottime_ns()
    stamp = Stamp(boot_id(), now, wall_s(now), _time_valid(site))
    known = status if status is not None and status.site == site.digest() else None
    messages = trial_messages(site, known, stamp, will)

    who = _Who(client_id, will, until)
    return _try_all(lambda: _opened(site, who), site, messages, until)


def _time_valid(site: Site) -> bool:
    return time_synchronised(trusted=site.site.clock == "trusted")


def _opened(site: Site, who: _Who) -> _Connection:
    """On the best terms that the broker takes, as the unit finds them."""
    negotiation = Negotiation(site.upstream.protocol)
    first: _RefusedError | None = None
    while True:
        connection = _Connection(site, who, negotiation.terms)
        try:
            connection.open()
        except _RefusedError as error:
            first = first or error
            # One that hangs up is asked twice by the unit, lest it was only starting again.
            again = negotiation.refused(error.code)
            if not again and (error.code is not None or not negotiation.refused(None)):
                raise first from error
        else:
            return connection


def _faults(status: Status) -> dict[str, str]:
    programs = status.health.get("programs", {})
    return dict(programs.get("report", {}).get("faults", {}))


def _try_all(
    open_one: Callable[[], _Connection], site: Site, messages: list[Outgoing], until: float
) -> Tried:
    """Each message by its turn, over as many connections as that takes."""
    tried, gone = Tried(), ""
    connection = open_one()
    tried.limits = connection.limits
    try:
        _subscribe(connection, site, [message.topic for message in messages], tried)
        for message in messages:
            if connection.ended and not gone:
                connection, gone = _again(connection, open_one)
            if gone or time.monotonic() > until:
                tried.refused[message.topic] = gone or "no time was left to try it"
            else:
                _publish(connection, message, tried)
        own = {(message.topic, message.payload.encode(), False) for message in messages}
        connection.wait(lambda: own <= set(connection.messages), HEAR_S)
        tried.heard = {where for where, _, _ in own & set(connection.messages)}
    finally:
        connection.close()
    return tried


def _again(ended: _Connection, open_one: Callable[[], _Connection]) -> tuple[_Connection, str]:
    """Another connection after one that the broker has ended; or that, and why there is none."""
    try:
        return open_one(), ""
    except BrokerError as error:
        return ended, f"it lets us in no more: {error}"


def _subscribe(connection: _Connection, site: Site, own: Sequence[str], tried: Tried) -> None:
    """To what the unit reads, and then to its own topics, which it may not read."""
    if site.upstream.commands:
        _subscribe_to_commands(connection, site, tried)
    if not connection.ended:
        _answers(connection, own)


def _subscribe_to_commands(connection: _Connection, site: Site, tried: Tried) -> None:
    commands = f"{topic(site, 'command')}/#"
    codes = _answers(connection, [commands])
    if codes is None:
        tried.refused[commands] = connection.ended or "no answer to our subscription"
    elif codes[0].is_failure:
        tried.refused[commands] = str(codes[0]).lower()


def _answers(connection: _Connection, topics: Sequence[str]) -> Sequence[ReasonCode] | None:
    _, mid = connection.client.subscribe([(each, 1) for each in topics])
    connection.wait(lambda: mid in connection.answers, ANSWER_S)
    return connection.answers.get(mid or 0)


def _publish(connection: _Connection, message: Outgoing, tried: Tried) -> None:
    most = connection.limits.packet_bytes
    if most is not None and message.size > most:
        tried.refused[message.topic] = f"{message.size} bytes, and this broker takes at most {most}"
        return
    fitted = connection.limits.fit(message)
    sent = connection.client.publish(
        fitted.topic, fitted.payload, fitted.qos, properties=_mark(fitted, connection.limits)
    )
    connection.wait(lambda: sent.mid in connection.answers, ANSWER_S)
    codes = connection.answers.get(sent.mid)
    if codes is None:
        tried.refused[message.topic] = connection.ended or "it is not acknowledged"
    elif codes[0].is_failure:
        tried.refused[message.topic] = str(codes[0]).lower()
    else:
        tried.taken.append(message.topic)


def _mark(message: Outgoing, limits: Limits) -> Properties | None:
    """For payloads that have no place for one."""
    if limits.version != "5":
        return None
    properties = expiry_property(PacketTypes.PUBLISH, message.lifetime_s or 0)
    properties.UserProperty = [("test", BY)]
    return properties


class _Reported(msgspec.Struct):
    """When a state was sent, and by which boot of a unit."""

    time: datetime
    time_valid: bool
    boot_id: str


def _refuse_another_of_our_name(site: Site, who: _Who) -> None:
    """BrokerError where one has just reported: we would take its connection away.

    A broker that lets in no client of another id than the unit's hides it.
    """
    try:
        connection = _opened(site, who)
    except _RefusedError as error:
        if error.code not in {BAD_CLIENT_ID, NOT_AUTHORIZED}:
            raise
        return
    try:
        _answers(connection, [topic(site, "state"), topic(site, "health")])
        connection.wait(lambda: connection.messages, HEAR_S)
    finally:
        connection.close()
    for _, payload, _ in connection.messages:
        if (age_s := _age_of_another(payload, site)) is not None:
            raise BrokerError(
                f"a unit called {site.site.name}/{site.site.unit} reported {age_s:.0f} s ago, and "
                "it is not this machine: give one of them another site.unit, or stop that one, "
                "and check again"
            )


def _age_of_another(payload: bytes, site: Site) -> float | None:
    """Return the seconds since another machine sent this state; None if that one is not running."""
    try:
        state = msgspec.json.decode(payload, type=_Reported)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if state.boot_id == boot_id() or not state.time_valid or not _time_valid(site):
        return None
    if state.time.tzinfo is None:
        return None
    age_s = (datetime.now(UTC) - state.time).total_seconds()
    return age_s if 0 <= age_s <= LATELY_S else None
