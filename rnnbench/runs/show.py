"""`rnnbench show`: one run, from its spec to its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.specs import EpochRow, RunResult, RunSpec
from rnnbench.tracking.addresses import show_address
from rnnbench.tracking.find_run import find_run
from rnnbench.tracking.runs import find_deleted

__all__ = ["ShownRun", "show_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRun:
    """All that is known of a run.

    Args:
        run_ids: in MLflow, by the store's address.
        is_deleted: whether somebody deleted it in MLflow, so that reports leave it out.
        files: what the ledger keeps of it.
    """

    study: str
    name: str
    spec: RunSpec
    result: RunResult | None
    history: tuple[EpochRow, ...]
    run_ids: dict[str, str]
    is_deleted: bool
    files: tuple[Path, ...]


def show_run(
    words: str,
    root: Path,
    study: str | None = None,
    on_problem: Callable[[str], None] = lambda _: None,
) -> ShownRun:
    """The run that is meant.

    Args:
        on_problem: called with a sentence for each run that is left out, being damaged.

    Raises:
        UsageError: no run, or several, are called so.
        DamagedError: a file of the run cannot be read.
    """
    entry = find_run(words, root, study, on_problem)
    spec = entry.spec()
    return ShownRun(
        study=entry.study,
        name=f"{display_name(spec.form)}, seed {spec.seed}",
        spec=spec,
        result=entry.result(),
        history=entry.history(),
        run_ids={
            show_address(address): str(notes["run_id"])
            for address, notes in entry.published().items()
            if "run_id" in notes
        },
        is_deleted=bool(find_deleted(root, [entry])),
        files=tuple(sorted(entry.folder.iterdir())),
    )
