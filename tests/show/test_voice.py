"""Loudspeaker and clips."""

import time
from collections.abc import Callable
from datetime import time as clock
from pathlib import Path

import numpy as np
import pytest

from edge.errors import VoiceError
from edge.show.clips import PEAK, RATE_HZ, SILENCE_S, build_clip, compose, read_speech
from edge.show.voice import AplaySpeaker, RecorderSpeaker, Speaker, is_quiet, length_s
from edge.site.schema import Site, Voice
from edge.words import Phrase, phrases_of
from tests.show.conftest import make_clip

FakeTool = Callable[[str, str], None]


def wait_idle(speaker: Speaker) -> None:
    end = time.monotonic() + 8
    while speaker.busy():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["aplay", "recorder"])
def test_a_speaker_is_busy_until_the_clip_ends(
    kind: str, tmp_path: Path, fake_tool: FakeTool
) -> None:
    fake_tool("aplay", "sleep 0.3; cat > /dev/null")
    speaker: Speaker = AplaySpeaker("x") if kind == "aplay" else RecorderSpeaker(tmp_path)
    speaker.play(make_clip(tmp_path / "a.wav"))
    assert speaker.busy()
    wait_idle(speaker)
    speaker.play(make_clip(tmp_path / "a.wav", 5))
    speaker.stop()
    assert not speaker.busy()


def test_a_busy_or_missing_card_is_told_in_its_own_words(
    tmp_path: Path, fake_tool: FakeTool
) -> None:
    fake_tool("aplay", "echo 'audio open error: Device or resource busy' >&2; exit 1")
    speaker = AplaySpeaker("usb")
    speaker.play(make_clip(tmp_path / "a.wav"))
    with pytest.raises(VoiceError, match="'usb': audio open error: Device or resource busy"):
        wait_idle(speaker)
    assert not speaker.busy()


def test_quiet_hours_may_reach_past_midnight() -> None:
    night = Voice(quiet_from="22:00", quiet_to="07:00")
    assert [is_quiet(night, clock(hour)) for hour in (21, 22, 3, 7)] == [False, True, True, False]
    assert not is_quiet(Voice(), clock(3))


@pytest.mark.parametrize("name", ["critical-ko", "critical-en", "critical-ja", "critical-zh"])
def test_a_clip_is_made_with_silence_signal_and_loud_unclipped_speech(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.wav"
    build_clip(path, phrases_of(Site())[name])
    assert 4 < length_s(path) < 20
    samples = np.frombuffer(path.read_bytes()[44:], "<i2") / 32768
    assert not samples[: int(SILENCE_S * RATE_HZ)].any()
    assert PEAK - 0.02 < np.abs(samples).max() < PEAK + 0.02


def test_a_voice_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="no voice 'xx'"):
        build_clip(tmp_path / "a.wav", Phrase("xx", "hello"))
    assert list(tmp_path.iterdir()) == []


def test_words_missing_and_silence_are_noticed(tmp_path: Path) -> None:
    short = make_clip(tmp_path / "a.wav", 0.5)
    with pytest.raises(VoiceError, match="words are missing"):
        read_speech(short, 100)
    with pytest.raises(VoiceError, match="too faint"):
        read_speech(short, 5)


def test_composing_never_clips() -> None:
    loud = np.sin(np.arange(RATE_HZ)) * 3
    assert np.abs(compose(loud)).max() <= PEAK + 1e-9
