"""Loudspeaker and clips."""

import math
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import time as clock
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.errors import SiteError, VoiceError
from edge.common.wire import Level
from edge.show.clips import SILENCE_S, Clip, build_clip, build_clips, lacking_clips
from edge.show.loudness import PEAK_DB, TARGET_DB, levelled
from edge.show.voice import (
    AplaySpeaker,
    RecorderSpeaker,
    Speaker,
    has_sound_card,
    is_quiet,
    volume_at,
)
from edge.site import load_site
from edge.site.outputs import Voice
from edge.site.overrides import Phrase, phrases_of
from edge.site.schema import Site
from hil.testkit.clips import make_clip

RATE = 22050
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


def test_a_busy_or_missing_card_is_reported_in_its_own_words(
    tmp_path: Path, fake_tool: FakeTool
) -> None:
    fake_tool("aplay", "echo 'audio open error: Device or resource busy' >&2; exit 1")
    speaker = AplaySpeaker("usb")
    speaker.play(make_clip(tmp_path / "a.wav"))
    with pytest.raises(VoiceError, match="'usb': audio open error: Device or resource busy"):
        wait_idle(speaker)
    assert not speaker.busy()


def test_a_card_that_is_busy_for_a_moment_is_waited_for(
    tmp_path: Path, fake_tool: FakeTool
) -> None:
    """As it is while `redroad check` tries it."""
    once = f'mkdir "{tmp_path}/tried" 2>/dev/null'
    fake_tool("aplay", f"{once} && echo 'Device or resource busy' >&2 && exit 1; cat > /dev/null")
    speaker = AplaySpeaker("usb")
    speaker.play(make_clip(tmp_path / "a.wav"))
    wait_idle(speaker)
    assert (tmp_path / "tried").exists()


def test_a_card_that_plays_too_slowly_is_a_fault(tmp_path: Path, fake_tool: FakeTool) -> None:
    """It goes on taking sound, and would never end."""
    fake_tool("aplay", "while head -c 1000 > /dev/null; do sleep 1; done")
    speaker = AplaySpeaker("usb")
    speaker.play(make_clip(tmp_path / "a.wav", 1.0))
    with pytest.raises(VoiceError, match="plays too slowly; the player was killed"):
        wait_idle(speaker)


def test_volume_makes_what_the_card_gets_quieter(tmp_path: Path, fake_tool: FakeTool) -> None:
    fake_tool("aplay", f'cat > "{tmp_path}/heard.wav"')
    clip = tmp_path / "tone.wav"
    subprocess.run(
        ["sox", "-n", "-r", "22050", "-b", "16", clip, "synth", "1", "sine", "440"], check=True
    )
    speaker = AplaySpeaker("usb")
    peaks = []
    for volume in (100, 40):
        speaker.play(clip, volume)
        wait_idle(speaker)
        peaks.append(figures(tmp_path / "heard.wav")["Pk lev dB"])
    assert peaks[0] - peaks[1] == pytest.approx(20 * math.log10(100 / 40), abs=0.1)


def test_a_clip_that_was_cut_off_within_a_sample_is_played_as_far_as_it_goes(
    tmp_path: Path, fake_tool: FakeTool
) -> None:
    fake_tool("aplay", f'cat > "{tmp_path}/heard.wav"')
    clip = tmp_path / "tone.wav"
    subprocess.run(["sox", "-n", "-r", "22050", "-b", "16", clip, "synth", "1", "sine"], check=True)
    clip.write_bytes(clip.read_bytes()[:-1001])
    speaker = AplaySpeaker("usb")
    speaker.play(clip, 40)
    wait_idle(speaker)
    assert figures(tmp_path / "heard.wav")


def test_an_aplay_that_hangs_is_no_card_and_holds_nobody_up(fake_tool: FakeTool) -> None:
    fake_tool("aplay", "trap '' TERM; sleep 30")
    began = time.monotonic()
    assert not has_sound_card()
    assert time.monotonic() - began < 5.0


NIGHT = Voice(
    quiet_from="22:00", quiet_to="07:00", night_volume=40, night_from="20:00", night_to="08:00"
)


def test_quiet_hours_may_reach_past_midnight() -> None:
    quiet = [is_quiet(NIGHT, clock(hour)) for hour in (21, 22, 3, 7)]
    assert quiet == [False, True, True, False]
    assert not is_quiet(Voice(), clock(3))
    assert not is_quiet(NIGHT, None)  # the clock was not set


