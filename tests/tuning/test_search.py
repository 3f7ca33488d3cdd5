"""One architecture's search: the same trials wherever it is broken off, and what it gives up."""

from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_searches import DECLARATION, RATE, USUAL, carry_out, open_search, train

from rnnbench.errors import StoreError, UsageError
from rnnbench.tuning.plan import BATCH
from rnnbench.tuning.search import Search, measure_importances, put_aside
from rnnbench.tuning.space import Params, Range, Space
from rnnbench.tuning.storage import JOURNAL, open_storage
from rnnbench.tuning.trials import Trial, best_so_far, count_trials, find_winner

UNITS = Space(domains={"units": (4, 8, 16, 32), "dropout": Range(low=0.0, high=0.5)})


def essence(trials: list[Trial]) -> list[tuple[int, Params, str, float | None]]:
    """What must not depend on when a search was broken off."""
    return [(trial.number, trial.params, trial.state, trial.value) for trial in trials]


def complete(number: int, *curve: float) -> Trial:
    """A trial with these validation losses."""
    return Trial(
        number=number,
        params={"learning_rate": 0.001 * (number + 1)},
        state="complete",
        value=min(curve),
        curve=curve,
    )


def lost(number: int) -> Trial:
    return Trial(number=number, params=dict(USUAL), state="failed")


def search_after(folder: Path, *trials: Trial, **choices: Any) -> Search:
    """A search that was told these."""
    search = open_search(folder, **choices)
    for trial in trials:
        search.tell(trial)
    return search


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Trial]]:
    """By sampler, fifteen trials in one go."""
    return {
        sampler: carry_out(tmp_path_factory.mktemp(sampler), sampler=sampler)
        for sampler in ("tpe", "random")
    }


def test_the_made_up_search_meets_every_kind_of_trial(unbroken: dict[str, list[Trial]]) -> None:
    met = {(trial.state, trial.reason) for trials in unbroken.values() for trial in trials}
    assert {("complete", None), ("pruned", None), ("pruned", "diverged: NaN")} < met
    assert ("failed", "failed: the worker died") in met


@given(sampler=st.sampled_from(["tpe", "random"]), stops=st.sets(st.integers(0, 14), max_size=5))
@settings(
    max_examples=6,
    deadline=None,  # every trial is synced to the disk
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # they only change the folder
)
def test_a_search_that_is_broken_off_comes_to_the_same_trials(
    unbroken: dict[str, list[Trial]],
    tmp_path_factory: pytest.TempPathFactory,
    sampler: str,
    stops: set[int],
) -> None:
    trials = carry_out(tmp_path_factory.mktemp("broken"), stops, sampler=sampler)
    assert essence(trials) == essence(unbroken[sampler])
    assert find_winner(trials) == find_winner(unbroken[sampler])


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_search_that_is_extended_comes_to_the_same_trials(
    unbroken: dict[str, list[Trial]], tmp_path: Path, sampler: str
) -> None:
    seven = carry_out(tmp_path, sampler=sampler, trials=7)
    assert essence(seven) == essence(unbroken[sampler][:7])
    assert essence(carry_out(tmp_path, sampler=sampler)) == essence(unbroken[sampler])


def test_a_database_holds_the_same_trials_as_the_journal(
    unbroken: dict[str, list[Trial]], tmp_path: Path
) -> None:
    address = f"sqlite:///{tmp_path / 'trials.db'}"
    trials = carry_out(tmp_path, stops={3}, sampler="random", address=address, trials=8)
    assert essence(trials) == essence(unbroken["random"][:8])
    assert not (tmp_path / JOURNAL).exists()


def test_a_batch_that_was_broken_off_is_asked_for_its_rest(tmp_path: Path) -> None:
    search = open_search(tmp_path)
    asked = search.next_batch()
    assert [proposal.number for proposal in asked] == list(range(BATCH))
    search.tell(train(asked[0], search.pruning()))
    assert open_search(tmp_path).next_batch() == asked[1:]


def test_the_last_batch_ends_with_the_last_trial(tmp_path: Path) -> None:
    search = search_after(tmp_path, *(complete(n, 0.5) for n in range(6)), trials=8)
    assert [proposal.number for proposal in search.next_batch()] == [6, 7]
    assert not search.is_over


