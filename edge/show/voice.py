"""Playing clips: on a sound card by aplay, or only recorded as played."""

import json
import os
import subprocess
import wave
from datetime import time
from pathlib import Path
from typing import Protocol

from edge.common.clock import between, boottime_ns
from edge.common.errors import CardBusyError, VoiceError
from edge.common.units import nanoseconds
from edge.common.wire import Level
from edge.site.outputs import Voice

# A sound device that accepts no sound for so long hangs; a working one buffers half a second.
STALL_S = 3.0
# A card that plays for one program at a time may be busy until another has closed it.
BUSY_S = 1.0
CARDS = Path("/proc/asound")
LIST_LIMIT_S = 1.0
FULL_VOLUME = 100


class Speaker(Protocol):
    """Plays one clip at a time, without waiting."""

    def play(self, clip: Path, volume: int = FULL_VOLUME) -> None:
        """Start `clip` at `volume` per cent, and return. VoiceError when that is not possible."""

    def stop(self) -> None:
        """Stop the clip that plays."""

    def busy(self) -> bool:
        """Whether a clip plays. VoiceError, once, when it failed; then the next may be played."""


class AplaySpeaker:
    """A sound card, by a child process for each clip: a driver that hangs holds up nothing else."""

    def __init__(self, card: str) -> None:
        self._card = card
        self._clip, self._volume = Path(), FULL_VOLUME
        self._waits_until = 0  # for a card that is busy
        self._process: subprocess.Popen[bytes] | None = None
        self._file = -1
        self._read = 0  # how far into the clip aplay has read (bytes), and when that changed
        self._advanced_at = 0
        self._ends_at = 0

    def play(self, clip: Path, volume: int = FULL_VOLUME) -> None:
        """Start `clip` at `volume` per cent, and stop the one before. VoiceError if it fails."""
        self.stop()
        self._clip, self._volume = clip, volume
        self._waits_until = boottime_ns() + nanoseconds(BUSY_S)
        self._begin()

    def _begin(self) -> None:
        clip = self._clip
        longest_s = length_s(clip) + STALL_S
        try:
            self._file = _open_at(self._volume, clip)
            # aplay shares the file's position with this process, which so sees whether it advances.
            self._process = subprocess.Popen(
                ["aplay", "-q", "-D", self._card, "-"],
                stdin=self._file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=os.environ | {"LC_ALL": "C"},  # its error messages are parsed below
            )
        except OSError as error:
            self._forget()
            raise VoiceError(f"{clip.name} cannot be played: {error}") from error
        self._read, self._advanced_at = 0, boottime_ns()
        self._ends_at = self._advanced_at + nanoseconds(longest_s)

    def stop(self) -> None:
        """Kill the player. It is not waited for: one that hangs in the kernel never ends."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def busy(self) -> bool:
        """Whether the clip plays, or waits for a busy card; kills a player that hangs.

        CardBusyError for a card that stays busy.
        """
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            self._check_advance()
            return True
        words = self._process.stderr.read(4000) if self._process.stderr else b""
        self._forget()
        if code == 0:
            return False
        error = self._failure(words.decode(errors="replace").strip() or f"code {code}")
        if not isinstance(error, CardBusyError) or boottime_ns() > self._waits_until:
            raise error
        self._begin()
        return True

    def _failure(self, words: str) -> VoiceError:
        """The error that aplay's last line means, and what to do."""
        line = f"aplay failed on sound card {self._card!r}: {words.splitlines()[-1]}"
        if "resource busy" in line:
            return CardBusyError(f"{line}; end the other program that plays on it")
        if "open error" not in line:
            return VoiceError(f"{line}; check the card, and its cable")
        return VoiceError(
            f"{line} (cards found: {', '.join(cards()) or 'none at all'}); plug it in, or set "
            "voice.card to one that `aplay -L` lists"
        )

    def _check_advance(self) -> None:
        now, read = boottime_ns(), os.lseek(self._file, 0, os.SEEK_CUR)
        if read != self._read:
            self._read, self._advanced_at = read, now
        stalled = now - self._advanced_at > nanoseconds(STALL_S)
        if stalled or now > self._ends_at:
            self.stop()
            raise VoiceError(
                f"sound card {self._card!r} "
                + (f"accepted no sound for {STALL_S:.0f} s" if stalled else "plays too slowly")
                + "; the player was killed; check the card and its cable"
            )

    def _forget(self) -> None:
        if self._process is not None and self._process.stderr is not None:
            self._process.stderr.close()
        if self._file >= 0:
            os.close(self._file)
        self._process, self._file = None, -1


