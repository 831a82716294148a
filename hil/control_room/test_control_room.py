"""The control room as shipped: real engines, real `report` programs, and what is shown of them."""

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from edge.common.clock import boottime_ns
from edge.common.program import PROGRAMS
from edge.common.wire import Health, Level, Occupancy, State, ZoneState
from hil.control_room.engines import (
    ALERTMANAGER,
    BROKER,
    PROMETHEUS,
    SHIPPED,
    WEBHOOK,
    ControlRoom,
    always_free,
)
from hil.control_room.sites import FACTS, Plan, Sites
from hil.control_room.webhook import Notification, WebhookReceiver
from hil.fleet.unit import ReportUnit
from hil.testkit.mosquitto import Listener, wait_for

pytestmark = pytest.mark.timeout(600)
EDGE = Path(__file__).parents[2] / "edge"
WITHIN_S = 120.0
UNKNOWN, CRITICAL = float(Level.UNKNOWN), float(Level.CRITICAL)
DASHBOARDS = sorted((SHIPPED / "grafana/dashboards").glob("*.json"))
METRIC = re.compile(r"\b((?:redroad_|unit:|zone:|mqtt2)\w+(?::\w+)*)")


class ScriptedUnit:
    """A unit whose level the test sets, with every figure that there is."""

    def __init__(self, folder: Path, port: int) -> None:
        self.report = ReportUnit(folder, "scripted", "pole-1", port, clock="trusted")
        self.level = Level.CRITICAL

    def send(self) -> None:
        at = boottime_ns()
        seen = Occupancy("street", 90.0, 80.0, 99.0, 40.0, 2.2, 5.5, at, 0.4, 0.1, 0.03)
        known = None if self.level is Level.UNKNOWN else seen
        zone = ZoneState("street", self.level, known)
        self.report.send(State(at, self.level, "m", "why", (zone,), 0.1, (), "m", 1.0))
        for program, facts in FACTS.items():
            faults = {"voice": "no card"} if program == "show" else {}
            self.report.send(Health(program, at, faults, 1, facts), program)


class Evening:
    """The control room with units that live in the background; alerts come without delay."""

    def __init__(self, folder: Path) -> None:
        self.room = ControlRoom(folder / "room", always_free)
        for file in [*self.room.config.glob("rules/*.yml"), self.room.config / "alertmanager.yml"]:
            text = file.read_text(encoding="utf-8")
            quick = re.sub(r"\b(for|group_wait|group_interval): \w+", r"\1: 1s", text)
            file.write_text(quick, encoding="utf-8")
        port = self.room.ports[BROKER]
        plans = (Plan("north", "pole-1", "surge"), Plan("south", "pole-1", "morning"))
        self.sites = Sites(folder / "units", port, plans)
        self.scripted = ScriptedUnit(folder / "scripted", port)
        self.notifications: list[Notification] = []
        self._webhook = WebhookReceiver(self.room.ports[WEBHOOK], self.notifications.append)
        self._is_over = threading.Event()
        self._life = threading.Thread(target=self._live, daemon=True)

    def begin(self) -> None:
        self._webhook.open()
        self.room.start()
        self.sites.start()
        self.scripted.report.start()
        self._life.start()
        self.until(lambda: len(self.levels()) == 3, "three units have a level")

    def end(self) -> None:
        self._is_over.set()
        if self._life.is_alive():
            self._life.join()
        self.sites.end()
        self.scripted.report.end()
        self.scripted.report.wait()
        self.room.end()
        self._webhook.close()

    def levels(self) -> dict[str, float]:
        """What stands as valid, by site."""
        found = self.room.values("unit:redroad_level:valid", "site")
        return {site: level for (site,), level in found.items()}

    def shown(self) -> dict[str, float]:
        """What the screens show, by site."""
        found = self.room.values("unit:redroad_level:shown", "site")
        return {site: level for (site,), level in found.items()}

    def received(self, alert: str, site: str, status: str = "firing") -> bool:
        """Whether the webhook has received that."""
        return any((n.alert, n.site, n.status) == (alert, site, status) for n in self.notifications)

    def until(self, holds: Callable[[], object], what: str) -> None:
        wait_for(
            holds, WITHIN_S, f"{what}; shown: {self.shown()}, notified: {self.notifications[-5:]}"
        )

    def _live(self) -> None:
        while not self._is_over.is_set():
            self.scripted.send()
            self.sites.advance()


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("evening")
    (folder / "room").mkdir()
    made = Evening(folder)
    try:
        made.begin()
        yield made
    finally:
        made.end()


