"""`redroad check` at the broker: it does what the unit does, and each refusal has its own words."""

import json
import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.commands.check.planned import broker as check_broker
from edge.common.clock import boot_id
from edge.common.errors import BrokerError
from edge.common.program import Paths
from edge.report.payloads import Stamp, topic
from edge.report.reach import NO_TLS, SILENT, WANTS_TLS
from edge.report.refusals import WORDS
from edge.report.schemas import SENT, schema_of
from edge.report.status import read_status
from edge.report.trial_messages import trial_messages
from edge.site import Site, load_site
from hil.testkit.mosquitto import Listener, Mosquitto, free_port, wait_for
from hil.testkit.report_process import Report
from hil.testkit.scripted_broker import V311, ScriptedBroker
from tests.report.scripted import (
    CONNECT,
    PUBLISH,
    Packet,
    Script,
    cloud,
    hangs_up,
    refuses,
    scripted,
    silent,
)
from tests.report.test_cap import Message
from tests.report.test_schemas import heard, valid

__all__ = ["heard"]  # the fixture

KINDS = {"availability", "state", "events", "counts", "health", "reply", "crowdflow"}


def site_of(folder: Path, port: int, more: str = "", host: str = "127.0.0.1") -> Site:
    file = folder / "trial.toml"
    file.write_text(
        '[site]\nname = "hongdae"\nunit = "one"\nclock = "trusted"\n'
        f'[upstream]\nhost = "{host}"\nport = {port}\nfiware = true\n{more}',
        encoding="utf-8",
    )
    return load_site(file)


def acl_config(folder: Path) -> str:
    user = "user root\n" if os.getuid() == 0 else ""  # the folder is this user's alone
    return f"{user}allow_anonymous true\nacl_file {folder / 'acl'}"


def fault(site: Site) -> str:
    with pytest.raises(BrokerError) as caught:
        check_broker(site)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_broker_that_takes_everything_is_good_and_each_message_comes_back(
    tmp_path: Path, broker: Mosquitto
) -> None:
    told = check_broker(site_of(tmp_path, broker.port))
    assert re.search(r"one on each of \d+ topics, and lets us hear commands", told)
    assert all(kind in told.partition("heard back: ")[2] for kind in KINDS)


def test_what_it_sends_is_whole_valid_true_marked_and_not_retained(
    tmp_path: Path, broker: Mosquitto
) -> None:
    listener = Listener(broker.port, "redroad/#", "homeassistant/#")
    check_broker(site_of(tmp_path, broker.port))
    wait_for(lambda: len(listener.on("config")) >= 3, 10, "one of each kind")
    listener.close()
    for name in SENT:
        (payload,) = listener.on(name)
        valid(payload, schema_of(name))
        assert payload["test"] is True
    assert listener.on("state")[0]["level"] == "UNKNOWN"
    assert listener.on("availability") == ["offline"]
    assert listener.on("crowdflow")[0]["level"] == "UNKNOWN"
    late = Listener(broker.port, "redroad/#", "homeassistant/#")
    check_broker(site_of(tmp_path, broker.port))  # so that all that was retained has come
    assert not any(retained for _, _, retained in late.messages)
    late.close()


def test_alerts_for_others_are_tried_as_a_test(tmp_path: Path, broker: Mosquitto) -> None:
    alerts = '[alerts]\ncap = true\nonvif = true\nsender = "pole-3.hongdae.example"\n'
    listener = Listener(broker.port)
    told = check_broker(site_of(tmp_path, broker.port, alerts))
    assert {"cap", "onvif-ej"} <= set(told.partition("heard back: ")[2].split(", "))
    wait_for(lambda: listener.on("cap") and listener.on("level"), 10, "both")
    alert = Message(listener.on("cap")[0])
    assert (alert["status"], alert["msgType"]) == ("Test", "Alert")
    assert set(alert.all("info/urgency")) == set(alert.all("info/severity")) == {"Unknown"}
    assert alert.all("info/headline")[1] == "This message is a test. Take no action."
    (event,) = listener.on("level")
    valid(event, schema_of("onvif-ej"))
    assert event["Data"]["Level"] == "UNKNOWN"
    listener.close()