def test_at_night_the_voice_is_lowered_but_not_at_critical() -> None:
    levels = (Level.CROWDED, Level.CRITICAL)
    assert [volume_at(NIGHT, level, clock(21)) for level in levels] == [40, 100]
    assert [volume_at(NIGHT, level, clock(12)) for level in levels] == [100, 100]
    assert volume_at(NIGHT, Level.CROWDED, None) == 100


def figures(clip: Path, *effects: str) -> dict[str, float]:
    """What SoX finds in a clip: its own figures, not ours."""
    if shutil.which("sox") is None:
        pytest.skip("no SoX on this machine")
    command = ["sox", str(clip), "-n", *effects, "stats"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    lines = [re.split(r" {2,}", line) for line in told.splitlines()]
    return {line[0]: float(line[1]) for line in lines if len(line) > 1 and _is_number(line[1])}


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?(\d+(\.\d+)?|inf)", text) is not None


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Clip]]:
    """All clips of the demonstration, made by the real espeak-ng."""
    folder, made = tmp_path_factory.mktemp("voice"), dict[str, Clip]()
    build_clips(folder, phrases_of(Site()), lambda clip: made.update({clip.name: clip}))
    return folder, made


SPEECH_FROM_S = SILENCE_S + 2 * 0.35 + 0.25


@pytest.mark.slow
@pytest.mark.parametrize("name", phrases_of(Site()))
def test_every_clip_leads_with_silence_and_a_tone_and_is_as_loud_as_the_others(
    name: str, spoken: tuple[Path, dict[str, Clip]]
) -> None:
    folder, made = spoken
    clip = folder / f"{name}.wav"
    whole, speech = figures(clip), figures(clip, "trim", str(SPEECH_FROM_S))
    assert 5 < whole["Length s"] < 20
    assert whole["Length s"] == pytest.approx(made[name].length_s, abs=0.01)
    assert figures(clip, "trim", "0", str(SILENCE_S - 0.001))["Pk lev dB"] == -math.inf
    tone = figures(clip, "trim", str(SILENCE_S), "0.7")
    assert -10 < tone["RMS lev dB"] < -6
    assert whole["Pk lev dB"] <= PEAK_DB + 0.05  # so nothing is clipped
    assert -20 < speech["RMS lev dB"] < -15
    assert made[name].loudness_db == pytest.approx(TARGET_DB, abs=0.5)


def recorded(path: Path, *effects: str, rate: int = 44100) -> Path:
    """A recording in stereo, of noise as loud and as long as the effects make it."""
    path.parent.mkdir(exist_ok=True)
    command = ["sox", "-n", "-r", str(rate), "-c", "2", "-b", "16", str(path), "synth"]
    subprocess.run([*command, *effects], check=True, capture_output=True)
    return path


def test_a_city_s_own_recording_takes_the_place_of_a_clip(tmp_path: Path) -> None:
    own = tmp_path / "own"
    recorded(own / "critical-ko.wav", "4", "pinknoise", "tremolo", "5", "vol", "-25", "dB")
    phrases = {n: p for n, p in phrases_of(Site()).items() if n in {"critical-ko", "critical-en"}}
    made: list[Clip] = []
    build_clips(tmp_path / "clips", phrases, made.append, own)
    assert [clip.source.split()[0] for clip in made] == ["recorded", "spoken"]
    found = figures(tmp_path / "clips" / "critical-ko.wav")
    assert found["Length s"] == pytest.approx(4 + SPEECH_FROM_S + 0.25, abs=0.01)
    assert found["Pk lev dB"] <= PEAK_DB + 0.05
    assert made[0].loudness_db == pytest.approx(TARGET_DB, abs=0.5)


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        (("4", "pinknoise", "vol", "-60", "dB"), "too faint"),
        (("4", "sine", "300", "gain", "20"), "cut off at full scale"),
        (("0.4", "pinknoise"), "lasts 0.4 s and must last 1.0 to 30 s"),
    ],
)
def test_a_recording_that_is_no_good_is_refused(
    tmp_path: Path, effects: tuple[str, ...], words: str
) -> None:
    own = recorded(tmp_path / "own" / "critical-ko.wav", *effects)
    with pytest.raises(VoiceError, match=words):
        build_clip(tmp_path / "critical-ko.wav", Phrase("ko", "안녕"), own)
    assert not (tmp_path / "critical-ko.wav").exists()


