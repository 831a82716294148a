"""A real Mosquitto for the tests: started, killed and started again on a port of its own."""

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

MOSQUITTO = "/usr/sbin/mosquitto"


# Below the ports that the kernel gives to connections (from 32768): none of those takes one away.
FIRST_PORT, PORTS_EACH, WORKERS_MOST = 20_000, 600, 20
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_MOST
_ports = itertools.count(random.randrange(PORTS_EACH))


def free_port() -> int:
    """A port on which nobody listens, and that no other worker of this run will be given."""
    while True:
        port = FIRST_PORT + PORTS_EACH * _worker + next(_ports) % PORTS_EACH
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def listens(port: int) -> bool:
    """Whether somebody listens on this port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Until the condition holds; the test fails with `what` when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


class Mosquitto:
    """A broker process."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(folder, extra)

    def configure(self, folder: Path, extra: str) -> None:
        """What it goes by from its next start on."""
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{extra}\n", encoding="utf-8")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, 10, "mosquitto listens")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def send(self, signum: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(signum)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        return listens(self.port)


class Listener:
    """Everything that a broker passes on, in the order of arrival."""

    def __init__(
        self,
        port: int,
        *topics: str,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.messages: list[tuple[str, Any, bool]] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        if tls is not None:
            self._client.tls_set_context(tls)
        if login is not None:
            self._client.username_pw_set(*login)
        wanted = [(topic, 1) for topic in topics or ("redroad/#",)]
        self._client.on_connect = lambda client, *_: client.subscribe(wanted)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(host, port)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def on(self, name: str) -> list[Any]:
        """The payloads of one kind of topic, decoded."""
        return [payload for topic, payload, _ in list(self.messages) if topic.endswith(f"/{name}")]

    def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish something, and wait until the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        text = message.payload.decode()
        payload = json.loads(text) if text.startswith("{") else text
        self.messages.append((message.topic, payload, message.retain))
