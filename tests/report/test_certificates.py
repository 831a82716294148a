"""One verdict on certificates on every version of Python, and keys that ask for a passphrase."""

import contextlib
import ipaddress
import os
import pty
import re
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.report.tls import context_of
from edge.site import load_site
from hil.testkit.mosquitto import Mosquitto, free_port
from tests.report.test_tls import (
    DAY,
    NOW,
    Certificates,
    certificates,
    example_config,
    secure,
    why_not,
)

__all__ = ["certificates", "secure"]  # fixtures
Signer = tuple[x509.Name, ec.EllipticCurvePrivateKey]


def signed(
    folder: Path,
    name: str,
    *,
    by: Signer | None = None,
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> Signer:
    """NAME.pem and NAME.key with these extensions and no others; itself signed where `by` is None.

    trustme makes none that break RFC 5280.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = (subject, key) if by is None else by
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 100 * DAY)
    )
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    for extension, critical in [(own, False), *extensions]:
        builder = builder.add_extension(extension, critical)
    made = builder.sign(signing, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return subject, key


SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
HOST = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no key usage", "is an authority's without key usage"),
        ("not critical", "is an authority's without critical basic constraints"),
        ("no signer's key", "lacks the authority key identifier"),
        ("", ""),
    ],
)
def test_what_only_strict_checks_refuse_is_refused_on_every_python_and_said(
    tmp_path: Path, certificates: Certificates, fault: str, words: str
) -> None:
    authority = x509.BasicConstraints(ca=True, path_length=None), fault != "not critical"
    usage = [] if fault == "no key usage" else [(SIGNS, True)]
    root = signed(tmp_path, "city", extensions=[authority, *usage])
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root[1].public_key())
    named = [] if fault == "no signer's key" else [(signer, False)]
    signed(tmp_path, "broker", by=root, extensions=[(HOST, False), *named])
    broker = Mosquitto(tmp_path, example_config(tmp_path).replace("require_certificate true", ""))
    broker.start()
    changes = {"ca_file": "city.pem", "cert_file": "", "key_file": ""}
    try:
        if words:
            told = why_not(tmp_path, broker, **changes)
            assert words in told
            assert "breaks RFC 5280, and is refused on every version of Python alike" in told
        else:
            # TLS came about, and the broker asks for more.
            assert "bad user name or password" in why_not(tmp_path, broker, **changes)
    finally:
        broker.kill()


def test_the_verdict_does_not_hang_on_python_s_defaults(
    tmp_path: Path, certificates: Certificates
) -> None:
    file = tmp_path / "site.toml"
    file.write_text('[upstream]\nhost = "b"\nca_file = "ca.pem"\n')
    made = context_of(load_site(file))
    assert made is not None
    assert made.verify_flags & ssl.VERIFY_X509_STRICT
    assert made.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


def test_an_authority_that_is_itself_signed_by_another_serves(
    tmp_path: Path, certificates: Certificates, secure: Mosquitto
) -> None:
    """Python 3.13 takes it as it stands, 3.11 by itself wants the one above it, too."""
    child = certificates.authority.create_child_ca()
    child.cert_pem.write_to_path(tmp_path / "child.pem")
    secure.kill()
    certificates.write("broker", of=child)
    secure.start()
    told = why_not(tmp_path, secure, ca_file="child.pem", cert_file="", key_file="")
    assert "wants a certificate of us" in told or "as it does when it refuses us" in told


def test_a_chain_without_its_intermediate_is_reported(
    tmp_path: Path, certificates: Certificates, secure: Mosquitto
) -> None:
    secure.kill()
    certificates.write("broker", of=certificates.authority.create_child_ca())
    secure.start()
    assert "leaves out the intermediate certificate" in why_not(tmp_path, secure)


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_an_encrypted_key_is_reported_and_nothing_asks_on_the_terminal(
    tmp_path: Path, certificates: Certificates, form: str
) -> None:
    """The command has a terminal, on which OpenSSL would ask and wait."""
    plain = serialization.load_pem_private_key((tmp_path / "unit.key").read_bytes(), None)
    secret = serialization.BestAvailableEncryption(b"hunter2")
    kind = getattr(serialization.PrivateFormat, form)
    (tmp_path / "unit.key").write_bytes(
        plain.private_bytes(serialization.Encoding.PEM, kind, secret)
    )
    files = 'ca_file = "ca.pem"\ncert_file = "unit.pem"\nkey_file = "unit.key"\n'
    site = tmp_path / "site.toml"
    site.write_text(f'[upstream]\nhost = "127.0.0.1"\nport = {free_port()}\n{files}')
    script = (
        "from pathlib import Path; from edge.site import load_site; from edge.report.tls import *\n"
        f"try: refuse_unusable(load_site(Path({str(site)!r})))\n"
        "except Exception as error: print(error)"
    )
    told = on_a_terminal([sys.executable, "-c", script])
    assert "pass phrase" not in told
    assert "is encrypted, and nobody is there to type its passphrase" in told
    remedy = re.search(r"run: (.*)", told.replace("\r", ""))
    assert remedy is not None
    command = remedy[1].replace("openssl pkey", "openssl pkey -passin pass:hunter2")
    subprocess.run(["sh", "-c", command], check=True, cwd=tmp_path)
    assert (tmp_path / "unit.key").stat().st_mode & 0o077 == 0
    assert context_of(load_site(site)) is not None


def on_a_terminal(command: list[str]) -> str:
    """What a command writes to a terminal of its own, which nobody types on."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    os.set_blocking(terminal, False)
    until, told = time.monotonic() + 30, b""
    while time.monotonic() < until and os.waitpid(pid, os.WNOHANG) == (0, 0):
        time.sleep(0.05)
        with contextlib.suppress(OSError):
            told += os.read(terminal, 65536)
    with contextlib.suppress(OSError):
        told += os.read(terminal, 65536)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.close(terminal)
    return told.decode()
