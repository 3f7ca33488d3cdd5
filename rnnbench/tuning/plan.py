"""What `rnnbench tune` is asked for, checked before anything is looked for or trained."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rnnbench.architectures import ALL
from rnnbench.datasets import DatasetRef, is_table
from rnnbench.errors import StudyError, UsageError
from rnnbench.execution.devices import Placement
from rnnbench.racing.defaults import without_values_of_imdb
from rnnbench.specs import PluginForm, RunSpec
from rnnbench.study import Study, expand_study
from rnnbench.study_files import load_study
from rnnbench.tracking.provenance import drop_options
from rnnbench.tuning.choices import FIRST_SEED, TuneChoices
from rnnbench.tuning.space import PARAMETERS, Params, Space

TUNING = "tuning"
"""Under this name the searches of a folder belong together."""
BATCH = 6  # trials asked at once: enough to keep a few workers busy, few enough to learn from
_OF_TUNING = (
    *("--trials", "--tuning-seeds", "--space", "--sampler", "--pruner"),
    *("--sampler-seed", "--storage"),
)
_TUNED = ("--tuned", "--seeds", "10")


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Searches that belong together: the same space, seeds and budget for every architecture.

    Args:
        base: the study whose recipe, data and architectures they start from.
    """

    choices: TuneChoices
    base: Study
    space: Space
    dataset: DatasetRef
    placement: Placement

    def search_name(self, architecture: str) -> str:
        """What Optuna calls the search."""
        return f"{TUNING}/{architecture}/{self.dataset.name}-{self.dataset.fingerprint[:8]}"

    def specs(self, architecture: str, params: Params) -> tuple[RunSpec, ...]:
        """A trial's runs, one a tuning seed, in the order of the seeds."""
        seeds = self.choices.tuning_seeds
        specs = expand_study(
            self.base.with_values(architecture, params).with_choices(seeds=seeds),
            self.dataset.spec,
            backend=self.placement.backend,
        )
        return tuple(replace(spec, purpose="tuning") for spec in specs)

    def declaration(self, architecture: str) -> dict[str, Any]:  # Any: JSON values
        """All that the trials of an architecture depend on, as plain values."""
        choices = self.choices
        spec = self.specs(architecture, {})[0]
        searched = {*self.space.domains}
        if "learning_rate" in searched:
            searched.add("race")  # whose rates no trial has
        form, settings = (
            {key: value for key, value in values.items() if key not in searched}
            for values in (spec.form.to_json(), spec.settings)
        )
        n_trials = {"trials": choices.trials} if choices.sampler == "grid" else {}
        return {
            "architecture": form,
            "settings": settings,
            "space": self.space.declaration(),
            "tuning_seeds": list(choices.tuning_seeds),
            "sampler": {"name": choices.sampler, "seed": choices.sampler_seed, "batch": BATCH}
            | n_trials,
            "pruner": choices.pruner,
        }

    def textbook_params(self, architecture: str) -> Params | None:
        """The point of the space that the notes chose; None for a plug-in that has no such."""
        spec = self.specs(architecture, {})[0]
        form = spec.form
        values = dict(form.arguments) if isinstance(form, PluginForm) else form.to_json()
        values["learning_rate"] = spec.recipe.learning_rate
        if not all(isinstance(values.get(name), int | float) for name in self.space.domains):
            return None
        return {name: PARAMETERS[name](values[name]) for name in self.space.domains}


def compose_base(choices: TuneChoices) -> Study:
    """The study that the searches start from.

    Raises:
        StudyError: something that cannot be trained.
    """
    data = {"max_len": choices.max_len, "num_words": choices.num_words}
    recipe = {"epochs": choices.epochs, "class_weight": choices.class_weight}
    study = load_study("textbook")
    dataset = choices.own.dataset(choices.dataset)
    if dataset is not None and is_table(dataset):
        study = without_values_of_imdb(study)
    return study.with_choices(
        name=TUNING,
        architectures=choices.architectures or ALL,
        dataset=dataset,
        data={key: (value,) for key, value in data.items() if value is not None},
        recipe={key: (value,) for key, value in recipe.items() if value is not None},
    )


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
            f"on fresh seeds: name others (tuning counts from {FIRST_SEED})"
        )


def refuse_impossible(base: Study, space: Space, source: str) -> None:
    """Check that every architecture is possible at both ends of the space.

    Raises:
        StudyError: one is not.
    """
    for architecture in base.architectures:
        for params in space.corners():
            try:
                base.with_values(architecture, params).refuse_missing()
            except StudyError as err:
                raise StudyError(f"space {source} does not fit {architecture}: {err}") from err
