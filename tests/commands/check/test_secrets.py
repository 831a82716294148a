"""Secrets that others can read, and certificates that end."""

import datetime
import subprocess
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hil.testkit.appliance import ZONE
from tests.commands.check.conftest import ROOT_ONLY, SITE, Check

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
PASSWORD = 'host = "127.0.0.1"\nusername = "unit"\npassword_file = "password"\n'
CAMERA = '[camera]\nkind = "stream"\nurl = "rtsp://{login}@127.0.0.1:9/x"\n'


def upstream(options: str) -> str:
    return f"{SITE}[upstream]\n{options}"


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [
        (0o644, "secret", "can be read by others; run: chmod 600"),
        (0o640, "secret", "can be read by others; run: chmod 600"),
        (0o600, "", "is empty; write the secret into it"),
        (None, "", "No such file or directory"),
    ],
)
def test_a_secret_that_is_none_is_reported(
    check: Check, mode: int | None, content: str, words: str
) -> None:
    if mode is not None:
        (check.folder / "password").write_text(content)
        (check.folder / "password").chmod(mode)
    check.site = upstream(PASSWORD)
    told = check.run("secrets").fault("secrets")
    assert words in told
    assert "upstream.password_file" in told


def test_a_secret_of_its_owner_alone_is_good(check: Check) -> None:
    (check.folder / "camera.password").write_text("secret")
    (check.folder / "camera.password").chmod(0o600)
    check.site = CAMERA.format(login="viewer") + 'password_file = "camera.password"\n' + SITE + ZONE
    assert "1 files, read by their owner alone" in check.run("secrets").good("secrets")


@pytest.mark.parametrize(("mode", "ok"), [(0o644, False), (0o640, True), (0o600, True)])
def test_a_password_in_the_cameras_address_is_reported(check: Check, mode: int, ok: bool) -> None:
    check.site = CAMERA.format(login="viewer:canary") + SITE + ZONE
    command = check.command()
    check.site_file.chmod(mode)
    assert command
    found = check.run()
    told = found.lines["secrets"]
    assert told[0] is ok, told
    if not ok:
        assert "camera.password_file" in told[1]
    assert "canary" not in str(found.lines)


@ROOT_ONLY
def test_a_secret_that_its_program_may_not_read_is_reported(check: Check) -> None:
    """A technician writes the password with sudo, and it is root's then."""
    etc = check.folder / "etc"
    check.mounts += [
        f"cp -a /etc/. {etc}; mount --bind {etc} /etc",  # a copy: the machine's own stays as it is
        "echo redroad-report:x:12345:12345::/:/bin/false >> /etc/passwd",
        "mkdir -p /etc/redroad; umask 077; echo secret > /etc/redroad/password",
    ]
    check.site = upstream(PASSWORD.replace('"password"', '"/etc/redroad/password"'))
    words = "sudo chown redroad-report /etc/redroad/password"
    assert words in check.run("secrets").fault("secrets")
    check.mounts.append("chown 12345 /etc/redroad/password")
    assert "1 files" in check.run("secrets").good("secrets")


def certificates(folder: Path, **said: datetime.datetime) -> str:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert("127.0.0.1", **said)  # type: ignore[arg-type]
    issued.cert_chain_pems[0].write_to_path(folder / "unit.pem")
    issued.private_key_pem.write_to_path(folder / "unit.key")
    (folder / "unit.key").chmod(0o600)
    return 'host = "127.0.0.1"\nca_file = "ca.pem"\ncert_file = "unit.pem"\nkey_file = "unit.key"\n'


def test_a_certificate_that_has_ended_or_ends_soon_is_reported(check: Check) -> None:
    check.site = upstream(certificates(check.folder, not_after=NOW + 5 * DAY))
    assert "upstream.cert_file ends in 5 days; renew it" in check.run("secrets").fault("secrets")
    check.site = upstream(
        certificates(check.folder, not_before=NOW - 9 * DAY, not_after=NOW - 2 * DAY)
    )
    assert "upstream.cert_file ended on 20" in check.run("secrets").fault("secrets")


def bundle(folder: Path, *ends: datetime.datetime) -> None:
    """ca.pem of several authorities: one for each end."""
    content = b""
    for number, end in enumerate(ends, 1):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"City {number}")])
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(NOW - 90 * DAY)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        content += b"# of the city\n" + made.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(content)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_one_of_a_bundle_that_has_ended_is_named(check: Check, place: int) -> None:
    check.site = upstream(certificates(check.folder, not_after=NOW + 300 * DAY))
    ends = [NOW + 300 * DAY] * 3
    ends[place] = NOW - 2 * DAY
    bundle(check.folder, *ends)
    words = f"upstream.ca_file: certificate {place + 1} of 3 (City {place + 1}) ended on 20"
    told = check.run().fault("secrets")
    assert words in told
    assert "renew it, or take it out" in told


def test_one_of_a_bundle_that_ends_soon_is_no_fault_while_another_lasts(check: Check) -> None:
    """As while a city passes from its old authority to a new one."""
    check.site = upstream(certificates(check.folder, not_after=NOW + 300 * DAY))
    bundle(check.folder, NOW + 5 * DAY, NOW + 900 * DAY)
    assert f"ca_file good until {NOW + 5 * DAY:%Y-%m-%d}" in check.run().good("secrets")
    bundle(check.folder, NOW + 5 * DAY, NOW + 6 * DAY)
    assert "certificate 2 of 2 (City 2) ends in 6 days" in check.run().fault("secrets")


def test_an_encrypted_key_is_reported_with_what_to_do(check: Check) -> None:
    check.site = upstream(certificates(check.folder))
    key = check.folder / "unit.key"
    subprocess.run(
        ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", key, "-out", f"{key}.new"],
        check=True,
    )
    Path(f"{key}.new").replace(key)
    key.chmod(0o600)
    found = check.run()
    for part in ("secrets", "broker"):
        assert "is encrypted" in found.fault(part)
        assert f"openssl pkey -in {key}" in found.fault(part)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_password_with_a_byte_order_mark_is_reported(check: Check, encoding: str) -> None:
    (check.folder / "password").write_text("secret", encoding=encoding)
    (check.folder / "password").chmod(0o600)
    check.site = upstream(PASSWORD)
    found = check.run()
    for part in ("secrets", "broker"):
        assert "begins with a byte order mark" in found.fault(part)


def test_a_good_certificate_is_reported_with_its_end(check: Check) -> None:
    check.site = upstream(certificates(check.folder, not_after=NOW + 300 * DAY))
    end = f"{NOW + 300 * DAY:%Y-%m-%d}"
    assert f"upstream.cert_file good until {end}" in check.run("secrets").good("secrets")


def test_a_certificate_that_is_none_is_reported(check: Check) -> None:
    options = certificates(check.folder)
    (check.folder / "unit.pem").write_text("no certificate")
    check.site = upstream(options)
    assert "give a PEM file" in check.run("secrets").fault("secrets")


@pytest.mark.processes
@pytest.mark.slow
def test_a_secret_that_hangs_keeps_no_other_line_from_being_reported(check: Check) -> None:
    """A FIFO nobody writes into: what reads it waits forever, as with a dead network disk."""
    import os

    os.mkfifo(check.folder / "password", 0o600)
    check.site = upstream(PASSWORD)
    found = check.run("broker", "camera", "secrets")
    assert "hangs: no answer in 20 s" in found.fault("broker")
    assert found.good("camera")
