"""Text of people: composed, without what is not seen, and refused by the character's name."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.common.text import shown_text, spoken_text

Clean = Callable[[str], str]
BOTH = pytest.mark.parametrize("clean", [shown_text, spoken_text])
WORDS = [
    "천천히 걸어요",
    "위험합니다. 더 이상 들어오지 마세요.",
    "ゆっくり歩こう ガード",
    "Café",
    "请慢行",
]


@BOTH
@pytest.mark.parametrize("words", WORDS)
def test_what_looks_the_same_is_the_same(clean: Clean, words: str) -> None:
    whole = unicodedata.normalize("NFC", words)
    assert clean(unicodedata.normalize("NFD", words)) == clean(whole) == whole


@BOTH
@pytest.mark.parametrize(
    "unseen",
    [
        "\ufe0f",  # variation selectors
        "\ufe0e",
        "\U000e0100",
        "\u200b",  # zero width: space, joiners
        "\u200c",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\u200e",  # marks of direction
        "\u200f",
        "\u061c",
        "\u00ad",
    ],
)
def test_what_is_not_seen_is_dropped_and_hides_nothing(clean: Clean, unseen: str) -> None:
    assert clean(f"{unseen}C{unseen}LEAR ⚠{unseen}") == "CLEAR ⚠"
    apart = unicodedata.normalize("NFD", "걸")
    assert clean(unseen.join(apart)) == "걸"


@BOTH
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a\u202eb", "U+202E (right-to-left override)"),
        ("a\u202ab", "U+202A (left-to-right embedding)"),
        ("a\u2066b", "U+2066 (left-to-right isolate)"),
        ("a\x07b", "U+0007 (no letter or sign)"),
        ("a\u3164b", "U+3164 (hangul filler)"),
        ("a\ue000b", "U+E000 (no letter or sign)"),
        ("\u1112", "U+1112 (hangul choseong hieuh) is a single letter of no syllable"),
        ("\u3000\u11ab", "U+11AB (hangul jongseong nieun)"),
        ("a\U000e0041", "U+E0041 (tag latin capital letter a)"),
    ],
)
def test_what_turns_a_text_or_is_none_is_refused_by_its_name(
    clean: Clean, text: str, name: str
) -> None:
    with pytest.raises(ValueError, match="character U") as caught:
        clean(text)
    assert name in str(caught.value)


def test_a_line_has_one_kind_of_space_and_no_break() -> None:
    assert shown_text("EXIT\u00a08\u2009→") == "EXIT 8 →"
    assert shown_text("混雑\u3000注意") == "混雑\u3000注意"
    with pytest.raises(ValueError, match="U\\+000A"):
        shown_text("two\nlines")


def test_what_is_spoken_may_stand_in_several_lines_of_the_file() -> None:
    assert spoken_text("위험합니다.\n\t들어오지 마세요.\n") == "위험합니다. 들어오지 마세요."


@BOTH
@given(st.text(max_size=30))
def test_a_text_that_was_taken_is_taken_again_as_it_is(clean: Clean, text: str) -> None:
    try:
        once = clean(text)
    except ValueError:
        return
    assert clean(once) == once
    assert once == unicodedata.normalize("NFC", once)
