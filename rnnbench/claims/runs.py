"""The runs of a study that may be compared for a claim: alike in all but what it compares."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from rnnbench.architectures import PRESETS, find_plugin, make_form
from rnnbench.claims.metrics import Metric
from rnnbench.compare.arms import hardware_of, is_at_limit
from rnnbench.compare.environments import describe_differences
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import Argument, CanonicalForm, DataSpec, Recipe, RunSpec

RunIndex: TypeAlias = Mapping[RunSpec, Sequence[RecordedRun]]
"""Runs by what was asked, less the seed and what `_Context` holds."""

_Arms: TypeAlias = Mapping[str, Mapping[int, tuple[RecordedRun, float]]]
"""Finished runs and their number, by architecture and seed."""

_OF_DATA = {item.name for item in fields(DataSpec)} - {"dataset", "fingerprint"}
_OF_RECIPE = {item.name for item in fields(Recipe)}
_OF_RUN = {"embedding_size", "engine", "backend"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number of comparable runs.

    Args:
        values: by architecture and seed.
        n_left_out: runs of the same question that failed, diverged or did not learn.
        n_at_limit: runs that came to the last epoch allowed without an early stop.
        runs: which runs these are: `gru, lstm, seeds 0-9 (jax, keras engine)`.
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
class _Context:
    """What a claim leaves open, and comparable runs yet have in common."""

    is_split_by_seed: bool
    backend: str
    engine: str
    hardware: str = ""

    def __str__(self) -> str:
        words = [self.backend, f"{self.engine} engine", self.hardware]
        words += ["a split for each seed"] if self.is_split_by_seed else []
        return ", ".join(word for word in words if word)


def notes_spec(architecture: str, settings: Mapping[str, Argument]) -> RunSpec:
    """The notes' run of an architecture with some settings changed; seed 0, data without content.

    Raises:
        StudyError: a setting or a value that cannot be.
    """
    # Any: which of them fits which field is checked by the classes themselves.
    chosen: dict[str, Any] = dict(settings)
    data, recipe, run = (
        {key: chosen.pop(key) for key in settings if key in known}
        for known in (_OF_DATA, _OF_RECIPE, _OF_RUN)
    )
    return RunSpec(
        form=make_form(architecture, **chosen),
        data=DataSpec(dataset="", fingerprint="", **data),
        recipe=Recipe(**recipe),
        seed=0,
        **run,
    )


def known_settings(architectures: Sequence[str]) -> tuple[str, ...]:
    """What can be set in the runs of all these architectures."""
    of_forms = [
        {item.name for item in fields(CanonicalForm)} - {"cell"}
        if name in PRESETS
        else set(find_plugin(name).arguments)
        for name in architectures
    ]
    return tuple(sorted(_OF_DATA | _OF_RECIPE | _OF_RUN | set.intersection(*of_forms)))


def write_settings(settings: Mapping[str, Argument]) -> str:
    """Where runs were made other than with the notes' recipe: ` at max_len=50`, or nothing."""
    words = ", ".join(f"{key}={value}" for key, value in settings.items())
    return f" at {words}" if words else ""


def index_runs(runs: Iterable[RecordedRun]) -> RunIndex:
    """The runs by their question, so that thousands are gone through once."""
    index: dict[RunSpec, list[RecordedRun]] = {}
    for run in runs:
        index.setdefault(_question(run.spec), []).append(run)
    return index


