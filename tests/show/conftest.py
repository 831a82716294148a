"""Clips short enough for tests."""

from pathlib import Path

import pytest

from edge.site import Site
from edge.site.overrides import phrases_of
from hil.testkit.clips import make_clip


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A folder with a short clip for every phrase."""
    for name in phrases_of(Site()):
        make_clip(tmp_path / "clips" / f"{name}.wav")
    return tmp_path / "clips"
