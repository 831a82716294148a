"""The panel as it is driven apart: an image in, and out how far the display is proven."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from edge.common.errors import PanelError
from edge.show.driver_process import DEAD_MAN_S
from edge.show.panels import Caption, Panel


class Proof(enum.Enum):
    """Whether the panel is known to show what it was sent."""

    PROVEN = "proven"  # read back, and the same
    UNPROVEN = "unproven"  # taken without complaint; this panel cannot be read back
    FAILED = "failed"  # refused, or read back as something else


@dataclass(frozen=True)
class PanelFrame:
    """An image with what it says."""

    image: Image.Image
    caption: Caption


@dataclass(frozen=True)
class Answer:
    """What became of a Shot; `why` is empty unless it failed."""

    proof: Proof
    why: str = ""


class Screen:
    """The panel, opened when it is first needed, and again after a failure."""

    def __init__(self, opening: Callable[[], Panel]) -> None:
        self._opening = opening
        self._panel: Panel | None = None

    def take(self, shot: PanelFrame) -> Answer:
        """Show it, and read it back where the panel can."""
        try:
            if self._panel is None:
                self._panel = self._opening()
            self._panel.show(shot.image, shot.caption)
            back = self._panel.read_back()
        except PanelError as error:
            self.close()
            return Answer(Proof.FAILED, str(error))
        if back is None:
            return Answer(Proof.UNPROVEN)
        if back.tobytes() == shot.image.tobytes():
            return Answer(Proof.PROVEN)
        return Answer(Proof.FAILED, "the panel shows something else than it was sent")

    def pass_time(self) -> float:
        """Nothing is ever due: the panel keeps its image by itself."""
        return DEAD_MAN_S

    def close(self) -> None:
        """Give the panel back."""
        if self._panel is not None:
            self._panel.close()
        self._panel = None