class RecorderSpeaker:
    """Records each clip in played.jsonl, and is busy for as long as it would play."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "played.jsonl"
        self._until = 0

    def play(self, clip: Path, volume: int = FULL_VOLUME) -> None:
        """Record `clip` as played. VoiceError when the disk refuses."""
        at = boottime_ns()
        self._until = at + nanoseconds(length_s(clip))
        try:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            with self._record.open("a", encoding="utf-8") as record:
                record.write(json.dumps({"at": at, "clip": clip.stem, "volume": volume}) + "\n")
        except OSError as error:
            raise VoiceError(
                f"cannot record in {self._record}: {error.strerror}; free or repair that disk"
            ) from error

    def stop(self) -> None:
        """Be busy no longer."""
        self._until = 0

    def busy(self) -> bool:
        """Whether the clip would still be playing."""
        return boottime_ns() < self._until


def _open_at(volume: int, clip: Path) -> int:
    """A descriptor of the clip, or of a quieter copy in memory."""
    if volume == FULL_VOLUME:
        return os.open(clip, os.O_RDONLY | os.O_CLOEXEC)
    import numpy as np  # noqa: PLC0415 - the largest library here, where the volume is turned down

    with wave.open(str(clip)) as sound:
        form, frames = sound.getparams(), sound.readframes(sound.getnframes())
    whole = frames[: len(frames) // 2 * 2]  # a file that was cut off may end within a sample
    quieter = (np.frombuffer(whole, "<i2") * (volume / FULL_VOLUME)).astype("<i2")
    file = os.memfd_create(clip.name)
    with os.fdopen(os.dup(file), "wb") as raw, wave.open(raw) as copy:
        copy.setparams(form)
        copy.writeframes(quieter.tobytes())
    os.lseek(file, 0, os.SEEK_SET)
    return file


def length_s(clip: Path) -> float:
    """Return how long a WAV file plays (s). VoiceError when it is none."""
    try:
        with wave.open(str(clip)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise VoiceError(f"{clip} is no WAV file: {error}; run `redroad voice build`") from error


def cards() -> list[str]:
    """Return the kernel's names of the sound cards that can play."""
    playing = {device.parent for device in CARDS.glob("card*/pcm*p")}
    return sorted((card / "id").read_text(encoding="ascii").strip() for card in playing)


def has_sound_card() -> bool:
    """Whether `aplay -l` lists a card; False without aplay, or when it hangs."""
    try:
        listing = subprocess.Popen(
            ["aplay", "-l"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    try:
        listed, _ = listing.communicate(timeout=LIST_LIMIT_S)
    except subprocess.TimeoutExpired:
        listing.kill()  # not waited for: one that hangs in the kernel never ends
        return False
    return any(line.startswith(b"card ") for line in listed.splitlines())


def is_quiet(voice: Voice, now: time | None) -> bool:
    """Whether `now` is in the quiet hours; False while the clock was not set (None)."""
    return _within(voice.quiet_from, voice.quiet_to, now)


def volume_at(voice: Voice, level: Level, now: time | None) -> int:
    """Return the volume in per cent: less at night, but never for what is said at CRITICAL."""
    night = _within(voice.night_from, voice.night_to, now)
    if voice.night_volume is None or not night or level >= Level.CRITICAL:
        return voice.volume
    return voice.night_volume


def _within(begin: str | None, end: str | None, now: time | None) -> bool:
    """Whether `now` is within hours that may reach past midnight; False without any."""
    if begin is None or end is None or now is None:
        return False
    return between(time.fromisoformat(begin), time.fromisoformat(end), now)
