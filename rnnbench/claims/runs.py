"""The runs that may be set against each other for a claim: alike in all but what it compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rnnbench.claims.checks import asked_spec
from rnnbench.claims.texts import write_seeds, write_settings
from rnnbench.compare.arms import hardware_of, is_at_limit
from rnnbench.compare.environments import mixed_words
from rnnbench.specs import Argument, RunResult, RunSpec
from rnnbench.tracking.runs import TrackedRun

__all__ = ["RunIndex", "Sample", "index_runs", "take_sample"]

RunIndex: TypeAlias = Mapping[RunSpec, Sequence[TrackedRun]]
"""Runs by what was asked, less the seed and what `_Surroundings` holds."""

_Arms: TypeAlias = Mapping[str, Mapping[int, TrackedRun]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number of comparable runs.

    Args:
        values: by architecture and seed.
        n_left_out: failed or diverged runs of the same question.
        n_at_limit: runs that came to the last epoch allowed without an early stop.
        runs: which runs these are: `textbook: gru, lstm, seeds 0-9 (jax, keras engine)`.
        is_split_by_seed: whether each seed has a split of its own, so that the spread over seeds
            has that of splits in it.
        missing: why there is nothing to compare; empty where there is.
    """

    values: Mapping[str, Mapping[int, float]]
    n_left_out: int = 0
    n_at_limit: int = 0
    runs: str = ""
    is_split_by_seed: bool = False
    missing: str = ""


@dataclass(frozen=True, slots=True, order=True)
class _Surroundings:
    """What a claim leaves open, and comparable runs yet have in common."""

    content: str
    is_split_by_seed: bool
    backend: str
    engine: str
    hardware: str = ""

    def __str__(self) -> str:
        words = [self.backend, f"{self.engine} engine", self.hardware]
        words += ["a split for each seed"] if self.is_split_by_seed else []
        return ", ".join(word for word in words if word)


def index_runs(runs: Iterable[TrackedRun]) -> RunIndex:
    """The runs by their question, so that thousands are gone through once."""
    index: dict[RunSpec, list[TrackedRun]] = {}
    for run in runs:
        index.setdefault(_question(run.spec), []).append(run)
    return index


def take_sample(
    index: RunIndex,
    architectures: Sequence[str],
    settings: Mapping[str, Argument],
    measure: Callable[[RunResult], float | None],
    *,
    by_hardware: bool,
    is_paired: bool,
) -> Sample:
    """The number of the runs with the notes' recipe, but for `settings`, of each architecture.

    They share the reviews' content, back end and engine. Where runs of several such surroundings
    exist, those with the most comparable seeds are taken, and the others left. A run that two
    studies share is counted once.

    Args:
        measure: the number of a finished run; None leaves the run out.
        by_hardware: whether the hardware has to be the same too, as for seconds.
        is_paired: whether comparable means the same seed; then other seeds are left, unless
            fewer than two are shared.
    """
    asked = {name: asked_spec(name, settings) for name in architectures}
    found: dict[_Surroundings, dict[str, dict[int, TrackedRun]]] = {}
    for name, run in _runs_of(index, asked, settings):
        if run.result is None or not run.is_finished or measure(run.result) is None:
            continue
        place = _surroundings(run, asked[name], by_hardware)
        found.setdefault(place, {}).setdefault(name, {}).setdefault(run.spec.seed, run)
    complete = {place: arms for place, arms in found.items() if len(arms) == len(asked)}
    if not complete:
        return Sample(values={}, missing=_why_missing(found.values(), list(asked), settings))
    chosen = max(sorted(complete), key=lambda place: _size(complete[place], is_paired))
    arms = _keep_comparable(complete[chosen], is_paired)
    asked_for = _runs_of(index, asked, settings)
    n_left_out = _count_left_out(asked_for, asked, chosen, complete[chosen])
    return Sample(
        values={name: _measure_all(arms[name], measure) for name in asked},
        n_left_out=n_left_out,
        n_at_limit=sum(is_at_limit(run) for runs in arms.values() for run in runs.values()),
        runs=f"{_describe_runs(arms, list(asked))} ({chosen}{_tell_mixed(arms)})",
        is_split_by_seed=chosen.is_split_by_seed,
    )


