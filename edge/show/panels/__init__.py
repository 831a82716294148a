"""Panels: what they all can do. `edge.show.parts` chooses between them."""

from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from edge.common.wire import Level


@dataclass(frozen=True)
class Caption:
    """What an image says, for those who cannot read it from pixels."""

    message: str
    level: Level
    lines: tuple[str, ...]


class Panel(Protocol):
    """A panel that takes RGB images of its own size."""

    def show(self, image: Image.Image, caption: Caption) -> None:
        """Light the LEDs as in `image`. PanelError when the panel does not take it."""

    def read_back(self) -> Image.Image | None:
        """What is lit now, as far as the panel can tell; None when it cannot."""

    def close(self) -> None:
        """Give the device back; what it shows then is up to the hardware."""
