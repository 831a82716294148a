"""Tables as Excel and others write them."""

import pytest

from edge.common.tables import decoded, is_number, number, rows_of

PLAIN = [(1, ["x", "y"]), (2, ["1", "2"])]


@pytest.mark.parametrize(
    "data",
    [
        b"x,y\n1,2\n",
        b"\xef\xbb\xbfx;y\r\n1;2\r\n",
        "x\ty\r\n1\t2\r\n".encode("utf-16"),
        b'"x" , "y"\n1, 2\n'.replace(b'" ,', b'",'),
    ],
)
def test_every_form_gives_the_same_cells(data: bytes) -> None:
    assert rows_of(decoded(data), 2) == PLAIN


def test_excel_s_hint_comments_and_empty_lines_are_no_rows() -> None:
    assert rows_of("sep=;\n# px\nx;y\n\n;\n1,5;2\n", 2) == [(3, ["x", "y"]), (6, ["1,5", "2"])]


def test_decimal_commas_are_no_delimiters() -> None:
    rows = rows_of("x;y;X;Y\n165,5;314,0;-2,5;9\n", 4)
    assert [number(cell) for cell in rows[1][1]] == [165.5, 314.0, -2.5, 9.0]


def test_korean_excel_s_code_page_is_read() -> None:
    assert rows_of(decoded("거리.jpg,1,2\n".encode("cp949")), 3)[0][1][0] == "거리.jpg"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,5", 1.5), ("-2.5", -2.5), ("1.234,5", 1234.5), ("1,234.5", 1234.5),
        ("1\u00a0234,5", 1234.5), ("\u22122,5", -2.5), ("3e2", 300.0), (".5", 0.5),
    ],
)  # fmt: skip
def test_numbers_of_every_country(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "x", "1;2", "nan", "inf", "1,2,3", "--1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert not is_number(text)
