"""A study: which runs to make."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias

from rnnbench.architectures import (
    ALL,
    architecture_names,
    check_size,
    hyperparameter_kinds,
    make_form,
)
from rnnbench.errors import StudyError, unknown_name
from rnnbench.limits import MOST_RUNS
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.networks.reading import Network, read_networks
from rnnbench.specs import USUAL_EMBEDDING_SIZE, Argument, Backend, DataSpec, Form, Recipe, RunSpec
from rnnbench.study_names import check_study_name
from rnnbench.study_values import DECLARED, check_text_value, check_tuned, refuse_unknown

PAIRINGS = ("seed", "none")
CONTRASTS = ("architecture", "order", "units", "dropout", "tuned", "engine", "max_len")
_RECIPE_KEYS = {item.name for item in fields(Recipe)}
MOST_DESCRIPTION = 7000  # of a description: MLflow cuts the tag of all that is declared at 8,000
OTHER_CELLS = ""
Tuned: TypeAlias = Mapping[str, Mapping[str, float | int]]
"""By architecture, the values that tuning found best for it."""
TIMING = "timing"
"""The bundled file that is no study of runs: what `rnnbench timing` measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What to run: architectures x hyperparameters x seeds.

    Args:
        contrast: the one factor that the study compares across.
        pairing: `seed` compares runs of the same seed (and order) with each other; `none` does not.
        metric: what runs are compared by; declared before anything is run.
        margin_points: the smallest difference of it that matters in practice, in points; declared
            likewise.
        vary_split: split training and validation anew with each seed, so that conclusions do not
            hang on one split.
        hyperparameters: values of each to try; a missing one keeps each architecture's own.
        embedding_sizes: to try each; none leaves it to the data, 16 on IMDB.
        data, recipe: values by field of `DataSpec` and `Recipe`; those of `learning_rate`,
            `order`, `num_words` and `max_len` are tuples that make a grid too.
        own: how a file of the user's is read and split, values by field.
        tuned: by architecture, the values that tuning found best for it.
        rates: by cell, and of `OTHER_CELLS`, the learning rate that a race found best for it,
            where those differ; a rate of the recipe or of tuning goes before.
        networks: by name, those of the architectures that a function of the user's builds. They
            are read where `architectures` names their file, or has them in place of a name.
    """

    name: str
    architectures: tuple[str, ...]
    seeds: tuple[int, ...]
    description: str = ""
    contrast: str = "architecture"
    pairing: str = "seed"
    metric: str = USUAL_METRIC
    margin_points: float = 0.5
    vary_split: bool = False
    dataset: str = "auto"
    embedding_sizes: tuple[int, ...] = ()
    hyperparameters: Mapping[str, tuple[Argument, ...]] = field(default_factory=dict)
    data: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # Any: TOML values
    recipe: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # Any: TOML values
    own: Mapping[str, Any] = field(default_factory=dict)  # Any: TOML values
    tuned: Tuned = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", check_name(self.name))
        self._read_networks()
        if self.contrast not in CONTRASTS:
            raise StudyError(unknown_name("contrast", self.contrast, CONTRASTS))
        if self.pairing not in PAIRINGS:
            raise StudyError(unknown_name("pairing", self.pairing, PAIRINGS))
        if self.metric not in METRICS:
            raise StudyError(unknown_name("metric", self.metric, METRICS))
        if not 0 < self.margin_points < 100:
            raise StudyError(f"margin_points must lie between 0 and 100, got {self.margin_points}")
        if self.vary_split and "split_seed" in self.data:
            raise StudyError("vary_split draws the split from the seed; leave split_seed out")
        if not self.architectures:
            raise StudyError("a study needs at least one architecture")
        if not self.seeds:
            raise StudyError("a study needs at least one seed")
        self._refuse_unknown_hyperparameters()
        # Every value is checked here, before any data is looked for.
        expand_study(self, DataSpec(dataset="none", fingerprint=""), backend="jax")

    @property
    def declaration(self) -> dict[str, Any]:  # Any: text, numbers and truth values
        """What is laid down before anything is run, and what a report goes by.

        The usual metric is left out: studies of before it could be chosen have declared the same.
        """
        declared = {name: getattr(self, name) for name in DECLARED}
        if self.metric == USUAL_METRIC:
            del declared["metric"]
        return declared | ({"tuned": dict(self.tuned)} if self.tuned else {})

    def kinds(self, architecture: str) -> Mapping[str, type | None]:
        """What one of the architectures takes, and the type of each; None where any will do."""
        if architecture in self.networks:
            return self.networks[architecture].kinds
        return hyperparameter_kinds(architecture)

    def form(self, architecture: str, **hyperparameters: Argument) -> Form:
        """The form of one of the architectures with those hyperparameters that it takes."""
        taken = self.kinds(architecture)
        chosen = {key: value for key, value in hyperparameters.items() if key in taken}
        if architecture in self.networks:
            return self.networks[architecture].form(**chosen)
        return make_form(architecture, **chosen)

    def with_values(self, architecture: str, values: Mapping[str, float | int]) -> Study:
        """The study of one architecture at the given hyperparameters and learning rate."""
        recipe = {key: (value,) for key, value in values.items() if key in _RECIPE_KEYS}
        others = {key: (value,) for key, value in values.items() if key not in _RECIPE_KEYS}
        taken = self.kinds(architecture)
        kept = {key: value for key, value in self.hyperparameters.items() if key in taken}
        return replace(
            self,
            architectures=(architecture,),
            recipe={**self.recipe, **recipe},
            hyperparameters={**kept, **others},
            tuned={},
        )

    def refuse_missing(self) -> None:
        """See that each network has what it needs of hyperparameters.

        Raises:
            StudyError: one of them was not given.
        """
        for name in self.architectures:
            if name in self.networks:
                tuned = self.tuned.get(name, {})
                self.networks[name].refuse_missing((*self.hyperparameters, *tuned))

    def with_network_names(self, names: Mapping[str, str]) -> Study:
        """The study with its networks called otherwise, by what they are called now."""
        renamed = {new: self.networks[old].renamed(new) for old, new in names.items()}
        return replace(
            self,
            architectures=tuple(names.get(name, name) for name in self.architectures),
            networks={**self.networks, **renamed},
            tuned={names.get(name, name): values for name, values in self.tuned.items()},
        )

    def with_choices(self, **choices: Any) -> Study:  # Any: fields of several types
        """The study with some fields replaced; mappings are merged, None changes nothing."""
        changed: dict[str, Any] = {}
        for key, value in choices.items():
            if value is None:
                continue
            merge = isinstance(value, Mapping)
            changed[key] = {**getattr(self, key), **value} if merge else value
        if "architectures" in changed:  # a file of the same name may be another
            changed["networks"] = {}
        return replace(self, **changed)

    def _read_networks(self) -> None:
        """Have names in place of files and networks, and each network under its name."""
        read = read_networks(
            each if isinstance(each, Network) else self.networks.get(each, each)
            for each in self.architectures
        )
        networks = {each.name: each for each in read if isinstance(each, Network)}
        names = tuple(each.name if isinstance(each, Network) else each for each in read)
        object.__setattr__(self, "architectures", names)
        object.__setattr__(self, "networks", networks)

    def _refuse_unknown_hyperparameters(self) -> None:
        """One that some of the architectures do not take is theirs who do.

        Raises:
            StudyError: one that none takes.
        """
        known = {key for name in self.architectures for key in self.kinds(name)}
        for key in self.hyperparameters:
            if key not in known:
                names = " and ".join(dict.fromkeys(self.architectures))
                raise StudyError(
                    f"{names}: {unknown_name('hyperparameter', key, known)}"
                    if known
                    else f"{names} takes no hyperparameters, got {key}"
                )


def expand_study(
    study: Study, data: DataSpec, *, backend: Backend, engine: str = "keras"
) -> list[RunSpec]:
    """Every run of the study, each once, architecture by architecture and seed by seed.

    Args:
        data: the reviews; as the study has them seen and split, where it says so.
    """
    if study.tuned:
        found = (
            spec
            for name in study.architectures
            for spec in expand_study(
                study.with_values(name, study.tuned.get(name, {})),
                data,
                backend=backend,
                engine=engine,
            )
        )
        return list(dict.fromkeys(found))
    _check_count(study)
    forms = dict.fromkeys(
        study.form(name, **chosen)
        for name in study.architectures
        for chosen in _grid(study.hyperparameters)
    )
    recipes = [Recipe(**values) for values in _grid(study.recipe)]
    seen = [replace(data, **values) for values in _grid(study.data)]
    sizes = study.embedding_sizes or (USUAL_EMBEDDING_SIZE,)
    rates = {} if "learning_rate" in study.recipe else study.rates
    race = _digest_rates(rates) if rates else ""

    def rate_of(form: Form) -> float:
        return rates[form.cell] if form.cell in rates else rates[OTHER_CELLS]

    specs = [
        RunSpec(
            form=form,
            data=replace(one_data, split_seed=seed) if study.vary_split else one_data,
            recipe=replace(recipe, learning_rate=rate_of(form)) if rates else recipe,
            embedding_size=size,
            seed=seed,
            engine=engine,
            backend=backend,
            race=race,
        )
        for form, size, one_data, recipe, seed in itertools.product(
            forms, sizes, seen, recipes, study.seeds
        )
    ]
    for form, size, num_words in {(s.form, s.embedding_size, s.data.num_words) for s in specs}:
        check_size(form, num_words=num_words, embedding_size=size, n_classes=data.n_classes)
    return list(dict.fromkeys(specs))  # a value that a list repeats is run once


def _digest_rates(rates: Mapping[str, float]) -> str:
    return hashlib.sha256(json.dumps(dict(rates), sort_keys=True).encode()).hexdigest()[:8]


def check_name(name: object) -> str:
    """The name in composed letters, if a study can be called so.

    Raises:
        StudyError: it is no text, could not be a folder, or has another meaning.
    """
    name = check_study_name(check_text_value("name", name))
    if name == TIMING:
        raise StudyError(f"the name '{TIMING}' belongs to `rnnbench timing`; take another")
    return name


def parse_declaration(values: object) -> dict[str, Any]:  # Any: JSON values
    """What a study elsewhere laid down, checked as a study of here checks it.

    Raises:
        StudyError: no study could have declared that.
    """
    if not isinstance(values, Mapping):
        raise StudyError(f"a declaration must be a table, got {values!r}")
    checks = {**DECLARED, "tuned": check_tuned}
    refuse_unknown("key of a declaration", values, set(checks))
    checked = {key: checks[key](key, value) for key, value in values.items()}
    tuned = checked.pop("tuned", {})
    here = tuple(name for name in tuned if name in architecture_names())
    study = Study(name="declared", architectures=here or ALL, seeds=(0,), tuned=tuned, **checked)
    return study.declaration


def check_description(text: str) -> str:
    """The text; StudyError if it is too long to be published."""
    if len(text) > MOST_DESCRIPTION:
        raise StudyError(f"a description takes {MOST_DESCRIPTION:,} characters, got {len(text):,}")
    return text


def _check_count(study: Study) -> None:
    """Count the runs before any is made.

    Raises:
        StudyError: there are more than `MOST_RUNS`.
    """
    lists = (study.hyperparameters, study.recipe, study.data)
    sizes = [len(values) for table in lists for values in table.values()]
    n_runs = math.prod(
        (len(study.architectures), len(study.seeds), len(study.embedding_sizes) or 1, *sizes)
    )
    if n_runs > MOST_RUNS:
        raise StudyError(
            f"the study has {n_runs:,} runs, of at most {MOST_RUNS:,}; take fewer seeds or values"
        )


def _grid(values: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:  # Any: TOML values
    return [
        dict(zip(values, choice, strict=True)) for choice in itertools.product(*values.values())
    ]
