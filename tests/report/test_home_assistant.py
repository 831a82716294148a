"""A real Home Assistant: it shows what stands in the street, or nothing."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge import __version__
from edge.common.clock import boottime_ns
from edge.common.wire import Health, Level, Occupancy, State, ZoneState
from hil.testkit import home_assistant
from hil.testkit.home_assistant import HomeAssistant
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report

pytestmark = pytest.mark.timeout(1500)  # the root is made once, in some six minutes
WITHIN_S = 60.0
ZONE = '[[zone]]\nname = "{}"\nground = [[-2.5, 16.0], [2.5, 16.0], [2.5, 8.0], [-2.5, 8.0]]\n'
GROUND = """
[ground]
picture_width = 640
picture_height = 352
points = [[165.2, 313.9, -2.5, 9.0], [474.8, 313.9, 2.5, 9.0], [424.4, 109.8, 2.5, 16.0],
          [215.6, 109.8, -2.5, 16.0], [320.0, 206.4, 0.0, 12.0], [191.7, 206.4, -2.5, 12.0]]
camera_height_m = 8.5
"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, HomeAssistant]]:
    if reason := home_assistant.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("room")
    mosquitto = Mosquitto(folder)
    assistant = HomeAssistant(folder / "home-assistant", mosquitto.port)
    mosquitto.start()
    try:
        try:
            assistant.start()
        except RuntimeError as error:  # no packages to be had here
            pytest.skip(str(error))
        yield mosquitto, assistant
    finally:
        assistant.kill()
        mosquitto.kill()


class Street:
    """A unit with zones, and what Home Assistant shows of it."""

    def __init__(self, folder: Path, broker: Mosquitto, assistant: HomeAssistant) -> None:
        self._folder, self._broker, self._assistant = folder, broker, assistant
        self.unit = folder.name.replace("_", "-")[:40].strip("-").lower()
        self.report: Report | None = None
        self.spread = 0.0  # of the people's interval
        self.held: Level | None = None

    def runs(self, *zones: str, disk: str = "first", more: str = "", site: str = "ha") -> Report:
        """Begin with these zones, in place of what ran."""
        self.ends()
        folder = self._folder / disk
        folder.mkdir(exist_ok=True)
        upstream = f'host = "127.0.0.1"\nport = {self._broker.port}\n{more}'
        self.report = Report(
            folder, upstream + GROUND + "".join(map(ZONE.format, zones)), site, self.unit
        )
        self.report.start()
        return self.report

    def ends(self, signum: signal.Signals = signal.SIGTERM) -> None:
        if self.report is not None:
            self.report.end(signum)
            self.report = None

    def tell(self, **people: float) -> None:
        """As decide does: people by zone."""
        assert self.report is not None
        at = boottime_ns()
        zones = tuple(
            ZoneState(
                name.replace("_", "-"),
                Level.CAUTION,
                Occupancy(
                    name, number, number - self.spread, number + self.spread, 40.0, 2.0, 2.0, at
                ),
            )
            for name, number in people.items()
        )
        ids = () if self.held is None else ("h",)
        told = State(at, Level.CAUTION, "caution", "why", zones, 0.1, (), "m", commands=ids)
        self.report.outlet.send(replace(told, held=self.held, muted=False))

    def shows(self, site: str = "ha") -> dict[str, str]:
        """By entity, such as people_far_side."""
        start = f".{site}_{self.unit}_".replace("-", "_")
        return {
            name.split(start, 1)[1]: each["state"]
            for name, each in self._assistant.states().items()
            if start in name
        }

    def attributes(self, entity: str) -> dict[str, Any]:
        """Of one entity, such as sensor.level."""
        platform, _, name = entity.partition(".")
        full = f"{platform}.ha_{self.unit}_{name}".replace("-", "_")
        return dict(self._assistant.states()[full]["attributes"])

    def until(self, holds: Callable[[dict[str, str]], object], what: str, **people: float) -> None:
        """Tell this, again and again, until Home Assistant shows what is wanted."""

        def held() -> object:
            if people:
                self.tell(**people)
            return holds(self.shows())

        wait_for(held, WITHIN_S, f"{what}; it shows {self.shows()}")