def test_a_recording_by_a_name_of_no_clip_is_reported(tmp_path: Path) -> None:
    own = recorded(tmp_path / "own" / "critcal-ko.wav", "2", "pinknoise")
    phrases = {"critical-ko": Phrase("ko", "더 이상 들어오지 마세요.")}
    with pytest.raises(
        VoiceError, match=r"critcal-ko\.wav is no .*; did you mean critical-ko\.wav"
    ):
        build_clips(tmp_path / "clips", phrases, recordings=own.parent)


def test_building_does_not_finish_with_a_clip_missing(tmp_path: Path) -> None:
    phrases = {
        "a": Phrase("ko", "더 이상 들어오지 마세요."),
        "b": Phrase("xx", "hello"),
        "c": Phrase("ko", "천천히 걸어 주시기 바랍니다."),
    }
    with pytest.raises(VoiceError, match="clip b: espeak-ng has no voice 'xx'"):
        build_clips(tmp_path, phrases)
    assert lacking_clips(tmp_path, phrases) == ["b"]  # the others are there


def test_a_clip_whose_words_have_changed_is_made_again(tmp_path: Path) -> None:
    phrases = {"a": Phrase("ko", "더 이상 들어오지 마세요."), "own": Phrase("ko", "안녕하세요.")}
    make_clip(tmp_path / "own.wav")  # put there by hand
    build_clips(tmp_path, {"a": phrases["a"]})
    assert lacking_clips(tmp_path, phrases) == []
    assert lacking_clips(tmp_path, {**phrases, "a": Phrase("ko", "돌아가 주세요.")}) == ["a"]


def test_a_clip_that_could_not_be_made_again_is_still_lacking(tmp_path: Path) -> None:
    """Else the old words, which are still there, would pass for a recording."""
    build_clips(tmp_path, {"a": Phrase("ko", "안녕하세요.")})
    changed = {"a": Phrase("ko", "돌아가 주세요.")}
    (tmp_path / "a.wav.new").mkdir()  # in the way of the new one
    with pytest.raises(VoiceError, match=r"cannot write .*a\.wav"):
        build_clips(tmp_path, changed)
    assert lacking_clips(tmp_path, changed) == ["a"]


def test_words_missing_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a text that is too short for its characters, and by attempts that differ."""

    def hurried(_phrase: Phrase, path: Path) -> None:
        make_clip(path, 0.5 + len(list(tmp_path.iterdir())))
        (tmp_path / f"attempt-{len(list(tmp_path.iterdir()))}").touch()

    monkeypatch.setattr("edge.show.speech._speak_in_child", hurried)
    with pytest.raises(VoiceError, match="no two of 5 attempts are of one length"):
        build_clip(tmp_path / "a.wav", Phrase("ko", "x" * 100))
    monkeypatch.setattr(
        "edge.show.speech._speak_in_child", lambda _phrase, path: make_clip(path, 0.5)
    )
    with pytest.raises(VoiceError, match="words are missing"):
        build_clip(tmp_path / "a.wav", Phrase("ko", "x" * 100))


@given(st.floats(0.001, 50.0), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_levelling_never_clips(gain: float, seed: int) -> None:
    """Speech-like: noise in syllables, with a bang in its midst."""
    random = np.random.default_rng(seed)
    at = np.arange(2 * RATE) / RATE
    speech = random.normal(0, 0.1, 2 * RATE) * (np.sin(2 * np.pi * 4 * at) > 0)
    speech[RATE] = 1.0
    assert np.abs(levelled(speech * gain, RATE)).max() <= 10 ** (PEAK_DB / 20) + 1e-9


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[voice]\ncard = "hw:0"\n', "by its number"),
        ('[voice]\ncard = "plughw:CARD=1,DEV=0"\n', "by its number"),
        ('[voice]\ncard = "1"\n', "by its number"),
        ("[voice]\nnight_volume = 40\n", "go together"),
        ('[voice]\nquiet_from = "22:00"\n', "one is missing"),
        ("[voice]\nvolume = 0\n", "at least 1"),
    ],
)
def test_a_voice_that_cannot_be_gets_one_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError, match=line) as caught:
        load_site(file)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("card", ["default", "plughw:CARD=Device", "plughw:CARD=USB2,DEV=0"])
def test_a_card_by_name_is_taken(card: str) -> None:
    assert Voice(card=card).card == card
