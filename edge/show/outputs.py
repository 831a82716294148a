"""The three outputs in service: each handles its own faults, and never holds up the others."""

from dataclasses import replace
from datetime import UTC, datetime, time
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image

from edge.common.clock import boottime_ns, time_plausible
from edge.common.errors import DriverError, LayoutError, VoiceError
from edge.common.program import Program
from edge.common.timer import Timer
from edge.common.units import nanoseconds
from edge.common.wire import Order, Page
from edge.show.beacon import OFF
from edge.show.brightness import brightness_at, dimmed
from edge.show.driver_process import DriverProcess, driver_backoff
from edge.show.inputs import LIGHT, WORDS
from edge.show.layout import render, render_clipped
from edge.show.panel_driver import PanelDriver, PanelStatus, Proof
from edge.show.panels import PanelFrame
from edge.show.parts import clips_folder, make_pins_driver, open_panel, open_speaker
from edge.show.pins_driver import PinsStatus
from edge.show.player import Announcer, SignContent
from edge.show.voice import is_quiet, volume_at
from edge.site import Site
from edge.site.overrides import phrases_of

# The same page is sent again, so that a dead driver is noticed; and so often that, when this
# program stops, panel and beacon turn to what is safe at nearly the same time.
RESEND_S = 0.5
PINS_S = 0.2  # how often the inputs are read
# A pattern begins with light: were each new one followed at once, the lamp would flash as fast as
# the level changes (WCAG 2.3.1: never at 3 Hz).
BEGINS_S = 1.0
CHANGE_S = 0.2  # how long a page stays at least: Orders that flap must not flash at 3 Hz
CLIPS_S = 10.0  # how often missing clips are looked for: after the first start they are being made
DARK_S = 2.0  # the light feedback may lag behind the panel, but not longer


class SignOutput:
    """The panel: sent every new page, the same one twice a second; opened again if it fails."""

    def __init__(self, site: Site, program: Program, neutral: SignContent) -> None:
        self._site, self._program = site, program
        self._neutral = self._frame_of(neutral)
        self._panel: DriverProcess[PanelFrame, PanelStatus] | None = None
        self._backoff = driver_backoff()
        self._content, self._frame = _visible(neutral), self._neutral  # what was last rendered
        self._sent: object = None  # what of it was last sent
        self._change_timer, self._resend_timer = Timer(CHANGE_S), Timer(RESEND_S)
        self._light_at = boottime_ns()  # when the feedback last saw light
        self._lux: float | None = None

    def show(
        self, content: SignContent, sees_light: bool | None = None, lux: float | None = None
    ) -> None:
        """Put the content on the panel when it is new, or due again; never wait.

        `sees_light` is whether the feedback sees the panel's light, `lux` the light in the street;
        each is None without its sensor.
        """
        self._lux = lux
        try:
            self._read_status(sees_light)
            visible, now = _visible(content), boottime_ns()
            if visible != self._content:
                self._content, self._frame = visible, self._frame_of(content)
            interval = self._resend_timer if visible == self._sent else self._change_timer
            ready = self._backoff.due(now) and not (self._panel and self._panel.waiting)
            if ready and interval.due(now):
                self._send()
                self._sent = visible
                self._change_timer.restart(boottime_ns())
                self._resend_timer.restart(boottime_ns())
        except DriverError as error:
            self._failed(str(error))
            if self._panel is not None:
                self._panel.kill()
            self._panel = None

    def close(self) -> None:
        """Leave the neutral text on the panel, and release it."""
        if self._panel is not None:
            self._panel.close()
        self._panel = None

    def _read_status(self, sees_light: bool | None) -> None:
        status = self._panel.reply() if self._panel else None
        if status is None:
            return
        if status.proof is Proof.FAILED:
            self._failed(status.fault)
            return
        self._backoff.worked()
        proof = self._proof_by_light(sees_light, status.proof)
        self._program.facts["sign_proof"] = proof.value
        if proof is Proof.FAILED:  # the panel itself reports no error: it is not opened again
            self._program.fault("panel", "the feedback sees no light of it; check its power")
        else:
            self._program.recovered("panel")

    def _proof_by_light(self, sees_light: bool | None, proof: Proof) -> Proof:
        """How far the display is proven, given the feedback, when the panel accepted the image."""
        if sees_light is not False:
            self._light_at = boottime_ns()
            return Proof.PROVEN if sees_light else proof
        dark = boottime_ns() - self._light_at > nanoseconds(DARK_S)
        return Proof.FAILED if dark else Proof.UNPROVEN

    def _failed(self, fault: str) -> None:
        self._program.facts["sign_proof"] = Proof.FAILED.value
        self._program.fault("panel", fault)
        self._backoff.failed(boottime_ns())
        self._sent = None

    def _send(self) -> None:
        if self._panel is None:
            self._panel = self._start_driver()
        now = datetime.now(UTC) if time_plausible() else None
        sign = self._site.sign
        percent = brightness_at(sign, self._site.site, now, self._lux)
        self._panel.send(
            replace(self._frame, image=dimmed(self._frame.image, percent, sign.brightness))
        )

    def _start_driver(self) -> DriverProcess[PanelFrame, PanelStatus]:
        """Start the panel's driver process: the first, or in place of one that failed."""
        opening = partial(open_panel, self._site, self._program.paths)
        return DriverProcess("panel", partial(PanelDriver, opening), self._neutral)

    def _frame_of(self, content: SignContent) -> PanelFrame:
        image = self._rendered(content.page)
        return PanelFrame(image, content.message, content.level, content.page.lines)

    def _rendered(self, page: Page) -> Image.Image:
        sign = self._site.sign
        try:
            image = render(page, sign.width, sign.height)
        except LayoutError as error:
            self._program.fault("layout", str(error))
            return render_clipped(page, sign.width, sign.height)
        self._program.recovered("layout")
        return image