def test_a_trial_is_read_back_as_it_was_told(tmp_path: Path) -> None:
    trial = Trial(
        number=0,
        params={"units": 8, "dropout": 0.25},
        state="complete",
        value=0.45,
        losses=(0.44, 0.46),
        curve=(0.6, 0.44, 0.5),
        epochs=7,
        seconds=1.5,
        reason="because",
    )
    open_search(tmp_path, space=UNITS).tell(trial)
    (found,) = open_search(tmp_path, space=UNITS).trials
    assert found == trial
    assert {name: type(value) for name, value in found.params.items()} == {
        "units": int,
        "dropout": float,
    }


def test_another_seed_of_the_sampler_asks_for_other_trials(tmp_path: Path) -> None:
    one = open_search(tmp_path, name="one").next_batch()
    other = open_search(tmp_path, name="other", sampler_seed=1).next_batch()
    assert one[0] == other[0]  # the value of the notes
    assert all(a.params != b.params for a, b in zip(one[1:], other[1:], strict=True))


def test_the_name_of_a_search_changes_nothing(tmp_path: Path) -> None:
    one, other = (open_search(tmp_path, name=name) for name in ("lstm", "gru"))
    assert one.next_batch() == other.next_batch()


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_the_value_of_the_notes_is_tried_first(tmp_path: Path, sampler: str) -> None:
    assert open_search(tmp_path, sampler=sampler).next_batch()[0].params == USUAL


def test_a_value_outside_the_space_is_not_tried(tmp_path: Path) -> None:
    space = Space(domains={"learning_rate": Range(low=1e-3, high=1e-1, log=True)})
    asked = open_search(tmp_path, name="with", space=space).next_batch()
    assert asked == open_search(tmp_path, name="without", space=space, first=None).next_batch()
    assert all(space.contains(proposal.params) for proposal in asked)


def test_a_grid_visits_each_point_once_and_is_over_then(tmp_path: Path) -> None:
    values = {"space": UNITS, "sampler": "grid", "trials": 11}
    trials = carry_out(tmp_path, stops={2, 6}, **values)
    assert [trial.params for trial in trials] == [
        {"units": units, "dropout": dropout} for dropout in (0.0, 0.5) for units in (4, 8, 16, 32)
    ]
    search = open_search(tmp_path, **values)
    assert (search.n_trials, search.is_over, search.next_batch()) == (8, True, [])


@pytest.mark.parametrize(
    ("declaration", "change"),
    [
        (
            {"space": {"learning_rate": {"low": 1e-5, "high": 0.01}}, "pruner": "median"},
            "space.learning_rate.high was 0.1 and is now 0.01",
        ),
        ({**DECLARATION, "seeds": [7]}, "seeds was absent and is now [7]"),
        ({"space": DECLARATION["space"]}, "pruner was median and is now absent"),
    ],
    ids=["changed", "added", "left out"],
)
def test_a_search_that_was_declared_otherwise_is_refused(
    tmp_path: Path, declaration: dict[str, Any], change: str
) -> None:
    open_search(tmp_path)
    words = f"lstm was started with other settings: {re.escape(change)}. .*start over with --fresh"
    with pytest.raises(UsageError, match=words):
        open_search(tmp_path, declaration=declaration)


def test_a_study_of_somebody_else_is_refused(tmp_path: Path) -> None:
    study = optuna.create_study(study_name="lstm", storage=open_storage(None, tmp_path))
    study.add_trial(optuna.trial.create_trial(value=0.5))
    with pytest.raises(UsageError, match="that this program did not make; choose another"):
        open_search(tmp_path)


def test_what_others_add_to_a_search_neither_counts_nor_wins(tmp_path: Path) -> None:
    search_after(tmp_path, complete(0, 0.5))
    theirs = optuna.load_study(study_name="lstm", storage=open_storage(None, tmp_path))
    theirs.add_trial(optuna.trial.create_trial(value=0.1))
    theirs.enqueue_trial(USUAL)
    search = search_after(tmp_path, complete(1, 0.4))
    again = open_search(tmp_path)
    assert (again.trials, again.n_foreign) == (search.trials, 2)
    assert [trial.number for trial in again.trials] == [0, 1]
    assert again.next_batch()[0].number == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"value":0.5', '"value":"low"'),
        ('"params":{"learning_rate":0.001}', '"params":{"learning_rate":1e+200}'),
        ('"epochs":0', '"epochs":{}'),
        ('"seconds":0.0', '"seconds":1e+300'),
        ('"state":1', '"state":77'),
        ('"rnnbench.began"', '"rnnbench.begun"'),
        ('"study_name":"lstm"', '"study_name":' + "[" * 100_000),
    ],
    ids=["text", "outside", "epochs", "seconds", "state", "no date", "deep"],
)
def test_a_journal_that_was_changed_is_named(tmp_path: Path, before: str, after: str) -> None:
    search_after(tmp_path, complete(0, 0.5))
    path = tmp_path / JOURNAL
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(StoreError, match=r"optuna-journal\.log"):
        open_search(tmp_path)


