"""One row for each architecture of a study."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rnnbench.architectures import display_name, model_parameters
from rnnbench.published.notes import NotesRun, is_comparable_with_notes, published_runs
from rnnbench.specs import RunResult, RunSpec
from rnnbench.stats.intervals import MeanSd, mean_sd

__all__ = ["Row", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the runs of one configuration, differing in their seed only, have in common.

    Args:
        varied: what besides the architecture tells this row from others, as `key=value`.
        n: finished runs; the means are over these.
        published: the notes' run of the same recipe on the same kind of data, if any.
    """

    architecture: str
    varied: str
    n: int
    n_diverged: int
    n_failed: int
    n_missing: int
    n_parameters: int | None
    test_accuracy: MeanSd
    test_loss: MeanSd
    val_loss: MeanSd
    best_epoch: MeanSd
    epoch_seconds: MeanSd
    fit_seconds: MeanSd
    published: NotesRun | None


def summarise(
    runs: Sequence[tuple[RunSpec, RunResult | None]], *, vary_split: bool = False
) -> list[Row]:
    """A row for each configuration, in the order in which they first come.

    Args:
        vary_split: each seed has a split of its own, which makes no row of its own.
    """
    groups: dict[tuple[str, str], list[tuple[RunSpec, RunResult | None]]] = {}
    varying = _varying([spec for spec, _ in runs])
    if vary_split:
        varying = [name for name in varying if name != "split_seed"]
    for spec, result in runs:
        values = spec.settings
        varied = ", ".join(f"{key}={values[key]}" for key in varying)
        groups.setdefault((display_name(spec.form), varied), []).append((spec, result))
    return [_row(name, varied, group) for (name, varied), group in groups.items()]


def _row(name: str, varied: str, runs: list[tuple[RunSpec, RunResult | None]]) -> Row:
    spec = runs[0][0]
    results = [result for _, result in runs if result is not None]
    finished = [result for result in results if result.status == "finished"]
    n_parameters = model_parameters(
        spec.form,
        num_words=spec.data.num_words,
        embedding_size=spec.embedding_size,
        n_classes=spec.data.n_classes,
    )
    return Row(
        architecture=name,
        varied=varied,
        n=len(finished),
        n_diverged=sum(result.status == "diverged" for result in results),
        n_failed=sum(result.status == "failed" for result in results),
        n_missing=len(runs) - len(results),
        n_parameters=n_parameters or next((r.n_parameters for r in finished), None),
        test_accuracy=_mean_sd(r.test_accuracy for r in finished),
        test_loss=_mean_sd(r.test_loss for r in finished),
        val_loss=_mean_sd(r.val_loss for r in finished),
        best_epoch=_mean_sd(r.best_epoch for r in finished),
        epoch_seconds=_mean_sd(r.epoch_seconds for r in finished),
        fit_seconds=_mean_sd(r.fit_seconds for r in finished),
        published=published_runs().get(name) if is_comparable_with_notes(spec) else None,
    )


def _mean_sd(values: Iterable[float | None]) -> MeanSd:
    return mean_sd([math.nan if value is None else value for value in values])


def _varying(specs: Sequence[RunSpec]) -> list[str]:
    settings = [spec.settings for spec in specs]
    return [
        key
        for key in (settings[0] if settings else {})
        if len({values[key] for values in settings}) > 1
    ]
