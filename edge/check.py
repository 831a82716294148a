"""`redroad check`: is this unit fit for service, and if not, what to do.

Every line tries the thing itself. Devices that a running unit holds are told as such, not broken
into.
"""

import shutil
import socket
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.calibrate import check_zones
from edge.calibrating import model_of
from edge.decide.ground import GroundPlane
from edge.decide.messages import MESSAGES, NEUTRAL, pages_of
from edge.decide.motion import LEAST_SAMPLES_PER_M
from edge.errors import (
    CameraError,
    GroundError,
    LayoutError,
    ModelError,
    OutboxError,
    PanelError,
    RedRoadError,
    VoiceError,
)
from edge.program import Places
from edge.report.broker import probe
from edge.report.outbox import Outbox, Row
from edge.report.store import OUTBOX_FILE
from edge.show.clips import lacking_clips
from edge.show.layout import letter_height, render
from edge.show.panels import Caption
from edge.show.parts import (
    clips_folder,
    gpio_of,
    open_contacts,
    open_lamp,
    open_panel,
    open_speaker,
)
from edge.show.pins import BLINK_S
from edge.show.voice import AplaySpeaker
from edge.site import Site, load_site
from edge.site.outputs import Sign
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.choose import open_camera
from edge.watch.counter import Counter
from edge.watch.main import manifest_of
from edge.watch.manifest import ModelEntry
from edge.watch.motion import step_of
from edge.watch.pictures import read_picture
from edge.wire import Level
from edge.words import phrases_of

GOLDEN_TOLERANCE = 0.02
CAMERA_TRIES, CAMERA_WAIT_S = 10, 1.0
LEAST_FREE_MB = 200
SILENCE_HZ = 22050
LETTER_MM_PER_M = 2.5  # usual rule: 25 mm of letter for each 10 m


@dataclass(frozen=True)
class Finding:
    """One line of the check."""

    part: str
    ok: bool
    text: str

    def as_text(self) -> str:
        """For a technician."""
        return f"{'OK   ' if self.ok else 'FAULT'} {self.part:<9} {self.text}"

    def as_dict(self) -> dict[str, object]:
        """For a program."""
        return {"part": self.part, "ok": self.ok, "text": self.text}


def check_all(site_file: Path | None, state: Path) -> list[Finding]:
    """Try everything; a site file that cannot be read ends the check at once."""
    try:
        site = load_site(site_file)
    except RedRoadError as error:
        return [Finding("site", False, line) for line in str(error).splitlines()]
    name = site_file or "the demonstration"
    findings = [Finding("site", True, f"{name}: {site.site.name}/{site.site.unit}")]
    with tempfile.TemporaryDirectory(prefix="redroad-check-") as folder:
        # A runtime folder of its own: the check never takes a running unit's sockets.
        places = Places(Path(folder), state)
        checks: list[tuple[str, Callable[[], str]]] = [
            ("camera", lambda: _camera(site)),
            ("ground", lambda: _ground(site)),
            ("models", lambda: _models(site)),
            ("texts", lambda: _texts(site)),
            ("panel", lambda: _panel(site, places)),
            ("clips", lambda: _clips(site, places)),
            ("sound", lambda: _sound(site, places)),
            ("beacon", lambda: _beacon(site, places)),
            ("inputs", lambda: _inputs(site, places)),
            ("disk", lambda: _disk(state)),
            ("broker", lambda: _broker(site)),
        ]
        findings += [_try(part, check) for part, check in checks]
    return findings


def _try(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, check())
    except RedRoadError as error:
        return Finding(part, False, "; ".join(str(error).splitlines()))


def _camera(site: Site) -> str:
    camera = open_camera(site)
    try:
        for _ in range(CAMERA_TRIES):
            try:
                height, width, _ = camera.read(CAMERA_WAIT_S).pixels.shape
            except NoFrameError:
                continue
            return f"{site.camera.kind} gives frames of {width}x{height} px"
    finally:
        camera.close()
    raise CameraError(
        f"{site.camera.kind} gave no frame in {CAMERA_TRIES * CAMERA_WAIT_S:g} s; "
        "check its cable, power and address"
    )


