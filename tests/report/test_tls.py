"""A broker with TLS, clients' certificates and permissions: the example configuration, for real."""

import datetime
import os
import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
import trustme
from paho.mqtt.enums import CallbackAPIVersion

from edge.common.errors import BrokerError, SiteError
from edge.report.tls import CLOCK, in_plain_words
from edge.report.trial import try_broker
from edge.site import load_site
from hil.testkit.mosquitto import Listener, Mosquitto, free_port, listens, wait_for
from hil.testkit.report_process import Report
from tests.report.test_report import ids, sent

EXAMPLE = Path(__file__).parents[2] / "deploy/mosquitto"
UNIT = "hongdae-crossing.pole-3"
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
TRIES = 60


@dataclass
class Certificates:
    """Files of an authority, the broker and a unit."""

    folder: Path
    authority: trustme.CA

    def write(
        self, name: str, *, of: trustme.CA | None = None, host: str = "127.0.0.1", **said: Any
    ) -> None:
        """NAME.pem and NAME.key, replaced whole."""
        issued = (of or self.authority).issue_cert(host, **said)
        for ending, blob in ((".pem", issued.cert_chain_pems[0]), (".key", issued.private_key_pem)):
            fresh = self.folder / f"{name}{ending}.new"
            blob.write_to_path(fresh)
            fresh.chmod(0o600)
            fresh.replace(self.folder / f"{name}{ending}")


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    made = Certificates(tmp_path, trustme.CA())
    made.authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    made.write("broker")
    made.write("unit", common_name=UNIT)
    return made


def example_config(folder: Path) -> str:
    """The example for the broker, with this folder's files and the test's own listener."""
    text = (EXAMPLE / "mosquitto.conf").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^(listener|persistence\w*) .*\n", "", text)
    text = re.sub(r"/etc/mosquitto/(certs/)?", f"{folder}/", text)
    text = re.sub(r"(?m)\s+#.*$", "", text)
    (folder / "acl").write_bytes((EXAMPLE / "acl").read_bytes())
    return text + ("user root\n" if os.getuid() == 0 else "")  # the keys are this user's alone


@pytest.fixture
def secure(tmp_path: Path, certificates: Certificates) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path, example_config(tmp_path))
    broker.start()
    yield broker
    broker.kill()


def site_text(broker: Mosquitto, **changes: str) -> str:
    files = {"ca_file": "ca.pem", "cert_file": "unit.pem", "key_file": "unit.key", **changes}
    lines = [f'{option} = "{value}"' for option, value in files.items() if value]
    return "\n".join(['host = "127.0.0.1"', f"port = {broker.port}", "aggregate_s = 5", *lines])


def why_not(folder: Path, broker: Mosquitto, **changes: str) -> str:
    """What `redroad check` says of the broker."""
    file = folder / "probe.toml"
    file.write_text("[upstream]\n" + site_text(broker, **changes), encoding="utf-8")
    with pytest.raises((BrokerError, SiteError)) as caught:
        try_broker(load_site(file))
    return str(caught.value)


def context(folder: Path, name: str) -> ssl.SSLContext:
    """What a client that is called `name` shows."""
    made = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return made


@pytest.fixture
def control_room(
    tmp_path: Path, certificates: Certificates, secure: Mosquitto
) -> Iterator[Listener]:
    certificates.write("control", common_name="control-room")
    listener = Listener(secure.port, tls=context(tmp_path, "control"))
    yield listener
    listener.close()


@pytest.fixture
def unit(tmp_path: Path, secure: Mosquitto) -> Iterator[Report]:
    program = Report(tmp_path, site_text(secure), site="hongdae-crossing", unit="pole-3")
    yield program
    program.end(signal.SIGKILL)


def test_events_arrive_over_tls_with_a_certificate_and_permissions(
    unit: Report, control_room: Listener
) -> None:
    unit.start()
    sent(unit, ["a", "b"])
    wait_for(lambda: {"a", "b"} <= set(ids(control_room)), 15, "both events")
    assert {topic.rsplit("/", 1)[0] for topic, _, _ in control_room.messages} == {
        "redroad/v1/hongdae-crossing/pole-3"
    }


def test_a_unit_can_write_only_its_own_topics(
    tmp_path: Path, secure: Mosquitto, control_room: Listener
) -> None:
    answers: dict[int, Any] = {}
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set_context(context(tmp_path, "unit"))
    client.on_publish = lambda _c, _u, mid, code, _p: answers.update({mid: code})
    client.connect("127.0.0.1", secure.port)
    client.loop_start()
    own = "redroad/v1/hongdae-crossing/pole-3/state"
    topics = {
        own: True,
        "redroad/v1/hongdae-crossing/pole-4/state": False,
        "redroad/v1/hongdae-crossing/pole-4/command/hold": False,
        "homeassistant/device/other/config": False,
    }
    mids = {client.publish(topic, "{}", qos=1).mid: topic for topic in topics}
    wait_for(lambda: answers.keys() >= mids.keys(), 10, "all answers")
    assert {mids[mid]: not code.is_failure for mid, code in answers.items()} == topics
    client.disconnect()
    client.loop_stop()
    assert {topic for topic, _, _ in control_room.messages} <= {
        "redroad/v1/hongdae-crossing/pole-3/state"
    }


