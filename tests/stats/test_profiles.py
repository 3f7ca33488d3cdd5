"""Shares of runs above a score, against numbers worked by hand and SciPy's own interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rnnbench.stats.profiles import Profile, performance_profile


def profile(scores: list[float], level: float = 0.95) -> Profile:
    found = performance_profile(scores, level)
    assert found is not None
    return found


def test_the_share_falls_at_each_score_from_one_to_none() -> None:
    found = profile([0.8, 0.5, 0.7, 0.9])
    assert found.scores.tolist() == [0.5, 0.7, 0.8, 0.9]
    assert found.shares.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_equal_scores_are_one_step() -> None:
    found = profile([0.7, 0.9, 0.7, 0.7])
    assert found.scores.tolist() == [0.7, 0.9]
    assert found.shares.tolist() == [1.0, 0.25, 0.0]


@pytest.mark.parametrize("score", [0.0, 0.75, 1.0])
def test_runs_that_all_score_the_same_fall_at_once(score: float) -> None:
    found = profile([score] * 3)
    assert found.scores.tolist() == [score]
    assert found.shares.tolist() == [1.0, 0.0]


def test_the_band_of_all_or_none_is_the_rarest_luck() -> None:
    # Of n = 4 all lie above with the chance p^4, which is 0.025 at p = 0.39764; of one, at 0.025.
    found = profile([1.0, 2.0, 3.0, 4.0])
    assert (found.low[0], found.high[0]) == pytest.approx((0.025**0.25, 1.0))
    assert (found.low[-1], found.high[-1]) == pytest.approx((0.0, 1 - 0.025**0.25))
    assert (profile([0.8]).low[0], profile([0.8]).high[1]) == pytest.approx((0.025, 0.975))


def test_the_band_of_one_of_two_by_hand() -> None:
    # P(at least one of two) = 1 - (1 - p)² = 0.025 at p = 0.012579; the other end mirrors it.
    found = profile([0.7, 0.8])
    ends = (1 - math.sqrt(0.975), math.sqrt(0.975))
    assert (found.low[1], found.high[1]) == pytest.approx(ends)


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("n", [3, 10, 57])
def test_the_band_is_scipys_exact_interval_of_a_share(n: int, level: float) -> None:
    found = profile([float(score) for score in range(n)], level)
    for place in range(n + 1):
        theirs = stats.binomtest(n - place, n).proportion_ci(level, "exact")
        ours = (found.low[place], found.high[place])
        assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_the_band_holds_the_true_share_at_a_score_at_least_as_often_as_it_says(
    share: float,
) -> None:
    rng = np.random.default_rng(0)
    held = []
    for scores in rng.uniform(size=(2_000, 10)):
        found = profile(scores.tolist())
        place = int(np.searchsorted(found.scores, 1 - share, side="right"))
        held.append(found.low[place] <= share <= found.high[place])
    assert np.mean(held) >= 0.95 - 0.01


def test_a_thousand_scores_have_a_narrow_band() -> None:
    found = profile(np.random.default_rng(0).normal(size=1_000).tolist())
    assert len(found.shares) == 1_001
    assert (found.high - found.low).max() < 0.064
    assert (np.diff(found.shares) < 0).all()


@pytest.mark.parametrize("scores", [[], [0.8, math.nan], [math.inf, 0.8]], ids=str)
def test_no_profile_without_numbers(scores: list[float]) -> None:
    assert performance_profile(scores) is None
