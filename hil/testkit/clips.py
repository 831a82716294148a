"""Clips short enough for tests."""

import wave
from pathlib import Path


def make_clip(path: Path, length_s: float = 0.3) -> Path:
    """A WAV file of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22050)
        sound.writeframes(bytes(2 * round(22050 * length_s)))
    return path
