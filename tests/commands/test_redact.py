"""No form of a secret stays in a text, and what is none does."""

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.commands.bundle.redact import Redactor, redacted_site, redactor_of
from edge.common.secret import HIDDEN

AWKWARD = "a\"b\\c d/é?&=@'"


@pytest.mark.parametrize(
    "form",
    [
        str,
        quote,
        lambda s: quote(s, safe=""),
        quote_plus,
        json.dumps,
        lambda s: json.dumps(s, ensure_ascii=False),
        repr,
        lambda s: base64.b64encode(s.encode()).decode(),
    ],
    ids=["plain", "path", "query", "form", "json", "json utf-8", "python", "base64"],
)
@pytest.mark.parametrize("secret", [AWKWARD, "hunter2", "canary/secret?40"])
def test_every_form_of_a_known_secret_is_hidden(secret: str, form: object) -> None:
    told = form(secret)  # type: ignore[operator]
    text = f"login {told} refused"
    cleaned = Redactor(frozenset({secret})).clean(text)
    assert HIDDEN in cleaned
    assert secret not in cleaned
    assert told.strip("\"'=") not in cleaned
    assert cleaned.startswith("login ")
    assert cleaned.endswith(" refused")


@given(st.text(min_size=4, max_size=30), st.text(max_size=50), st.text(max_size=50))
def test_a_secret_in_any_text_is_hidden(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor(frozenset({secret})).clean(before + secret + after)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("rtsp://viewer:hunter2@10.0.0.4/x", "rtsp://***@10.0.0.4/x"),
        ("mqtt://a:b@c@host", "mqtt://***@host"),
        ("password = 'hunter2'", "password = '***'"),
        ('{"token":"abc","n":1}', '{"token":"***","n":1}'),
        ("GET /stream?user=u&pwd=hunter2&x=1", "GET /stream?user=u&pwd=***&x=1"),
        ("option upstream.password_file = 'p' cannot be read",) * 2,
        ("5 persons/m²; password refused",) * 2,
        ("x" * 500, "(long data left out)"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\nab==\n-----END PRIVATE KEY-----\nok", "***\nok"),
        ("-----BEGIN EC PRIVATE KEY-----\nMIIE", "***"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(text: str, cleaned: str) -> None:
    assert Redactor(frozenset()).clean(text) == cleaned


SITE = """# old: password = "in-a-comment"
[camera]
kind = "stream"
url = "rtsp://viewer:in-the-address@10.0.0.4:554/in-the-path?key=in-the-query"
password_file = "camera.password"
passwort = "in-a-mistake"
[upstream]
host = "broker"
username = "pole-3"
password_file = "in-place-of-a-file"
key_file = "unit.key"
"""
SECRETS = (
    "in-a-comment",
    "in-the-address",
    "in-the-path",
    "in-the-query",
    "in-a-mistake",
    "in-place-of-a-file",
    "in-the-file",
    "c2VjcmV0IGtleQ",
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "camera.password").write_text("in-the-file\n", encoding="utf-8")
    key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IGtleQ\n-----END PRIVATE KEY-----\n"
    (tmp_path / "unit.key").write_text(key, encoding="utf-8")
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path / "site.toml"


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_the_secrets_of_a_site_file_are_known(site: Path, broken: bool) -> None:
    if broken:
        site.write_text(SITE + "[upstream\n", encoding="utf-8")
    redactor = redactor_of(site)
    log = "\n".join(f"WARNING {secret}: refused" for secret in SECRETS)
    told = redactor.clean(log) + redacted_site(site, redactor)
    assert [secret for secret in SECRETS if secret in told] == []
    assert "viewer" not in redacted_site(site, redactor)
    assert ("broker" in told) is not broken


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('[upstream]\npassword_file = "absent"\n')
    assert (
        redactor_of(tmp_path / "site.toml").unread
        == (f"password_file = {tmp_path / 'absent'}",) * 2
    )


def test_secrets_are_not_in_the_words_of_the_redactor() -> None:
    assert "hunter2" not in repr(Redactor(frozenset({"hunter2"})))
