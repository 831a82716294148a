"""The three outputs in service: each handles its own faults and never holds up the others."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PIL import Image

from edge.clock import boottime_ns, nanoseconds, time_valid
from edge.errors import BeaconError, LayoutError, PanelError, VoiceError
from edge.program import Program
from edge.show.apart import PanelApart, Proof, Shot
from edge.show.beacon import OFF, Lamp
from edge.show.brightness import brightness_at, dimmed
from edge.show.layout import render, render_clipped
from edge.show.panels import Caption
from edge.show.parts import clips_folder, open_lamp, open_panel, open_speaker
from edge.show.player import Announcer, Scene
from edge.show.voice import quiet_now
from edge.site import Site
from edge.wire import Order, Page
from edge.words import phrases_of

RESEND_S = 1.0  # the same page is sent again, so that a dead driver is noticed
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class _Patience:
    """When a failed device may be tried again: after pauses that double."""

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._next_at = 0

    def due(self) -> bool:
        return boottime_ns() >= self._next_at

    def failed(self) -> None:
        self._next_at = boottime_ns() + nanoseconds(self._pause_s)
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)

    def worked(self) -> None:
        self._pause_s = FIRST_PAUSE_S


class SignOutput:
    """The panel: given every new page, and the same one each second; opened again if it fails."""

    def __init__(self, site: Site, program: Program, neutral: Scene) -> None:
        self._site, self._program = site, program
        self._neutral = self._shot(neutral)
        self._panel: PanelApart | None = None
        self._patience = _Patience()
        self._shown: tuple[Page, Caption] | None = None
        self._shot_at_hand = self._neutral
        self._sent_at = 0

    def show(self, scene: Scene) -> None:
        """Put the scene on the panel when it is new, or due again; never waits."""
        try:
            self._hear()
            content = (scene.page, _caption(scene))
            if content != self._shown:
                self._shot_at_hand = self._shot(scene)
            elif boottime_ns() - self._sent_at < nanoseconds(RESEND_S):
                return
            if self._patience.due() and not (self._panel and self._panel.waiting):
                self._send()
                self._shown, self._sent_at = content, boottime_ns()
        except PanelError as error:
            self._failed(str(error))
            if self._panel is not None:
                self._panel.kill()
            self._panel = None

    def close(self) -> None:
        """Leave the neutral text, and give the panel back."""
        if self._panel is not None:
            self._panel.close()
        self._panel = None

    def _hear(self) -> None:
        """Take the panel's answer."""
        answer = self._panel.answer() if self._panel else None
        if answer is None:
            return
        self._program.facts["sign_proof"] = answer.proof.value
        if answer.proof is Proof.FAILED:
            self._failed(answer.why)
        else:
            self._patience.worked()
            self._program.recovered("panel")

    def _failed(self, why: str) -> None:
        self._program.facts["sign_proof"] = Proof.FAILED.value
        self._program.fault("panel", why)
        self._patience.failed()
        self._shown = None

    def _send(self) -> None:
        if self._panel is None:
            opening = partial(open_panel, self._site, self._program.places)
            self._panel = PanelApart(opening, self._neutral)
        now = datetime.now(UTC) if time_valid() else None
        sign = self._site.sign
        percent = brightness_at(sign, self._site.site, now)
        image = dimmed(self._shot_at_hand.image, percent, sign.brightness)
        self._panel.send(Shot(image, self._shot_at_hand.caption))

    def _shot(self, scene: Scene) -> Shot:
        return Shot(self._render(scene.page), _caption(scene))

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


class LightOutput:
    """The beacon."""

    def __init__(self, site: Site, program: Program) -> None:
        self._site, self._program = site, program
        self._lamp: Lamp | None = None
        self._patience = _Patience()

    def show(self, pattern: str) -> None:
        """Follow `pattern`."""
        if not self._patience.due():
            return
        try:
            if self._lamp is None:
                self._lamp = open_lamp(self._site, self._program.places)
            self._lamp.show(pattern)
        except BeaconError as error:
            self._program.fault("beacon", str(error))
            self._patience.failed()
            self._off()
        else:
            self._patience.worked()
            self._program.recovered("beacon")

    def close(self) -> None:
        """Off, and give the pin back."""
        self._off()
        if self._lamp is not None:
            self._lamp.close()

    def _off(self) -> None:
        if self._lamp is None:
            return
        try:
            self._lamp.show(OFF)
        except BeaconError as error:
            self._program.fault("beacon", str(error))


class VoiceOutput:
    """The loudspeaker, with the clips it needs."""

    def __init__(self, site: Site, program: Program) -> None:
        self._voice, self._program = site.voice, program
        self._folder, self._needed = clips_folder(site, program.places), phrases_of(site)
        self._speaker = open_speaker(site, program.places)
        self._announcer = Announcer(site.voice.repeat_s)
        self._playing = False
        self._check_clips()

    def follow(self, order: Order | None) -> None:
        """Say what `order` wants said; fall silent without one."""
        busy = self._busy()
        cue = self._announcer.cue(order, boottime_ns(), busy=busy, quiet=quiet_now(self._voice))
        if cue.stop:
            self._speaker.stop()
            self._playing = False
        if cue.clip is not None:
            self._play(self._path(cue.clip))

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

    def _play(self, clip: Path) -> None:
        self._check_clips()
        if not clip.is_file():
            return
        try:
            self._speaker.play(clip)
        except VoiceError as error:
            self._program.fault("voice", str(error))
        else:
            self._playing = True

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.wav"

    def _check_clips(self) -> None:
        if all(self._path(name).is_file() for name in self._needed):
            self._program.recovered("clips")
        else:
            self._program.fault("clips", "voice clips missing; run `redroad voice build`")
