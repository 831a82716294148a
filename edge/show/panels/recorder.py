"""A simulated panel that keeps what it was sent: for tests and the rig."""

import io
import json
from pathlib import Path

from PIL import Image

from edge.common.atomic_write import atomic_write
from edge.common.clock import boottime_ns
from edge.common.errors import PanelError
from edge.show.panels import PanelFrame


class RecorderPanel:
    """Keeps the last image in panel.png, and in panel.jsonl a line for each change."""

    def __init__(self, folder: Path) -> None:
        self._picture = folder / "panel.png"
        self._record = folder / "panel.jsonl"
        self._last: PanelFrame | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PanelError(
                f"cannot record in {folder}: {error.strerror}; free or repair that disk"
            ) from error

    def show(self, frame: PanelFrame) -> None:
        """Keep the frame, if it differs from the last one. PanelError when the disk refuses."""
        if frame == self._last:
            return
        try:
            self._keep(frame)
        except OSError as error:
            raise PanelError(
                f"cannot record in {self._record.parent}: {error.strerror}; free or repair that "
                "disk"
            ) from error
        self._last = frame

    def read_back(self) -> Image.Image:
        """Return the image that was kept last. PanelError when it cannot be read."""
        try:
            return Image.open(self._picture).convert("RGB")
        except OSError as error:
            raise PanelError(f"cannot read {self._picture}: {error}") from error

    def close(self) -> None:
        """Do nothing: no device is open."""

    def _keep(self, frame: PanelFrame) -> None:
        png = io.BytesIO()
        frame.image.save(png, "PNG")
        atomic_write(self._picture, png.getvalue(), lasting=False)
        line = {
            "at": boottime_ns(),
            "message": frame.message,
            "level": frame.level.name,
            "lines": frame.lines,
        }
        with self._record.open("a", encoding="utf-8") as record:
            record.write(json.dumps(line, ensure_ascii=False) + "\n")
