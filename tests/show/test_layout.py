"""Pages as pixels."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

import edge.show
from edge.common.errors import LayoutError
from edge.common.wire import Page
from edge.decide.orders import pages_of
from edge.messages import MESSAGES
from edge.show.layout import Setting, _faces, _set, letter_height, render, render_clipped
from edge.site.outputs import Language, Sign
from edge.site.schema import Site

FONTS = Path(edge.show.__path__[0]) / "fonts"

SIZES = [(64, 32), (96, 48), (128, 64), (192, 96), (384, 192)]
PAGES = [
    Page(tuple(Site().sign.neutral), "#c8c8c8"),
    Page(("매우 혼잡", "진입 금지"), "#ff2020"),
    Page(("DANGER", "DO NOT", "ENTER"), "#ff2020"),
    Page(("混雑", "ゆっくり"), "#ffb000"),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.lines[0])
def test_a_page_fills_the_panel_and_is_centred(page: Page, size: tuple[int, int]) -> None:
    image = render(page, *size)
    assert image.size == size and image.mode == "RGB"
    left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
    assert abs(left - (size[0] - right)) <= 2 + size[0] // 32
    assert abs(top - (size[1] - bottom)) <= 2 + size[1] // 16
    assert (right - left) * 1.8 > size[0] or (bottom - top) * 1.5 > size[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.lines[0])
def test_leds_are_on_or_off(page: Page) -> None:
    colours = render(page, 128, 64).getcolors() or []
    assert {colour for _, colour in colours} == {
        (0, 0, 0),
        tuple(bytes.fromhex(page.colour[1:])),
    }


def test_a_line_too_wide_is_named_with_the_panel() -> None:
    page = Page(("short", "aLineWithoutAPlaceToBreakIt"), "#ffffff")
    with pytest.raises(
        LayoutError, match=r"'aLineWithoutAPlaceToBreakIt' does not fit .* 64 x 32 px"
    ):
        render(page, 64, 32)


def test_a_character_without_a_glyph_is_named() -> None:
    with pytest.raises(LayoutError, match="no font has the characters '\U0001f6b6' of 'walk"):
        render(Page(("walk \U0001f6b6",), "#ffffff"), 128, 64)


def test_lines_of_several_scripts_stand_on_one_page_in_letters_of_like_height() -> None:
    page = Page(("혼잡", "CROWDED", "拥挤", "混雑"), "#ff6a00")
    assert render(page, 192, 96).getbbox() is not None
    assert letter_height(page, 192, 96) >= 15


LANGUAGES: list[list[Language]] = [["ko", "en", "zh", "ja"], ["zh"], ["ja"]]
ALL_LINES = sorted(
    {
        line
        for message in MESSAGES.values()
        for size in SIZES
        for languages in LANGUAGES
        for page in pages_of(
            message, Site(sign=Sign(width=size[0], height=size[1], languages=languages))
        )
        for line in page.lines
    }
    | {"← ↑ → ↓", "⚠ ⛔"}
)


@pytest.mark.parametrize("line", ALL_LINES)
def test_no_line_shows_the_box_of_a_missing_glyph(line: str) -> None:
    """By the fonts' own tables, and by the picture of a character that no font has."""
    for face in _faces(line):
        font = TTFont(FONTS / face.file)
        assert {ord(c) for c in line if c != " "} <= font.getBestCmap().keys(), face.file
        drawn = ImageFont.truetype(FONTS / face.file, face.em)
        box = bytes(drawn.getmask("\U0010ffff", mode="1"))
        for character in set(line) - {" "}:
            assert bytes(drawn.getmask(character, mode="1")) != box


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.lines[0])
def test_no_glyph_is_clipped_and_no_two_lines_overlap(page: Page, size: tuple[int, int]) -> None:
    """As many LEDs are lit as the lines have ink, each drawn by itself with room around it."""
    lit = sum(1 for value in render(page, *size).convert("L").tobytes() if value)
    assert lit == sum(
        _lit(line, setting) for line, setting in zip(page.lines, _set(page, *size), strict=True)
    )


def _lit(line: str, setting: Setting) -> int:
    font = ImageFont.truetype(
        FONTS / setting.face.file, setting.face.em, layout_engine=ImageFont.Layout.BASIC
    )
    alone = Image.new("1", (50 * len(line), 80))
    ImageDraw.Draw(alone).text((40, 40), line, font=font, fill=1)
    return sum(map(bool, alone.convert("L").tobytes())) * setting.multiple**2


def test_a_line_too_wide_is_broken_by_the_rules_of_its_script() -> None:
    page = Page(("8번 출구가 닫힙니다", "~ 22:30"), "#ffb000")
    assert letter_height(page, 64, 32) >= 9
    assert len(_set(page, 64, 32)) == 3


@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=4),
    st.text(max_size=8),
    st.sampled_from(SIZES),
)
@settings(max_examples=40, deadline=None)
def test_any_text_can_be_shown_somehow(
    lines: list[str], colour: str, size: tuple[int, int]
) -> None:
    page = Page(tuple(lines), colour)
    try:
        image: Image.Image = render(page, *size)
    except LayoutError:
        image = render_clipped(page, *size)
    assert image.size == size
