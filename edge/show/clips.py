"""Making the clips ahead of time: nothing is synthesised at warning time.

pyttsx3 hangs, leaves words out and takes wrong voices in silence (see the traps in `_speak`). So
each clip is spoken in a child process with a time limit, and judged before it counts.
"""

import signal
import subprocess
import sys
import threading
import wave
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from edge.errors import VoiceError
from edge.words import Phrase

RATE_HZ = 22050
SPEAK_LIMIT_S = 20.0
SILENCE_S = 0.3  # an amplifier that wakes up swallows the beginning
TONES_HZ = (880.0, 660.0)  # the attention signal, high then low
TONE_S, PAUSE_S = 0.35, 0.25
PEAK = 0.89  # -1 dB below full scale
TONE_PEAK = 0.5
# Speech is never faster than 25 characters a second: what is shorter has lost words.
SHORTEST_S_PER_CHARACTER = 0.04
LONGEST_S = 30.0
FAINTEST_RMS = 0.03  # of speech normalised to PEAK; a click in silence is below

Samples = NDArray[np.float64]


def build_clips(
    folder: Path,
    phrases: Mapping[str, Phrase],
    progress: Callable[[str], None] = lambda _name: None,
) -> None:
    """Make a clip of every phrase in `folder` as NAME.wav; `progress(name)` after each.

    VoiceError names the clips that could not be made; those made before stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for name, phrase in phrases.items():
        try:
            build_clip(folder / f"{name}.wav", phrase)
        except VoiceError as error:
            failed.append(f"clip {name}: {error}")
        else:
            progress(name)
    if failed:
        raise VoiceError("\n".join(failed))


def missing_clips(folder: Path, names: Iterable[str]) -> list[str]:
    """The names of the clips that `folder` lacks."""
    return [name for name in names if not (folder / f"{name}.wav").is_file()]


def build_clip(path: Path, phrase: Phrase) -> None:
    """Make one clip; `path` is only ever a whole and good one."""
    with TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.wav"
        _speak_in_child(phrase, raw)
        speech = read_speech(raw, len(phrase.text))
    draft = path.with_suffix(".new")
    try:
        _write(draft, compose(speech))
        draft.replace(path)
    except OSError as error:
        raise VoiceError(
            f"cannot write {path}: {error.strerror}; free or change the folder"
        ) from error


def compose(speech: Samples) -> Samples:
    """Silence, attention signal, pause and speech, which is made as loud as it goes unclipped."""
    tones = [_tone(hertz) for hertz in TONES_HZ]
    loud = speech * (PEAK / np.abs(speech).max())
    return np.concatenate([_silence(SILENCE_S), *tones, _silence(PAUSE_S), loud, _silence(PAUSE_S)])


def read_speech(path: Path, characters: int) -> Samples:
    """The speech in a WAV file, -1 to 1. VoiceError when it cannot be all of a text that long."""
    try:
        with wave.open(str(path)) as sound:
            form = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
            frames = sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise VoiceError(f"nothing usable was spoken ({error}); is espeak-ng installed?") from error
    if form != (1, 2, RATE_HZ):
        raise VoiceError(f"channels, bytes, rate are {form} and must be (1, 2, {RATE_HZ})")
    speech = np.frombuffer(frames, "<i2").astype(np.float64) / 32768
    _judge(speech, characters)
    return speech


def _judge(speech: Samples, characters: int) -> None:
    length_s = len(speech) / RATE_HZ
    shortest_s = characters * SHORTEST_S_PER_CHARACTER
    if not shortest_s <= length_s <= LONGEST_S:
        raise VoiceError(
            f"speech lasts {length_s:.1f} s and must last {shortest_s:.1f} to {LONGEST_S:.0f} s: "
            "words are missing, or it never ends"
        )
    peak = float(np.abs(speech).max())
    loudness = float(np.sqrt(np.mean(speech**2))) * PEAK / peak if peak else 0.0
    if loudness < FAINTEST_RMS:
        raise VoiceError(
            f"speech is too faint: {loudness:.3f} of full scale, at least {FAINTEST_RMS}"
        )


def _speak_in_child(phrase: Phrase, path: Path) -> None:
    command = [sys.executable, "-m", "edge.show.clips", phrase.voice, str(path)]
    try:
        subprocess.run(
            command,
            input=phrase.text.encode(),
            capture_output=True,
            timeout=SPEAK_LIMIT_S,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise VoiceError(f"speaking took over {SPEAK_LIMIT_S:.0f} s and was ended") from error
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise VoiceError(f"{why[-1]}; is espeak-ng installed?") from error


def _speak(voice: str, text: str, path: str) -> None:
    """Speak into a file: one text only, for of two queued ones pyttsx3 writes only the last."""
    import pyttsx3  # noqa: PLC0415  only the child process loads it

    signal.alarm(round(SPEAK_LIMIT_S))  # a parent that was killed cannot end a child that hangs

    engine = pyttsx3.init("espeak")
    if voice not in {known.id for known in engine.getProperty("voices")}:
        raise SystemExit(f"espeak-ng has no voice {voice!r}")  # pyttsx3 would take another
    engine.setProperty("voice", voice)
    engine.setProperty("rate", 150)  # words per minute: calm, and clear in an echoing street
    written = threading.Event()
    engine.connect("finished-utterance", lambda **_: written.set())
    engine.save_to_file(text, path)
    engine.runAndWait()
    written.wait()  # it returns before a long text is spoken; our parent limits the wait


def _silence(length_s: float) -> Samples:
    return np.zeros(round(length_s * RATE_HZ))


def _tone(hertz: float) -> Samples:
    """A tone that swells and fades within 20 ms: an abrupt one clicks."""
    at = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
    swell = np.clip(np.minimum(at, TONE_S - at) / 0.02, 0.0, 1.0)
    return np.asarray(TONE_PEAK * swell * np.sin(2 * np.pi * hertz * at))


def _write(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes((samples * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    _speak(sys.argv[1], sys.stdin.buffer.read().decode(), sys.argv[2])
