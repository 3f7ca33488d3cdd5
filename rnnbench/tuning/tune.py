"""`rnnbench tune`: from a search space to the best values of each architecture."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

from rnnbench.datasets import DatasetRef, OwnChoices, resolve_dataset
from rnnbench.execution.devices import Placement
from rnnbench.execution.engines import open_executor, refuse_unfit
from rnnbench.ledger import Ledger
from rnnbench.options import ExecutorChoices, given
from rnnbench.tracking.addresses import show_address
from rnnbench.tracking.store import find_store
from rnnbench.tuning.command import TuneChoices
from rnnbench.tuning.coordinator import Coordinator, SearchPlan, TuneOutcome
from rnnbench.tuning.plan import (
    Tuning,
    compose_tuning,
    refuse_overlap,
    report_seeds,
)
from rnnbench.tuning.search import Search, put_aside
from rnnbench.tuning.storage import JOURNAL, Storage, open_storage
from rnnbench.tuning.trials import count_points

if TYPE_CHECKING:
    from pathlib import Path

    from rnnbench.tuning.screen import TuningScreen


__all__ = ["tune", "winners_as_json"]


def tune(choices: TuneChoices, view: TuningScreen, root: Path) -> TuneOutcome:
    """Search, record and show the best values of each architecture in the folder `root`.

    Raises:
        RnnbenchError: bad input, or data, storage or folder out of reach; never for a bad trial.
    """
    tuning = compose_tuning(choices)
    own = OwnChoices.of(given(choices.own))
    find_store(root)  # a store that cannot be used is said before anything is trained
    refuse_overlap(tuning.seeds, tuning.base.seeds, "the textbook study")
    entries = Ledger(root, on_problem=view.warn).entries()
    refuse_overlap(tuning.seeds, report_seeds(entries), "runs of this folder")
    ledger = Ledger(root, "searches", on_problem=view.warn)
    placing = ExecutorChoices(**asdict(choices.placing), engine="keras")
    opened = open_executor(placing, ledger.folder)
    executor, placement = opened.executor, opened.placement
    with closing(executor):
        start = partial(executor.start, len(placement.gpus))
        dataset = resolve_dataset(tuning.base.dataset, view.downloaded, start, own)
        refuse_unfit(
            spec
            for name in tuning.base.architectures
            for spec in tuning.specs(name, {}, dataset, placement.backend)
        )
        with ledger.locked(view.say_waiting):
            storage = open_storage(choices.storage, root)
            plan = SearchPlan(
                tuning=tuning,
                dataset=dataset,
                placement=placement,
                searches=_open_searches(tuning, dataset, placement, storage, choices, ledger),
                storage=show_address(choices.storage or JOURNAL),
            )
            view.show_search(plan)
            for sentence in (*_alike(tuning, dataset, placement), *_foreign(plan)):
                view.warn(sentence)
            return Coordinator(plan, choices, view, ledger, executor, root).carry_out()


def winners_as_json(outcome: TuneOutcome) -> str:
    """The winners, and what they were found with; nothing in it varies between repeats."""
    winners = {
        record.architecture: {
            "params": record.winner.params,
            "val_loss": record.winner.value,
            "trial": record.winner.number,
            "trials": len(record.trials),
            "distinct_points": count_points(record.trials),
        }
        for record in outcome.records
        if record.winner is not None
    }
    first = outcome.records[0]
    found = {
        "tuning": first.tuning,
        "dataset": first.dataset,
        "fingerprint": first.fingerprint,
        "tuning_seeds": first.seeds,
        "winners": winners,
    }
    return json.dumps(found, indent=1, sort_keys=True)


def _open_searches(
    tuning: Tuning,
    dataset: DatasetRef,
    placement: Placement,
    storage: Storage,
    choices: TuneChoices,
    ledger: Ledger,
) -> dict[str, Search]:
    """By architecture; with `--fresh` the old trials are put aside first."""
    names = {
        name: f"{tuning.name}/{name}/{dataset.name}-{dataset.fingerprint[:8]}"
        for name in tuning.base.architectures
    }
    if choices.fresh:
        _archive_runs(ledger, tuning.name, set(names.values()))
        for name in names.values():
            put_aside(storage, name)
    return {
        architecture: Search(
            storage,
            name,
            space=tuning.space,
            method=replace(tuning.method, first=tuning.usual(architecture)),
            declaration=tuning.declaration(architecture, dataset, placement.backend),
            place=show_address(choices.storage or JOURNAL),
        )
        for architecture, name in names.items()
    }


def _alike(tuning: Tuning, dataset: DatasetRef, placement: Placement) -> list[str]:
    """Sentences on architectures that differ in nothing but what the space tunes."""
    found: dict[str, list[str]] = {}
    for name in tuning.base.architectures:
        fixed = tuning.declaration(name, dataset, placement.backend)["architecture"]
        found.setdefault(str(fixed), []).append(name)
    return [
        f"{' and '.join(names)} differ in nothing but what this space tunes: they are one search "
        "made twice, and a difference between their winners is luck"
        for names in found.values()
        if len(names) > 1
    ]


def _foreign(plan: SearchPlan) -> list[str]:
    """Sentences on trials that others put into our studies."""
    return [
        f"{plan.storage}: another program added {search.n_foreign} "
        f"trial{'' if search.n_foreign == 1 else 's'} to '{search.name}'; left alone, not counted"
        for search in plan.searches.values()
        if search.n_foreign
    ]


def _archive_runs(ledger: Ledger, tuning: str, searches: set[str]) -> None:
    for entry in filter(ledger.is_sound, ledger.entries(tuning)):
        parents = entry.parents()
        if parents and parents[0].key.rpartition(" ")[0] in searches:
            ledger.archive(tuning, entry.spec())
