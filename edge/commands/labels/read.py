"""Reading labels of whatever format: a file, a folder or an archive of them."""

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from edge.commands.labels.labelled import Labelled, Mark, Marked, people_of
from edge.commands.labels.tools import (
    from_coco,
    from_cvat,
    from_label_studio,
    from_labelme,
    from_list,
)
from edge.common.errors import LabelsError
from edge.common.tables import decoded, number, rows_of

FORMS = "a table picture,x,y or picture,count, or an export of COCO, CVAT, labelme or Label Studio"
TABLE = "labels.csv"
SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".zip")
_PICTURE = ("picture", "image", "file", "filename", "file_name", "name")
_COUNT = ("count", "heads", "people", "persons")
_POINTED = "picture,x,y with x and y in px, or picture,, for a picture with nobody in it"
_MOST = 1_000_000
_COUNTED = f"picture,count with a whole number of heads from 0 to {_MOST}, without separators"
_LARGEST_BYTES = 500_000_000
_WRONG = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, StopIteration,
    ElementTree.ParseError, zipfile.BadZipFile, RecursionError,
)  # fmt: skip


def read_labels(path: Path, only: Sequence[str] = ()) -> list[Labelled]:
    """Every labelled picture of a file, of a .zip, or of a folder's labels.csv or exports.

    `only` are the labels that are heads or people, where the labels' own names do not say.
    LabelsError, in one line, for what cannot be read.
    """
    counted: list[Labelled] = []
    marked: list[Marked] = []
    for name, data in _documents(path):
        try:
            for picture in _parsed(name, data):
                (counted if isinstance(picture, Labelled) else marked).append(picture)  # type: ignore[arg-type]
        except LabelsError:
            raise
        except _WRONG as error:
            raise LabelsError(
                f"labels {name}: not understood ({_words(error)}); must be {FORMS}"
            ) from error
    found = [*counted, *people_of(marked, only)]
    if not found:
        raise LabelsError(f"labels {path}: name no picture; must be {FORMS}")
    return found


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """The name and content of each file of labels."""
    if path.is_dir():
        table = path / TABLE
        files = [table] if table.exists() else sorted(_exports(path))
        if not files:
            raise LabelsError(
                f"labels {table}: No such file or directory, nor any export; must be {FORMS}"
            )
        for file in files:
            yield from _documents(file)
        return
    try:
        if path.suffix.lower() == ".zip":
            yield from _members(path)
        else:
            yield str(path), path.read_bytes()
    except OSError as error:
        raise LabelsError(
            f"labels {path}: cannot be read ({error.strerror or error}); check the path"
        ) from error
    except zipfile.BadZipFile as error:
        raise LabelsError(f"labels {path}: a damaged archive ({error}); copy it again") from error


def _exports(folder: Path) -> Iterator[Path]:
    kinds = (".json", ".xml", ".jsonl", ".zip")
    return (file for file in folder.iterdir() if file.suffix.lower() in kinds)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            suffix = PurePosixPath(member.filename).suffix.lower()
            if member.is_dir() or suffix not in SUFFIXES or member.file_size > _LARGEST_BYTES:
                continue
            yield f"{path}/{member.filename}", archive.read(member)


def _parsed(name: str, data: bytes) -> Iterator[Labelled | Marked]:
    text = decoded(data).strip()
    if not text:
        raise LabelsError(f"labels {name}: is empty; must be {FORMS}")
    if text.startswith("<"):
        return from_cvat(_xml(text))
    if name.lower().endswith(".jsonl"):
        return from_list([json.loads(line) for line in text.splitlines()])
    if text[0] in "{[":
        return _from_json(json.loads(text))
    return _from_table(name, text)


def _xml(text: str) -> ElementTree.Element:
    """Without a document type: entities that swell are no part of any export."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("holds a document type")
    return ElementTree.fromstring(text.encode())


def _from_json(document: Any) -> Iterator[Labelled | Marked]:
    if isinstance(document, list):
        return from_label_studio(document)
    if "shapes" in document:
        return iter([from_labelme(document)])
    if "images" in document:
        return from_coco(document)
    if "data" in document:
        return from_label_studio([document])
    raise ValueError("JSON of another kind")


def _from_table(name: str, text: str) -> Iterator[Labelled | Marked]:
    """A line for each head, or for each picture with its count; empty x and y: no one."""
    rows = rows_of(text, 2)
    names = [cell.lower() for cell in rows[0][1]]
    picture = _column(names, _PICTURE)
    count, x, y = (_column(names, wanted) for wanted in (_COUNT, ("x",), ("y",)))
    if picture is None or (x is None or y is None) == (count is None):
        raise LabelsError(f"labels {name}: first line must be picture,x,y or picture,count")
    heads: dict[str, list[Mark]] = {}
    for number_of_line, cells in rows[1:]:
        try:
            if count is not None:
                yield Labelled(_named(cells[picture]), _whole(cells[count]), None)
                continue
            known = heads.setdefault(_named(cells[picture]), [])
            across, down = cells[x or 0], cells[y or 0]
            if across or down:
                known.append(Mark(number(across), number(down)))
        except (ValueError, IndexError) as error:
            wanted = _COUNTED if count is not None else _POINTED
            raise LabelsError(
                f"labels {name}, line {number_of_line}: {','.join(cells)!r} must be {wanted}"
            ) from error
    for known_name, marks in heads.items():
        yield Marked(known_name, tuple(marks))


def _column(names: list[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _named(text: str) -> str:
    if not text:
        raise ValueError("no picture is named")
    return text.replace("\\", "/")


def _whole(text: str) -> int:
    value = number(text)
    if not 0 <= value <= _MOST or value != int(value):
        raise ValueError(f"{text!r} is no number of heads")
    return int(value)
