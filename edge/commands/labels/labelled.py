"""What every format of labels becomes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge.common.errors import LabelsError

# By tiers: where someone has marked heads and bodies, the heads are the people.
HEADS = ("head", "heads", "머리", "tête", "kopf", "cabeza", "頭", "头")
FACES = ("face", "faces", "얼굴")
BODIES = (
    "person", "persons", "people", "pedestrian", "pedestrians", "human", "man", "woman", "child",
    "adult", "body", "사람", "보행자", "人",
)  # fmt: skip
_TIERS = (HEADS, BODIES, FACES)
_OF_HEADS = HEADS + FACES

BESIDE = 0.52  # of a side, from the middle

Point = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """One head, in px from the picture's top left, under the label that it was given."""

    x: float
    y: float
    label: str = ""


@dataclass(frozen=True)
class Labelled:
    """One picture and its heads in px; `heads` is None where only their number is known.

    `size` is the width and height of the picture that was labelled, where the format says them.
    """

    name: str
    count: int
    heads: tuple[Point, ...] | None
    size: tuple[int, int] | None = None

    def misfit(self, size: tuple[int, int]) -> str | None:
        """Return what says that these are no labels of a picture of this width and height."""
        width, height = self.size or size
        # A box may begin a little before the picture does.
        beside = [
            (x, y)
            for x, y in self.heads or ()
            if abs(x / width - 0.5) > BESIDE or abs(y / height - 0.5) > BESIDE
        ]
        if not beside:
            return None
        x, y = beside[0]
        return (
            f"{len(beside)} of its labels lie beside the picture of {width}x{height} px, first at "
            f"{x:g},{y:g}: are they of this picture, and in px?"
        )


@dataclass(frozen=True)
class Marked:
    """One picture with all that was marked in it, of whatever label."""

    name: str
    marks: tuple[Mark, ...]
    size: tuple[int, int] | None = None


def box_mark(left: float, top: float, width: float, height: float, label: str) -> Mark:
    """A box's head: the middle of a head's box, of a person's box the middle of its upper edge."""
    middle = top + height / 2 if label.strip().lower() in _OF_HEADS else top
    return Mark(left + width / 2, middle, label)


def outline_mark(points: Sequence[Point], label: str) -> Mark:
    """Return the head of an outline: that of the box around it."""
    across, down = [x for x, _ in points], [y for _, y in points]
    left, top = min(across), min(down)
    return box_mark(left, top, max(across) - left, max(down) - top, label)


def people_of(pictures: Iterable[Marked], only: Sequence[str] = ()) -> list[Labelled]:
    """Return the marks that are people: those labelled `only`, else the best label that is one.

    LabelsError where there are several labels and none is known as that of a person.
    """
    pictures = list(pictures)
    used = {mark.label.strip().lower() for picture in pictures for mark in picture.marks}
    chosen = _chosen(used, [label.strip().lower() for label in only])
    return [
        Labelled(
            picture.name,
            sum(mark.label.strip().lower() in chosen for mark in picture.marks),
            tuple((m.x, m.y) for m in picture.marks if m.label.strip().lower() in chosen),
            picture.size,
        )
        for picture in pictures
    ]


def _chosen(used: set[str], only: Sequence[str]) -> set[str]:
    if only:
        missing = sorted(set(only) - used)
        if missing and used:
            raise LabelsError(
                f"label {missing[0]!r} is not in these labels; there are: {', '.join(sorted(used))}"
            )
        return set(only)
    if len(used) <= 1:
        return used
    for tier in _TIERS:
        known = {label for label in used if label in tier}
        if known:
            return known
    raise LabelsError(
        f"of the labels {', '.join(sorted(used))} none is known as a person's; name it with --label"
    )
