"""The panel in its driver process: frames in, and out how far the display is proven."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from edge.common.errors import PanelError
from edge.show.driver_process import DEAD_MAN_S
from edge.show.panels import Panel, PanelFrame


class Proof(enum.Enum):
    """Whether the panel is known to show what it was sent."""

    PROVEN = "proven"  # read back, and the same
    UNPROVEN = "unproven"  # accepted without an error; this panel cannot be read back
    FAILED = "failed"  # refused, or read back as something else


@dataclass(frozen=True)
class PanelStatus:
    """What became of a frame; `fault` is empty unless the proof is FAILED."""

    proof: Proof
    fault: str = ""


class PanelDriver:
    """Serves one panel, which is opened for the first frame, and again after a failure."""

    def __init__(self, open_panel: Callable[[], Panel]) -> None:
        self._open_panel = open_panel
        self._panel: Panel | None = None

    def handle(self, frame: PanelFrame) -> PanelStatus:
        """Show the frame, read it back where the panel can, and return how far it is proven."""
        try:
            if self._panel is None:
                self._panel = self._open_panel()
            self._panel.show(frame)
            back = self._panel.read_back()
        except PanelError as error:
            self.close()
            return PanelStatus(Proof.FAILED, str(error))
        if back is None:
            return PanelStatus(Proof.UNPROVEN)
        if back.tobytes() == frame.image.tobytes():
            return PanelStatus(Proof.PROVEN)
        return PanelStatus(Proof.FAILED, "the panel shows something else than it was sent")

    def pass_time(self) -> float:
        """Return a time in which nothing is due (s): a panel keeps its image by itself."""
        return DEAD_MAN_S

    def close(self) -> None:
        """Release the panel."""
        if self._panel is not None:
            self._panel.close()
        self._panel = None
