"""A program that only takes notes, and clips short enough for tests."""

import wave
from pathlib import Path

import pytest

from edge.site import Site
from edge.words import phrases_of


def make_clip(path: Path, length_s: float = 0.3) -> Path:
    """A WAV file of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22050)
        sound.writeframes(bytes(2 * round(22050 * length_s)))
    return path


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with a short clip for every phrase."""
    for name in phrases_of(Site()):
        make_clip(tmp_path / "clips" / f"{name}.wav")
    return tmp_path / "clips"
