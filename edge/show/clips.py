"""Making the clips ahead of time: nothing is synthesised at warning time.

A clip is spoken by espeak-ng, or is the city's own recording of that name. Either is checked, made
as loud as the others, and preceded by silence and an attention signal.
"""

import difflib
import io
import wave
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from edge.common.atomic_write import atomic_write
from edge.common.errors import VoiceError
from edge.show.loudness import TARGET_DB, Samples, decibel, levelled, loudness_db
from edge.show.speech import speak
from edge.site.overrides import Phrase

RATES_HZ = (16000, 48000)  # at least, at most
SILENCE_S = 0.3  # an amplifier that wakes up swallows the beginning
TONES_HZ = (880.0, 660.0)  # the attention signal, high then low
TONE_S, PAUSE_S = 0.35, 0.25
TONE_PEAK = 0.5
# Speech is never faster than 25 characters a second: what is shorter has lost words.
SHORTEST_S_PER_CHARACTER = 0.04
SHORTEST_S, LONGEST_S = 1.0, 30.0
FAINTEST_DB = -45.0  # before levelling: below, more noise than speech would be heard
MOST_AT_FULL_SCALE = 0.001  # of a recording's samples: more were cut off
SPREAD_DB = 1.0  # how far a clip may stay from TARGET_DB


@dataclass(frozen=True)
class Clip:
    """A clip that was made: its length, its speech's loudness and its peak, dB of full scale."""

    name: str
    source: str
    length_s: float
    loudness_db: float
    peak_db: float

    def as_text(self) -> str:
        """Return the clip in one line, for `redroad voice build`."""
        return (
            f"{self.name}.wav {self.length_s:5.1f} s, loudness {self.loudness_db:5.1f} dB, "
            f"peak {self.peak_db:4.1f} dB, {self.source}"
        )


def build_clips(
    folder: Path,
    phrases: Mapping[str, Phrase],
    progress: Callable[[Clip], None] = lambda _clip: None,
    recordings: Path | None = None,
) -> None:
    """Make a clip of every phrase in `folder` as NAME.wav, and call `progress` after each.

    `recordings` holds the city's own: its NAME.wav replaces what espeak-ng would say. VoiceError
    names the clips that could not be made; those made before stay.
    """
    failed = [] if recordings is None else unknown_recordings(recordings, phrases)
    folder.mkdir(parents=True, exist_ok=True)
    for name, phrase in phrases.items():
        own = None if recordings is None else recordings / f"{name}.wav"
        try:
            progress(build_clip(folder / f"{name}.wav", phrase, own))
        except VoiceError as error:
            failed.append(f"clip {name}: {error}")
    if failed:
        raise VoiceError("\n".join(failed))


def lacking_clips(folder: Path, phrases: Mapping[str, Phrase]) -> list[str]:
    """Return the names of the clips that `folder` lacks, or has with other words than the site's.

    A clip that was recorded, or put there by hand, is not checked.
    """
    return [name for name, phrase in phrases.items() if not _is_there(folder / name, phrase)]


def _is_there(stem: Path, phrase: Phrase) -> bool:
    said = stem.with_suffix(".said")
    if not stem.with_suffix(".wav").is_file():
        return False
    return not said.is_file() or said.read_text(encoding="utf-8") == _said(phrase)


def _said(phrase: Phrase) -> str:
    return f"{phrase.voice}: {phrase.text}\n"


def unknown_recordings(recordings: Path, names: Iterable[str]) -> list[str]:
    """Return what is wrong with the folder of recordings: it is missing, or a name is unknown."""
    if not recordings.is_dir():
        return [f"voice.recordings: there is no folder {recordings}; make it, or take the line out"]
    known = sorted(names)
    lines = []
    for path in sorted(recordings.glob("*.wav")):
        if path.stem not in known:
            near = difflib.get_close_matches(path.stem, known, n=1, cutoff=0.5) or known[:1]
            lines.append(f"recording {path} is no warning's; did you mean {near[0]}.wav?")
    return lines


