"""A study: which runs to make, from a TOML file or from choices on the command line."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

from rnnbench.architectures import (
    ALL,
    architecture_names,
    check_size,
    hyperparameter_kinds,
    make_form,
)
from rnnbench.errors import StudyError, unknown_name
from rnnbench.formats import is_there, read_toml
from rnnbench.limits import MOST_RUNS, parse_seeds
from rnnbench.metrics import METRICS, USUAL_METRIC
from rnnbench.networks.reading import Network, read_networks
from rnnbench.specs import USUAL_EMBEDDING_SIZE, Argument, Backend, DataSpec, Form, Recipe, RunSpec
from rnnbench.study_names import check_study_name

PAIRINGS = ("seed", "none")
CONTRASTS = ("architecture", "order", "units", "dropout", "tuned", "engine", "max_len")
_RECIPE_LISTS = ("learning_rate", "order")
_DATA_LISTS = ("num_words", "max_len")
_RECIPE_KEYS = {item.name for item in fields(Recipe)}
MOST_DESCRIPTION = 7000  # of a description: MLflow cuts the tag of all that is declared at 8,000
MOST_TUNED = 100
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
        declared = {name: getattr(self, name) for name in _DECLARED}
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
    name = check_study_name(_text("name", name))
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
    checks = {**_DECLARED, "tuned": _tuned}
    _refuse_unknown("key of a declaration", values, set(checks))
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


def bundled_studies() -> dict[str, Path]:
    """The studies that travel with the package, by name."""
    return {name: path for name, path in bundled_files().items() if name != TIMING}


def bundled_files(folder: str = "") -> dict[str, Path]:
    """The TOML files in a folder of `benchmarks/`, by name; they travel with the package."""
    inside = Path(str(files("rnnbench"))) / "benchmarks"
    benchmarks = inside if inside.is_dir() else Path(__file__).parent.parent / "benchmarks"
    return {path.stem: path for path in sorted((benchmarks / folder).glob("*.toml"))}


def load_study(source: str | Path) -> Study:
    """A study from a TOML file, or a bundled one by its name.

    Raises:
        StudyError: no such file, a syntax error (with its place), an unknown key or a bad value.
    """
    path = Path(source)
    bundled = bundled_studies()
    if path.suffix != ".toml" and str(source) in bundled:
        path = bundled[str(source)]
    if not is_there(path):
        raise StudyError(f"{unknown_name('study', str(source), bundled)}, or name a TOML file")
    values = read_toml(path)
    try:
        return _parse_study(values)
    except StudyError as err:
        raise StudyError(f"{path}: {err}") from err


def _parse_study(values: Mapping[str, Any]) -> Study:  # Any: TOML values
    sections = {"data", "recipe", "hyperparameters"}
    plain = {"name", "architectures", "seeds", *_DECLARED}
    _refuse_unknown("study key", values, plain | sections)
    for key in ("name", "architectures", "seeds"):
        if key not in values:
            raise StudyError(f"the key '{key}' is missing")
    for key in sections & set(values):
        if not isinstance(values[key], Mapping):
            raise StudyError(f"'{key}' must be a table ([{key}])")
    data = dict(values.get("data", {}))
    hyperparameters = dict(values.get("hyperparameters", {}))
    known = _names(DataSpec) - {"fingerprint", "n_classes"} | {"train", *_OWN}
    _refuse_unknown("key in [data]", data, known)
    own = {key: read(key, data.pop(key)) for key, read in _OWN.items() if key in data}
    _refuse_unknown("key in [recipe]", values.get("recipe", {}), _names(Recipe))
    if {"dataset", "train"} <= set(data):
        raise StudyError("'train' and 'dataset' in [data] name the same; use one of them")
    dataset = data.pop("train", data.pop("dataset", "auto"))
    sizes = hyperparameters.pop("embedding_size", None)
    check_description(_text("description", values.get("description", "")))
    return Study(
        name=_text("name", values["name"]),
        **{key: check(key, values[key]) for key, check in _DECLARED.items() if key in values},
        architectures=_texts("architectures", values["architectures"]),
        seeds=parse_seeds(values["seeds"]),
        dataset=_text("dataset", dataset),
        own=own,
        embedding_sizes=() if sizes is None else _listed(sizes),
        hyperparameters={key: _listed(value) for key, value in hyperparameters.items()},
        data={key: _listed_if(key in _DATA_LISTS, key, value) for key, value in data.items()},
        recipe={
            key: _listed_if(key in _RECIPE_LISTS, key, value)
            for key, value in values.get("recipe", {}).items()
        },
    )


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


def _refuse_unknown(kind: str, values: Mapping[str, object], known: set[str]) -> None:
    for key in values:
        if key not in known:
            raise StudyError(unknown_name(kind, key, known))


def _names(kind: type) -> set[str]:
    return {item.name for item in fields(kind)}


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise StudyError(f"'{key}' must be text, got {value!r}")
    return value


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"'{key}' must be a number, got {value!r}")
    return float(value)


def _truth(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise StudyError(f"'{key}' must be true or false, got {value!r}")
    return value


def _tuned(key: str, value: object) -> Mapping[str, Mapping[str, float]]:
    """By architecture, which need not be installed here, a few numbers by name."""
    if not isinstance(value, Mapping) or len(value) > MOST_TUNED:
        raise StudyError(f"'{key}' must be a table of at most {MOST_TUNED} architectures")
    for name, values in value.items():
        if not isinstance(values, Mapping) or not name.isprintable() or len(name) > 100:
            raise StudyError(f"'{key}' must hold a table of numbers for each architecture")
        for number in values.values():
            _number(f"{key}.{name}", number)
    return value


_DECLARED: Mapping[str, Callable[[str, object], Any]] = {  # Any: what each makes of a value
    "description": _text,
    "contrast": _text,
    "pairing": _text,
    "metric": _text,
    "margin_points": _number,
    "vary_split": _truth,
}
"""What a study lays down before anything is run, and how each value is checked."""


def _texts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise StudyError(f"'{key}' must be a list of names, got {value!r}")
    return tuple(_text(key, item) for item in value)


def _listed(value: object) -> tuple[Any, ...]:  # Any: TOML values
    values = tuple(value) if isinstance(value, list) else (value,)
    if not values:
        raise StudyError("an empty list leaves nothing to run")
    return values


def _listed_if(allowed: bool, key: str, value: object) -> tuple[Any, ...]:  # Any: TOML values
    if isinstance(value, list) and not allowed:
        raise StudyError(f"'{key}' takes one value, got a list")
    return _listed(value)


# What [data] may say of a file of the user's, and how each value is checked.
_OWN: Mapping[str, Callable[[str, object], object]] = {
    "test": _text,
    "validation": _text,
    "text_column": _text,
    "label_column": _text,
    "split_column": _text,
    "separator": _text,
    "encoding": _text,
    "quoting": _text,
    "sheet": _text,
    "strip_html": _truth,
    "keep_labels": _truth,
    "test_fraction": _number,
    "drop_duplicates": _truth,
    "drop_unlabelled": _truth,
    "drop_small_classes": _truth,
    "tokens": _text,
}
