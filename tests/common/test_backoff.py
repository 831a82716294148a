"""The pauses between tries, for any sequence of failures and times."""

from hypothesis import given
from hypothesis import strategies as st

from edge.common.backoff import Backoff
from edge.common.units import NS_PER_S as S
from edge.common.units import seconds

NOW = 100 * S


def test_the_pauses_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(0.5, 3.0)
    assert [seconds(backoff.next_pause()) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.worked()
    assert seconds(backoff.next_pause()) == 0.5


def test_the_next_try_is_due_after_the_pause_and_not_before() -> None:
    backoff = Backoff(0.5, 3.0)
    assert backoff.due(0)
    pause = S // 2
    backoff.failed(NOW)
    assert not backoff.due(NOW + pause - 1)
    assert backoff.due(NOW + pause)


def test_after_a_pause_with_a_bound_of_its_own_the_others_grow_from_there() -> None:
    backoff = Backoff(1.0, 30.0)
    assert [seconds(backoff.next_pause(longest_s=2.0)) for _ in range(4)] == [1, 2, 2, 2]
    assert seconds(backoff.next_pause()) == 4.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_jitter_only_shortens_and_by_no_more_than_its_share(
    chances: list[float], jitter: float
) -> None:
    plain = Backoff(1.0, 30.0)
    for chance in chances:
        shortened = Backoff(1.0, 30.0, jitter=jitter, draw=lambda c=chance: c).next_pause()  # type: ignore[misc]
        assert S * (1 - jitter) - 1 <= shortened <= S
    whole = [plain.next_pause() for _ in chances]
    mixed = Backoff(1.0, 30.0, jitter=jitter, draw=iter(chances).__next__)
    assert all(mixed.next_pause() <= pause for pause in whole)


def test_another_factor() -> None:
    backoff = Backoff(1.0, 10.0, factor=3.0)
    assert [seconds(backoff.next_pause()) for _ in range(4)] == [1.0, 3.0, 9.0, 10.0]
