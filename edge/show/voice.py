"""Playing clips: on a sound card by aplay, or only recorded as played."""

import json
import os
import subprocess
import wave
from datetime import datetime, time
from pathlib import Path
from typing import Protocol

from edge.clock import between, boottime_ns, nanoseconds, time_valid
from edge.errors import VoiceError
from edge.site.schema import Voice

# A sound device that takes no sound for so long is hung; a healthy one buffers half a second.
STALL_S = 3.0
LIST_LIMIT_S = 1.0


class Speaker(Protocol):
    """Plays one clip at a time, without waiting."""

    def play(self, clip: Path) -> None:
        """Begin `clip`. VoiceError when that is not possible."""

    def stop(self) -> None:
        """Fall silent."""

    def busy(self) -> bool:
        """Whether a clip plays. VoiceError, once, when it failed; then the next may be played."""


class AplaySpeaker:
    """A sound card, by a child process for each clip: a hung driver cannot hold us up."""

    def __init__(self, card: str) -> None:
        self._card = card
        self._process: subprocess.Popen[bytes] | None = None
        self._file = -1
        self._read = 0  # how far into the clip aplay has read (bytes), and when that changed
        self._advanced_at = 0

    def play(self, clip: Path) -> None:
        """Begin `clip`, after ending what played."""
        self.stop()
        try:
            self._file = os.open(clip, os.O_RDONLY | os.O_CLOEXEC)
            # aplay shares the file's position with us: so we see whether it advances.
            self._process = subprocess.Popen(
                ["aplay", "-q", "-D", self._card, "-"],
                stdin=self._file,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            self._forget()
            raise VoiceError(f"{clip.name} cannot be played: {error}") from error
        self._read, self._advanced_at = 0, boottime_ns()

    def stop(self) -> None:
        """Kill the player. It is not waited for: one that hangs in the kernel never ends."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def busy(self) -> bool:
        """Whether the clip plays; kills a player that hangs."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            self._check_advance()
            return True
        words = self._process.stderr.read(400) if self._process.stderr else b""
        self._forget()
        if code != 0:
            why = words.decode(errors="replace").strip().splitlines() or [f"code {code}"]
            raise VoiceError(f"aplay failed on sound card {self._card!r}: {why[-1]}")
        return False

    def _check_advance(self) -> None:
        read = os.lseek(self._file, 0, os.SEEK_CUR)
        if read != self._read:
            self._read, self._advanced_at = read, boottime_ns()
        elif boottime_ns() - self._advanced_at > nanoseconds(STALL_S):
            self.stop()
            raise VoiceError(
                f"sound card {self._card!r} took no sound for {STALL_S:.0f} s; "
                "the player was killed; check the card and its cable"
            )

    def _forget(self) -> None:
        if self._process is not None and self._process.stderr is not None:
            self._process.stderr.close()
        if self._file >= 0:
            os.close(self._file)
        self._process, self._file = None, -1


class RecorderSpeaker:
    """Notes what would be heard in played.jsonl, and is busy for as long."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "played.jsonl"
        self._until = 0

    def play(self, clip: Path) -> None:
        """Note `clip` as played."""
        at = boottime_ns()
        self._until = at + nanoseconds(length_s(clip))
        try:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            with self._record.open("a", encoding="utf-8") as record:
                record.write(json.dumps({"at": at, "clip": clip.stem}) + "\n")
        except OSError as error:
            raise VoiceError(f"cannot record in {self._record}: {error.strerror}") from error

    def stop(self) -> None:
        """No longer busy."""
        self._until = 0

    def busy(self) -> bool:
        """Whether the clip would still be heard."""
        return boottime_ns() < self._until


def length_s(clip: Path) -> float:
    """How long a WAV file plays (s). VoiceError when it is none."""
    try:
        with wave.open(str(clip)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (OSError, EOFError, wave.Error, ZeroDivisionError) as error:
        raise VoiceError(f"{clip} is no WAV file: {error}; run `redroad voice build`") from error


def has_sound_card() -> bool:
    """Whether `aplay -l` lists a card; without aplay there is none to use."""
    try:
        listed = subprocess.run(
            ["aplay", "-l"], capture_output=True, timeout=LIST_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(line.startswith(b"card ") for line in listed.stdout.splitlines())


def quiet_now(voice: Voice) -> bool:
    """Whether these are quiet hours by local time; never while the clock was not set."""
    return time_valid() and is_quiet(voice, datetime.now().time())


def is_quiet(voice: Voice, now: time) -> bool:
    """Whether `now` lies in the quiet hours, which may reach past midnight."""
    if voice.quiet_from is None or voice.quiet_to is None:
        return False
    return between(time.fromisoformat(voice.quiet_from), time.fromisoformat(voice.quiet_to), now)