@pytest.fixture
def street(tmp_path: Path, room: tuple[Mosquitto, HomeAssistant]) -> Iterator[Street]:
    made = Street(tmp_path, *room)
    yield made
    made.ends(signal.SIGKILL)


def test_a_zone_that_is_gone_is_withdrawn_and_no_other_is_shown_in_its_place(
    street: Street,
) -> None:
    street.runs("far-side", "near-side")
    street.until(
        lambda shown: shown.get("people_far_side") == "11",
        "both zones",
        far_side=11.0,
        near_side=22.0,
    )
    assert street.shows()["people_near_side"] == "22"
    street.runs("near-side")
    street.until(
        lambda shown: (
            not {"people_far_side", "density_far_side"} & shown.keys()
            and shown.get("people_near_side") == "33"
        ),
        "one zone",
        near_side=33.0,
    )


def test_a_unit_in_anothers_place_withdraws_what_that_has_left(street: Street) -> None:
    street.runs("far-side", "near-side", disk="old")
    street.until(lambda shown: "people_far_side" in shown, "the old unit", far_side=1.0)
    street.ends(signal.SIGKILL)
    street.runs("near-side", disk="new")
    street.until(lambda shown: "people_far_side" not in shown, "the new one", near_side=2.0)


def test_a_unit_that_home_assistant_is_not_to_know_is_forgotten(street: Street) -> None:
    street.runs("near-side")
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit", near_side=1.0)
    street.runs("near-side", more="home_assistant = false\n")
    street.until(lambda shown: not shown, "nothing", near_side=1.0)


def test_a_unit_of_another_name_leaves_nothing_under_the_old_one(
    street: Street, room: tuple[Mosquitto, HomeAssistant]
) -> None:
    street.runs("near-side")
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit", near_side=1.0)
    street.runs("near-side", site="renamed")
    street.until(lambda shown: not shown, "nothing of the old name", near_side=1.0)
    wait_for(lambda: "level" in street.shows("renamed"), WITHIN_S, "the new name")
    listener = Listener(room[0].port, f"redroad/v1/ha/{street.unit}/#")
    assert listener.messages == []
    listener.close()


def test_a_zone_that_a_state_does_not_have_is_unavailable(street: Street) -> None:
    street.runs("far-side", "near-side")
    street.until(
        lambda shown: shown.get("people_far_side") == "1", "both", far_side=1.0, near_side=2.0
    )
    street.until(lambda shown: shown["people_far_side"] == "unavailable", "one", near_side=2.0)
    assert street.shows()["people_near_side"] == "2"


def test_a_stopped_unit_shows_no_level(street: Street) -> None:
    street.runs("near-side")
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit", near_side=1.0)
    street.ends()
    street.until(lambda shown: set(shown.values()) == {"unavailable"}, "nothing")


def test_a_deleted_device_comes_back(street: Street, room: tuple[Mosquitto, HomeAssistant]) -> None:
    assistant = room[1]
    street.runs("near-side")
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit", near_side=1.0)
    name = f"redroad_ha_{street.unit}"
    (device,) = [each for each in assistant.devices() if ["mqtt", name] in each["identifiers"]]
    assistant.delete(device)
    assert not street.shows()
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit again", near_side=1.0)


