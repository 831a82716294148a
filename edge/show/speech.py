"""Speaking by pyttsx3 and espeak-ng, into a file.

All that works around pyttsx3 is in this file: it hangs, leaves words out and replaces an unknown
voice without an error (see `_speak`). So each text is spoken in a child process, with a time limit,
until two attempts agree.
"""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from edge.common.errors import VoiceError
from edge.common.pdeathsig import die_with_parent
from edge.site.overrides import Phrase

SPEAK_LIMIT_S = 20.0
ATTEMPTS = 5
SETTLE_S = 0.3
WORDS_PER_MINUTE = 150  # calm, and clear in an echoing street


def speak(phrase: Phrase, path: Path) -> None:
    """Write the spoken phrase to the WAV file `path`. VoiceError when no two attempts agree.

    espeak-ng speaks the same text in the same length each time; an attempt that lost words, or
    began before the rate was set, is shorter. An attempt may take SPEAK_LIMIT_S.
    """
    seen: list[int] = []
    for _ in range(ATTEMPTS):
        path.unlink(missing_ok=True)
        _speak_in_child(phrase, path)
        if path.stat().st_size in seen:
            return
        seen.append(path.stat().st_size)
    raise VoiceError(f"no two of {ATTEMPTS} attempts are of one length: {seen} bytes; try again")


def _speak_in_child(phrase: Phrase, path: Path) -> None:
    command = [sys.executable, "-m", "edge.show.speech", phrase.voice, str(path)]
    try:
        subprocess.run(
            command,
            input=phrase.text.encode(),
            capture_output=True,
            timeout=SPEAK_LIMIT_S,
            check=True,
            preexec_fn=die_with_parent,
        )
    except subprocess.TimeoutExpired as error:
        raise VoiceError(f"speaking took over {SPEAK_LIMIT_S:.0f} s and was ended") from error
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise VoiceError(f"{why[-1]}; is espeak-ng installed?") from error
    if not path.is_file():
        raise VoiceError("nothing was spoken; is espeak-ng installed?")


def _speak(voice: str, text: str, path: str) -> None:
    """Speak into a file: one text only, for of two queued ones pyttsx3 writes only the last."""
    import pyttsx3  # noqa: PLC0415  only the child process loads it

    signal.alarm(round(SPEAK_LIMIT_S))  # a parent that hangs cannot end a child that hangs

    engine = pyttsx3.init("espeak")
    time.sleep(SETTLE_S)  # its own first settings are still queued, and would replace these
    if voice not in {known.id for known in engine.getProperty("voices")}:
        raise SystemExit(f"espeak-ng has no voice {voice!r}")  # pyttsx3 would use another
    engine.setProperty("voice", voice)
    engine.setProperty("rate", WORDS_PER_MINUTE)
    written = threading.Event()
    engine.connect("finished-utterance", lambda **_: written.set())
    engine.save_to_file(text, path)
    engine.runAndWait()
    written.wait()  # it returns before a long text is spoken; the parent limits the wait


if __name__ == "__main__":
    _speak(sys.argv[1], sys.stdin.buffer.read().decode(), sys.argv[2])
