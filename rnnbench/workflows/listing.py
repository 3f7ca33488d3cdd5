"""`rnnbench list`: what there is to run, and what was run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnnbench.architectures import architecture_names, display_name, make_form, model_parameters
from rnnbench.errors import StudyError, UsageError, unknown_name
from rnnbench.ledger import FOLDER, Ledger
from rnnbench.study import bundled_studies, load_study

__all__ = ["SECTIONS", "Listing", "list_all"]

SECTIONS = ("architectures", "studies", "runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A titled table of words."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str


def list_all(root: Path, what: str | None = None) -> list[Listing]:
    """The sections asked for, or all of them.

    Raises:
        UsageError: a section that there is not.
    """
    if what is not None and what not in SECTIONS:
        raise UsageError(unknown_name("section", what, SECTIONS))
    makers: dict[str, Callable[[], Listing]] = {
        "architectures": _architectures,
        "studies": lambda: _studies(root),
        "runs": lambda: _runs(root),
    }
    return [make() for name, make in makers.items() if what in (None, name)]


def _architectures() -> Listing:
    rows = []
    for name in architecture_names():
        form = make_form(name)
        n_parameters = model_parameters(form)
        count = "counted by Keras" if n_parameters is None else f"{n_parameters:,}"
        text = str(form).removeprefix("CanonicalForm").removeprefix("PluginForm").strip("()")
        rows.append((name, text, count))
    return Listing(
        title="architectures",
        headings=("name", "recurrent part", "parameters of the model"),
        rows=rows,
        empty="none",
    )


def _studies(root: Path) -> Listing:
    paths = [*bundled_studies().values(), *sorted(root.glob("*.toml"))]
    rows: dict[str, tuple[str, ...]] = {}
    for path in paths:
        try:
            study = load_study(path)
        except StudyError:
            continue  # another program's TOML file
        rows.setdefault(
            study.name,
            (study.name, study.contrast, str(len(study.seeds)), study.description),
        )
    return Listing(
        title="studies (rnnbench run --study NAME)",
        headings=("name", "contrast", "seeds", "about"),
        rows=list(rows.values()),
        empty="none",
    )


def _runs(root: Path) -> Listing:
    rows = []
    for entry in Ledger(root).entries() if (root / FOLDER).exists() else []:
        spec, result = entry.spec(), entry.result()
        status = result.status if result else f"{len(entry.history())} epochs done"
        score = f"{result.test_accuracy:.4f}" if result and result.test_accuracy else "–"
        rows.append(
            (entry.study, display_name(spec.form), str(spec.seed), spec.data.dataset, status, score)
        )
    rows.sort(key=lambda row: (row[0], row[1], int(row[2])))
    return Listing(
        title="runs in this folder",
        headings=("study", "architecture", "seed", "data", "status", "test accuracy"),
        rows=rows,
        empty="none yet; start with `rnnbench run --all`",
    )
