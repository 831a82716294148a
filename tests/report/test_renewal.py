"""Certificates replaced while a unit is connected with the old ones: all events arrive."""

import signal
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge.common.errors import BrokerError
from edge.report.trial import try_broker
from edge.site import load_site
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_report import event, ids, sent
from tests.report.test_tls import (
    DAY,
    NOW,
    UNIT,
    Certificates,
    example_config,
    site_text,
)

REPLACED = "certificates or password were replaced"


class City:
    """A broker that trusts an old authority and a new one, and can revoke."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old = Certificates(folder, trustme.CA())
        self.new = Certificates(folder, trustme.CA())
        self.old.write("broker")
        self.old.write("unit", common_name=UNIT)
        self.old.write("control", common_name="control-room")
        self.trust("unit-ca.pem", self.old)
        self.trust("ca.pem", self.old, self.new)
        self.revoke()
        config = example_config(folder) + f"crlfile {folder}/revoked.pem\n"
        self.broker = Mosquitto(folder, config)
        self.broker.start()

    def trust(self, name: str, *authorities: Certificates) -> None:
        """A file with these authorities, replaced whole."""
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(b"".join(each.authority.cert_pem.bytes() for each in authorities))
        fresh.replace(self.folder / name)

    def revoke(self, *names: str) -> None:
        """Lists of both authorities: of the old one's certificates these are revoked."""
        certificates = [(self.folder / f"{name}.pem").read_bytes() for name in names]
        serials = [x509.load_pem_x509_certificate(pem).serial_number for pem in certificates]
        lists = _revoked(self.old.authority, serials) + _revoked(self.new.authority, [])
        (self.folder / "revoked.pem").write_bytes(lists)

    def restart(self) -> None:
        self.broker.kill()
        self.broker.start()


def _revoked(authority: trustme.CA, serials: list[int]) -> bytes:
    certificate = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    key = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made = x509.CertificateRevocationListBuilder(certificate.subject, NOW - DAY, NOW + DAY)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, NOW - DAY).build()
        made = made.add_revoked_certificate(entry)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Traffic:
    """Ten events a second until it is stopped."""

    def __init__(self, unit: Report) -> None:
        self._unit = unit
        self._stop = threading.Event()
        self.names: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> set[str]:
        self._stop.set()
        self._thread.join()
        return set(self.names)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            name = f"traffic-{len(self.names)}"
            if self._unit.outlet.send(event(name)):
                self.names.append(name)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.broker.kill()


@pytest.fixture
def unit(city: City) -> Iterator[Report]:
    text = site_text(city.broker, ca_file="unit-ca.pem")
    program = Report(city.folder, text, site="hongdae-crossing", unit="pole-3")
    program.start()
    yield program
    program.end(signal.SIGKILL)


@pytest.fixture
def control_room(city: City) -> Iterator[Listener]:
    both = ssl.create_default_context(cafile=str(city.folder / "ca.pem"))
    both.load_cert_chain(city.folder / "control.pem", city.folder / "control.key")
    listener = Listener(city.broker.port, tls=both)
    yield listener
    listener.close()


def refused(city: City) -> bool:
    """Whether the broker lets nobody in with the unit's files as they are."""
    file = city.folder / "probe.toml"
    text = site_text(city.broker, ca_file="unit-ca.pem")
    file.write_text(f"[upstream]\n{text}", encoding="utf-8")
    try:
        try_broker(load_site(file))
    except BrokerError as error:
        return "revoked" in str(error) or "as it does when it refuses us" in str(error)
    return False


def test_certificate_and_authority_are_swapped_while_connected(
    city: City, unit: Report, control_room: Listener
) -> None:
    """The old certificate is revoked meanwhile, and at last the old authority is gone."""
    traffic = Traffic(unit)
    try:
        wait_for(lambda: len(ids(control_room)) > 10, 20, "traffic")
        city.revoke("unit")
        city.broker.send(signal.SIGHUP)
        wait_for(lambda: refused(city), 10, "the old certificate is refused")
        city.new.write("unit", common_name=UNIT)
        city.trust("unit-ca.pem", city.old, city.new)
        wait_for(lambda: REPLACED in unit.said(), 20, "the new files are noticed")
        at_least = len(traffic.names) + 10
        wait_for(lambda: f"traffic-{at_least}" in ids(control_room), 20, "delivery by the new one")
        city.new.write("broker")
        city.trust("unit-ca.pem", city.new)
        city.restart()
        at_least = len(traffic.names) + 10
        wait_for(lambda: f"traffic-{at_least}" in ids(control_room), 30, "the other broker")
    finally:
        names = traffic.stop()
    wait_for(lambda: names <= set(ids(control_room)), 20, "every event")


def test_files_that_do_not_fit_together_are_reported_and_the_connection_stands(
    city: City, unit: Report, control_room: Listener
) -> None:
    """Whoever renews puts the certificate in place and forgets the key, or is not done yet."""
    sent(unit, ["before"])
    wait_for(lambda: "before" in ids(control_room), 15, "the first event")
    key = (city.folder / "unit.key").read_bytes()
    city.new.write("unit", common_name=UNIT)
    fitting = (city.folder / "unit.key").read_bytes()
    (city.folder / "unit.key").write_bytes(key)
    wait_for(lambda: "cannot be used together" in unit.said(), 20, "the fault")
    sent(unit, ["during"])
    wait_for(lambda: "during" in ids(control_room), 10, "delivery with the old ones")
    assert REPLACED not in unit.said()
    assert "offline" not in control_room.on("availability")
    (city.folder / "unit.key").write_bytes(fitting)
    wait_for(lambda: REPLACED in unit.said(), 20, "the new files are used")
    wait_for(lambda: "recovery: certificates works again" in unit.said(), 10, "the recovery")
    sent(unit, ["after"])
    wait_for(lambda: "after" in ids(control_room), 10, "delivery with the new ones")


def test_a_broker_that_was_given_a_new_authority_first_is_met_again(
    city: City, unit: Report, control_room: Listener
) -> None:
    """The broker changes, and the unit's files follow: nothing is lost in between."""
    sent(unit, ["before"])
    wait_for(lambda: "before" in ids(control_room), 15, "the first event")
    city.new.write("broker")
    city.restart()
    wait_for(lambda: "of another CA; check upstream.ca_file" in unit.said(), 30, "the fault")
    sent(unit, ["during"])
    city.trust("unit-ca.pem", city.new)
    city.new.write("unit", common_name=UNIT)
    wait_for(lambda: "during" in ids(control_room), 60, "the event that was kept")
