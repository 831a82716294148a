"""The list of counter models: `models/manifest.toml`."""

import hashlib
import math
from pathlib import Path

import msgspec

import edge
from edge.common.errors import ModelError


class ModelEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model file. Counts are multiplied by `scale`; `interval` and `relative` make the 90 %
    interval of a sum of cells, as in `HeadMap`.
    """

    name: str
    file: str
    sha256: str
    input: tuple[int, int]  # width, height in px
    block: int  # side of what one output of the network covers, in px of the input
    cell: int  # side of a cell of the head map, some blocks wide
    scale: float
    interval: float
    relative: float
    gmac: float
    golden_count: float  # what this file counts in the golden picture
    scores: dict[str, float] = {}


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    golden: str
    model: tuple[ModelEntry, ...]


class Manifest:
    """The available models, each checked when it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            manifest = msgspec.toml.decode(path.read_bytes(), type=_Manifest)
        except OSError as error:
            raise ModelError(
                f"model list {path}: {error.strerror}; reinstall, or set counter.manifest"
            ) from error
        except msgspec.MsgspecError as error:
            raise ModelError(f"model list {path}: {error}; restore the shipped file") from error
        self.golden_picture = path.parent / manifest.golden
        self.entries = manifest.model

    def named(self, name: str) -> ModelEntry:
        """Return the entry called `name`."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.entries)
        raise ModelError(f"option counter.model = {name!r} is unknown; must be auto or of: {known}")

    def nearest(self, width: int, height: int, limit_gmac: float) -> ModelEntry:
        """The entry whose input is nearest in shape, then in size, to a picture of these px."""
        affordable = self.affordable(limit_gmac)
        return min(affordable, key=lambda entry: _distance(entry, width, height))

    def affordable(self, limit_gmac: float) -> list[ModelEntry]:
        """The entries that need at most `limit_gmac`; ModelError when there is none."""
        entries = [entry for entry in self.entries if entry.gmac <= limit_gmac]
        if not entries:
            raise ModelError(
                f"no model in {self._path} needs at most {limit_gmac:g} GMAC; name one in "
                "counter.model"
            )
        return entries

    def content(self, entry: ModelEntry) -> bytes:
        """The bytes of the entry's file; ModelError when it is missing or not the one listed."""
        path = self._path.parent / entry.file
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"model {path}: {error.strerror}; reinstall redroad") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != entry.sha256:
            raise ModelError(
                f"model {path}: sha256 is {digest[:12]}..., must be {entry.sha256[:12]}...; "
                "the file is damaged or not the one listed: reinstall redroad"
            )
        return content


def shipped_manifest() -> Path:
    """The manifest that comes with this package: beside it in a checkout, inside it elsewhere."""
    package = Path(edge.__file__).parent
    installed = package / "shipped_models" / "manifest.toml"
    return installed if installed.exists() else package.parent / "models" / "manifest.toml"


def _distance(entry: ModelEntry, width: int, height: int) -> float:
    """How ill an input suits a picture: the shape counts ten times as much as the size."""
    wide, high = entry.input
    shape = abs(math.log(wide / high * height / width))
    size = abs(math.log(wide * high / (width * height)))
    return 10 * shape + size
