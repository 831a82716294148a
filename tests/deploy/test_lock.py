"""What of the lock goes into each package; the packages themselves are built by test_deb.py."""

import re

import pytest

from deploy.deb import PROCESSORS, RELEASES, Processor, Release, lock_for


def names(release: Release, processor: Processor) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", lock_for(release, processor), re.MULTILINE))


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.codename)
def test_every_package_for_a_pi_has_one_lgpio_inside(release: Release) -> None:
    """Plain Debian has no python3-lgpio, which beacon and inputs need."""
    (arm64,) = (each for each in PROCESSORS if each.debian == "arm64")
    assert len(names(release, arm64) & {"lgpio", "adafruit-lgpio"}) == 1


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.codename)
@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda processor: processor.debian)
def test_every_package_has_what_all_units_need(release: Release, processor: Processor) -> None:
    assert {"ai-edge-litert", "gpiozero", "paho-mqtt", "segno"} <= names(release, processor)