def test_a_search_that_is_put_aside_begins_again_from_nothing(tmp_path: Path) -> None:
    before = search_after(tmp_path, complete(0, 0.5))
    storage = open_storage(None, tmp_path)
    assert put_aside(storage, "lstm")
    after = open_search(tmp_path, declaration={"another": 1})
    assert after.trials == []
    assert after.began > before.began
    kept = optuna.get_all_study_summaries(open_storage(None, tmp_path))
    assert sorted((study.study_name[:16], study.n_trials) for study in kept) == [
        ("lstm", 0),
        ("lstm (put aside ", 1),
    ]


def test_what_is_not_there_cannot_be_put_aside(tmp_path: Path) -> None:
    assert not put_aside(open_storage(None, tmp_path), "lstm")


@pytest.mark.parametrize("number", [0, 2], ids=["again", "too far"])
def test_trials_are_told_in_their_order(tmp_path: Path, number: int) -> None:
    search = search_after(tmp_path, complete(0, 0.5))
    with pytest.raises(AssertionError, match="in the order of their numbers"):
        search.tell(complete(number, 0.5))


# Of six complete trials, ever at 0.1, 0.2, …, 0.6, the median is 0.35.
LEVELS = tuple(complete(n, *[0.1 * (n + 1)] * 12) for n in range(6))


@pytest.mark.parametrize(("loss", "is_pruned"), [(0.34, False), (0.36, True), (math.nan, True)])
def test_a_run_above_the_median_is_given_up(tmp_path: Path, loss: float, is_pruned: bool) -> None:
    assert search_after(tmp_path, *LEVELS).pruning()([loss] * 10) == is_pruned


def test_a_run_at_the_median_goes_on(tmp_path: Path) -> None:
    search = search_after(tmp_path, *(complete(n, *[0.5] * 12) for n in range(6)))
    assert not search.pruning()([0.5] * 12)


def test_no_run_is_given_up_before_epoch_10(tmp_path: Path) -> None:
    prune = search_after(tmp_path, *LEVELS).pruning()
    assert [prune([9.0] * n_epochs) for n_epochs in range(12)] == [False] * 10 + [True] * 2


def test_no_run_is_given_up_before_five_trials_are_complete(tmp_path: Path) -> None:
    four = search_after(tmp_path, *LEVELS[:4], lost(4), lost(5), name="four")
    five = search_after(tmp_path, *LEVELS[:5], lost(5), name="five")
    assert not four.pruning()([9.0] * 12)
    assert five.pruning()([9.0] * 12)


def test_only_trials_of_earlier_batches_count(tmp_path: Path) -> None:
    search = search_after(tmp_path, *(lost(n) for n in range(6)))
    for number in range(6, 12):
        assert not search.pruning()([9.0] * 12)
        search.tell(complete(number, *[0.5] * 12))
    assert search.pruning()([9.0] * 12)


def test_the_lowest_so_far_is_compared(tmp_path: Path) -> None:
    # Each had its best in the first epoch and has been far off since.
    rising = (complete(n, 0.1 * (n + 1), *[5.0] * 11) for n in range(6))
    prune = search_after(tmp_path, *rising).pruning()
    assert prune([4.0] * 12)
    assert not prune([0.34, *[9.0] * 11])


def test_a_trial_that_stopped_early_counts_with_its_best(tmp_path: Path) -> None:
    short = (complete(n, 0.1 * (n + 1), 2.0, 2.0, 2.0) for n in range(6))
    prune = search_after(tmp_path, *short).pruning()
    assert prune([0.36] * 50)
    assert not prune([0.34] * 50)


def test_without_a_pruner_no_run_is_given_up(tmp_path: Path) -> None:
    assert not search_after(tmp_path, *LEVELS, pruner="none").pruning()([math.nan] * 50)


def test_a_torn_last_line_is_cut_off_and_the_search_goes_on(
    unbroken: dict[str, list[Trial]], tmp_path: Path
) -> None:
    carry_out(tmp_path, sampler="random", trials=8)
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes()[:-10])  # of the eighth trial
    assert len(open_search(tmp_path, sampler="random").trials) == 7
    assert path.read_bytes().endswith(b"\n")
    assert essence(carry_out(tmp_path, sampler="random")) == essence(unbroken["random"])