def _tell_mixed(arms: _Arms) -> str:
    """What they differ in although it may change numbers, to be added to their surroundings."""
    words = mixed_words(run.result for runs in arms.values() for run in runs.values() if run.result)
    return f"; not made alike: {words}" if words else ""


def _question(spec: RunSpec) -> RunSpec:
    data = replace(spec.data, dataset="", fingerprint="", split_seed=0)
    return replace(spec, data=data, seed=0, engine="keras", backend="jax")


def _runs_of(
    index: RunIndex, asked: Mapping[str, RunSpec], settings: Mapping[str, Argument]
) -> Iterator[tuple[str, TrackedRun]]:
    """The runs of each architecture that ask the right question of the right split."""
    fixed = {key: settings[key] for key in ("backend", "engine") if key in settings}
    for name, spec in asked.items():
        for run in index.get(_question(spec), ()):
            splits = (spec.data.split_seed, run.spec.seed)
            if run.spec.data.split_seed in splits and all(
                getattr(run.spec, key) == value for key, value in fixed.items()
            ):
                yield name, run


def _surroundings(run: TrackedRun, asked: RunSpec, by_hardware: bool) -> _Surroundings:
    spec = run.spec
    hardware = hardware_of(run.result) if by_hardware and run.result is not None else ""
    return _Surroundings(
        content=spec.data.fingerprint,
        is_split_by_seed=spec.data.split_seed != asked.data.split_seed,
        backend=spec.backend,
        engine=spec.engine,
        hardware=hardware,
    )


def _size(arms: _Arms, is_paired: bool) -> tuple[int, int, int]:
    """How many seeds the arms have in common, the runs of the smallest arm, and all runs."""
    common = len(_common_seeds(arms)) if is_paired else 0
    n_runs = [len(runs) for runs in arms.values()]
    return common, min(n_runs), sum(n_runs)


def _common_seeds(arms: _Arms) -> set[int]:
    return set.intersection(*(set(runs) for runs in arms.values()))


def _keep_comparable(arms: _Arms, is_paired: bool) -> _Arms:
    common = _common_seeds(arms)
    if not is_paired or len(common) < 2:
        return arms
    return {name: {seed: runs[seed] for seed in common} for name, runs in arms.items()}


def _measure_all(
    runs: Mapping[int, TrackedRun], measure: Callable[[RunResult], float | None]
) -> dict[int, float]:
    measured = {seed: measure(run.result) for seed, run in sorted(runs.items()) if run.result}
    return {seed: value for seed, value in measured.items() if value is not None}


def _why_missing(
    found: Iterable[_Arms], names: Sequence[str], settings: Mapping[str, Argument]
) -> str:
    groups = list(found)
    absent = [name for name in names if not any(name in arms for arms in groups)]
    place = write_settings(settings) or " with the notes' recipe"
    if absent:
        return f"no finished runs of {' and '.join(absent)}{place}"
    return f"no finished runs of {' and '.join(names)}{place} that agree in all else"


def _count_left_out(
    runs: Iterable[tuple[str, TrackedRun]],
    asked: Mapping[str, RunSpec],
    chosen: _Surroundings,
    arms: _Arms,
) -> int:
    # A run that failed may not have got as far as naming its hardware.
    place = replace(chosen, hardware="")
    failed = {
        (name, run.spec.seed)
        for name, run in runs
        if run.result is not None
        and not run.is_finished
        and run.spec.seed not in arms[name]
        and _surroundings(run, asked[name], by_hardware=False) == place
    }
    return len(failed)


def _describe_runs(arms: _Arms, names: Sequence[str]) -> str:
    """Studies, architectures and seeds in one line: `textbook: gru, lstm, seeds 0-9`."""
    studies = dict.fromkeys(run.study for name in names for run in arms[name].values())
    seeds = sorted({seed for name in names for seed in arms[name]})
    word = "seed" if len(seeds) == 1 else "seeds"
    return f"{', '.join(studies)}: {', '.join(names)}, {word} {write_seeds(seeds)}"