def test_a_unit_that_follows_no_commands_asks_for_none(tmp_path: Path, broker: Mosquitto) -> None:
    told = check_broker(site_of(tmp_path, broker.port, "commands = false\n"))
    assert "takes our messages" in told
    assert "hear commands" not in told


def test_it_sends_on_every_topic_of_a_unit_and_on_no_other(
    heard: Listener, report: Report, broker: Mosquitto
) -> None:
    """A unit that has told everything that it can tell."""
    site = load_site(report.site_file)
    stamp = Stamp(boot_id(), 1, 1.0, time_valid=True)
    ours = {message.topic for message in trial_messages(site, None, stamp, "offline")}
    told = {where for where, payload, _ in heard.messages if payload}  # an empty one withdraws
    assert ours == {where for where in told if "/command/" not in where}


def test_beside_a_running_unit_it_reports_what_that_reported_and_takes_nothing_from_it(
    report: Report, broker: Mosquitto
) -> None:
    listener = Listener(broker.port)
    report.start()
    paths = Paths(report.runtime, report.state.parent)
    wait_for(lambda: read_status(paths) is not None, 15, "its status")
    wait_for(lambda: listener.on("availability") == ["online"], 15, "online")
    status = read_status(paths)
    assert status is not None
    check_broker(load_site(report.site_file), status)
    assert listener.on("availability") == ["online", "online"]
    told = [state for state in listener.on("state") if state.get("test")]
    assert told == [{**status.state, "test": True}]
    assert "name" not in str(report.said())
    listener.close()


def test_another_unit_of_this_name_that_reports_keeps_its_connection(
    tmp_path: Path, broker: Mosquitto
) -> None:
    from datetime import UTC, datetime

    site = site_of(tmp_path, broker.port)
    listener = Listener(broker.port)
    told = {"time": datetime.now(UTC).isoformat(), "time_valid": True, "boot_id": "another"}
    listener.say(topic(site, "state"), json.dumps(told), retain=True)
    assert "a unit called hongdae/one reported" in fault(site)
    told["boot_id"] = boot_id()  # our own, until a moment ago
    listener.say(topic(site, "state"), json.dumps(told), retain=True)
    assert "takes our messages" in check_broker(site)
    listener.close()


def test_permissions_that_are_missing_are_named_topic_by_topic(tmp_path: Path) -> None:
    """As in the field: state and commands alone."""
    (tmp_path / "acl").write_text(
        "topic readwrite redroad/v1/hongdae/+/state\ntopic readwrite redroad/v1/hongdae/+/command/#"
    )
    denying = Mosquitto(tmp_path, acl_config(tmp_path))
    denying.start()
    try:
        told = fault(site_of(tmp_path, denying.port))
    finally:
        denying.kill()
    for kind in KINDS - {"state"}:
        assert f"redroad/v1/hongdae/one/{kind}" in told
    assert "homeassistant/" in told
    assert "one/state" not in told
    assert "not authorized" in told


def test_where_it_may_not_read_its_own_messages_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text(
        "topic write redroad/v1/hongdae/one/#\ntopic read redroad/v1/hongdae/one/command/#\n"
        "topic read redroad/v1/hongdae/one/state\ntopic write homeassistant/#\n"
    )
    broker = Mosquitto(tmp_path, acl_config(tmp_path))
    broker.start()
    try:
        assert check_broker(site_of(tmp_path, broker.port)).endswith("heard back: state")
    finally:
        broker.kill()


def is_of(*kinds: str) -> Callable[[Packet], bool]:
    return lambda packet: packet.kind == PUBLISH and packet.topic.rpartition("/")[2] in kinds


