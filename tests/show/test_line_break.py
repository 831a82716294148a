"""Where lines may break, by the rules of each script."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.show.line_break import NEVER_FIRST, NEVER_LAST, broken, pieces


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        ("EXIT 8 CLOSED, USE EXIT 9", 2, ("EXIT 8 CLOSED,", "USE EXIT 9")),
        ("8번 출구가 닫힙니다", 2, ("8번 출구가", "닫힙니다")),  # words stay whole
        ("出口关闭，请走九号口", 2, ("出口关闭，", "请走九号口")),  # no comma in front
        ("ゆっくりあるいて", 2, ("ゆっくり", "あるいて")),
        ("サーバー", 3, ("サー", "バー")),  # nor a mark of length
        ("これは「出口」です", 3, ("これは", "「出口」", "です")),
        ("9号线关闭", 2, ("9号线", "关闭")),
        ("ONE", 3, ("ONE",)),
    ],
)
def test_lines_break_by_the_rules_of_their_script(
    text: str, lines: int, expected: tuple[str, ...]
) -> None:
    assert broken(text, lines) == expected


@given(st.text("가나 다ab,「」、。ゃー一二(3)", max_size=30), st.integers(1, 4))
def test_nothing_is_lost_and_no_line_begins_or_ends_as_it_must_not(text: str, count: int) -> None:
    lines = broken(text, count)
    assert len(lines) <= count
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for before, after in itertools.pairwise(lines):
        assert not after.startswith(tuple(NEVER_FIRST)) and not before.endswith(tuple(NEVER_LAST))


@given(st.text("가나 ab一二、", max_size=20))
def test_pieces_put_together_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