def test_operators_see_what_they_ask_for(
    street: Street, room: tuple[Mosquitto, HomeAssistant]
) -> None:
    """Whole people with their interval, reasons, faults by name, proof, and what commands did."""
    assistant, logged = room[1], len(room[1].log())
    page = "https://signs.example/pole-3"
    report = street.runs("near-side", more=f'configuration_url = "{page}"\n')
    facts: dict[str, float | str] = {"sign_proof": "proven", "clips_played": 3}
    faults = {"panel": "dark"}

    def shown(wanted: dict[str, str]) -> Callable[[dict[str, str]], bool]:
        def holds(found: dict[str, str]) -> bool:
            report.ways["show"].send(Health("show", boottime_ns(), faults, 1, facts))
            return wanted.items() <= found.items()

        return holds

    street.spread = 2.3
    wanted = {
        "level": "CAUTION",
        "message_shown": "caution",
        "people_near_side": "11",
        "faults": "on",
        "sign_proof": "proven",
        "warnings_spoken": "3",
        "held_level": "none",
        "muted": "off",
        "motion_warning": "off",
    }
    street.until(shown(wanted), "all of it", near_side=11.4)
    assert street.shows()["outbox"].isdecimal()
    found = street.attributes("sensor.people_near_side")
    assert (found["low"], found["high"]) == (9, 14)
    assert street.attributes("sensor.level")["reason"] == "why"
    assert street.attributes("binary_sensor.faults")["faults"] == ["show panel: dark"]
    name = f"redroad_ha_{street.unit}"
    (device,) = [each for each in assistant.devices() if ["mqtt", name] in each["identifiers"]]
    assert (device["model"], device["sw_version"]) == ("street sign, 128x64 px", __version__)
    assert device["configuration_url"] == page

    button = f"button.ha_{street.unit}_hold_caution_30_min".replace("-", "_")
    assistant.call("button/press", entity_id=button)
    street.held = Level.CAUTION
    held = {"last_reply": "hold accepted", "held_level": "CAUTION"}
    street.until(shown(held), "the hold", near_side=11.4)
    assert street.attributes("sensor.last_reply")["id"].startswith("home-assistant-")
    faults.clear()
    street.until(shown({"faults": "off"}), "no faults", near_side=11.4)
    assert street.attributes("binary_sensor.faults")["faults"] == []
    complaints = re.findall(r".*mqtt.*(?:[Tt]emplate|JSON).*", assistant.log()[logged:])
    assert not complaints


def test_where_no_commands_are_followed_there_are_no_buttons(street: Street) -> None:
    street.runs("near-side")
    street.until(lambda shown: "release" in shown, "the buttons", near_side=1.0)
    street.runs("near-side", more="commands = false\n")
    of_commands = {"release", "test", "last_reply", "held_level", "muted", "mute_30_min"}
    street.until(
        lambda shown: shown.get("level") == "CAUTION" and not of_commands & shown.keys(),
        "none",
        near_side=1.0,
    )


def test_the_button_is_followed(street: Street, room: tuple[Mosquitto, HomeAssistant]) -> None:
    listener = Listener(room[0].port)
    street.runs("near-side")
    street.until(lambda shown: "test" in shown, "the button")
    button = f"button.ha_{street.unit}_test".replace("-", "_")
    wait_for(lambda: room[1].states()[button]["state"] != "unavailable", WITHIN_S, "it is there")
    room[1].call("button/press", entity_id=button)
    wait_for(lambda: listener.on("reply"), WITHIN_S, "the answer")
    assert listener.on("reply")[0]["accepted"]
    listener.close()


def test_what_home_assistant_has_lost_is_announced_when_it_begins(
    street: Street, room: tuple[Mosquitto, HomeAssistant]
) -> None:
    """The broker has forgotten, too; the birth message alone brings it back."""
    mosquitto, assistant = room
    street.runs("near-side")
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit", near_side=1.0)
    assistant.stop()
    listener = Listener(mosquitto.port, f"homeassistant/+/redroad_ha_{street.unit}/+/config")
    wait_for(lambda: listener.messages, WITHIN_S, "what is retained")
    assert street.report is not None
    street.report.send(signal.SIGSTOP)  # it would announce them anew at once
    for topic, _, _ in list(listener.messages):
        listener.say(topic, b"", retain=True)
    street.report.send(signal.SIGCONT)
    assistant.start()
    street.until(lambda shown: shown.get("level") == "CAUTION", "the unit again", near_side=1.0)
    listener.close()
