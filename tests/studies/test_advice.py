"""What a table can decide: counted as the report counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import workers_here

from rnnbench.architectures import display_name
from rnnbench.compare.comparison import find_unlearned
from rnnbench.compare.outcome import Outcome
from rnnbench.datasets import DatasetRef
from rnnbench.ledger import Ledger
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import RunResult, RunSpec
from rnnbench.studies.plan import Plan, count_pairs
from rnnbench.studies.summary import give_advice, summarise
from rnnbench.study import Study

MakeSpec = Callable[..., RunSpec]
RESULT = RunResult(
    status="finished", epochs=9, fit_seconds=60.0, val_accuracy=0.8, test_accuracy=0.8
)
BETTER = replace(RESULT, test_accuracy=0.81)
LOST = replace(RESULT, test_accuracy=0.5, val_accuracy=0.5)


def advise(
    root: Path,
    study: Study,
    specs: Sequence[RunSpec],
    flat: Sequence[str] = (),
    lost: Mapping[str, int] | None = None,
) -> str:
    """What is said of finished runs.

    Args:
        flat: architectures whose runs all score the same.
        lost: by architecture, how many of the last seeds did not learn.
    """

    def result_of(spec: RunSpec) -> RunResult:
        name = display_name(spec.form)
        if spec.seed > max(study.seeds) - (lost or {}).get(name, 0):
            return LOST
        return BETTER if spec.seed % 2 and name not in flat else RESULT

    plan = Plan(
        study=study,
        specs=tuple(specs),
        dataset=DatasetRef(name="made-up", fingerprint="ab", origin="here"),
        workers=workers_here(),
        ledger=Ledger(root),
        n_train=100,
    ).refreshed()
    runs = [RecordedRun(study="", spec=spec, result=result_of(spec)) for spec in specs]
    unlearned = find_unlearned(runs, lambda _: 0.6) or frozenset()
    rows = summarise(runs, vary_split=study.vary_split, unlearned=unlearned)
    return give_advice(plan, rows, Outcome())


def test_pairs_are_those_inside_a_section(tmp_path: Path, make_spec: MakeSpec) -> None:
    study = Study(
        name="orders",
        architectures=("lstm", "gru"),
        seeds=tuple(range(8)),
        contrast="order",
        recipe={"order": ("reshuffled", "frozen")},
    )
    specs = [
        make_spec(name, seed=seed, order=order)
        for name in study.architectures
        for order in ("reshuffled", "frozen")
        for seed in study.seeds
    ]
    assert count_pairs(study, specs) == 2  # of six between the four rows
    assert advise(tmp_path, study, specs) == "8 seeds: enough for a verdict on each of 2 pairs"


@pytest.mark.parametrize(
    ("first", "option"), [(0, "--seeds 6 adds"), (10, "--seeds 10-15 adds")], ids=["0", "10"]
)
def test_the_option_goes_on_from_the_studys_first_seed(
    tmp_path: Path, make_spec: MakeSpec, first: int, option: str
) -> None:
    seeds = (first, first + 1)
    study = Study(name="mine", architectures=("lstm", "gru"), seeds=seeds)
    specs = [make_spec(name, seed=seed) for name in study.architectures for seed in seeds]
    said = advise(tmp_path, study, specs)
    assert "A verdict takes 6, because" in said
    assert option in said


@pytest.mark.parametrize(
    ("flat", "words"),
    [
        (("lstm",), "8 seeds: enough for a verdict on each of 3 pairs"),
        (("lstm", "gru"), "No spread: every run of some arms scored the same"),
    ],
)
def test_a_pair_without_spread_gets_no_verdict(
    tmp_path: Path, make_spec: MakeSpec, flat: Sequence[str], words: str
) -> None:
    study = Study(name="mine", architectures=("lstm", "gru", "simple-rnn"), seeds=tuple(range(8)))
    specs = [make_spec(name, seed=seed) for name in study.architectures for seed in study.seeds]
    assert advise(tmp_path, study, specs, flat).startswith(words)


def test_a_split_for_each_seed_makes_no_rows(tmp_path: Path, make_spec: MakeSpec) -> None:
    study = Study(name="mine", architectures=("lstm", "gru"), seeds=(0, 1), vary_split=True)
    specs = [
        replace(spec, data=replace(spec.data, split_seed=spec.seed))
        for spec in (make_spec(name, seed=n) for name in study.architectures for n in study.seeds)
    ]
    assert advise(tmp_path, study, specs).startswith("Descriptive only: 2 seeds in the smallest")


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        ({}, "8 seeds: enough for a verdict on each of 3 pairs"),
        ({"gru": 8}, "8 seeds: enough for a verdict on each of 1 pair"),
        ({"gru": 8, "lstm": 8}, "no pair of rows has scores to compare"),
        ({"gru": 8, "lstm": 8, "simple-rnn": 8}, "no run has a score to compare"),
    ],
    ids=["all learned", "one row did not", "one row did", "none learned"],
)
def test_what_can_be_decided_is_counted_among_runs_that_learned(
    tmp_path: Path, make_spec: MakeSpec, lost: Mapping[str, int], words: str
) -> None:
    study = Study(name="mine", architectures=("lstm", "gru", "simple-rnn"), seeds=tuple(range(8)))
    specs = [make_spec(name, seed=seed) for name in study.architectures for seed in study.seeds]
    assert advise(tmp_path, study, specs, lost=lost) == words


def test_seeds_are_added_beyond_those_that_did_not_learn(
    tmp_path: Path, make_spec: MakeSpec
) -> None:
    """Eight were run, five of GRU learned, six are needed."""
    study = Study(name="mine", architectures=("lstm", "gru"), seeds=tuple(range(8)))
    specs = [make_spec(name, seed=seed) for name in study.architectures for seed in study.seeds]
    said = advise(tmp_path, study, specs, lost={"gru": 3})
    assert said.startswith("Descriptive only: 5 seeds in the smallest arm. A verdict takes 6")
    assert said.endswith("--seeds 9 adds the missing ones, if all of them learn, in about 1 min.")