def _ground(site: Site) -> str:
    """The points must give a plane, and every zone lie where heads can be counted."""
    if site.ground is None:
        return "none: zones are outlines in the picture, and their peak is their mean density"
    plane = GroundPlane.of(site.ground)
    bad = check_zones(site.zone, plane, model_of(site, plane))
    if bad:
        raise GroundError("\n".join(bad))
    return (
        f"{len(site.ground.points)} points, at most {plane.residuals_m.max():.2f} m off; "
        f"every zone can be counted; {_speeds(site, plane)}"
    )


def _speeds(site: Site, plane: GroundPlane) -> str:
    """Of which zones no speed will be known; a fault where the site wants warnings of it."""
    step = step_of(plane.height, plane.width)
    coarse = {
        zone.name: least
        for zone in site.zone
        if zone.ground is not None
        and (least := plane.px_per_m(np.array(zone.ground)).min() / step) < LEAST_SAMPLES_PER_M
    }
    if not coarse:
        return "speeds can be told"
    words = ", ".join(f"{name} ({least:.1f} samples per m)" for name, least in coarse.items())
    words = f"no speed of {words}: must be {LEAST_SAMPLES_PER_M:g} at the far end"
    if site.warnings.raise_level:
        raise GroundError(
            f"{words}, for warnings.raise_level; draw the zones nearer, or set it to false"
        )
    return words


def _models(site: Site) -> str:
    """Every listed file must be whole; the ones that may be used must count the golden picture."""
    manifest = manifest_of(site)
    chosen = site.counter.model
    entries = manifest.entries if chosen == "auto" else (manifest.named(chosen),)
    golden = read_picture(manifest.golden_picture)
    for entry in entries:
        counter = Counter(manifest, entry, site.counter.runtime, site.counter.threads)
        _judge_golden(entry, counter.count(golden).total().people)
    return f"{len(entries)} whole, each counts the golden picture right ({site.counter.runtime})"


def _judge_golden(entry: ModelEntry, found: float) -> None:
    allowed = max(0.5, GOLDEN_TOLERANCE * entry.golden_count)
    if abs(found - entry.golden_count) > allowed:
        raise ModelError(
            f"model {entry.name} counts {found:.1f} heads in the golden picture, must be "
            f"{entry.golden_count:.1f} +- {allowed:.1f}; this processor computes wrongly, or the "
            "runtime is another: reinstall redroad"
        )


def _texts(site: Site) -> str:
    """Every page of every message must fit the panel."""
    sign = site.sign
    messages = [NEUTRAL, *MESSAGES.values()]
    pages = [page for message in messages for page in pages_of(message, site)]
    letters = min(letter_height(page, sign.width, sign.height) for page in pages)
    return (
        f"{len(messages)} messages fit {sign.width}x{sign.height} LEDs{_legibility(sign, letters)}"
    )


def _legibility(sign: Sign, letters: int) -> str:
    """How the smallest letters (in LEDs) stand to the usual rule; LayoutError below it."""
    if sign.pixel_pitch_mm is None or sign.viewing_distance_m is None:
        return "; sign.pixel_pitch_mm and sign.viewing_distance_m would tell how legible they are"
    high = letters * sign.pixel_pitch_mm
    needed = LETTER_MM_PER_M * sign.viewing_distance_m
    if high < needed:
        raise LayoutError(
            f"the smallest letters are {high:.0f} mm high, must be {needed:.0f} mm to be read from "
            f"{sign.viewing_distance_m:g} m; use fewer sign.languages, or a larger panel"
        )
    return f"; the smallest letters are {high:.0f} mm high, {needed:.0f} are needed"


