"""A batch of trials at work: which runs are given up, and what comes out in the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from made_up import finished, spec_of

from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tuning.round import Attempt, Round
from rnnbench.tuning.search import Search
from rnnbench.tuning.trials import Trial

SEEDS = (1000, 1001)
DIVERGED = RunResult(status="diverged", epochs=2, reason="the loss is NaN")
FAILED = RunResult(status="failed", epochs=0, reason="out of memory")


@dataclass
class FakeSearch:
    """Has the two things of a search that a round touches; prunes what never fell to the limit."""

    name: str = "lstm"
    limit: float = 0.5
    warmup: int = 2

    def pruning(self) -> Callable[[Sequence[float]], bool]:
        return lambda losses: len(losses) >= self.warmup and min(losses) > self.limit


def attempt(
    number: int = 0, rate: float | None = None, search: FakeSearch | None = None, **values: Any
) -> Attempt:
    """A trial with a run of each seed; trials of one rate and architecture share their runs."""
    rate = 0.001 * (number + 1) if rate is None else rate
    seeds = values.pop("seeds", SEEDS)
    specs = tuple(spec_of(seed=seed, learning_rate=rate, **values) for seed in seeds)
    return Attempt(
        search=cast(Search, search or FakeSearch()),
        trial=Trial(number=number, params={"learning_rate": rate}, state=None),
        specs=tuple(replace(spec, purpose="tuning") for spec in specs),
    )


def keys(*specs: RunSpec) -> list[str]:
    return [spec.fingerprint for spec in specs]


def train(round_: Round, spec: RunSpec, *val_losses: float) -> list[list[str]]:
    """What the round answers to these epochs of a second each."""
    return [
        round_.observe_epoch(
            spec.fingerprint,
            EpochRow(
                epoch=epoch,
                loss=0.6,
                accuracy=0.7,
                val_loss=val_loss,
                val_accuracy=0.7,
                epoch_seconds=1.0,
                ended_at=0.0,
            ),
        )
        for epoch, val_loss in enumerate(val_losses, start=1)
    ]


def end(round_: Round, spec: RunSpec, result: RunResult | float) -> list[str]:
    """What the round answers to a result; a number is the best validation loss."""
    if isinstance(result, float):
        result = finished(val_loss=result, test_accuracy=None)
    return round_.observe_result(spec.fingerprint, result)


def test_the_first_seeds_come_first() -> None:
    a, b = attempt(0), attempt(1)
    assert Round([a, b]).specs == [a.specs[0], b.specs[0], a.specs[1], b.specs[1]]


def test_trials_of_unequal_length_and_no_trial_have_their_runs() -> None:
    a, b = attempt(0, seeds=(1000,)), attempt(1)
    assert Round([a, b]).specs == [a.specs[0], b.specs[0], b.specs[1]]
    assert Round([]).specs == []


def test_a_run_of_two_trials_is_there_once() -> None:
    a, b = attempt(0, rate=0.1), attempt(1, rate=0.1, search=FakeSearch("other"))
    round_ = Round([a, b])
    assert round_.specs == list(a.specs)
    assert round_.holders[a.first] == [a, b]


def test_a_pruned_first_run_gives_up_the_others_of_its_trial() -> None:
    a, b = attempt(0), attempt(1)
    round_ = Round([a, b])
    assert train(round_, a.specs[0], 0.9, 0.8) == [[], keys(*a.specs)]
    assert round_.is_over(a)
    assert not round_.is_over(b)
    assert round_.reason(a.first) == "earlier trials did better by then: the median was lower"


def test_a_run_that_has_ended_is_not_given_up() -> None:
    a = attempt()
    round_ = Round([a])
    assert end(round_, a.specs[1], 0.4) == []
    assert train(round_, a.specs[0], 0.9, 0.8) == [[], keys(a.specs[0])]


def test_a_run_is_given_up_once() -> None:
    a = attempt()
    round_ = Round([a])
    # A worker may be an epoch further before it hears of it.
    assert train(round_, a.specs[0], 0.9, 0.8, 0.7) == [[], keys(*a.specs), []]
    assert round_.outcome(a).curve == (0.9, 0.8)


def test_a_later_seed_is_never_pruned() -> None:
    a = attempt()
    round_ = Round([a])
    assert train(round_, a.specs[1], 0.9, 0.9, 0.9) == [[], [], []]
    assert end(round_, a.specs[1], DIVERGED) == []
    assert all(round_.is_wanted(key) for key in keys(a.specs[0]))


def test_each_search_prunes_by_its_own_trials() -> None:
    a = attempt(0, search=FakeSearch("lstm", limit=0.1))
    b = attempt(1, search=FakeSearch("gru", limit=0.9))
    round_ = Round([a, b])
    assert train(round_, a.specs[0], 0.5, 0.5)[-1] == keys(*a.specs)
    assert train(round_, b.specs[0], 0.5, 0.5)[-1] == []


def test_a_shared_run_is_given_up_when_both_trials_are_pruned() -> None:
    a = attempt(0, rate=0.1)
    b = attempt(1, rate=0.1, search=FakeSearch("lstm-dropout", warmup=4))
    round_ = Round([a, b])
    assert train(round_, a.specs[0], 0.9, 0.8, 0.7, 0.6) == [[], [], [], keys(*a.specs)]
    assert round_.outcome(a).curve == (0.9, 0.8)
    assert round_.outcome(b).curve == (0.9, 0.8, 0.7, 0.6)


def test_a_shared_run_goes_on_for_the_trial_that_waits_and_the_other_is_cut() -> None:
    a = attempt(0, rate=0.1, search=FakeSearch("lstm", limit=0.4))
    b = attempt(1, rate=0.1, search=FakeSearch("lstm-dropout", limit=0.9))
    round_ = Round([a, b])
    assert train(round_, a.specs[0], 0.6, 0.5, 0.3, 0.35) == [[], [], [], []]
    assert round_.is_wanted(a.first)
    for spec in a.specs:
        end(round_, spec, 0.3)
    pruned, complete = round_.outcome(a), round_.outcome(b)
    assert (pruned.state, pruned.curve, pruned.value) == ("pruned", (0.6, 0.5), None)
    assert (complete.state, complete.curve) == ("complete", (0.6, 0.5, 0.3, 0.35))


def test_a_shared_later_run_is_kept_for_the_trial_that_waits() -> None:
    a, b = attempt(0, rate=0.1), attempt(1, rate=0.2)
    b = replace(b, specs=(b.specs[0], a.specs[1]))
    round_ = Round([a, b])
    assert train(round_, a.specs[0], 0.9, 0.8)[-1] == keys(a.specs[0])
    assert train(round_, b.specs[0], 0.9, 0.8)[-1] == keys(*b.specs)


def test_a_diverged_first_run_prunes_the_trial_and_says_why() -> None:
    a = attempt()
    round_ = Round([a])
    train(round_, a.specs[0], 0.4, 0.45)
    assert end(round_, a.specs[0], DIVERGED) == keys(a.specs[1])
    trial = round_.outcome(a)
    assert (trial.state, trial.value, trial.reason) == ("pruned", None, "diverged: the loss is NaN")
    assert trial.curve == (0.4, 0.45)


def test_a_run_that_diverged_before_its_first_epoch_prunes_too() -> None:
    a = attempt()
    round_ = Round([a])
    assert end(round_, a.specs[0], DIVERGED) == keys(a.specs[1])
    assert round_.is_over(a)
    assert round_.outcome(a).curve == ()


def test_a_diverged_later_run_leaves_the_trial_without_a_value() -> None:
    a = attempt()
    round_ = Round([a])
    end(round_, a.specs[0], 0.4)
    end(round_, a.specs[1], DIVERGED)
    trial = round_.outcome(a)
    assert (trial.state, trial.value, trial.reason) == ("pruned", None, "diverged: the loss is NaN")


@pytest.mark.parametrize("place", [0, 1], ids=["first run", "later run"])
def test_a_failed_run_fails_its_trial(place: int) -> None:
    a = attempt()
    round_ = Round([a])
    assert end(round_, a.specs[place], FAILED) == keys(a.specs[1 - place])
    assert round_.is_over(a)
    trial = round_.outcome(a)
    assert (trial.state, trial.value, trial.reason) == ("failed", None, "failed: out of memory")


def test_a_failure_outweighs_a_divergence() -> None:
    a = attempt(seeds=(1000, 1001, 1002))
    round_ = Round([a])
    for spec, result in zip(a.specs, (0.4, DIVERGED, FAILED), strict=True):
        end(round_, spec, result)
    assert round_.outcome(a).state == "failed"


def test_a_trial_whose_run_was_lost_has_failed() -> None:
    a = attempt()
    round_ = Round([a])
    end(round_, a.specs[0], 0.4)
    trial = round_.outcome(a)
    assert (trial.state, trial.reason) == ("failed", "a run was lost")


def test_a_complete_trial_is_the_mean_over_its_seeds() -> None:
    a = attempt(4)
    round_ = Round([a])
    train(round_, a.specs[0], 0.5, 0.4, 0.45)
    train(round_, a.specs[1], 0.7, 0.6)
    end(round_, a.specs[1], 0.6)
    end(round_, a.specs[0], 0.4)
    assert round_.is_over(a)
    assert round_.outcome(a) == Trial(
        number=4,
        params={"learning_rate": 0.005},
        state="complete",
        value=0.5,
        losses=(0.4, 0.6),
        curve=(0.5, 0.4, 0.45),
        epochs=5,
        seconds=5.0,
    )


def test_epochs_of_runs_that_were_given_up_are_counted() -> None:
    a = attempt()
    round_ = Round([a])
    train(round_, a.specs[1], 0.5, 0.4, 0.45)
    train(round_, a.specs[0], 0.9, 0.8)
    trial = round_.outcome(a)
    assert (trial.epochs, trial.seconds) == (5, 5.0)


def test_outcomes_come_in_the_order_of_the_numbers() -> None:
    attempts = [attempt(number, seeds=(1000,)) for number in (2, 0, 1)]
    round_ = Round(attempts)
    for each in attempts:
        end(round_, each.specs[0], 0.1 * each.trial.number)
    found = round_.outcomes()
    assert [trial.number for _, trial in found] == [0, 1, 2]
    assert [each.trial.number for each, _ in found] == [0, 1, 2]
    assert [trial.value for _, trial in found] == [0.0, 0.1, 0.2]


def test_a_run_is_wanted_until_its_result_is_there() -> None:
    a = attempt()
    round_ = Round([a])
    assert all(round_.is_wanted(key) for key in keys(*a.specs))
    end(round_, a.specs[0], 0.4)
    assert [round_.is_wanted(key) for key in keys(*a.specs)] == [False, True]


def test_no_run_of_a_pruned_trial_is_wanted() -> None:
    a = attempt()
    round_ = Round([a])
    train(round_, a.specs[0], 0.9, 0.8)
    assert not any(round_.is_wanted(key) for key in keys(*a.specs))


def test_a_run_that_starts_over_is_judged_anew() -> None:
    a = attempt()
    round_ = Round([a])
    train(round_, a.specs[0], 0.9)
    end(round_, a.specs[0], 0.9)
    round_.forget(a.first)
    assert round_.is_wanted(a.first)
    assert train(round_, a.specs[0], 0.9) == [[]]
    assert round_.outcome(a).epochs == 1


def test_nobody_waits_for_a_run_without_a_reason() -> None:
    a = attempt()
    assert Round([a]).reason(a.first) == "nobody waits for it"


def test_a_run_that_was_paid_for_is_not_charged_again() -> None:
    a = attempt()
    round_ = Round([a], paid={a.specs[0].fingerprint})
    train(round_, a.specs[0], 0.5, 0.4)
    train(round_, a.specs[1], 0.6)
    end(round_, a.specs[0], 0.4)
    end(round_, a.specs[1], 0.6)
    trial = round_.outcome(a)
    assert (trial.epochs, trial.value) == (1, 0.5)


def test_a_run_that_two_trials_share_is_charged_to_the_first() -> None:
    a, b = attempt(0, rate=0.01), attempt(1, rate=0.01)
    round_ = Round([a, b])
    for spec in a.specs:
        train(round_, spec, 0.4)
        end(round_, spec, 0.4)
    assert [trial.epochs for _, trial in round_.outcomes()] == [2, 0]