@pytest.mark.parametrize("text", [b"half of {", b"", b"\xff\xfe"], ids=["torn", "empty", "no text"])
def test_a_damaged_line_is_named_with_its_file(tmp_path: Path, text: bytes) -> None:
    carry_out(tmp_path, trials=4)
    path = tmp_path / JOURNAL
    lines = path.read_bytes().split(b"\n")
    lines[2] = text
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(StoreError, match=re.escape(f"{path}:3: not a line of Optuna's journal")):
        open_storage(None, tmp_path)


def test_a_line_that_means_nothing_to_optuna_is_damage(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("{}\n")
    with pytest.raises(StoreError, match=r"optuna-journal\.log is damaged"):
        open_storage(None, tmp_path)


def test_a_journal_in_a_folder_that_is_not_there_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write .*optuna-journal\.log: No such file"):
        open_storage(None, tmp_path / "nowhere")


def test_a_storage_that_goes_away_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "short-lived"
    folder.mkdir()
    search = open_search(folder)
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="Optuna's storage does not take trials"):
        search.tell(complete(0, 0.5))
    assert search.trials == []


@pytest.mark.parametrize("address", ["trials.db", "sqlite:/trials.db", ""])
def test_an_address_of_an_unknown_kind_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(StoreError, match=f"--storage takes sqlite:///.*got '{address}'"):
        open_storage(address, tmp_path)


def test_a_database_in_a_folder_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/nowhere/trials.db"
    with pytest.raises(StoreError, match=f"the storage {address} does not answer .*unable to open"):
        open_storage(address, tmp_path)


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the storage sqlite://\*\*\*@host/db") as caught:
        open_storage("sqlite://me:secret@host/db", tmp_path)
    assert "secret" not in str(caught.value)


def test_points_that_were_tried_again_are_said() -> None:
    assert count_trials([complete(0, 0.5)]) == "1 trial"
    assert count_trials([complete(0, 0.5), complete(1, 0.4)]) == "2 trials"
    assert count_trials([lost(0), lost(1), complete(0, 0.5)]) == "3 trials of 2 distinct points"
    assert count_trials([lost(0), lost(1)]) == "2 trials of 1 distinct point"


def test_the_first_of_equals_wins() -> None:
    trials = [lost(0), complete(1, 0.5), complete(3, 0.4), complete(2, 0.4)]
    assert find_winner(trials) == trials[3]


def test_without_a_complete_trial_nobody_wins() -> None:
    pruned = Trial(number=1, params=USUAL, state="pruned", curve=(0.1,))
    assert find_winner([lost(0), pruned]) is None
    assert find_winner([]) is None


def test_the_best_so_far_passes_over_what_is_not_finite() -> None:
    losses = [math.nan, 0.5, -math.inf, 0.6, math.nan, 0.4, math.inf]
    assert best_so_far(losses) == [math.inf, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4]


def test_the_best_so_far_goes_on_after_the_last_epoch() -> None:
    assert best_so_far([0.5, 0.6], 4) == [0.5, 0.5, 0.5, 0.5]
    assert best_so_far([0.5, 0.6], 1) == [0.5, 0.5]
    assert best_so_far([], 2) == [math.inf, math.inf]


def test_a_trial_survives_json() -> None:
    trial = complete(3, 0.5, 0.4)
    assert Trial.from_json(json.loads(json.dumps(asdict(trial)))) == trial


def test_importances_need_four_complete_trials() -> None:
    three = [complete(n, 0.5 + n) for n in range(3)]
    assert measure_importances(RATE, [*three, lost(3)]) == {}
    assert measure_importances(RATE, [*three, complete(3, 0.1)]) == {"learning_rate": 1.0}


def test_importances_of_two_parameters_are_shares() -> None:
    trials = [
        Trial(
            number=number,
            params={"units": units, "dropout": dropout},
            state="complete",
            value=dropout + 0.001 * units,
        )
        for number, (units, dropout) in enumerate(
            (units, dropout) for units in (4, 8, 16, 32) for dropout in (0.0, 0.1, 0.3, 0.5)
        )
    ]
    found = measure_importances(UNITS, trials)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["dropout"] > 0.9


def test_equal_values_have_no_importances() -> None:
    assert measure_importances(RATE, [complete(n, 0.5) for n in range(6)]) == {}
