"""Batch order and dropout seeds come from the seed and the epoch alone."""

from __future__ import annotations

import numpy as np

from rnnbench.training.loop import batch_order, dropout_seed


def test_an_order_is_a_permutation() -> None:
    order = batch_order(3, 1, 100, "reshuffled")
    assert sorted(order.tolist()) == list(range(100))


def test_the_same_seed_and_epoch_give_the_same_order() -> None:
    first, again = (batch_order(3, 7, 50, "reshuffled") for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_reshuffled_differs_from_epoch_to_epoch_and_seed_to_seed() -> None:
    orders = [batch_order(seed, epoch, 50, "reshuffled") for seed in (0, 1) for epoch in (1, 2)]
    assert len({tuple(order) for order in orders}) == 4


def test_frozen_keeps_the_first_order() -> None:
    first = batch_order(3, 1, 50, "frozen")
    np.testing.assert_array_equal(batch_order(3, 9, 50, "frozen"), first)
    np.testing.assert_array_equal(batch_order(3, 1, 50, "reshuffled"), first)


def test_the_global_generator_plays_no_part() -> None:
    np.random.seed(1)  # noqa: NPY002  # the global state is the point
    first = batch_order(3, 1, 50, "reshuffled")
    np.random.seed(2)  # noqa: NPY002  # likewise
    np.testing.assert_array_equal(batch_order(3, 1, 50, "reshuffled"), first)


def test_dropout_has_a_seed_for_each_seed_and_epoch() -> None:
    seeds = {dropout_seed(seed, epoch) for seed in range(10) for epoch in range(1, 11)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_these_numbers_stay_as_they_are() -> None:
    # Published runs rest on them: a change here is a change of every result.
    assert batch_order(0, 1, 6, "reshuffled").tolist() == [0, 5, 4, 1, 3, 2]
    assert dropout_seed(0, 1) == 1961547765
