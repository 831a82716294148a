"""Clips for tests: the product's own, made once for all of them, and short ones of silence."""

import shutil
import wave
from pathlib import Path

from edge.commands.voice import build_voice
from edge.common.program import Paths
from edge.show.parts import clips_folder
from edge.site import Site
from hil.testkit.locked import locked

MADE = Path(__file__).parents[2] / "build" / "voice"


def put_clips(folder: Path) -> None:
    """Copy the clips of the embedded defaults into `folder`, which must not exist yet.

    To speak them takes a quarter of a minute of a processor, for each unit that starts without.
    They are made anew where their words have changed.
    """
    with locked(MADE):
        paths = Paths(MADE / "run", MADE / "state")
        build_voice(Site(), paths, lambda _line: None, missing=True)
        shutil.copytree(clips_folder(Site(), paths), folder)


def make_clip(path: Path, length_s: float = 0.3) -> Path:
    """A WAV file of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22050)
        sound.writeframes(bytes(2 * round(22050 * length_s)))
    return path
