"""Who looks at the levels: Home Assistant, and two programs by the rules of deploy/upstream.md."""

import json
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hil.testkit.home_assistant import HomeAssistant

VALID_S = 30.0  # by the state's own time
SITE = "stale"
APART_S = 2.0  # the entities of one message are written one after the other


class Reader(Protocol):
    """One that dies and comes back, and shows levels while it lives."""

    def start(self) -> None:
        """Come (back) to life; returns when it is ready."""

    def kill(self) -> None:
        """Die, and forget everything."""

    def shown(self) -> Mapping[str, float]:
        """By unit: when what it shows as valid was true, in seconds of the run's clock.

        The units tell that clock as their number of people.
        """


class Plain:
    """A program that remembers the last state of every unit, and judges it by a rule.

    With MQTT 5 by the expiry that comes with each message; with 3.1.1, or where none comes, by the
    state's own `time`.
    """

    def __init__(self, port: int, version: MQTTProtocolVersion) -> None:
        self._port, self._version = port, version
        self._lock = threading.Lock()
        self._states: dict[str, tuple[dict[str, Any], float | None]] = {}
        self._offline: set[str] = set()
        self._client: mqtt.Client | None = None

    def start(self) -> None:
        """Connect, now or as soon as there is a broker."""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=self._version)
        self._client.on_connect = lambda client, *_: client.subscribe(f"redroad/v1/{SITE}/#", 1)
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()

    def kill(self) -> None:
        """End without a word."""
        if self._client is not None:
            socket = self._client.socket()
            self._client.loop_stop()
            if socket is not None:
                socket.close()
        self._client, self._states, self._offline = None, {}, set()

    def shown(self) -> Mapping[str, float]:
        """See `Reader`."""
        with self._lock:
            held, offline = dict(self._states), set(self._offline)
        return {
            unit: state["zones"][0]["people"]
            for unit, (state, until) in held.items()
            if state["level"] != "UNKNOWN" and unit not in offline and _is_valid(state, until)
        }

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        unit, kind = message.topic.split("/")[3:5]
        with self._lock:
            if kind == "availability" and message.payload:
                (self._offline.add if message.payload == b"offline" else self._offline.discard)(
                    unit
                )
            elif kind == "state" and message.payload:
                lifetime = getattr(message.properties, "MessageExpiryInterval", None)
                until = None if lifetime is None else time.monotonic() + lifetime
                self._states[unit] = (json.loads(message.payload), until)


def _is_valid(state: dict[str, Any], until: float | None) -> bool:
    if until is not None:
        return time.monotonic() < until
    return time.time() - datetime.fromisoformat(state["time"]).timestamp() <= VALID_S


class Entities:
    """Home Assistant, by what it shows of each unit's level and people."""

    def __init__(self, assistant: HomeAssistant) -> None:
        self._assistant = assistant
        self._lives = False
        self._odd: dict[str, float] = {}  # since when a level is shown without its people

    def start(self) -> None:
        """Start it and wait until it runs."""
        self._assistant.start()
        self._lives = True

    def kill(self) -> None:
        """As by a power cut."""
        self._lives = False
        self._assistant.kill()

    def shown(self) -> Mapping[str, float]:
        """See `Reader`."""
        if not self._lives:
            return {}
        states = {name: each["state"] for name, each in self._assistant.states().items()}
        found = {}
        for name, level in states.items():
            if name.startswith(f"sensor.{SITE}_") and name.endswith("_level"):
                unit = name.removeprefix(f"sensor.{SITE}_").removesuffix("_level")
                people = states.get(f"sensor.{SITE}_{unit}_people_street", "unavailable")
                if level in ("unavailable", "unknown", "UNKNOWN"):
                    self._odd.pop(unit, None)
                elif people not in ("unavailable", "unknown"):
                    self._odd.pop(unit, None)
                    found[unit.replace("_", "-")] = float(people)
                elif time.monotonic() - self._odd.setdefault(unit, time.monotonic()) > APART_S:
                    found[unit.replace("_", "-")] = float("-inf")
        return found
