"""What `rnnbench tune` is asked for, checked before anything is looked for or trained."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rnnbench.architectures import ALL
from rnnbench.datasets import DatasetRef
from rnnbench.errors import StudyError, UsageError, unknown_name
from rnnbench.ledger import LedgerEntry
from rnnbench.seeds import parse_seeds
from rnnbench.specs import MOST, Backend, PluginForm, RunSpec
from rnnbench.study import Study, expand_study, load_study
from rnnbench.tracking.provenance import drop_options
from rnnbench.tuning.command import TuneChoices
from rnnbench.tuning.search import BATCH, PRUNERS, SAMPLERS, Method
from rnnbench.tuning.space import PARAMETERS, Params, Space, load_space

__all__ = [
    "FIRST_TUNING_SEED",
    "TUNING",
    "Tuning",
    "compose_tuning",
    "parse_tuning_seeds",
    "refuse_overlap",
    "report_seeds",
    "run_command",
]

TUNING = "tuning"
_OF_TUNING = (
    *("--trials", "--tuning-seeds", "--space", "--sampler", "--pruner"),
    *("--sampler-seed", "--storage"),
)
_TUNED = ("--tuned", "--seeds", "10")
MOST_TRIALS = 10_000
FIRST_TUNING_SEED = 1000  # reports count from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Searches that belong together: the same space, seeds and budget for every architecture.

    Args:
        base: the study whose recipe, data and architectures they start from.
    """

    name: str
    base: Study
    space: Space
    space_name: str
    seeds: tuple[int, ...]
    method: Method

    def specs(
        self, architecture: str, params: Params, dataset: DatasetRef, backend: Backend
    ) -> tuple[RunSpec, ...]:
        """A trial's runs, one a tuning seed, in the order of the seeds."""
        study = self.base.with_values(architecture, params).with_choices(seeds=self.seeds)
        specs = expand_study(
            study,
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            backend=backend,
            n_classes=len(dataset.classes),
        )
        return tuple(replace(spec, purpose="tuning") for spec in specs)

    def declaration(
        self, architecture: str, dataset: DatasetRef, backend: Backend
    ) -> dict[str, Any]:  # Any: JSON values
        """All that the trials of an architecture depend on, as plain values."""
        spec = self.specs(architecture, {}, dataset, backend)[0]
        tuned = self.space.domains
        form = asdict(spec.form)
        method = self.method
        return {
            "architecture": {key: value for key, value in form.items() if key not in tuned},
            "settings": {key: value for key, value in spec.settings.items() if key not in tuned},
            "space": self.space.declaration(),
            "tuning_seeds": list(self.seeds),
            "sampler": {"name": method.sampler, "seed": method.seed, "batch": BATCH}
            | ({"trials": method.n_trials} if method.sampler == "grid" else {}),
            "pruner": method.pruner,
        }

    def usual(self, architecture: str) -> Params | None:
        """The point of the space that the notes chose; None for a plug-in that has no such."""
        spec = expand_study(
            self.base.with_values(architecture, {}), dataset="", fingerprint="", backend="jax"
        )[0]
        if isinstance(spec.form, PluginForm):
            values: Mapping[str, Any] = dict(spec.form.arguments)  # Any: a plug-in's arguments
        else:
            values = asdict(spec.form)
        values = {**values, "learning_rate": spec.recipe.learning_rate}
        if not all(isinstance(values.get(name), int | float) for name in self.space.domains):
            return None
        return {name: PARAMETERS[name](values[name]) for name in self.space.domains}


def compose_tuning(choices: TuneChoices) -> Tuning:
    """The searches that the choices mean.

    Raises:
        StudyError, UsageError: something that cannot be searched.
    """
    if not (choices.architectures or choices.all_):
        raise UsageError("nothing to tune: name architectures, or say --all")
    if not 1 <= choices.trials <= MOST_TRIALS:
        raise UsageError(f"--trials must be from 1 to {MOST_TRIALS:,}, got {choices.trials}")
    if not 0 <= choices.sampler_seed <= MOST["seed"]:
        raise UsageError(
            f"--sampler-seed must be from 0 to {MOST['seed']:,}, got {choices.sampler_seed}"
        )
    for kind, name, known in (
        ("sampler", choices.sampler, SAMPLERS),
        ("pruner", choices.pruner, PRUNERS),
    ):
        if name not in known:
            raise UsageError(unknown_name(kind, name, known))
    base = load_study("textbook").with_choices(
        name=TUNING,
        architectures=choices.architectures or ALL,
        dataset=choices.dataset,
        data=_chosen(max_len=choices.max_len, num_words=choices.num_words),
        recipe=_chosen(epochs=choices.epochs),
    )
    space = load_space(choices.space)
    _refuse_impossible(base, space, choices.space)
    return Tuning(
        name=TUNING,
        base=base,
        space=space,
        space_name=choices.space,
        seeds=choices.tuning_seeds,
        method=Method(
            sampler=choices.sampler,
            pruner=choices.pruner,
            seed=choices.sampler_seed,
            n_trials=choices.trials,
            n_epochs=int(dict(base.recipe).get("epochs", (100,))[0]),
        ),
    )


def parse_tuning_seeds(text: str) -> tuple[int, ...]:
    """Seeds as `--seeds` reads them, but a bare number counts from 1000 up.

    Raises:
        StudyError: anything else, a seed twice, or none.
    """
    seeds = parse_seeds(text)
    if text.strip().isdigit():
        return tuple(FIRST_TUNING_SEED + seed for seed in seeds)
    return seeds


def run_command(command: str) -> str:
    """The words that measure the winners of a `rnnbench tune`: on the same texts, likewise cut."""
    words = drop_options(shlex.split(command), _OF_TUNING, ("--json",))
    return shlex.join([*("run" if word == "tune" else word for word in words), *_TUNED])


def refuse_overlap(tuning_seeds: Sequence[int], report_seeds: Iterable[int], where: str) -> None:
    """Check that no seed serves both tuning and report: what was tuned on a seed fits it too well.

    Raises:
        UsageError: some do.
    """
    both = sorted(set(tuning_seeds) & set(report_seeds))
    if both:
        listed = ", ".join(map(str, both[:5])) + (", …" if len(both) > 5 else "")
        raise UsageError(
            f"seeds {listed} are used for tuning and by {where}; tuned networks must be measured "
            f"on fresh seeds: name others (tuning counts from {FIRST_TUNING_SEED})"
        )


def report_seeds(entries: Iterable[LedgerEntry]) -> set[int]:
    """The seeds of all runs that were made for a report."""
    return {entry.spec().seed for entry in entries}


def _chosen(**values: int | None) -> dict[str, tuple[int, ...]]:
    return {name: (value,) for name, value in values.items() if value is not None}


def _refuse_impossible(base: Study, space: Space, source: str) -> None:
    """Every architecture must be possible at both ends of the space."""
    for architecture in base.architectures:
        for params in space.ends():
            try:
                base.with_values(architecture, params)
            except StudyError as err:
                raise StudyError(f"space {source} does not fit {architecture}: {err}") from err
