"""Panels: what each of them can do. `edge.show.parts` chooses between them."""

from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from edge.common.wire import Level


@dataclass(frozen=True)
class PanelFrame:
    """An RGB image of the panel's size, with what it says for those who cannot read pixels."""

    image: Image.Image
    message: str
    level: Level
    lines: tuple[str, ...]


class Panel(Protocol):
    """A panel that takes RGB images of its own size."""

    def show(self, frame: PanelFrame) -> None:
        """Light the LEDs as in the frame's image. PanelError when the panel refuses it."""

    def read_back(self) -> Image.Image | None:
        """Return the RGB image that is lit; None for a panel that cannot be read back."""

    def close(self) -> None:
        """Release the device; what it shows then is up to the hardware."""
