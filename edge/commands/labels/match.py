"""Which labels belong to which picture, and how right counts are on them."""

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import PurePosixPath

from edge.commands.labels.labelled import Labelled
from edge.common.errors import LabelsError
from edge.common.sighting import Estimate


class Truth:
    """Labels by the names of their pictures, in whatever folder these now lie."""

    def __init__(self, labels: Sequence[Labelled]) -> None:
        self._by_name: dict[str, list[Labelled]] = {}
        self._used: set[int] = set()
        self._all = labels
        for each in labels:
            for key in dict.fromkeys((_last(each.name), _stem(each.name))):
                self._by_name.setdefault(key, []).append(each)

    def of(self, picture: str) -> Labelled | None:
        """Return the labels of a picture; None where there are none.

        LabelsError where labels of two pictures fit it equally well, as of one name in two
        folders.
        """
        found = self._by_name.get(_last(picture)) or self._by_name.get(_stem(picture)) or []
        if not found:
            return None
        alike = [_common_end(picture, each.name) for each in found]
        best = [each for each, depth in zip(found, alike, strict=True) if depth == max(alike)]
        if len(best) > 1 and len({each.count for each in best}) > 1:
            raise LabelsError(
                f"labels of {picture}: {best[0].name} and {best[1].name} both fit; give the "
                "pictures names of their own"
            )
        self._used.add(id(best[0]))
        return best[0]

    @property
    def unused(self) -> list[str]:
        """Return the names of labelled pictures that were never requested."""
        return [each.name for each in self._all if id(each) not in self._used]


def _plain(name: str) -> str:
    """One form of letters, as systems differ in how they store accents and Hangul."""
    return unicodedata.normalize("NFC", name.replace("\\", "/")).casefold()


def _last(name: str) -> str:
    return PurePosixPath(_plain(name)).name


def _stem(name: str) -> str:
    """Without what says the kind of file; a film's second (clip.mp4@1.50s) is no such thing."""
    return re.sub(r"\.(?!\d)\w{2,4}$", "", _last(name))


def _common_end(one: str, other: str) -> int:
    """Return how many last parts of two paths are the same."""
    pairs = zip(
        PurePosixPath(_plain(one)).parts[::-1],
        PurePosixPath(_plain(other)).parts[::-1],
        strict=False,
    )
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@dataclass(frozen=True)
class Rightness:
    """How right counts are: heads of error, and the part of true counts within the intervals."""

    pictures: int
    mean: float
    mae: float
    rmse: float
    bias: float
    coverage: float

    @staticmethod
    def of(pairs: Sequence[tuple[int, Estimate]]) -> "Rightness":
        """From true and counted heads of each picture; ValueError where there are none."""
        if not pairs:
            raise ValueError("no picture")
        errors = [found.people - true for true, found in pairs]
        inside = [found.low <= true <= found.high for true, found in pairs]
        total = len(pairs)
        return Rightness(
            pictures=total,
            mean=sum(true for true, _ in pairs) / total,
            mae=sum(map(abs, errors)) / total,
            rmse=math.sqrt(sum(error * error for error in errors) / total),
            bias=sum(errors) / total,
            coverage=sum(inside) / total,
        )

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps({"truth": {name: round(n, 4) for name, n in asdict(self).items()}})

    def as_text(self) -> str:
        """One line for people."""
        return (
            f"truth: {self.pictures} pictures, {self.mean:.1f} heads in the mean: MAE "
            f"{self.mae:.2f}, RMSE {self.rmse:.2f}, bias {self.bias:+.2f}; "
            f"{100 * self.coverage:.0f} % of the true counts lie in the 90 % interval"
        )