def test_the_control_room_s_exporter_reads_states_and_nobody_s_events(
    tmp_path: Path, unit: Report, certificates: Certificates, secure: Mosquitto
) -> None:
    """As deploy/control-room/README.md says: by TLS, as the user `metrics`."""
    certificates.write("metrics", common_name="metrics")
    listener = Listener(secure.port, tls=context(tmp_path, "metrics"))
    with exporter(tmp_path, secure, "metrics") as url:
        unit.start()
        sent(unit, ["a"])
        wait_for(lambda: "redroad_level{" in httpx.get(url).text, 30, "its level")
    assert {topic.rsplit("/", 1)[1] for topic, _, _ in listener.messages} <= {
        "state",
        "health",
        "availability",
    }
    listener.close()


@contextmanager
def exporter(folder: Path, broker: Mosquitto, name: str) -> Iterator[str]:
    """The exporter of `state` with the certificate of `name`; the address of its metrics."""
    text = (EXAMPLE.parent / "control-room/exporter/state.yaml").read_text(encoding="utf-8")
    files = {"ca_cert": "ca.pem", "client_cert": f"{name}.pem", "client_key": f"{name}.key"}
    server = f"server: ssl://127.0.0.1:{broker.port}"
    lines = [server, *(f"{option}: {folder / file}" for option, file in files.items())]
    config, port = folder / "state.yaml", free_port()
    config.write_text(
        text.replace("server: tcp://localhost:1883", "\n  ".join(lines)), encoding="utf-8"
    )
    words = [f"-config={config}", "-listen-address=127.0.0.1", f"-listen-port={port}"]
    process = subprocess.Popen(["prometheus-mqtt-exporter", *words])
    try:
        wait_for(lambda: process.poll() is not None or listens(port), 30, "it is connected")
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        process.kill()
        process.wait()


def test_what_is_wrong_with_the_brokers_certificate_is_reported_apart(
    tmp_path: Path, certificates: Certificates, secure: Mosquitto
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    assert "of another CA; check upstream.ca_file" in why_not(tmp_path, secure, ca_file="other.pem")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"not_after": NOW - DAY}, "the broker's certificate has expired"),
        ({"not_before": NOW + DAY}, "the broker's certificate is not valid yet by our clock"),
    ]
    for said, words in cases:
        secure.kill()
        certificates.write("broker", **said)
        secure.start()
        assert words in why_not(tmp_path, secure)
    secure.kill()
    certificates.write("broker", host="broker.example")
    secure.start()
    assert "certificate is of another host; check upstream.host" in why_not(tmp_path, secure)


def test_what_is_wrong_with_our_own_certificate_is_reported_apart(
    tmp_path: Path, certificates: Certificates, secure: Mosquitto
) -> None:
    certificates.write("stranger", of=trustme.CA())
    certificates.write("old", not_after=NOW - DAY)
    for name, words in (
        ("stranger", "does not know who signed our certificate"),
        ("old", "our certificate has expired; renew upstream.cert_file"),
        ("", "wants a certificate of us"),
    ):
        files = {
            "cert_file": f"{name}.pem" if name else "",
            "key_file": f"{name}.key" if name else "",
        }
        # The broker closes at once, so that its alert is often lost on a busy machine.
        for _ in range(TRIES):
            if words in (said := why_not(tmp_path, secure, **files)):
                break
            assert "as it does when it refuses us" in said
        else:
            pytest.fail(f"{words!r} was not said in {TRIES} tries")
    (tmp_path / "unit.key").chmod(0o644)
    assert "can be read by others; run: chmod 600" in why_not(tmp_path, secure)
    (tmp_path / "unit.key").chmod(0o600)
    said = why_not(tmp_path, secure, key_file="old.key")
    assert "cannot be used together" in said


def test_a_port_without_tls_is_reported(tmp_path: Path, certificates: Certificates) -> None:
    plain = Mosquitto(tmp_path)
    plain.start()
    try:
        assert "check" in why_not(tmp_path, plain)
    finally:
        plain.kill()


def test_with_a_clock_never_set_no_certificate_is_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    error = str(ssl.SSLCertVerificationError("[SSL] verify failed: certificate is not yet valid"))
    assert CLOCK not in in_plain_words(error)
    monkeypatch.setattr("edge.report.tls.time_plausible", lambda: False)
    assert in_plain_words(error).endswith(CLOCK)


def test_a_renewed_certificate_is_used_without_a_restart(
    unit: Report, certificates: Certificates, control_room: Listener
) -> None:
    certificates.write("unit", common_name=UNIT, not_after=NOW - DAY)
    unit.start()
    sent(unit, ["kept"])
    wait_for(lambda: "our certificate has expired" in unit.said(), 15, "the fault")
    assert ids(control_room) == []
    certificates.write("unit", common_name=UNIT)
    wait_for(lambda: "kept" in ids(control_room), 30, "the event that was kept")
