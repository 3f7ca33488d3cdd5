"""Searches whose trials are made up: no network is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from made_up import tuning_of

from rnnbench.tuning.plan import Tuning
from rnnbench.tuning.search import Search
from rnnbench.tuning.space import Params, Space, load_space
from rnnbench.tuning.storage import open_storage
from rnnbench.tuning.trials import Trial

RATE = load_space("learning-rate")
DECLARATION = {"space": {"learning_rate": {"low": 1e-5, "high": 0.1}}, "pruner": "median"}
USUAL = {"learning_rate": 1e-4}


@dataclass(frozen=True, kw_only=True)
class MadeUpTuning(Tuning):
    """Is called, declares and begins as a test says."""

    name: str
    declared: dict[str, Any]
    first: Params | None

    def search_name(self, architecture: str) -> str:
        return self.name

    def declaration(self, architecture: str) -> dict[str, Any]:
        return self.declared

    def textbook_params(self, architecture: str) -> Params | None:
        return self.first


def open_search(
    folder: Path,
    *,
    name: str = "lstm",
    space: Space = RATE,
    address: str | None = None,
    declaration: dict[str, Any] = DECLARATION,
    first: Params | None = USUAL,
    **choices: Any,
) -> Search:
    """The search as a new command finds it."""
    tuning = tuning_of(**{"trials": 15, "storage": address, **choices})
    values = {field.name: getattr(tuning, field.name) for field in fields(Tuning)}
    own = {"space": space, "name": name, "declared": declaration, "first": first}
    return Search(MadeUpTuning(**{**values, **own}), "lstm", open_storage(address, folder))


def train(proposal: Trial, prune: Callable[[Sequence[float]], bool]) -> Trial:
    """A valley at 10^-2.3; large rates diverge, and very small ones fail."""
    found: dict[str, Any] = {"number": proposal.number, "params": proposal.params}
    rate = proposal.params.get("learning_rate", 0.01)
    if rate > 0.03:
        return Trial(**found, state="pruned", curve=(0.7, math.nan), reason="diverged: NaN")
    if rate < 3e-5:
        return Trial(**found, state="failed", reason="failed: the worker died")
    floor = 0.4 + (math.log10(rate) + 2.3) ** 2 / 10
    curve = tuple(floor + 1 / epoch for epoch in range(1, 21))
    cut = next((epoch for epoch in range(1, 21) if prune(curve[:epoch])), None)
    if cut is not None:
        return Trial(**found, state="pruned", curve=curve[:cut])
    return Trial(**found, state="complete", value=min(curve), curve=curve)


def carry_out(folder: Path, stops: Collection[int] = (), **values: Any) -> list[Trial]:
    """All trials; after each of the numbers in `stops` the command dies and a new one goes on."""
    search = open_search(folder, **values)
    while batch := search.next_batch():
        prune = search.pruning()
        for proposal in batch:
            search.tell(train(proposal, prune))
            if proposal.number in stops:
                search = open_search(folder, **values)
                break
    return search.trials