@pytest.mark.processes
@pytest.mark.parametrize(
    "words",
    [
        "promtool check config prometheus.yml",
        "promtool check rules rules/levels.yml rules/units.yml",
        "promtool test rules tests/rules.yml",
        "amtool check-config alertmanager.yml",
    ],
)
def test_the_shipped_files_are_valid(words: str) -> None:
    done = subprocess.run(words.split(), cwd=SHIPPED, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_exporter_knows_every_fault_that_a_program_can_have() -> None:
    begins = re.compile(r"\b_?(?:report_)?fault\(\s*\"([a-z]+)\"")
    known = (SHIPPED / "exporter/health.yaml").read_text(encoding="utf-8")
    for program in PROGRAMS:
        code = [EDGE / "common/program.py", *(EDGE / program).rglob("*.py")]
        names = {name for file in code for name in begins.findall(file.read_text(encoding="utf-8"))}
        assert "sockets" in names
        lacking = [name for name in names if f"programs.{program}.faults.{name}," not in known]
        assert not lacking, f"exporter/health.yaml lacks {lacking} of {program}"


def test_dashboards_console_and_rules_use_no_metric_that_nobody_makes() -> None:
    exporters = "".join(file.read_text() for file in SHIPPED.glob("exporter/*.yaml"))
    rules = "".join(file.read_text(encoding="utf-8") for file in SHIPPED.glob("rules/*.yml"))
    made = {
        *re.findall(r"prom_name: (\w+)", exporters),
        *re.findall(r"record: (\S+)", rules),
        *re.findall(r"replacement: (redroad_\w+)", (SHIPPED / "prometheus.yml").read_text()),
        "mqtt2prometheus_connected",
    }
    for file in [*DASHBOARDS, *SHIPPED.glob("rules/*.yml"), SHIPPED / "consoles/sites.html"]:
        used = set(METRIC.findall(file.read_text(encoding="utf-8")))
        assert used
        assert used <= made, f"{file.name}: {used - made}"


def test_the_levels_of_all_sites_arrive(evening: Evening) -> None:
    assert evening.levels()["scripted"] == CRITICAL
    assert set(evening.shown()) == {"north", "south", "scripted"}
    figures = evening.room.values("redroad_zone_people", "site", "zone")
    assert figures["scripted", "1"] == 90.0
    ages = evening.room.values("unit:redroad_state_age:seconds", "site")
    assert all(0 <= age < 30 for age in ages.values())


def expressions() -> list[tuple[str, str, str]]:
    """File, panel and query of every panel and variable."""
    found = []
    for file in DASHBOARDS:
        board = json.loads(file.read_text(encoding="utf-8"))
        for panel in board["panels"]:
            found += [(file.stem, panel["title"], each["expr"]) for each in panel["targets"]]
        for variable in board["templating"]["list"]:
            series = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"])
            assert series is not None
            found.append((file.stem, variable["name"], series[1]))
    return found


def test_every_panel_shows_something(evening: Evening) -> None:
    """The temperature where this machine's kernel has one."""
    warm = any(Path("/sys/class/thermal").glob("thermal_zone*/temp"))
    asked = [each for each in expressions() if warm or "temperature" not in each[2]]
    assert len(asked) > 30

    def empty() -> list[tuple[str, str, str]]:
        return [
            each for each in asked if not evening.room.query(each[2].replace("$site", "scripted"))
        ]

    evening.until(lambda: not empty(), "every panel shows something")


def test_the_console_page_shows_every_site(evening: Evening) -> None:
    page = httpx.get(f"{evening.room.url(PROMETHEUS)}/consoles/sites.html").text
    assert 'scripted</td><td>pole-1</td>\n<td class="level4">CRITICAL</td>' in page
    assert "north" in page
    assert "error" not in page.lower()


def test_a_critical_site_is_notified(evening: Evening) -> None:
    evening.until(lambda: evening.received("SiteCritical", "scripted"), "the notification")
    alerts = httpx.get(f"{evening.room.url(ALERTMANAGER)}/api/v2/alerts").json()
    assert any(alert["labels"]["alertname"] == "SiteCritical" for alert in alerts)


def test_a_unit_that_does_not_know_shows_no_people(evening: Evening) -> None:
    evening.scripted.level = Level.UNKNOWN
    evening.until(lambda: evening.levels().get("scripted") == UNKNOWN, "it is UNKNOWN")
    figures = [each[2].replace("$site", "scripted") for each in expressions() if "zone_" in each[2]]
    assert len(figures) > 5
    for figure in ["unit:redroad_people:valid", "unit:redroad_peak_density:valid", *figures]:
        assert ("scripted",) not in evening.room.values(figure, "site"), figure
    evening.scripted.level = Level.CRITICAL
    evening.until(lambda: evening.levels().get("scripted") == CRITICAL, "it is CRITICAL again")


def test_a_silent_unit_is_unknown_and_that_is_notified(evening: Evening) -> None:
    unit = evening.scripted.report
    unit.kill()
    evening.until(lambda: "scripted" not in evening.levels(), "its level is gone")
    assert evening.shown()["scripted"] == UNKNOWN
    evening.until(lambda: evening.received("UnitSilent", "scripted"), "the notification")
    evening.until(
        lambda: evening.received("SiteLostWhileCritical", "scripted"), "the one of its level"
    )
    unit.start()
    evening.until(lambda: evening.levels().get("scripted") == CRITICAL, "it is back")
    evening.until(lambda: evening.received("UnitSilent", "scripted", "resolved"), "its end")


def test_what_the_broker_has_kept_of_a_dead_unit_is_not_shown(evening: Evening) -> None:
    """An exporter that comes back is given the last state, and cannot know how old it is."""
    unit, room, seen = evening.scripted, evening.room, list[float]()
    room.kill("exporter-state")
    room.kill("exporter-availability")  # and it does not learn that the unit is gone
    evening.until(lambda: not evening.levels(), "Prometheus notices")
    listener = Listener(room.ports[BROKER], "redroad/v1/scripted/#")
    unit.level = Level.CLEAR
    evening.until(
        lambda: any(state["level"] == "CLEAR" for state in listener.on("state")),
        "the broker has it",
    )
    listener.close()
    unit.report.kill()
    room.start_exporter("state")
    evening.until(lambda: ("scripted",) in room.values("redroad_level == 0", "site"), "it is there")

    def others_are_back() -> bool:
        levels = evening.levels()
        seen.extend(level for site, level in levels.items() if site == "scripted")
        return {"north", "south"} <= levels.keys()

    evening.until(others_are_back, "those who live are shown")
    assert Level.CLEAR not in seen
    assert evening.shown()["scripted"] == UNKNOWN
    room.start_exporter("availability")
    unit.level = Level.CRITICAL
    unit.report.start()
    evening.until(lambda: len(evening.levels()) == 3, "all are back")
