"""Alerts to other agencies: each message by CAP's schema, and when it is sent, and what it says."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from edge.common.clock import boottime_ns
from edge.common.program import Paths, Program
from edge.common.units import NS_PER_S
from edge.common.wire import Level, Occupancy, State, ZoneState
from edge.messages import CRITICAL
from edge.report.cap import NAMESPACE, is_simulated
from edge.report.cap_feed import EXPIRES_AFTER_S, CapFeed
from edge.report.feed import Notification
from edge.report.payloads import Stamp
from edge.report.store import Store
from edge.site import Site, load_site
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "schemas" / "cap-1.2.xsd")))
WALL_S = 1_795_000_000.0  # 2026-11-18, in the evening of Seoul
PLACE = 'time_zone = "Asia/Seoul"\nlatitude = 37.5563\nlongitude = 126.9236\n'
OPTIONS = 'cap = true\nsender = "pole-3.hongdae.example"\n'
MORE = 'sender_name = "마포구 <안전> & 재난"\ncontact = "02-000-0000"\narea = "홍대 걷고싶은거리"\n'


def site_of(folder: Path, alerts: str = OPTIONS, site: str = PLACE, more: str = "") -> Site:
    file = folder / "site.toml"
    file.write_text(f"[site]\n{site}[alerts]\n{alerts}{more}", encoding="utf-8")
    return load_site(file)


def state(
    level: Level,
    peak: float = 6.0,
    low: float = 200.0,
    warning: str = "",
    zone: Level | None = None,
) -> State:
    """Of one zone with 240 people, by the camera at `zone`, shown at `level`."""
    seen = Occupancy("street", 240.0, low, 290.0, 40.0, 6.0, peak, 0)
    at = level if zone is None else zone
    known = seen if at is not Level.UNKNOWN else None
    zones = (ZoneState("street", at, known, warning),)
    return State(0, level, level.name.lower(), "why", zones, 0.1, (), "m")


class Message:
    """One that is valid, taken apart."""

    def __init__(self, payload: str) -> None:
        self.xml = etree.fromstring(payload.encode())
        SCHEMA.assertValid(self.xml)

    def __getitem__(self, path: str) -> str:
        (text,) = self.all(path)
        return text

    def all(self, path: str) -> list[str]:
        steps = "/".join(f"c:{step}" for step in path.split("/"))
        return [str(each.text) for each in self.xml.findall(steps, {"c": NAMESPACE})]

    @property
    def reference(self) -> str:
        """As later messages have to refer to it."""
        return ",".join(self[name] for name in ("sender", "identifier", "sent"))


class Clock:
    """Drives a feed: boot time in seconds, and a wall clock beside it."""

    def __init__(self, folder: Path, site: Site, *, valid: bool = True) -> None:
        self.folder, self.site = folder, site
        self.valid, self.at_s, self.ahead_s = valid, 100.0, 0.0
        self.begin()

    def begin(self) -> None:
        """As report does at its start."""
        program = Program("report", Paths(self.folder / "run", self.folder))
        self.store = Store(self.folder, 10**6, program)
        self.feed = CapFeed(self.site, self.store)

    @property
    def stamp(self) -> Stamp:
        wall_s = WALL_S + self.at_s + self.ahead_s
        return Stamp("boot", round(self.at_s * NS_PER_S), wall_s, self.valid)

    def tell(self, told: State, after_s: float = 1.0) -> Notification | None:
        """What stands after so long, sent or not."""
        self.at_s += after_s
        self.feed.follow(told, self.stamp)
        return self.feed.current(self.stamp)

    def sends(self, told: State, after_s: float = 1.0) -> Message | None:
        """What is sent of it; None where nothing new is."""
        known = self.feed.current(self.stamp)
        found = self.tell(told, after_s)
        if found is None or (known is not None and known.key == found.key):
            return None
        self.feed.issued(found)
        return Message(found.payload)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path, site_of(tmp_path))


def must(message: Message | None) -> Message:
    assert message is not None
    return message


def test_an_alert_is_updated_and_cancelled_and_refers_to_what_it_replaces(clock: Clock) -> None:
    assert clock.sends(state(Level.CROWDED)) is None
    alert = must(clock.sends(state(Level.CRITICAL)))
    assert alert["msgType"] == "Alert"
    assert alert.all("references") == []
    assert clock.sends(state(Level.CRITICAL), 100) is None
    update = must(clock.sends(state(Level.CRITICAL), 20))
    assert (update["msgType"], update["references"]) == ("Update", alert.reference)
    cancel = must(clock.sends(state(Level.CROWDED)))
    assert cancel["msgType"] == "Cancel"
    assert cancel["references"].split() == [alert.reference, update.reference]
    assert cancel.all("info/expires") == update.all("info/expires")
    assert set(cancel.all("info/urgency")) == {"Past"}
    assert clock.sends(state(Level.CROWDED)) is None
    again = must(clock.sends(state(Level.CRITICAL)))
    assert (again["msgType"], again.all("references")) == ("Alert", [])
    ids = [message["identifier"] for message in (alert, update, cancel, again)]
    assert len(set(ids)) == 4
    assert not any(re.search(r"[\s,<&]", name) for name in ids)


def test_it_says_what_the_sign_says_in_korean_and_english(tmp_path: Path) -> None:
    own = '[words.critical.ko]\nheadline = "너무 붐빔"\n'
    site = site_of(tmp_path, OPTIONS + MORE, more=own)
    alert = must(Clock(tmp_path, site).sends(state(Level.CRITICAL)))
    assert alert.all("info/language") == ["ko-KR", "en-US"]
    assert alert.all("info/headline") == ["너무 붐빔: 진입 금지", "DANGER: DO NOT ENTER"]
    spoken = [CRITICAL.words[language].spoken for language in ("ko", "en")]
    assert alert.all("info/instruction") == spoken
    korean, english = alert.all("info/description")
    assert "약 240명(90% 구간 200~290명)" in korean
    assert "about 240 people (90 % interval 200 to 290), and 6.0 per m²" in english
    assert set(alert.all("info/senderName")) == {"마포구 <안전> & 재난"}
    assert set(alert.all("info/area/areaDesc")) == {"홍대 걷고싶은거리"}
    assert set(alert.all("info/area/circle")) == {"37.556300,126.923600 0.05"}
    assert alert["sent"].startswith("2026-11-18T")
    assert alert["sent"].endswith("+09:00")


def test_without_a_place_the_area_has_a_name_and_utc_is_written_as_cap_has_it(
    tmp_path: Path,
) -> None:
    site = site_of(tmp_path, site='name = "hongdae"\ntime_zone = "UTC"\n')
    alert = must(Clock(tmp_path, site).sends(state(Level.CRITICAL)))
    assert set(alert.all("info/area/areaDesc")) == {"hongdae"}
    assert alert.all("info/area/circle") == []
    assert alert["sent"].endswith("-00:00")


@pytest.mark.parametrize(
    ("told", "certainty", "severity"),
    [
        (state(Level.CRITICAL, 6.0, 210.0), "Observed", "Severe"),
        (state(Level.CRITICAL, 6.0, 190.0), "Likely", "Severe"),
        (state(Level.CRITICAL, 4.8, 239.0), "Possible", "Severe"),
        (state(Level.CRITICAL, 4.0, 239.0, warning="standstill"), "Likely", "Extreme"),
        (state(Level.CRITICAL, zone=Level.CAUTION), "Unknown", "Severe"),
        (state(Level.CRITICAL, zone=Level.UNKNOWN), "Unknown", "Severe"),
    ],
    ids=["interval", "estimate", "doubt", "motion", "held", "held and unseen"],
)
def test_certainty_follows_the_interval(
    clock: Clock, told: State, certainty: str, severity: str
) -> None:
    alert = must(clock.sends(told))
    assert set(alert.all("info/certainty")) == {certainty}
    assert set(alert.all("info/severity")) == {severity}
    assert set(alert.all("info/urgency")) == {"Immediate"}
    held = "held by a command" in alert.all("info/description")[1]
    assert held == (certainty == "Unknown")


def test_another_certainty_is_an_update_but_not_with_each_picture(clock: Clock) -> None:
    must(clock.sends(state(Level.CRITICAL)))
    doubtful = state(Level.CRITICAL, 4.8)
    assert clock.sends(doubtful, 20) is None
    update = must(clock.sends(doubtful, 15))
    assert set(update.all("info/certainty")) == {"Possible"}


def test_what_is_not_seen_cancels_nothing(clock: Clock) -> None:
    """One update says that it is not seen; then the alert ends by its own time."""
    alert = must(clock.sends(state(Level.CRITICAL)))
    unseen = state(Level.UNKNOWN)
    assert clock.sends(unseen, 5) is None
    assert clock.sends(unseen, 5) is None
    update = must(clock.sends(unseen, 6))
    assert (update["msgType"], update["references"]) == ("Update", alert.reference)
    assert set(update.all("info/certainty")) == {"Unknown"}
    assert "cannot see the street" in update.all("info/description")[1]
    for _ in range(2):
        assert clock.sends(unseen, 140) is None
    assert clock.feed.current(clock.stamp) is not None
    assert clock.tell(unseen, 30) is None
    assert clock.tell(state(Level.CROWDED)) is None  # there is nothing left to cancel


def test_an_alert_that_was_never_sent_is_not_cancelled(clock: Clock) -> None:
    """Without a connection: nobody has heard of it."""
    first = clock.tell(state(Level.CRITICAL))
    later = clock.tell(state(Level.CRITICAL), 60)
    assert first is not None and later is not None
    assert Message(later.payload)["sent"] > Message(first.payload)["sent"]  # told as of now
    assert Message(later.payload)["msgType"] == "Alert"
    assert clock.tell(state(Level.CLEAR)) is None


def test_a_restarted_unit_goes_on_with_its_alert_and_cancels_it(clock: Clock) -> None:
    alert = must(clock.sends(state(Level.CRITICAL)))
    clock.store.close()
    clock.begin()
    assert clock.tell(state(Level.UNKNOWN)) is None
    update = must(clock.sends(state(Level.CRITICAL)))
    assert (update["msgType"], update["references"]) == ("Update", alert.reference)
    clock.store.close()
    clock.begin()
    cancel = must(clock.sends(state(Level.CAUTION)))
    assert cancel["references"].split() == [alert.reference, update.reference]
    clock.store.close()
    clock.begin()
    assert clock.tell(state(Level.CAUTION)) is None


def test_it_is_retained_no_longer_than_it_is_valid(clock: Clock) -> None:
    first = clock.tell(state(Level.CRITICAL))
    assert first is not None and first.retain
    assert first.lifetime_s == EXPIRES_AFTER_S
    clock.feed.issued(first)
    later = clock.tell(state(Level.UNKNOWN), 5)
    assert later is not None and later.lifetime_s == EXPIRES_AFTER_S - 5
    cancel = clock.tell(state(Level.CROWDED), 5)
    assert cancel is not None and cancel.lifetime_s == EXPIRES_AFTER_S - 10


def test_a_clock_that_is_not_synchronised_is_said_and_nothing_is_retained(tmp_path: Path) -> None:
    clock = Clock(tmp_path, site_of(tmp_path), valid=False)
    found = clock.tell(state(Level.CRITICAL))
    assert found is not None and not found.retain
    alert = Message(found.payload)
    assert "시계가 동기화되지 않아" in alert["note"]
    assert "not synchronised" in alert.all("info/description")[1]


@pytest.mark.parametrize("jump_s", [1e7, -1e7])
def test_a_clock_that_is_set_leaves_no_alert_that_never_ends(clock: Clock, jump_s: float) -> None:
    must(clock.sends(state(Level.CRITICAL)))
    clock.ahead_s = jump_s
    must(clock.sends(state(Level.CRITICAL), 121))
    clock.sends(state(Level.CLEAR))
    found = clock.tell(state(Level.CLEAR))
    assert found is None or found.lifetime_s <= EXPIRES_AFTER_S
    assert clock.tell(state(Level.CLEAR), EXPIRES_AFTER_S) is None


@pytest.mark.parametrize(
    ("camera", "simulated"),
    [
        ('kind = "scene"', True),
        ('kind = "pictures"\nfolder = "f"', True),
        ('kind = "stream"\nurl = "film.mp4"', True),
        ('kind = "stream"\nurl = "rtsp://camera/1"', False),
        ('kind = "stream"\nurl = "/dev/video0"', False),
        ('kind = "picamera"', False),
    ],
)
def test_only_a_real_street_is_actual(tmp_path: Path, camera: str, simulated: bool) -> None:
    zone = '[[zone]]\nname = "street"\narea_m2 = 40.0\n'
    zone += "polygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]\n"
    site = site_of(tmp_path, more=f"[camera]\n{camera}\n{zone}")
    assert is_simulated(site) is simulated
    alert = must(Clock(tmp_path, site).sends(state(Level.CRITICAL)))
    assert alert["status"] == ("Test" if simulated else "Actual")


def test_it_is_public_only_where_that_is_asked_for(tmp_path: Path) -> None:
    alert = must(Clock(tmp_path, site_of(tmp_path)).sends(state(Level.CRITICAL)))
    assert alert["scope"] == "Restricted"
    assert "by a person" in alert["restriction"]
    site = site_of(tmp_path, f"{OPTIONS}public = true\n")
    alert = must(Clock(tmp_path / "other", site).sends(state(Level.CRITICAL)))
    assert (alert["scope"], alert.all("restriction")) == ("Public", [])


def test_the_schema_refuses_what_is_no_alert(clock: Clock) -> None:
    """It would find a mistake."""
    found = clock.tell(state(Level.CRITICAL))
    assert found is not None
    for pattern, wrong in (
        ("<sender>.*?</sender>", ""),
        ("Immediate", "Now"),
        (r"\+09:00</sent>", "Z</sent>"),
        ("<areaDesc>.*?</areaDesc>", ""),
    ):
        payload, count = re.subn(pattern, wrong, found.payload)
        assert count
        with pytest.raises(etree.DocumentInvalid):
            Message(payload)


@pytest.fixture
def alerting(tmp_path: Path, broker: Mosquitto) -> Iterator[Report]:
    upstream = f'host = "127.0.0.1"\nport = {broker.port}\n[alerts]\n{OPTIONS}'
    report = Report(tmp_path, upstream)
    yield report
    report.end(signal.SIGKILL)


def fresh(level: Level) -> State:
    """As decide tells it now."""
    at = boottime_ns()
    return State(at, level, "m", "why", state(level).zones, 0.1, (), "m")


def told(listener: Listener) -> list[Any]:
    return [Message(payload) for payload in listener.on("cap")]


def test_the_broker_has_the_alert_until_it_is_cancelled_also_after_a_kill(
    alerting: Report, broker: Mosquitto
) -> None:
    listener = Listener(broker.port)
    alerting.start()

    def until(level: Level, kind: str) -> Message:
        def has() -> bool:
            alerting.outlet.send(fresh(level))
            return [message["msgType"] for message in told(listener)][-1:] == [kind]

        wait_for(has, 30, kind)
        return Message(listener.on("cap")[-1])

    alert = until(Level.CRITICAL, "Alert")
    late = Listener(broker.port)
    wait_for(lambda: late.on("cap"), 10, "it is retained")
    assert ("redroad/v1/test/one/cap", listener.on("cap")[-1], True) in late.messages
    alerting.end(signal.SIGKILL)
    alerting.start()
    update = until(Level.CRITICAL, "Update")
    assert update["references"] == alert.reference
    cancel = until(Level.CROWDED, "Cancel")
    assert cancel["references"].split() == [alert.reference, update.reference]
    assert [message["msgType"] for message in told(listener)] == ["Alert", "Update", "Cancel"]
    listener.close()
    late.close()


def test_an_alert_stands_at_a_broker_that_was_restarted(
    alerting: Report, broker: Mosquitto
) -> None:
    listener = Listener(broker.port)
    alerting.start()

    def alerted(other: Listener) -> bool:
        alerting.outlet.send(fresh(Level.CRITICAL))
        return bool(other.on("cap"))

    wait_for(lambda: alerted(listener), 30, "the alert")
    listener.close()
    broker.kill()
    broker.start()
    late = Listener(broker.port)
    wait_for(lambda: alerted(late), 60, "the alert again")
    assert late.on("cap")[-1] == listener.on("cap")[-1]
    late.close()


def test_what_is_switched_off_is_withdrawn(alerting: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    alerting.start()

    def alerted() -> bool:
        alerting.outlet.send(fresh(Level.CRITICAL))
        return bool(listener.on("cap"))

    wait_for(alerted, 30, "the alert")
    alerting.end()
    text = alerting.site_file.read_text(encoding="utf-8")
    alerting.site_file.write_text(text.replace("cap = true", "cap = false"), encoding="utf-8")
    alerting.start()
    wait_for(lambda: listener.on("cap")[-1] == "", 30, "an empty message in its place")
    listener.close()
