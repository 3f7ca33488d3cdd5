"""One row an arm, one an individual run, and the response to what a study varies."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from rnnbench.architectures import model_parameters
from rnnbench.compare.rows import RESPONSE_OPTIONAL, ArmRow, ResponseRow, SeedRow
from rnnbench.compare.sections import RESPONSE_FACTORS, Arm, Section
from rnnbench.metrics import USUAL_METRIC
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import RunResult, RunSpec
from rnnbench.stats.intervals import (
    Interval,
    bootstrap_interval,
    interquartile_mean,
    mean_sd,
    t_interval,
)

_OF_PRESETS = ("dropout", "recurrent_dropout")  # presets differ in these


def describe_arm(section: str, arm: Arm, metric: str = USUAL_METRIC) -> ArmRow:
    """What the arm's runs that learned have in common; the others are counted.

    Args:
        metric: what runs are compared by, told like test accuracy.
    """
    results = [run.result for run in arm.learned if run.result is not None]
    summaries = {name: mean_sd(_values(results, read)) for name, read in _MEASURES.items()}
    means: dict[str, Any] = {name: _known(found.mean) for name, found in summaries.items()}
    means |= {f"{name}_sd": _known(found.sd) for name, found in summaries.items()}
    machines = {hardware_of(result) for result in results}
    seconds = results if len(machines) == 1 else []  # of different hardware: never pooled
    return ArmRow(
        section=section,
        arm=arm.name,
        n=len(results),
        n_failed=_count(arm, "failed"),
        n_diverged=_count(arm, "diverged"),
        n_unlearned=len(arm.finished) - len(arm.learned),
        n_missing=sum(run.result is None for run in arm.runs),
        n_at_limit=sum(map(is_at_limit, arm.learned)),
        n_parameters=count_parameters(arm.spec, results),
        test_quadratic_kappa_n=summaries["test_quadratic_kappa"].n or None,
        epoch_seconds=_known(mean_sd(_values(seconds, lambda result: result.epoch_seconds)).mean),
        fit_seconds=_known(mean_sd([result.fit_seconds for result in seconds]).mean),
        total_seconds=sum(result.fit_seconds for result in seconds) if seconds else None,
        hardware="; ".join(sorted(machines)),
        **means,
        **_spread(USUAL_METRIC, results),
        **(_spread(metric, results) if metric != USUAL_METRIC else {}),
    )


def describe_seeds(section: str, arm: Arm, metric: str = USUAL_METRIC) -> list[SeedRow]:
    """A row for each finished run of which all scores are known."""
    rows = []
    for run in arm.finished:
        result = run.result
        assert result is not None
        names = dict.fromkeys(("test_accuracy", "test_loss", "val_loss", "gap", metric))
        scores: dict[str, Any] = {name: _MEASURES[name](result) for name in names}
        if None not in scores.values():
            rows.append(
                SeedRow(
                    section=section,
                    arm=arm.name,
                    seed=run.spec.seed,
                    best_epoch=result.best_epoch or 0,
                    epoch_seconds=result.epoch_seconds,
                    **scores,
                )
            )
    return rows


def describe_responses(
    sections: Sequence[Section], metric: str = USUAL_METRIC
) -> list[ResponseRow]:
    """How the score responds to each hyperparameter that takes several numbers in the study."""
    arms = [arm for section in sections for arm in section.arms]
    varying = _varying(arms)
    factors = [name for name in RESPONSE_FACTORS if name in varying]
    rows = [
        _respond(arm, factor, varying, metric)
        for factor in factors
        if _is_varied_within_a_base(arms, factor, varying)
        for arm in arms
        if arm.values[factor] is not None
    ]
    return sorted(rows, key=lambda row: (row.factor, row.architecture, row.others, row.value))


def scores_by_seed(runs: Iterable[RecordedRun], metric: str = USUAL_METRIC) -> dict[int, float]:
    """What the runs that have it are compared by, by seed, ascending."""
    return {
        run.spec.seed: score
        for run in sorted(runs, key=lambda run: run.spec.seed)
        if run.result is not None and (score := _MEASURES[metric](run.result)) is not None
    }


def accuracy_interval(scores: Sequence[float]) -> Interval | None:
    """The 95 % t interval of a mean accuracy, a fraction, bounded to 0 to 1."""
    interval = t_interval(scores)
    return None if interval is None else interval.bounded(0.0, 1.0)


def gap_of(result: RunResult) -> float | None:
    """Validation loss less training loss, both of the best model and without dropout."""
    if result.val_loss is None or result.train_loss_at_best is None:
        return None
    return result.val_loss - result.train_loss_at_best


def is_at_limit(run: RecordedRun) -> bool:
    """Whether a finished run went through all epochs, and not because it stopped at the last."""
    result, recipe = run.result, run.spec.recipe
    assert result is not None
    waited = result.epochs - (result.best_epoch or 0)
    return result.epochs >= recipe.epochs and waited < recipe.patience


def is_still_improving(run: RecordedRun) -> bool:
    """Whether a finished run came to the epoch limit, and its last epoch was its best.

    One that judges every validation text right has nothing more to gain.
    """
    result = run.result
    assert result is not None
    return is_at_limit(run) and result.best_epoch == result.epochs and result.val_accuracy != 1


def hardware_of(result: RunResult) -> str:
    """The device behind a run's seconds: `cpu (AMD EPYC ...)`, `gpu (NVIDIA H200)`.

    A run from an archive names its machine, so that its seconds stay apart. A machine's GPUs count
    as one kind; where nobody noted their name, the processor's stands in.
    """
    environment = result.environment
    device = environment.get("device", "device unknown").partition(":")[0]
    maker = environment.get("processor")
    if device == "gpu":
        maker = environment.get("gpu", maker)
    named = [name for name in (maker, result.imported_from) if name]
    return f"{device} ({', '.join(named)})" if named else device


_MEASURES: Mapping[str, Callable[[RunResult], float | None]] = {
    "test_accuracy": lambda result: result.test_accuracy,
    "test_macro_f1": lambda result: result.test_macro_f1,
    "test_absolute_error": lambda result: result.test_absolute_error,
    "test_quadratic_kappa": lambda result: result.test_quadratic_kappa,
    "test_loss": lambda result: result.test_loss,
    "val_loss": lambda result: result.val_loss,
    "gap": gap_of,
    "best_epoch": lambda result: result.best_epoch,
}
"""What a row has a mean and a standard deviation of."""


def _spread(metric: str, results: Sequence[RunResult]) -> dict[str, Any]:
    """How the runs scatter in what they are compared by: extremes and intervals."""
    import numpy as np

    scores = _values(results, _MEASURES[metric])
    return {
        f"{metric}_min": min(scores, default=None),
        f"{metric}_max": max(scores, default=None),
        f"{metric}_t": accuracy_interval(scores),
        f"{metric}_bootstrap": bootstrap_interval(scores, np.random.default_rng(0)),
        f"{metric}_iqm": interquartile_mean(scores),
    }


def _varying(arms: Sequence[Arm]) -> list[str]:
    """What takes several values among the arms."""
    names = arms[0].values if arms else {}
    return [
        name
        for name in names
        if len({arm.values[name] for arm in arms if arm.values[name] is not None}) > 1
    ]


def _is_varied_within_a_base(arms: Sequence[Arm], factor: str, varying: Sequence[str]) -> bool:
    """Whether the study varies the factor: `lstm` and `lstm-dropout` are just two names."""
    found: dict[tuple[str, str], set[object]] = {}
    for arm in arms:
        found.setdefault((arm.base, _others(arm, factor, varying)), set()).add(arm.values[factor])
    several = {base: values for (base, _), values in found.items() if len(values) > 1}
    if factor not in _OF_PRESETS:
        return bool(several)
    return len(several) > 1 or any(len(values) > 2 for values in several.values())


def _others(arm: Arm, factor: str, varying: Sequence[str]) -> str:
    """The arm's values of all else that varies, as `dropout=0.3`."""
    values = {name: arm.values[name] for name in varying if name != factor}
    return ", ".join(
        f"{name}={_short(value)}" for name, value in values.items() if value is not None
    )


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)[:12]


