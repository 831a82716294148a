"""The three outputs in service: each handles its own faults and never holds up the others."""

from datetime import UTC, datetime, time
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from edge.common.clock import boottime_ns, time_valid
from edge.common.errors import DriverError, LayoutError, VoiceError
from edge.common.program import Program
from edge.common.units import nanoseconds
from edge.common.wire import Order, Page
from edge.show.backoff import Backoff
from edge.show.beacon import OFF
from edge.show.brightness import brightness_at, dimmed
from edge.show.driver_process import DriverProcess
from edge.show.inputs import LIGHT, WORDS
from edge.show.layout import render, render_clipped
from edge.show.panels import Caption
from edge.show.parts import clips_folder, make_pins, open_panel, open_speaker
from edge.show.pins import PinsStatus
from edge.show.player import Announcer, Scene
from edge.show.screen import Answer, PanelFrame, Proof, Screen
from edge.show.voice import is_quiet, volume_at
from edge.site import Site
from edge.site.overrides import phrases_of

# The same page is sent again, so that a dead driver is noticed; and so often that, when this
# program stops, panel and beacon turn to what is safe hardly one before the other.
RESEND_S = 0.5
PINS_S = 0.2  # how often the inputs are read
# A pattern begins with light: were a new one taken at once each time, the lamp would flash as fast
# as anybody changes the level (WCAG 2.3.1: never at 3 Hz).
BEGINS_S = 1.0
STANDS_S = 0.2  # how long a page stands at least: orders that flap must not flash at 3 Hz
CLIPS_S = 10.0  # how often missing clips are looked for: at first they are still being spoken
DARK_S = 2.0  # the light feedback may lag behind the panel, but not longer


class SignOutput:
    """The panel: given every new page, the same one twice a second; opened again if it fails."""

    def __init__(self, site: Site, program: Program, neutral: Scene) -> None:
        self._site, self._program = site, program
        self._neutral = self._shot(neutral)
        self._panel: DriverProcess[PanelFrame, Answer] | None = None
        self._backoff = Backoff()
        self._shown: tuple[Page, Caption] | None = None
        self._at_hand: tuple[Page, Caption] | None = None  # what the shot at hand shows
        self._shot_at_hand = self._neutral
        self._sent_at = 0
        self._light_at = boottime_ns()  # when it was last seen
        self._lux: float | None = None

    def show(self, scene: Scene, sees_light: bool | None = None, lux: float | None = None) -> None:
        """Put the scene on the panel when it is new, or due again; never waits.

        `sees_light` is what a feedback tells of the panel's light, `lux` the light in the street;
        None where nothing tells.
        """
        self._lux = lux
        try:
            self._hear(sees_light)
            content = (scene.page, _caption(scene))
            if content != self._at_hand:
                self._at_hand, self._shot_at_hand = content, self._shot(scene)
            new = content != self._shown
            if boottime_ns() - self._sent_at < nanoseconds(STANDS_S if new else RESEND_S):
                return
            if self._backoff.due() and not (self._panel and self._panel.waiting):
                self._send()
                self._shown, self._sent_at = content, boottime_ns()
        except DriverError as error:
            self._failed(str(error))
            if self._panel is not None:
                self._panel.kill()
            self._panel = None

    def close(self) -> None:
        """Leave the neutral text, and give the panel back."""
        if self._panel is not None:
            self._panel.close()
        self._panel = None

    def _hear(self, sees_light: bool | None) -> None:
        """Take the panel's answer."""
        answer = self._panel.answer() if self._panel else None
        if answer is None:
            return
        if answer.proof is Proof.FAILED:
            self._failed(answer.why)
            return
        self._backoff.worked()
        proof = self._in_the_light_of(sees_light, answer.proof)
        self._program.facts["sign_proof"] = proof.value
        if proof is Proof.FAILED:  # nothing is tried anew: the panel itself complains of nothing
            self._program.fault("panel", "the feedback sees no light of it; check its power")
        else:
            self._program.recovered("panel")

    def _in_the_light_of(self, sees_light: bool | None, proof: Proof) -> Proof:
        """What the feedback makes of an image that the panel has taken."""
        if sees_light is not False:
            self._light_at = boottime_ns()
            return Proof.PROVEN if sees_light else proof
        dark = boottime_ns() - self._light_at > nanoseconds(DARK_S)
        return Proof.FAILED if dark else Proof.UNPROVEN

    def _failed(self, why: str) -> None:
        self._program.facts["sign_proof"] = Proof.FAILED.value
        self._program.fault("panel", why)
        self._backoff.failed()
        self._shown = None

    def _send(self) -> None:
        if self._panel is None:
            opening = partial(open_panel, self._site, self._program.paths)
            self._panel = DriverProcess("panel", partial(Screen, opening), self._neutral)
        now = datetime.now(UTC) if time_valid() else None
        sign = self._site.sign
        percent = brightness_at(sign, self._site.site, now, self._lux)
        image = dimmed(self._shot_at_hand.image, percent, sign.brightness)
        self._panel.send(PanelFrame(image, self._shot_at_hand.caption))

    def _shot(self, scene: Scene) -> PanelFrame:
        return PanelFrame(self._render(scene.page), _caption(scene))

    def _render(self, page: Page) -> Image.Image:
        sign = self._site.sign
        try:
            image = render(page, sign.width, sign.height)
        except LayoutError as error:
            self._program.fault("layout", str(error))
            return render_clipped(page, sign.width, sign.height)
        self._program.recovered("layout")
        return image


