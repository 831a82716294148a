"""A unit that runs is asked, and left alone."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from edge.commands.check.running import RunningUnit
from edge.commands.run import CHILDREN
from edge.commands.view import accept
from edge.common.errors import RedRoadError, VoiceError
from edge.common.program import Paths
from edge.report.status import Status, read_status
from edge.site import Site, load_site
from edge.site.outputs import Voice
from edge.watch.baseline import Baseline
from edge.watch.baseline_store import BaselineStore
from edge.watch.pictures import read_picture
from edge.watch.view_monitor import ViewMonitor
from edge.watch.view_store import ViewStore
from hil.faults import Card
from hil.testkit.appliance import SCENE_SITE, SITE, Appliance
from hil.testkit.mosquitto import wait_for
from hil.testkit.report_process import Report
from hil.testkit.street_pictures import PICTURES
from tests.commands.check.conftest import Check
from tests.watch.baselines import known, nobody
from tests.watch.views import view_of

pytestmark = pytest.mark.timeout(400)  # what is told is half a minute old before it is silence


class Unit:
    """A real `redroad run`, and the check of it."""

    def __init__(self, folder: Path, site: str) -> None:
        self.check = Check(folder, site)
        self.appliance = Appliance(folder, site)
        self.paths = Paths(self.check.runtime, self.check.state)

    def start(self) -> None:
        self.appliance.start()
        wait_for(self.has_reported, 100, "the unit tells of all four programs")

    def has_reported(self) -> bool:
        status = read_status(self.paths)
        return status is not None and len(status.health["programs"]) == 4


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    running = Unit(tmp_path, SITE)
    yield running
    running.appliance.abandon()


@pytest.mark.processes
def test_a_running_unit_is_asked_and_goes_on(unit: Unit) -> None:
    unit.start()
    unit.appliance.wait_until_level()
    status = read_status(unit.paths)
    wait_for(lambda: "picture_age_s" in shown(unit), 120, "the latency is told")
    assert status is not None
    pids = programs(unit)
    said = unit.appliance.said()
    found = unit.check.run_command()
    assert "all run; the sign shows" in found.good("programs")
    for part in ("camera", "panel", "sound", "beacon"):
        assert "running unit" in found.good(part), part
    assert programs(unit) == pids
    assert "fault" not in unit.appliance.said().removeprefix(said)
    assert 0 < float(shown(unit)["picture_age_s"]) < 5


def programs(unit: Unit) -> list[int]:
    return [unit.appliance.pid(child.name) for child in CHILDREN]


def shown(unit: Unit) -> dict[str, str]:
    status = read_status(unit.paths)
    return {} if status is None else dict(status.health["programs"]["show"])


@pytest.mark.processes
def test_a_site_file_that_was_changed_since_is_reported(unit: Unit) -> None:
    unit.start()
    unit.check.site = SITE + "[beacon]\nflashing = false\n"
    assert "sudo systemctl restart redroad.target" in unit.check.run("programs").fault("programs")


def test_programs_that_are_away_are_reported(check: Check) -> None:
    """Only report runs."""
    report = Report(check.folder, "")
    check.site = report.site_file.read_text(encoding="utf-8")
    try:
        report.start()
        wait_for(lambda: read_status(Paths(check.runtime, check.state)), 30, "report tells")
        found = check.run("programs", "camera", "panel")
    finally:
        report.end()
    told = found.fault("programs")
    for name in ("watch", "decide", "show"):
        assert f"{name} tells nothing; see: journalctl -u redroad-{name} -n 30" in told
    assert "watch tells nothing of it" in found.fault("camera")
    assert "show tells nothing of it" in found.fault("panel")


def pictures(folder: Path, brightness: int) -> str:
    """A site whose camera shows two pictures of this brightness."""
    (folder / "pictures").mkdir()
    for number in range(2):
        picture = Image.new("RGB", (640, 352), (brightness + number, 0, 0))
        picture.save(folder / "pictures" / f"{number}.png")
    return SCENE_SITE.replace(
        'kind = "scene"', f'kind = "pictures"\nfolder = "{folder / "pictures"}"'
    )


@pytest.mark.processes
def test_a_camera_that_gives_no_more_pictures_is_reported(tmp_path: Path) -> None:
    site = pictures(tmp_path, 100).replace("[sign]", "every_s = 600.0\n[sign]")
    unit = Unit(tmp_path, site)
    try:
        unit.start()
        wait_for(lambda: frame_age_s(unit) > 5, 100, "the last picture is old")
        assert "had its last" in unit.check.run("camera").fault("camera")
    finally:
        unit.appliance.abandon()


def frame_age_s(unit: Unit) -> float:
    status = read_status(unit.paths)
    return 0.0 if status is None else status.health["frame_age_s"] or 0.0


@pytest.mark.processes
def test_a_picture_that_cannot_be_trusted_is_reported(tmp_path: Path) -> None:
    unit = Unit(tmp_path, pictures(tmp_path, 0))
    unit.start()
    try:
        wait_for(lambda: "dark" in picture_faults(unit), 40, "the picture is dark")
        found = unit.check.run("camera")
        assert "is there light, and is the lens free?" in found.fault("camera")
    finally:
        unit.appliance.abandon()


def picture_faults(unit: Unit) -> list[str]:
    status = read_status(unit.paths)
    return [] if status is None else list(status.health["picture_faults"])


@pytest.mark.processes
def test_a_panel_that_fails_is_reported_by_the_running_unit(unit: Unit) -> None:
    (unit.check.state / "show").mkdir(parents=True, exist_ok=True)
    (unit.check.state / "show" / "panel").write_text("in the way")
    unit.start()

    def panel_fails() -> bool:
        status = read_status(unit.paths)
        return status is not None and "panel" in status.health["programs"]["show"]["faults"]

    wait_for(panel_fails, 40, "the panel's fault is told")
    assert "the running unit says: cannot record" in unit.check.run("panel").fault("panel")


@pytest.mark.processes
def test_what_a_unit_counts_where_nobody_is_is_told_until_its_view_is_accepted(unit: Unit) -> None:
    """From a start with what five days have taught it, and the view it was learnt in."""
    watch = unit.paths.state / "watch"
    eye = ViewMonitor(view_of([read_picture(path) for path in sorted(PICTURES.glob("*.jpg"))]))
    ViewStore(watch, load_site(unit.appliance.site_file).camera).follow(eye)
    count = nobody()
    count[2:4, 2:4] = 1.5
    BaselineStore(watch).follow(Baseline(eye, known(count)))
    unit.start()
    wait_for(lambda: health(unit)["counted_where_nobody_is"] == 6.0, 120, "it is told upstream")
    found = unit.check.run("phantoms").good("phantoms")
    assert "6.0 heads are counted where nobody is" in found and "32x32 px from 32,32" in found
    assert "forgotten" in accept(unit.paths.state)
    wait_for(lambda: health(unit)["counted_where_nobody_is"] is None, 120, "it is told no more")
    assert "0 are over" in unit.check.run("phantoms").good("phantoms")


def health(unit: Unit) -> dict[str, object]:
    status = read_status(unit.paths)
    return {"counted_where_nobody_is": -1} if status is None else dict(status.health)


NOWHERE = Paths(Path("/absent"), Path("/absent"))


def unit_with(
    frame_age_s: float | None = 0.2, *picture: str, **faults: dict[str, str]
) -> RunningUnit:
    """A unit with these faults, by program."""
    programs = {
        name: {"age_s": 1.0, "faults": faults.get(name, {}), "model": "m"}
        for name in ("watch", "decide", "show", "report")
    }
    health = {
        "programs": programs,
        "frame_age_s": frame_age_s,
        "picture_faults": list(picture),
        "sign_proof": "proven",
    }
    state = {"message": "clear", "reason": "few"}
    return RunningUnit(Status(1.0, Site().digest(), state, health))


def test_a_unit_without_faults_is_good_in_every_line(tmp_path: Path) -> None:
    unit = unit_with()
    assert "all run" in unit.programs(Site())
    assert "a picture 0.2 s ago, counted by m" in unit.camera()
    assert "is proven" in unit.panel()
    recorded = Site(voice=Voice(output="record"))
    assert "running unit: no sound card is used" in unit.sound(recorded, Paths(tmp_path, tmp_path))


@pytest.mark.parametrize(
    ("unit", "line", "words"),
    [
        (unit_with(show={"voice": "hung"}), lambda u: u.sound(Site(), NOWHERE), "says: hung"),
        (unit_with(show={"clips": "gone"}), lambda u: u.clips(), "the running unit says: gone"),
        (unit_with(show={"beacon": "stuck"}), lambda u: u.beacon(Site()), "says: stuck"),
        (unit_with(show={"inputs": "deaf"}), lambda u: u.inputs(Site()), "says: deaf"),
        (unit_with(show={"panel": "dark"}), lambda u: u.panel(), "says: dark"),
        (unit_with(watch={"camera": "away"}), lambda u: u.camera(), "says: away"),
        (unit_with(None), lambda u: u.camera(), "has had no picture yet; check the camera's cable"),
        (unit_with(0.2, "moved"), lambda u: u.camera(), "redroad view accept"),
        (
            unit_with(report={"outbox": "full"}),
            lambda u: u.programs(Site()),
            "report: outbox: full",
        ),
    ],
)
def test_a_fault_stands_in_the_line_of_its_part(
    unit: RunningUnit, line: Callable[[RunningUnit], str], words: str
) -> None:
    with pytest.raises(RedRoadError, match=re.escape(words)):
        line(unit)


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    """A name that ALSA alone knows: no card of the kernel's is behind it."""
    made = Card(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def sound(folder: Path) -> str:
    site = Site(voice=Voice(output="aplay", card="unit"))
    return unit_with().sound(site, Paths(folder, folder))


def test_any_name_that_alsa_opens_is_a_card(tmp_path: Path, card: Card) -> None:
    card.works()
    assert sound(tmp_path) == "serves the running unit: card 'unit' plays"


def test_a_card_that_is_away_is_reported_with_those_that_are_there(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    card.is_missing()
    for number, name, device in ((0, "Device", "pcm0p"), (1, "Microphone", "pcm0c")):
        (tmp_path / f"card{number}" / device).mkdir(parents=True)
        (tmp_path / f"card{number}" / "id").write_text(f"{name}\n", encoding="ascii")
    monkeypatch.setattr("edge.show.voice.CARDS", tmp_path)
    words = r"'unit': .*No such .*\(cards found: Device\); plug it in, or set voice.card to one"
    with pytest.raises(VoiceError, match=words):
        sound(tmp_path)


def test_a_card_that_hangs_is_reported(tmp_path: Path, card: Card) -> None:
    card.hangs()
    with pytest.raises(VoiceError, match="accepted no sound for 3 s"):
        sound(tmp_path)


def test_a_card_on_which_the_sign_speaks_is_left_alone(
    tmp_path: Path, fake_tool: Callable[[str, str], None]
) -> None:
    fake_tool("aplay", "echo 'audio open error: Device or resource busy' >&2; exit 1")
    assert sound(tmp_path) == "serves the running unit: card 'unit' is in use"
