"""Pages as pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.errors import LayoutError
from edge.show.layout import letter_height, render, render_clipped
from edge.site.schema import Site
from edge.wire import Page

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
    page = Page(("short", "a line that is much too wide"), "#ffffff")
    with pytest.raises(
        LayoutError, match=r"'a line that is much too wide' does not fit .* 64 x 32 px"
    ):
        render(page, 64, 32)


def test_a_character_without_a_glyph_is_named() -> None:
    with pytest.raises(LayoutError, match="no font has the characters '\U0001f6b6' of 'walk"):
        render(Page(("walk \U0001f6b6",), "#ffffff"), 128, 64)


def test_lines_of_several_scripts_stand_on_one_page_in_letters_of_like_height() -> None:
    page = Page(("혼잡", "CROWDED", "拥挤", "混雑"), "#ff6a00")
    assert render(page, 192, 96).getbbox() is not None
    assert letter_height(page, 192, 96) >= 15


@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=4),
    st.text(max_size=8),
    st.sampled_from(SIZES),
)
def test_any_text_can_be_shown_somehow(
    lines: list[str], colour: str, size: tuple[int, int]
) -> None:
    page = Page(tuple(lines), colour)
    try:
        image: Image.Image = render(page, *size)
    except LayoutError:
        image = render_clipped(page, *size)
    assert image.size == size
