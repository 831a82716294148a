"""How many pictures a second are watched."""

from edge.common.units import NS_PER_S
from edge.watch.rate import OVER, Rate


def test_the_rate_of_the_last_ten_seconds_is_reported_and_falls_to_nothing() -> None:
    rate, now = Rate(0), 0
    for n in range(80):
        now = n * NS_PER_S // 4
        rate.add(now)
        assert rate.per_second(now) == (None if now < OVER else 4.0)
    assert rate.per_second(now + 5 * NS_PER_S) == 2.0
    assert rate.per_second(now + OVER) == 0.0