def _visible(content: SignContent) -> object:
    """What the panel shows or records of the content; two that are equal need no new frame."""
    return content.page, content.message, content.level


class PinsOutput:
    """Beacon and inputs: sent the pattern five times a second; the reply has the inputs."""

    def __init__(self, site: Site, program: Program) -> None:
        self._make = partial(make_pins_driver, site, program.paths)
        self._program, self._wired = program, frozenset(site.inputs.wired)
        self._pins: DriverProcess[str, PinsStatus] | None = None
        self._backoff = driver_backoff()
        self._status = PinsStatus()
        self._resend_timer, self._begin_timer = Timer(PINS_S), Timer(BEGINS_S)
        self._pattern = OFF

    @property
    def sees_light(self) -> bool | None:
        """Whether the feedback sees the panel's light; None without one, or when it fails."""
        if LIGHT not in self._wired or self._pins is None or self._status.inputs_fault:
            return None
        return LIGHT in self._status.active

    @property
    def lux(self) -> float | None:
        """The light in the street (lux); None without a sensor, or when it fails."""
        return self._status.lux if self._pins else None

    def show(self, pattern: str) -> None:
        """Switch the beacon to `pattern`; never wait.

        Off is followed at once, a pattern with light at the earliest BEGINS_S after another began.
        """
        try:
            self._read_status()
            now = boottime_ns()
            if pattern != OFF and not self._begin_timer.due(now):
                pattern = self._pattern
            new = pattern != self._pattern
            due = new or self._resend_timer.due(now)
            if due and self._backoff.due(now) and not (self._pins and self._pins.waiting):
                self._send(pattern)
        except DriverError as error:
            self._program.fault("beacon", str(error))
            self._backoff.failed(boottime_ns())
            if self._pins is not None:
                self._pins.kill()
            self._pins = None

    def close(self) -> None:
        """Switch the beacon off, and release the pins."""
        if self._pins is not None:
            self._pins.close()
        self._pins = None

    def _send(self, pattern: str) -> None:
        if self._pins is None:
            self._pins = self._start_driver()
        self._pins.send(pattern)
        if pattern not in {OFF, self._pattern}:
            self._begin_timer.restart(boottime_ns())
        self._pattern = pattern
        self._resend_timer.restart(boottime_ns())

    def _start_driver(self) -> DriverProcess[str, PinsStatus]:
        """Start the driver process of the pins: the first, or in place of one that failed."""
        return DriverProcess("beacon", self._make, OFF)

    def _read_status(self) -> None:
        status = self._pins.reply() if self._pins else None
        if status is None:
            return
        self._backoff.worked()
        self._report_fault("beacon", self._status.beacon_fault, status.beacon_fault)
        self._report_fault("inputs", self._status.inputs_fault, status.inputs_fault)
        if not status.inputs_fault:
            self._report_inputs(status.active)
        self._status = status

    def _report_fault(self, part: str, before: str, fault: str) -> None:
        if fault and fault != before:
            self._program.fault(part, fault)
        elif not fault:
            self._program.recovered(part)

    def _report_inputs(self, active: frozenset[str]) -> None:
        for name in self._wired:
            self._program.facts[name] = "active" if name in active else "idle"
        for name in (self._status.active ^ active) & WORDS.keys():
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
        self._program.facts["clips_played"] = self._played = 0
        self._look_timer = Timer(CLIPS_S)  # for the clips
        self._check_clips()

    def follow(self, order: Order | None) -> None:
        """Play the clips of `order` when they are due; stop without an Order."""
        self._look_for_clips()
        busy, now = self._busy(), self._time_of_day()
        quiet = is_quiet(self._voice, now)
        cue = self._announcer.cue(order, boottime_ns(), busy=busy, quiet=quiet)
        if cue.stop:
            self._speaker.stop()
            self._playing = False
        if order is not None and cue.clip is not None:
            self._play(self._clip(cue.clip), volume_at(self._voice, order.level, now))

    def close(self) -> None:
        """Stop the clip that plays."""
        self._speaker.stop()

    def _busy(self) -> bool:
        """Whether a clip plays; one that ended by itself proves that the loudspeaker works."""
        try:
            busy = self._speaker.busy()
        except VoiceError as error:
            self._program.fault("voice", str(error))
            busy = self._playing = False
        if self._playing and not busy:
            self._played += 1
            self._program.facts["clips_played"] = self._played
            self._program.recovered("voice")
        self._playing = self._playing and busy
        return busy

    def _time_of_day(self) -> time | None:
        """The site's local time; None while the clock was not set."""
        return datetime.now(self._zone).time() if time_plausible() else None

    def _play(self, clip: Path, volume: int) -> None:
        self._check_clips()
        if not _exists(clip):
            return
        try:
            self._speaker.play(clip, volume)
        except VoiceError as error:
            self._program.fault("voice", str(error))
        else:
            self._playing = True

    def _look_for_clips(self) -> None:
        if "clips" in self._program.faults and self._look_timer.due(boottime_ns()):
            self._check_clips()

    def _check_clips(self) -> None:
        self._look_timer.restart(boottime_ns())
        if all(_exists(self._clip(name)) for name in self._needed):
            self._program.recovered("clips")
        else:
            self._program.fault(
                "clips",
                "voice clips missing; run `redroad voice build` (an installed unit: restart "
                "redroad-voice)",
            )


def _clip_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.wav"


def _exists(clip: Path) -> bool:
    """Whether the clip exists; False where its folder is closed or its disk fails."""
    try:
        return clip.is_file()
    except OSError:
        return False
