"""What a table of bands may be: every bound, on it and just beyond it."""

import math

import pytest
from pydantic import ValidationError

from edge.site.bands import BandOptions, BandTable

LEAST = math.ulp(0.0)
MOST = 12.0
LONGEST_S = 600.0


def test_bounds_themselves_are_allowed() -> None:
    band = BandOptions(rise=MOST, fall=LEAST, rise_after_s=0.0, fall_after_s=LONGEST_S)
    assert (band.rise, band.fall) == (MOST, LEAST)
    assert BandOptions(rise=2, fall=1, rise_after_s=LONGEST_S, fall_after_s=0.0)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("rise", math.nextafter(MOST, 13)),
        ("rise", math.nan),
        ("fall", 0.0),
        ("fall", -1.0),
        ("rise_after_s", -LEAST),
        ("rise_after_s", math.nextafter(LONGEST_S, 601)),
        ("fall_after_s", -LEAST),
        ("fall_after_s", math.nextafter(LONGEST_S, 601)),
    ],
)
def test_beyond_a_bound_is_refused(option: str, value: float) -> None:
    with pytest.raises(ValidationError, match=option):
        BandOptions.model_validate({"rise": 2.0, "fall": 1.0, option: value})


@pytest.mark.parametrize("fall", [2.0, math.nextafter(2.0, 3), 3.0])
def test_a_level_ends_below_where_it_begins(fall: float) -> None:
    with pytest.raises(ValidationError, match="must be below rise = 2"):
        BandOptions(rise=2.0, fall=fall)


def test_a_level_may_end_just_below_where_it_begins() -> None:
    assert BandOptions(rise=2.0, fall=math.nextafter(2.0, 0))


@pytest.mark.parametrize(
    ("name", "rise", "fall"),
    [
        ("caution", 3.0, 1.6),
        ("caution", 3.5, 1.6),
        ("caution", 2.9, 2.6),
        ("critical", 3.0, 2.9),
        ("critical", 5.0, 2.6),
        ("critical", 5.0, 2.0),
    ],
)
def test_bands_ascend(name: str, rise: float, fall: float) -> None:
    """Against the defaults: rise and fall each above the band below, and not equal to it."""
    with pytest.raises(ValidationError, match="must grow"):
        BandTable.model_validate({name: BandOptions(rise=rise, fall=fall)})


def test_a_band_may_lie_within_the_one_above() -> None:
    table = BandTable(
        caution=BandOptions(rise=2.0, fall=1.0), crowded=BandOptions(rise=3.0, fall=1.5)
    )
    assert table.crowded.fall < table.caution.rise


def test_nothing_unknown_and_nothing_of_another_type_is_taken() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        BandOptions.model_validate({"rise": 2.0, "fall": 1.0, "raise": 3.0})
    with pytest.raises(ValidationError, match="Extra inputs"):
        BandTable.model_validate({"calm": BandOptions(rise=2.0, fall=1.0)})
    with pytest.raises(ValidationError, match="valid number"):
        BandOptions.model_validate({"rise": "2.0", "fall": 1.0})


def test_a_table_does_not_change_once_it_is_read() -> None:
    band, bands = BandOptions(rise=2.0, fall=1.0), BandTable()
    with pytest.raises(ValidationError, match="frozen"):
        band.rise = 1.0  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        bands.caution = band  # type: ignore[misc]