def _respond(arm: Arm, factor: str, varying: Sequence[str], metric: str) -> ResponseRow:
    row = describe_arm("", arm, metric)
    of_arm = {item.name for item in fields(ArmRow)}
    if metric == USUAL_METRIC:
        of_arm -= {*RESPONSE_OPTIONAL}
    return ResponseRow(
        architecture=arm.base,
        factor=factor,
        value=float(arm.values[factor]),  # type: ignore[arg-type]  # all factors are numbers
        others=_others(arm, factor, varying),
        **{
            item.name: getattr(row, item.name)
            for item in fields(ResponseRow)
            if item.name in of_arm
        },
    )


def count_parameters(spec: RunSpec, results: Iterable[RunResult]) -> int | None:
    """Those of the spec's model by the formula, else as Keras counted them in one of its runs."""
    counted = model_parameters(
        spec.form,
        num_words=spec.data.num_words,
        embedding_size=spec.embedding_size,
        n_classes=spec.data.n_classes,
    )
    return counted or next((result.n_parameters for result in results), None)


def _count(arm: Arm, status: str) -> int:
    return sum(run.result is not None and run.result.status == status for run in arm.runs)


def _values(results: Iterable[RunResult], read: Callable[[RunResult], float | None]) -> list[float]:
    found = (read(result) for result in results)
    return [value for value in found if value is not None]


def _known(value: float) -> float | None:
    return None if value != value else value  # NaN: there was nothing to estimate from