def build_clip(path: Path, phrase: Phrase, own: Path | None = None) -> Clip:
    """Make one clip in `path`, which is written only when the clip is good. VoiceError if not."""
    is_own = own is not None and own.is_file()
    if own is not None and is_own:
        source, (speech, rate) = f"recorded in {own}", read_sound(own)
        _judge(speech, rate, SHORTEST_S)
    else:
        source = f"spoken by {phrase.voice}"
        with TemporaryDirectory() as folder:
            raw = Path(folder) / "raw.wav"
            speak(phrase, raw)
            speech, rate = read_sound(raw)
        _judge(speech, rate, len(phrase.text) * SHORTEST_S_PER_CHARACTER)
    speech = levelled(speech, rate)
    loudness = loudness_db(speech, rate)
    if abs(loudness - TARGET_DB) > SPREAD_DB:
        raise VoiceError(
            f"{loudness:.1f} dB is as loud as it gets, must be {TARGET_DB:g} dB: it is clicks or "
            "bangs rather than speech; record it anew"
        )
    sound = compose(speech, rate)
    try:
        said = path.with_suffix(".said")
        atomic_write(path, _as_wav(sound, rate), lasting=True)
        if is_own:
            said.unlink(missing_ok=True)
        else:
            atomic_write(said, _said(phrase).encode(), lasting=True)
    except OSError as error:
        raise VoiceError(
            f"cannot write {path}: {error.strerror}; free or change the folder"
        ) from error
    peak = decibel(float(np.abs(sound).max()))
    return Clip(path.stem, source, len(sound) / rate, loudness, peak)


def compose(speech: Samples, rate: int) -> Samples:
    """Return silence, attention signal, pause and speech as one array of shape (samples,)."""
    tones = [_tone(hertz, rate) for hertz in TONES_HZ]
    pause = _silence(PAUSE_S, rate)
    return np.concatenate([_silence(SILENCE_S, rate), *tones, pause, speech, pause])


def read_sound(path: Path) -> tuple[Samples, int]:
    """Return a WAV file's sound and its rate (Hz): one channel, -1 to 1, shape (samples,).

    VoiceError when it is no 16-bit PCM of one or two channels.
    """
    try:
        with wave.open(str(path)) as sound:
            channels, width, rate = sound.getparams()[:3]
            frames = sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise VoiceError(f"{path.name} is no WAV file of PCM sound ({error})") from error
    least, most = RATES_HZ
    if channels not in {1, 2} or width != 2 or not least <= rate <= most:
        raise VoiceError(
            f"{path.name} has {channels} channels of {8 * width} bits at {rate} Hz, must have 1 or "
            f"2 of 16 bits at {least} to {most} Hz; convert it"
        )
    mixed = np.frombuffer(frames, "<i2").reshape(-1, channels).mean(axis=1)
    return mixed / 32768, rate


def _judge(speech: Samples, rate: int, shortest_s: float) -> None:
    length_s = len(speech) / rate
    if not shortest_s <= length_s <= LONGEST_S:
        raise VoiceError(
            f"speech lasts {length_s:.1f} s and must last {shortest_s:.1f} to {LONGEST_S:.0f} s: "
            "words are missing, or it never ends"
        )
    loudness = loudness_db(speech, rate)
    if loudness < FAINTEST_DB:
        raise VoiceError(f"speech is too faint: {loudness:.0f} dB, at least {FAINTEST_DB:.0f} dB")
    cut = float(np.mean(np.abs(speech) >= 0.999))
    if cut > MOST_AT_FULL_SCALE:
        raise VoiceError(
            f"{100 * cut:.1f} % of it is cut off at full scale, at most "
            f"{100 * MOST_AT_FULL_SCALE:.1f} % may be; record it less loud"
        )


def _silence(length_s: float, rate: int) -> Samples:
    return np.zeros(round(length_s * rate))


def _tone(hertz: float, rate: int) -> Samples:
    """A tone that swells and fades within 20 ms: an abrupt one clicks."""
    at = np.arange(round(TONE_S * rate)) / rate
    swell = np.clip(np.minimum(at, TONE_S - at) / 0.02, 0.0, 1.0)
    return np.asarray(TONE_PEAK * swell * np.sin(2 * np.pi * hertz * at))


def _as_wav(samples: Samples, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        sound.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()
