"""Tables as people have them: CSV of any program, with Excel's marks, semicolons and commas."""

import csv
import re
from pathlib import Path

from edge.common.errors import LabelsError

# Excel's "Unicode text" is UTF-16 with a mark; its plain "CSV" is the code page of the country,
# of which Korea's is the likeliest here. Figures are the same in every one.
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig"), (b"", "cp949"))
_DELIMITERS = (";", "\t", ",")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_SPACES = str.maketrans({" ": "", "\xa0": "", "\u202f": "", "\u2212": "-"})


def decoded(data: bytes) -> str:
    """The text of a file, without the byte order mark, whatever program wrote it."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    return data.decode("latin-1")


def rows_of(text: str, columns: int) -> list[tuple[int, list[str]]]:
    """The number and the cells of every line that is neither empty nor a comment.

    `columns` is the least a line has: by it the delimiter is found, as a comma may stand within
    numbers.
    """
    lines = text.splitlines()
    delimiter = _delimiter([line for line in lines if _says(line)], columns)
    rows = []
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    for line in reader:
        cells = [cell.strip() for cell in line]
        hint = reader.line_num == 1 and cells and cells[0].lower().startswith("sep=")
        if any(cells) and not cells[0].startswith("#") and not hint:
            rows.append((reader.line_num, cells))
    return rows


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#") and not line.startswith("sep=")


def _delimiter(lines: list[str], columns: int) -> str:
    """The first that every line has often enough; where none is, that of most lines."""

    def fitting(delimiter: str) -> int:
        return sum(line.count(delimiter) >= columns - 1 for line in lines)

    return max(_DELIMITERS, key=fitting)


def number(text: str) -> float:
    """A number with a point or a comma before its fraction; ValueError for anything else."""
    plain = text.translate(_SPACES)
    if "," in plain and "." in plain:  # the last of them stands before the fraction
        thousands = "," if plain.rindex(".") > plain.rindex(",") else "."
        plain = plain.replace(thousands, "")
    plain = plain.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"{text!r} is no number")
    return float(plain)


def is_number(text: str) -> bool:
    """Whether `number` reads it."""
    try:
        number(text)
    except ValueError:
        return False
    return True


def read_text(path: Path, what: str) -> str:
    """The text of a user's file; LabelsError, naming `what` it is, when it cannot be read."""
    try:
        return decoded(path.read_bytes())
    except OSError as error:
        raise LabelsError(
            f"{what} {path}: cannot be read ({error.strerror}); check the path"
        ) from error