def take_sample(
    index: RunIndex,
    architectures: Sequence[str],
    settings: Mapping[str, Argument],
    metric: Metric,
    *,
    less: Metric | None = None,
    is_paired: bool,
    unlearned: frozenset[str] = frozenset(),
) -> Sample:
    """The metric of the runs with the notes' recipe, but for `settings`, of each architecture.

    They share the back end, engine and, for seconds, the hardware. Where runs of several such
    surroundings exist, those with the most comparable seeds are taken, and the others left.

    Args:
        index: of one study's runs, on the same reviews.
        less: a metric to be subtracted.
        unlearned: fingerprints of runs that did not learn, which are left out.
        is_paired: whether comparable means the same seed; then other seeds are left, unless
            fewer than two are shared.
    """
    found: dict[_Context, dict[str, dict[int, tuple[RecordedRun, float]]]] = {}
    failed: Counter[_Context] = Counter()
    for name in architectures:
        asked = notes_spec(name, settings)
        for run in index.get(_question(asked), ()):
            if run.result is None or not _is_asked_for(run.spec, asked, settings):
                continue
            place = _context(run.spec, asked)
            # It may not have got as far as naming its hardware.
            if not run.is_finished or run.spec.fingerprint in unlearned:
                failed[place] += 1
            elif (value := metric.measure(run.result, less)) is not None:
                if metric.unit == "seconds":
                    place = replace(place, hardware=hardware_of(run.result))
                found.setdefault(place, {}).setdefault(name, {})[run.spec.seed] = (run, value)
    complete = {place: arms for place, arms in found.items() if len(arms) == len(architectures)}
    if not complete:
        return Sample(values={}, missing=_why_missing(found.values(), architectures, settings))
    chosen = max(sorted(complete), key=lambda place: _size(complete[place], is_paired))
    arms = _keep_comparable(complete[chosen], is_paired)
    entered = [run for of_arm in arms.values() for run, _ in of_arm.values()]
    mixed = describe_differences(run.result for run in entered if run.result)
    remark = f"; not made alike: {mixed}" if mixed else ""
    return Sample(
        values={
            name: {seed: value for seed, (_, value) in sorted(of_arm.items())}
            for name, of_arm in arms.items()
        },
        n_left_out=failed[replace(chosen, hardware="")],
        n_at_limit=sum(map(is_at_limit, entered)),
        runs=f"{_describe_runs(arms)} ({chosen}{remark})",
        is_split_by_seed=chosen.is_split_by_seed,
    )


def _question(spec: RunSpec) -> RunSpec:
    data = replace(spec.data, dataset="", fingerprint="", split_seed=0)
    return replace(spec, data=data, seed=0, engine="keras", backend="jax")


def _is_asked_for(spec: RunSpec, asked: RunSpec, settings: Mapping[str, Argument]) -> bool:
    """Whether the split, back end and engine, which are no part of the question, are right too."""
    return spec.data.split_seed in (asked.data.split_seed, spec.seed) and all(
        getattr(spec, key) == settings[key] for key in ("backend", "engine") if key in settings
    )


def _context(spec: RunSpec, asked: RunSpec) -> _Context:
    is_split_by_seed = spec.data.split_seed != asked.data.split_seed
    return _Context(is_split_by_seed, backend=spec.backend, engine=spec.engine)


def _size(arms: _Arms, is_paired: bool) -> tuple[int, int, int]:
    """How many seeds the arms have in common, the runs of the smallest arm, and all runs."""
    n_runs = [len(runs) for runs in arms.values()]
    return len(_common_seeds(arms)) if is_paired else 0, min(n_runs), sum(n_runs)


def _common_seeds(arms: _Arms) -> set[int]:
    return set.intersection(*(set(runs) for runs in arms.values()))


def _keep_comparable(arms: _Arms, is_paired: bool) -> _Arms:
    common = _common_seeds(arms)
    if not is_paired or len(common) < 2:
        return arms
    return {name: {seed: runs[seed] for seed in common} for name, runs in arms.items()}


def _why_missing(
    found: Collection[_Arms], names: Sequence[str], settings: Mapping[str, Argument]
) -> str:
    absent = [name for name in names if not any(name in arms for arms in found)]
    place = (write_settings(settings) or " with the notes' recipe") + " in this study"
    if absent:
        return f"no finished runs of {' and '.join(absent)}{place}"
    return f"no finished runs of {' and '.join(names)}{place} that agree in all else"


def _describe_runs(arms: _Arms) -> str:
    """Architectures and seeds in one line: `gru, lstm, seeds 0-4, 7`."""
    seeds = sorted({seed for runs in arms.values() for seed in runs})
    word = "seed" if len(seeds) == 1 else "seeds"
    return f"{', '.join(arms)}, {word} {_write_seeds(seeds)}"


def _write_seeds(seeds: Sequence[int]) -> str:
    """Seeds as spans: `0-4, 7` for 0, 1, 2, 3, 4 and 7."""
    spans: list[list[int]] = []
    for seed in seeds:
        if spans and seed == spans[-1][1] + 1:
            spans[-1][1] = seed
        else:
            spans.append([seed, seed])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
