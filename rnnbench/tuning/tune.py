"""`rnnbench tune`: from a search space to the best values of each architecture."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rnnbench.datasets import OwnChoices, resolve_dataset
from rnnbench.execution.choices import open_executor
from rnnbench.execution.engines import refuse_unfit
from rnnbench.ledger import Ledger
from rnnbench.tracking.store import find_store
from rnnbench.tuning.coordinator import Coordinator, TuneOutcome
from rnnbench.tuning.plan import (
    TUNING,
    TuneChoices,
    Tuning,
    compose_base,
    refuse_impossible,
    refuse_overlap,
)
from rnnbench.tuning.search import Search, put_aside
from rnnbench.tuning.space import load_space
from rnnbench.tuning.storage import open_storage

if TYPE_CHECKING:
    from pathlib import Path

    from rnnbench.tuning.screen import TuningScreen


__all__ = ["tune"]


def tune(choices: TuneChoices, view: TuningScreen, root: Path) -> TuneOutcome:
    """Search, record and show the best values of each architecture in the folder `root`.

    Raises:
        RnnbenchError: bad input, or data, storage or folder out of reach; never for a bad trial.
    """
    base = compose_base(choices)
    space = load_space(choices.space)
    refuse_impossible(base, space, choices.space)
    own = OwnChoices.of(choices.own)
    store = find_store(root)  # one that cannot be used is said before anything is trained
    refuse_overlap(choices.tuning_seeds, base.seeds, "the textbook study")
    entries = Ledger(root, on_problem=view.warn).entries()
    report_seeds = {entry.spec().seed for entry in entries}
    refuse_overlap(choices.tuning_seeds, report_seeds, "runs of this folder")
    ledger = Ledger(root, "searches", on_problem=view.warn)
    opened = open_executor(replace(choices.placing, engine="keras"), ledger.folder)
    with closing(opened.executor) as executor:
        start = partial(executor.start, len(opened.placement.gpus))
        tuning = Tuning(
            choices=choices,
            base=base,
            space=space,
            dataset=resolve_dataset(base.dataset, view.downloaded, start, own),
            placement=opened.placement,
        )
        refuse_unfit(spec for name in base.architectures for spec in tuning.specs(name, {}))
        with ledger.locked(view.say_waiting):
            searches = _open_searches(tuning, ledger, root)
            view.show_search(tuning, searches)
            for sentence in (*_alike(tuning), *_foreign(searches)):
                view.warn(sentence)
            return Coordinator(tuning, searches, view, ledger, executor, store).carry_out()


def _open_searches(tuning: Tuning, ledger: Ledger, root: Path) -> list[Search]:
    """One for each architecture; with `--fresh` the old trials are put aside first."""
    storage = open_storage(tuning.choices.storage, root)
    names = {name: tuning.search_name(name) for name in tuning.base.architectures}
    if tuning.choices.fresh:
        _archive_runs(ledger, set(names.values()))
        for name in names.values():
            put_aside(storage, name)
    return [Search(tuning, architecture, storage) for architecture in names]


def _alike(tuning: Tuning) -> list[str]:
    """Sentences on architectures that differ in nothing but what the space tunes."""
    found: dict[str, list[str]] = {}
    for name in tuning.base.architectures:
        found.setdefault(str(tuning.declaration(name)["architecture"]), []).append(name)
    return [
        f"{' and '.join(names)} differ in nothing but what this space tunes: they are one search "
        "made twice, and a difference between their winners is luck"
        for names in found.values()
        if len(names) > 1
    ]


def _foreign(searches: Sequence[Search]) -> list[str]:
    """Sentences on trials that others put into our studies."""
    return [
        f"{search.place}: another program added {search.n_foreign} "
        f"trial{'' if search.n_foreign == 1 else 's'} to '{search.name}'; left alone, not counted"
        for search in searches
        if search.n_foreign
    ]


def _archive_runs(ledger: Ledger, searches: set[str]) -> None:
    for entry in filter(ledger.is_sound, ledger.entries(TUNING)):
        parents = entry.parents()
        if parents and parents[0].key.rpartition(" ")[0] in searches:
            ledger.archive(TUNING, entry.spec())
