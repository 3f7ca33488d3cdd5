"""The best so far over all orders of the trials, against every order written out."""

from __future__ import annotations

import math
from itertools import permutations

import pytest

from rnnbench.stats.orderings import best_so_far_quantile

INF = math.inf
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def by_brute_force(values: list[float], quantile: float) -> list[float]:
    """The same from all n! orders: the lowest value that so large a part of them stays below."""
    orders = list(permutations(values))
    needed = math.ceil(quantile * len(orders) - 1e-9)
    return [
        sorted(min(order[:k]) for order in orders)[needed - 1] for k in range(1, len(values) + 1)
    ]


@pytest.mark.parametrize("quantile", QUANTILES)
@pytest.mark.parametrize(
    "values",
    [
        [0.4],
        [0.4, 0.3],
        [0.3, 0.3, 0.3],
        [0.5, 0.2, 0.4, 0.2],
        [0.5, 0.1, 0.4, 0.2, 0.3],
        [0.2, 0.1, 0.2, 0.1, 0.2],
        [0.4, INF, 0.3, INF, 0.5],
        [INF, INF, INF, INF, 0.5],
        [INF, INF, INF],
    ],
    ids=str,
)
def test_it_is_what_all_orders_say(values: list[float], quantile: float) -> None:
    assert best_so_far_quantile(values, quantile) == by_brute_force(values, quantile)


def test_the_median_by_hand() -> None:
    # Of three the first is 1, 2 or 3; of the three pairs two hold 1; all three hold it.
    assert best_so_far_quantile([3.0, 1.0, 2.0], 0.5) == [2.0, 1.0, 1.0]


def test_the_high_end_by_hand() -> None:
    # One pair of three, 2 and 3, does not hold 1: a third of the orders stand at 2 after two.
    assert best_so_far_quantile([3.0, 1.0, 2.0], 0.66) == [2.0, 1.0, 1.0]
    assert best_so_far_quantile([3.0, 1.0, 2.0], 0.67) == [3.0, 2.0, 1.0]


def test_a_quantile_that_is_met_exactly_counts_as_met() -> None:
    # Half of the pairs of four hold the lowest; rounding must not push this to the next.
    assert best_so_far_quantile([1.0, 2.0, 3.0, 4.0], 0.5)[1] == 1.0
    # Among ten, each is first in a tenth of the orders.
    tenths = [best_so_far_quantile([*range(1, 11)], tenth / 10)[0] for tenth in range(1, 11)]
    assert tenths == list(range(1, 11))


def test_one_trial_is_its_own_best() -> None:
    assert best_so_far_quantile([0.4], 0.05) == best_so_far_quantile([0.4], 0.95) == [0.4]


def test_no_trial_has_no_best() -> None:
    assert best_so_far_quantile([], 0.5) == []


def test_the_order_of_the_trials_does_not_matter() -> None:
    one = best_so_far_quantile([0.5, INF, 0.2, 0.4], 0.5)
    assert best_so_far_quantile([0.2, 0.4, 0.5, INF], 0.5) == one


def test_it_never_rises_and_ends_at_the_lowest() -> None:
    found = best_so_far_quantile([0.9, INF, 0.2, 0.4, 0.4, 0.7] * 40, 0.95)
    assert found == sorted(found, reverse=True)
    assert found[-1] == 0.2
