"""Lines of `redroad check` that need no device."""

from pathlib import Path

import pytest

from edge.check import Finding, check_all


def texts(tmp_path: Path, options: str) -> Finding:
    file = tmp_path / "site.toml"
    file.write_text(f'[sign]\npanel = "recorder"\n{options}', encoding="utf-8")
    return next(line for line in check_all(file, tmp_path / "state") if line.part == "texts")


@pytest.mark.parametrize(
    ("pitch", "ok", "words"),
    [(4.0, True, "72 mm high, 50 are needed"), (2.0, False, "36 mm high, must be 50 mm")],
)
def test_letters_too_small_for_their_distance_are_a_fault(
    tmp_path: Path, pitch: float, ok: bool, words: str
) -> None:
    found = texts(tmp_path, f"pixel_pitch_mm = {pitch}\nviewing_distance_m = 20.0\n")
    assert (found.ok, words in found.text) == (ok, True)


def test_a_text_that_does_not_fit_is_named(tmp_path: Path) -> None:
    found = texts(tmp_path, 'neutral = ["aLineWithoutAnyPlaceWhereItMayBreak"]\nwidth = 64\n')
    assert not found.ok
    assert "'aLineWithoutAnyPlaceWhereItMayBreak' does not fit" in found.text
