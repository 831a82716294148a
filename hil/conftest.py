"""A unit in a container, for the tests that need one; says plainly what is missing for it."""

import os
from collections.abc import Iterator

import pytest

from hil.container.box import missing
from hil.container.unit import Unit, unit


@pytest.fixture(scope="session")
def _can_boot() -> None:
    """Without root there is no container; anything else that is missing fails."""
    lacking = missing()
    if lacking and os.geteuid() != 0 and "CI" not in os.environ:
        pytest.skip(lacking)
    assert not lacking, lacking


@pytest.fixture(scope="module")
def booted(_can_boot: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unit]:
    with unit(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def can_boot(_can_boot: None) -> None:
    """For tests that boot a unit of their own."""
