"""What is pasted into a picture of the simulated street: people, and what stands among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from edge.street.background import Weather
from edge.street.pinhole import PinholeCamera

NOBODY = -1  # owns what shows no person


@dataclass(frozen=True)
class Figure:
    """A drawing and its head's place in px; where something hides its person, 0 or 255 ("L")."""

    drawing: Image.Image
    head_x: float
    head_y: float
    hides: Image.Image | None = None


@dataclass(frozen=True)
class Sprite:
    """A drawing at a size; its cover as a mask of 0 and 255; its head's place in px; and where
    something hides its person, as a mask.
    """

    drawing: Image.Image
    mask: Image.Image
    head_x: float
    head_y: float
    hides: Image.Image | None = None


@dataclass(frozen=True)
class Placed:
    """What stands `along_m` along the street: its owner's number, its drawing, and the corner."""

    along_m: float
    owner: int
    sprite: Sprite
    corner: tuple[int, int]


def mask_of(cover: Image.Image) -> Image.Image:
    """Where something is drawn, 0 or 255, from how much ("L") it covers."""
    return cover.convert("1", dither=Image.Dither.NONE)


class Standing(Protocol):
    """Things that stand on the street, each before and behind people."""

    def at(self, t_s: float) -> Sequence[Placed]:
        """They at a time in seconds, far ones first."""
        ...


@dataclass(frozen=True)
class Decor:
    """What is added to the street: laid on the ground once, and standing on it.

    Both are made for a camera and a light.
    """

    lay: Callable[[Image.Image, PinholeCamera, Weather], Image.Image]
    stand: Callable[[PinholeCamera, Weather], Standing]


@dataclass(frozen=True)
class Dress:
    """What people carry and wear: the share with an umbrella open, and whether all wear hats."""

    umbrellas: float = 0.0
    hats: bool = False


PLAIN = Dress()
