"""Brightness by sun and by clock."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from PIL import Image

from edge.common.errors import SiteError
from edge.show.brightness import brightness_at, dimmed
from edge.site import load_site
from edge.site.outputs import Sign
from edge.site.schema import Identity

SEOUL = Identity(latitude=37.56, longitude=126.92)
KST = timezone(timedelta(hours=9))
BY_SUN = Sign(brightness=80, night_brightness=30)
BY_CLOCK = Sign(brightness=80, night_brightness=30, night_from="22:00", night_to="06:00")


@pytest.mark.parametrize(
    ("month", "hour", "percent"),
    [(6, 4, 30), (6, 12, 80), (6, 19, 80), (6, 21, 30), (12, 7, 30), (12, 17, 80), (12, 19, 30)],
)
def test_the_sun_of_seoul_decides(month: int, hour: int, percent: int) -> None:
    """Civil twilight ends at about 20:25 in June and 17:45 in December."""
    assert brightness_at(BY_SUN, SEOUL, datetime(2026, month, 21, hour, tzinfo=KST)) == percent


@pytest.mark.parametrize(
    ("hour", "minute", "percent"), [(21, 59, 80), (22, 0, 30), (3, 0, 30), (5, 59, 30), (6, 0, 80)]
)
def test_the_clock_of_the_site_decides_where_hours_are_given(
    hour: int, minute: int, percent: int
) -> None:
    now = datetime(2026, 6, 21, hour, minute, tzinfo=KST)
    assert brightness_at(BY_CLOCK, Identity(), now) == percent
    assert brightness_at(BY_CLOCK, Identity(), now.astimezone(UTC)) == percent


def test_a_light_sensor_dims_by_the_street_s_light_within_the_night_s_limit() -> None:
    noon, night = (datetime(2026, 6, 21, hour, tzinfo=KST) for hour in (12, 2))
    percents = [brightness_at(BY_SUN, SEOUL, noon, lux) for lux in (0, 20, 300, 5000, 80000)]
    assert percents == [30, 30, 55, 80, 80]
    assert brightness_at(BY_SUN, SEOUL, night, 80000) == 30  # a lamp shines on the sensor
    assert brightness_at(BY_SUN, SEOUL, None, 0) == 30  # nobody knows the time
    assert brightness_at(Sign(brightness=80), SEOUL, noon, 0) == 80


def test_an_unset_clock_and_an_unset_limit_leave_the_panel_bright() -> None:
    night = datetime(2026, 6, 21, 2, tzinfo=KST)
    assert brightness_at(BY_SUN, SEOUL, None) == 80
    assert brightness_at(Sign(brightness=80), SEOUL, night) == 80


def test_colours_are_dimmed_alike() -> None:
    image = Image.new("RGB", (2, 2), (200, 100, 0))
    assert dimmed(image, 40, 80).getpixel((0, 0)) == (100, 50, 0)
    assert dimmed(image, 80, 80) is image


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sign]\nnight_brightness = 30\n", "site.latitude"),
        ('[sign]\nnight_brightness = 30\nnight_from = "22:00"\n', "night_to"),
        ("[site]\nlatitude = 95.0\nlongitude = 1.0\n", "latitude"),
        ('[site]\ntime_zone = "Asia/Soul"\n', "Asia/Soul"),
    ],
)
def test_a_night_that_cannot_be_known_is_refused(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SiteError, match=line) as caught:
        load_site(file)
    assert len(str(caught.value).splitlines()) == 1
