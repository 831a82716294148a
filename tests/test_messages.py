"""Every cell of the table of messages, on every panel that is sold: present, legible, spoken."""

import re
import subprocess
from itertools import product
from pathlib import Path

import pytest

from edge.common.errors import SiteError
from edge.common.wire import Level
from edge.decide.orders import order_for, pages_of
from edge.messages import ALERTS, MESSAGES, NEUTRAL, ROWS, TEST, VOICES, MessageRow
from edge.show.beacon import PATTERNS
from edge.show.layout import letter_height, render
from edge.site import Site, load_site
from edge.site.outputs import Beacon, Colours, Sign, Voice
from edge.site.overrides import phrases_of, words_of

PANELS = [(64, 32), (96, 48), (128, 64), (192, 96), (384, 192)]
WORDS = {row.name: row.words for row in MESSAGES.values() if row.words}
CELLS = list(product(WORDS, VOICES))
CYCLE_S = 8.0
SHORTEST_WARNING = 20  # characters: a warning says what is wrong and what to do


def on_panel(size: tuple[int, int], languages: list[str] | None = None) -> Site:
    width, height = size
    chosen = {} if languages is None else {"languages": languages}
    return Site(sign=Sign(width=width, height=height, **chosen))  # type: ignore[arg-type]


def test_every_level_that_is_known_has_a_row_in_every_language() -> None:
    assert set(MESSAGES) == set(Level)
    assert {row.name for row in MESSAGES.values()} - set(WORDS) == {"neutral"}
    for message, row in WORDS.items():
        assert row.keys() == VOICES.keys(), message


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_a_row_has_colours_a_known_pattern_and_words_or_lines(row: MessageRow) -> None:
    for colour in (row.colour, *row.cycle):
        assert re.fullmatch(r"#[0-9a-f]{6}", colour)
    assert row.beacon in PATTERNS
    assert bool(row.words) != bool(row.lines)
    assert row.spoken == (row.name in Voice().spoken)


def test_neutral_and_test_are_rows_that_claim_nothing() -> None:
    assert MESSAGES[Level.UNKNOWN] is NEUTRAL
    assert (NEUTRAL.beacon, NEUTRAL.priority, TEST.priority) == ("off", 0, 0)
    assert not NEUTRAL.spoken and not TEST.spoken


@pytest.mark.parametrize(("message", "language"), CELLS)
def test_a_cell_says_something_and_warnings_are_spoken(message: str, language: str) -> None:
    words = WORDS[message][language]
    assert words.headline.strip() and words.action.strip() and words.short.strip()
    spoken = message in Voice().spoken
    assert bool(words.spoken) == spoken
    assert not spoken or len(words.spoken) >= SHORTEST_WARNING


@pytest.mark.parametrize("size", PANELS)
@pytest.mark.parametrize("message", MESSAGES.values(), ids=lambda m: m.name)
def test_a_message_fits_in_two_pages_and_one_cycle(message, size) -> None:  # type: ignore[no-untyped-def]
    for languages in (None, ["ko"], ["en", "zh"], ["ja", "ko", "en"]):
        site = on_panel(size, languages)
        pages = pages_of(message, site)
        assert 1 <= len(pages) <= 2
        assert sum(page.seconds for page in pages) <= CYCLE_S
        for page in pages:
            image = render(page, *size)
            assert image.getbbox() is not None
            assert letter_height(page, *size) >= 7


@pytest.mark.parametrize(("message", "language"), CELLS)
def test_every_language_is_shown_whole_when_four_share_the_panel(
    message: str, language: str
) -> None:
    level = next(level for level, row in MESSAGES.items() if row.name == message)
    words = WORDS[message][language]
    small = order_for(level, on_panel((128, 64)), 1)
    large = order_for(level, on_panel((192, 96)), 1)
    assert words.short in [line for page in small.pages for line in page.lines]
    assert {words.headline, words.action} <= {line for page in large.pages for line in page.lines}


def test_every_clip_that_an_order_names_has_its_phrase() -> None:
    site = Site()
    named = {clip for level in Level for clip in order_for(level, site, 1).clips}
    assert named == phrases_of(site).keys()
    assert {phrase.voice for phrase in phrases_of(site).values()} == set(VOICES.values())