def test_a_cloud_that_hangs_up_on_a_topic_is_asked_for_the_rest(tmp_path: Path) -> None:
    with scripted(cloud(is_of("counts", "reply"))) as port:
        told = fault(site_of(tmp_path, port))
    assert "redroad/v1/hongdae/one/counts, redroad/v1/hongdae/one/reply (it hangs up)" in told
    assert "one/state" not in told


def test_a_message_over_the_broker_s_limit_is_named_with_its_size(tmp_path: Path) -> None:
    limit = b"\x27" + (600).to_bytes(4)  # Maximum Packet Size
    with scripted(cloud(lambda _: False, limit)) as port:
        told = fault(site_of(tmp_path, port))
    assert "this broker takes at most 600)" in told
    assert "homeassistant/" in told


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (silent, SILENT),
        (hangs_up, "hangs up on us before it has said anything"),
        (refuses(0x84), WORDS[132]),
        (refuses(0x85), "client identifier not valid: it takes no client of our id; allow redroad"),
        (refuses(0x86), "check upstream.username and password_file"),
        (refuses(0x87), "it does not let this unit in"),
        (refuses(0x88), "server unavailable: it is not available"),
        (refuses(0x89), "server busy: it is busy"),
        (refuses(0x8A), "it has banned this unit"),
        (refuses(0x9A), "let it retain messages"),
        (refuses(0x9C, "b.example:8883"), "another one serves us; set upstream.host to b.example"),
        (refuses(0x9D, "b.example"), "it has moved; set upstream.host to b.example"),
        (refuses(0x9F), "too many connect at once"),
    ],
)
def test_each_way_not_to_be_let_in_has_its_own_words(
    tmp_path: Path, script: Script, words: str
) -> None:
    with scripted(script) as port:
        assert words in fault(site_of(tmp_path, port))


def test_a_client_id_that_only_the_unit_may_have_is_the_one_that_is_used(tmp_path: Path) -> None:
    """A broker whose permissions hang on it lets in no other."""
    whole = cloud(lambda _: False)

    def script(peer: Any) -> None:
        first = peer.read()
        assert first.kind == CONNECT
        peer.read = iter([first]).__next__ if not first.client_id.endswith("_check") else None
        if peer.read is None:
            peer.write(b"\x20\x03\x00\x85\x00")
            return
        real = type(peer).read
        calls = [first]
        peer.read = lambda: calls.pop() if calls else real(peer)
        whole(peer)

    with scripted(script) as port:
        assert "takes our messages" in check_broker(site_of(tmp_path, port))


def test_an_old_broker_is_tried_on_its_own_terms(tmp_path: Path) -> None:
    old = ScriptedBroker(version=V311)
    try:
        told = check_broker(site_of(tmp_path, old.port))
        assert "MQTT 3.1.1 has no expiry" in told
        assert {where.rpartition("/")[2] for where in old.topics()} >= KINDS
        pinned = site_of(tmp_path, old.port, 'protocol = "5"\n')
        assert WORDS[132] in fault(pinned)
    finally:
        old.close()


def test_a_port_and_a_name_that_are_not_there_are_reported_apart(tmp_path: Path) -> None:
    assert "nothing listens there; check upstream.port" in fault(site_of(tmp_path, free_port()))
    absent = site_of(tmp_path, 1883, host="broker.invalid")
    assert "no host has this name" in fault(absent) or "name server" in fault(absent)


def test_a_silent_port_is_none_with_tls_either(tmp_path: Path) -> None:
    import trustme

    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    with scripted(silent) as port:
        assert SILENT in fault(site_of(tmp_path, port, 'ca_file = "ca.pem"\n'))


def test_plain_and_tls_that_meet_are_reported_from_both_sides(
    tmp_path: Path, broker: Mosquitto
) -> None:
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    assert NO_TLS in fault(site_of(tmp_path, broker.port, 'ca_file = "ca.pem"\n'))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def secure(peer: Any) -> None:
        with context.wrap_socket(peer._socket, server_side=True) as wrapped:
            wrapped.recv(100)

    with scripted(secure) as port:
        assert WANTS_TLS in fault(site_of(tmp_path, port))