def _panel(site: Site, places: Places) -> str:
    """Show the neutral text, unless a running unit holds the panel."""
    if site.sign.panel == "emulator" and _port_taken(site.sign.port):
        return f"port {site.sign.port} is in use, as it is while the sign runs"
    page = pages_of(NEUTRAL, site)[0]
    scratch = Places(places.runtime, places.runtime)  # leave the records of a running unit alone
    panel = open_panel(site, scratch)
    try:
        image = render(page, site.sign.width, site.sign.height)
        panel.show(image, Caption("neutral", Level.UNKNOWN, page.lines))
    except OSError as error:
        raise PanelError(f"the panel does not take a picture: {error}") from error
    finally:
        panel.close()
    return f"{site.sign.panel} shows the neutral text"


def _port_taken(port: int) -> bool:
    with socket.socket() as probing:
        return probing.connect_ex(("127.0.0.1", port)) == 0


def _clips(site: Site, places: Places) -> str:
    folder = clips_folder(site, places)
    missing = lacking_clips(folder, phrases_of(site))
    if missing:
        raise VoiceError(
            f"{len(missing)} clips are missing in {folder}, or say other words than the site file, "
            f"first {missing[0]}.wav; run: redroad voice build"
        )
    return f"all spoken warnings are in {folder}"


def _sound(site: Site, places: Places) -> str:
    """Play half a second of silence: a device that is absent, busy or hung refuses it."""
    silence = places.runtime / "silence.wav"
    with wave.open(str(silence), "wb") as file:
        file.setparams((1, 2, SILENCE_HZ, 0, "NONE", "not compressed"))
        file.writeframes(bytes(SILENCE_HZ))
    speaker = open_speaker(site, Places(places.runtime, places.runtime))
    speaker.play(silence)
    while speaker.busy():  # raises VoiceError for a device that fails, or hangs for 3 s
        time.sleep(0.05)
    real = isinstance(speaker, AplaySpeaker)
    return f"card {site.voice.card!r} plays" if real else "no sound card is used: only recorded"


def _beacon(site: Site, places: Places) -> str:
    """Switch the lamp on and off, each read back where it is a pin."""
    scratch = Places(places.runtime, places.runtime)
    lamp = open_lamp(site, scratch, gpio_of(scratch))
    try:
        lamp.light(True)
        time.sleep(BLINK_S)
        lamp.light(False)
    finally:
        lamp.close()
    return f"{site.beacon.output}, follows, off"


def _inputs(site: Site, places: Places) -> str:
    contacts = open_contacts(site, places, gpio_of(places))
    try:
        active = contacts.active()
    finally:
        contacts.close()
    told = ", ".join(f"{n} {'active' if n in active else 'idle'}" for n in site.inputs.wired)
    return told or "none are configured"


def _disk(state: Path) -> str:
    """Write and read an outbox of its own beside the real one."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=state, prefix=".check-") as folder:
            outbox = Outbox(Path(folder) / OUTBOX_FILE, 1_000_000)
            outbox.put([Row("check", "events", "check", 0, "{}")])
            kept = outbox.depth()
            outbox.close()
    except OSError as error:
        raise OutboxError(
            f"{state} cannot be written ({error.strerror or error}); free or repair that disk"
        ) from error
    if kept != 1:
        raise OutboxError(f"{state} does not keep what is written; replace that disk")
    free_mb = _free_mb(state)
    if free_mb < LEAST_FREE_MB:
        raise OutboxError(f"{state} has {free_mb} MB left, must be {LEAST_FREE_MB}; free some")
    return f"{state} takes the outbox, {free_mb} MB free"


def _free_mb(folder: Path) -> int:
    return shutil.disk_usage(folder).free // 1_000_000


def _broker(site: Site) -> str:
    if site.upstream.host is None:
        return "none is configured: everything waits in the outbox"
    probe(site)
    return f"{site.upstream.host}:{site.upstream.port} takes our messages"