@pytest.mark.parametrize("language", VOICES)
def test_every_warning_is_spoken_as_words_of_its_language(language: str) -> None:
    """espeak-ng marks a change to another language in its phonemes; so it would spell a letter."""
    voice = VOICES[language].rpartition("/")[2]
    for message, row in WORDS.items():
        said = subprocess.run(
            ["espeak-ng", "-q", "-x", "-v", voice, row[language].spoken],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert bool(said.strip()) == bool(row[language].spoken)
        assert not re.search(r"\([a-z-]+\)", said), message


def test_japanese_is_spoken_from_kana_with_particles_as_they_sound() -> None:
    for message, row in WORDS.items():
        assert not re.search(r"[\u4e00-\u9fff]", row["ja"].spoken), message
        assert not re.search(r"[はへ]、", row["ja"].spoken), message


def test_every_chinese_character_is_spoken_with_its_tone() -> None:
    for row in WORDS.values():
        said = subprocess.run(
            ["espeak-ng", "-q", "-x", "-v", "cmn-latn-pinyin", row["zh"].spoken],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        characters = len(re.findall(r"[\u4e00-\u9fff]", row["zh"].spoken))
        assert len(re.findall(r"\d_\||\d\d", said)) >= characters


def test_a_site_says_it_in_its_own_words(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(
        '[words.critical.ko]\nshort = "들어오지 마세요"\nspoken = "위험합니다. 들어오지 마세요."\n',
        encoding="utf-8",
    )
    site = load_site(file)
    own, shipped = words_of(site, "critical", "ko"), WORDS["critical"]["ko"]
    assert (own.short, own.headline) == ("들어오지 마세요", shipped.headline)
    assert phrases_of(site)["critical-ko"].text == "위험합니다. 들어오지 마세요."
    assert pages_of(MESSAGES[Level.CRITICAL], site)[0].lines[0] == "들어오지 마세요"


def test_a_site_chooses_patterns_spoken_levels_and_how_long_a_page_stands() -> None:
    site = Site(
        sign=Sign(page_s=4.0),
        beacon=Beacon(patterns={"caution": "off"}),
        voice=Voice(spoken=["critical"]),
    )
    caution, critical = (order_for(level, site, 1) for level in (Level.CAUTION, Level.CRITICAL))
    assert (caution.beacon, caution.clips, caution.pages[0].seconds) == ("off", (), 4.0)
    assert (critical.beacon, len(critical.clips)) == ("fast", 4)
    assert {name.split("-")[0] for name in phrases_of(site)} == {"critical"}


def test_a_site_has_its_own_colours_and_may_forbid_flashing() -> None:
    site = Site(sign=Sign(colours=Colours(critical="#ffffff")), beacon=Beacon(flashing=False))
    assert order_for(Level.CRITICAL, site, 1).pages[0].colour == "#ffffff"
    assert [order_for(level, site, 1).beacon for level in (Level.CRITICAL, Level.CLEAR)] == [
        "steady",
        "off",
    ]
    assert {order_for(level, Site(), 1).beacon for level in Level} <= set(PATTERNS)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[words.critcal.ko]\nshort = "x"\n', "critcal"),
        ('[words.critical.kr]\nshort = "x"\n', "kr"),
        ('[words.critical.ko]\nshrt = "x"\n', "shrt"),
        ('[words.critical.ko]\nshort = ""\n', "short"),
        ('[sign]\nlanguages = ["ko", "ko"]\n', "twice"),
        ("[sign]\nlanguages = []\n", "languages"),
        ('[voice]\nspoken = ["crowded"]\n', "always spoken"),
        ('[beacon.patterns]\ncaution = "disco"\n', "patterns.caution"),
    ],
)
def test_a_bad_wording_gets_one_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError, match=line) as caught:
        load_site(file)
    assert len(str(caught.value).splitlines()) == 1


def test_an_alert_says_the_same_in_korean_and_english() -> None:
    """Every sentence is there, and names the same figures."""
    korean, english = ({**vars(words)} for words in (ALERTS["ko"], ALERTS["en"]))
    assert (korean.pop("language"), english.pop("language")) == ("ko-KR", "en-US")
    names = re.compile(r"\{(\w+)\}")
    for part, words in korean.items():
        assert words.strip() and english[part].strip()
        assert re.search("[가-힣]", words) and english[part].isascii() != ("²" in english[part])
        asked = {"critical"} if part == "ended" else set()
        assert set(names.findall(words)) | asked == set(names.findall(english[part])) | asked
