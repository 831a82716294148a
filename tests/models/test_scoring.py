"""Errors and intervals, on counts whose errors are known."""

import numpy as np
import pytest

from models.scoring import Interval, Score, fitted_interval, merged


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


def test_errors_that_cells_share_are_reported_from_those_of_each() -> None:
    alone = [counts(1, 200, 1.0, 0.0, 400), counts(2, 12, 1.0, 0.0, 400)]
    together = [counts(1, 200, 1.0, 0.15, 400), counts(2, 12, 1.0, 0.15, 400)]
    assert fitted_interval(alone).relative < 0.08
    assert fitted_interval(together).relative > 0.15


def test_one_interval_holds_in_the_place_that_needs_most() -> None:
    easy, hard = counts(1, 60, 0.5, 0.02, 200), counts(2, 60, 2.0, 0.2, 200)
    interval = fitted_interval([easy, hard])
    assert easy.judged_by(interval).coverage >= hard.judged_by(interval).coverage >= 0.9


def test_pictures_of_several_places_are_merged_into_those_of_one() -> None:
    both = merged([counts(1, 60, 1.0, 0.0, 7), counts(2, 9, 1.0, 0.0, 5)])
    assert len(both.truth) == len(both.found) == len(both.variance) == 12


def test_a_count_near_nothing_is_never_reported_as_certain() -> None:
    """Though errors that cells share alone would hold every picture that was seen."""
    truth = np.linspace(40.0, 200.0, 50)
    shared = Score(truth, 1.1 * truth, np.full(50, 4.0), Interval(1.645, 0.0))
    interval = fitted_interval([shared, shared])
    assert interval.spread(np.array([0.0]), np.array([4.0])) >= 1.6
