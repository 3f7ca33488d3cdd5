"""Studies as TOML files: those that travel with the package, and the user's own."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from rnnbench.errors import StudyError, unknown_name
from rnnbench.formats import is_there, read_toml
from rnnbench.limits import parse_seeds
from rnnbench.specs import DataSpec, Recipe
from rnnbench.study import TIMING, Study, check_description
from rnnbench.study_values import (
    DECLARED,
    check_number_value,
    check_text_value,
    check_truth_value,
    refuse_unknown,
)

_RECIPE_LISTS = ("learning_rate", "order")
_DATA_LISTS = ("num_words", "max_len")


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
    plain = {"name", "architectures", "seeds", *DECLARED}
    refuse_unknown("study key", values, plain | sections)
    for key in ("name", "architectures", "seeds"):
        if key not in values:
            raise StudyError(f"the key '{key}' is missing")
    for key in sections & set(values):
        if not isinstance(values[key], Mapping):
            raise StudyError(f"'{key}' must be a table ([{key}])")
    data = dict(values.get("data", {}))
    hyperparameters = dict(values.get("hyperparameters", {}))
    known = _names(DataSpec) - {"fingerprint", "n_classes"} | {"train", *_OWN}
    refuse_unknown("key in [data]", data, known)
    own = {key: read(key, data.pop(key)) for key, read in _OWN.items() if key in data}
    refuse_unknown("key in [recipe]", values.get("recipe", {}), _names(Recipe))
    if {"dataset", "train"} <= set(data):
        raise StudyError("'train' and 'dataset' in [data] name the same; use one of them")
    dataset = data.pop("train", data.pop("dataset", "auto"))
    sizes = hyperparameters.pop("embedding_size", None)
    check_description(check_text_value("description", values.get("description", "")))
    return Study(
        name=check_text_value("name", values["name"]),
        **{key: check(key, values[key]) for key, check in DECLARED.items() if key in values},
        architectures=_texts("architectures", values["architectures"]),
        seeds=parse_seeds(values["seeds"]),
        dataset=check_text_value("dataset", dataset),
        own=own,
        embedding_sizes=() if sizes is None else _listed(sizes),
        hyperparameters={key: _listed(value) for key, value in hyperparameters.items()},
        data={key: _listed_if(key in _DATA_LISTS, key, value) for key, value in data.items()},
        recipe={
            key: _listed_if(key in _RECIPE_LISTS, key, value)
            for key, value in values.get("recipe", {}).items()
        },
    )


def _texts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise StudyError(f"'{key}' must be a list of names, got {value!r}")
    return tuple(check_text_value(key, item) for item in value)


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
    "test": check_text_value,
    "validation": check_text_value,
    "text_column": check_text_value,
    "label_column": check_text_value,
    "split_column": check_text_value,
    "separator": check_text_value,
    "encoding": check_text_value,
    "quoting": check_text_value,
    "sheet": check_text_value,
    "strip_html": check_truth_value,
    "keep_labels": check_truth_value,
    "test_fraction": check_number_value,
    "drop_duplicates": check_truth_value,
    "drop_unlabelled": check_truth_value,
    "drop_small_classes": check_truth_value,
    "tokens": check_text_value,
}


def _names(kind: type) -> set[str]:
    return {item.name for item in fields(kind)}
