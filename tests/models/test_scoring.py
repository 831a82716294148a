"""Errors and intervals, on counts whose errors are known."""

import numpy as np
import pytest

from models.scoring import Interval, Score, fitted_interval, held_out_coverage


def counts(seed: int, people: float, independent: float, shared: float, pictures: int) -> Score:
    """Counts that err by `independent` standard deviations and by a part of the whole."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.2, 1.8, pictures) * people
    error = rng.normal(0, independent * np.sqrt(truth)) + rng.normal(0, shared, pictures) * truth
    return Score(truth, truth + error, truth.copy(), Interval(1.645, 0.0))


def test_mean_errors_are_those_of_the_pictures() -> None:
    score = Score(np.array([10.0, 20.0]), np.array([13.0, 16.0]), np.ones(2), Interval(1.645, 0.0))
    assert (score.mae, score.bias) == (3.5, -0.5)
    assert score.rmse == pytest.approx(12.5**0.5)
    assert score.relative_bias == pytest.approx(-0.5 / 15)


@pytest.mark.parametrize("shared", [0.0, 0.15])
def test_the_fitted_interval_holds_nine_of_ten_in_pictures_of_all_sizes(shared: float) -> None:
    sets = [counts(1, 200, 1.0, shared, 400), counts(2, 12, 1.0, shared, 400)]
    interval = fitted_interval(sets)
    fresh = [counts(3, 200, 1.0, shared, 4000), counts(4, 12, 1.0, shared, 4000)]
    for score in fresh:
        assert score.judged_by(interval).coverage == pytest.approx(0.9, abs=0.05)


def test_errors_that_cells_share_are_told_from_those_of_each() -> None:
    alone = [counts(1, 200, 1.0, 0.0, 400), counts(2, 12, 1.0, 0.0, 400)]
    together = [counts(1, 200, 1.0, 0.15, 400), counts(2, 12, 1.0, 0.15, 400)]
    assert fitted_interval(alone).relative < 0.08
    assert fitted_interval(together).relative > 0.15


def test_held_out_coverage_is_lower_where_few_pictures_were_fitted_on() -> None:
    """The fit of one half is judged on the other, so a lucky half shows."""
    few = [counts(seed, 50, 1.0, 0.1, 20) for seed in range(30)]
    own = np.mean([score.judged_by(fitted_interval([score])).coverage for score in few])
    held_out = np.mean([held_out_coverage([score])[0] for score in few])
    assert held_out < own


def test_a_count_near_nothing_is_never_told_as_certain() -> None:
    """Though errors that cells share alone would hold every picture that was seen."""
    truth = np.linspace(40.0, 200.0, 50)
    shared = Score(truth, 1.1 * truth, np.full(50, 4.0), Interval(1.645, 0.0))
    interval = fitted_interval([shared, shared])
    assert interval.spread(np.array([0.0]), np.array([4.0])) >= 1.6