def _caption(scene: Scene) -> Caption:
    return Caption(scene.message, scene.level, scene.page.lines)


class PinsOutput:
    """Beacon and inputs: told the pattern several times a second, and asked what is active."""

    def __init__(self, site: Site, program: Program) -> None:
        self._make = partial(make_pins, site, program.paths)
        self._program, self._wired = program, frozenset(site.inputs.wired)
        self._pins: DriverProcess[str, PinsStatus] | None = None
        self._backoff = Backoff()
        self._told = PinsStatus()
        self._sent_at = self._began_at = 0
        self._pattern = OFF

    @property
    def sees_light(self) -> bool | None:
        """Whether the feedback sees the panel's light; None without one, or when it fails."""
        if LIGHT not in self._wired or self._pins is None or self._told.inputs_fault:
            return None
        return LIGHT in self._told.active

    @property
    def lux(self) -> float | None:
        """The light in the street; None without a sensor, or when it fails."""
        return self._told.lux if self._pins else None

    def show(self, pattern: str) -> None:
        """Follow `pattern`, off at once, and what lights a second after another began at most.

        Never waits.
        """
        try:
            self._hear()
            if pattern != OFF and boottime_ns() - self._began_at < nanoseconds(BEGINS_S):
                pattern = self._pattern
            new = pattern != self._pattern
            due = new or boottime_ns() - self._sent_at >= nanoseconds(PINS_S)
            if due and self._backoff.due() and not (self._pins and self._pins.waiting):
                if self._pins is None:
                    self._pins = DriverProcess("beacon", self._make, OFF)
                self._pins.send(pattern)
                self._pattern, self._sent_at = pattern, boottime_ns()
                self._began_at = self._sent_at if new and pattern != OFF else self._began_at
        except DriverError as error:
            self._program.fault("beacon", str(error))
            self._backoff.failed()
            if self._pins is not None:
                self._pins.kill()
            self._pins = None

    def close(self) -> None:
        """Off, and give the pins back."""
        if self._pins is not None:
            self._pins.close()
        self._pins = None

    def _hear(self) -> None:
        told = self._pins.answer() if self._pins else None
        if told is None:
            return
        self._backoff.worked()
        self._note("beacon", self._told.beacon_fault, told.beacon_fault)
        self._note("inputs", self._told.inputs_fault, told.inputs_fault)
        if not told.inputs_fault:
            self._tell_changes(told.active)
        self._told = told

    def _note(self, part: str, before: str, why: str) -> None:
        if why and why != before:
            self._program.fault(part, why)
        elif not why:
            self._program.recovered(part)

    def _tell_changes(self, active: frozenset[str]) -> None:
        for name in self._wired:
            self._program.facts[name] = "active" if name in active else "idle"
        for name in (self._told.active ^ active) & WORDS.keys():
            self._program.event("input", WORDS[name][name in active], after=name)


class VoiceOutput:
    """The loudspeaker, with the clips it needs."""

    def __init__(self, site: Site, program: Program) -> None:
        self._voice, self._program = site.voice, program
        self._zone = ZoneInfo(site.site.time_zone)
        # Once for each name: see edge/common/memory.py.
        self._clip = cache(partial(_clip_file, clips_folder(site, program.paths)))
        self._needed = phrases_of(site)
        self._speaker = open_speaker(site, program.paths)
        self._announcer = Announcer(site.voice.repeat_s)
        self._playing = False
        self._looked_at = 0  # for the clips
        self._check_clips()

    def follow(self, order: Order | None) -> None:
        """Say what `order` wants said; fall silent without one."""
        self._await_clips()
        busy, now = self._busy(), self._time_of_day()
        quiet = is_quiet(self._voice, now)
        cue = self._announcer.cue(order, boottime_ns(), busy=busy, quiet=quiet)
        if cue.stop:
            self._speaker.stop()
            self._playing = False
        if order is not None and cue.clip is not None:
            self._play(self._clip(cue.clip), volume_at(self._voice, order.level, now))

    def close(self) -> None:
        """Fall silent."""
        self._speaker.stop()

    def _busy(self) -> bool:
        """Whether a clip plays; one that ended by itself proves that the loudspeaker works."""
        try:
            busy = self._speaker.busy()
        except VoiceError as error:
            self._program.fault("voice", str(error))
            busy = self._playing = False
        if self._playing and not busy:
            self._program.recovered("voice")
        self._playing = self._playing and busy
        return busy

    def _time_of_day(self) -> time | None:
        """By the site's clocks; None while ours was not set."""
        return datetime.now(self._zone).time() if time_valid() else None

    def _play(self, clip: Path, volume: int) -> None:
        self._check_clips()
        if not _is_there(clip):
            return
        try:
            self._speaker.play(clip, volume)
        except VoiceError as error:
            self._program.fault("voice", str(error))
        else:
            self._playing = True

    def _await_clips(self) -> None:
        since = boottime_ns() - self._looked_at
        if "clips" in self._program.faults and since >= nanoseconds(CLIPS_S):
            self._check_clips()

    def _check_clips(self) -> None:
        self._looked_at = boottime_ns()
        if all(_is_there(self._clip(name)) for name in self._needed):
            self._program.recovered("clips")
        else:
            self._program.fault(
                "clips",
                "voice clips missing; run `redroad voice build` (an installed unit: restart "
                "redroad-voice)",
            )


def _clip_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.wav"


def _is_there(clip: Path) -> bool:
    """Not where it may not be looked for, or the disk fails: the sign goes on without it."""
    try:
        return clip.is_file()
    except OSError:
        return False
