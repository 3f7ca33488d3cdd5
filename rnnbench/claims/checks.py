"""What a claim's values can be: one check for each sort, which names the key that is at fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from rnnbench.architectures import PRESETS, find_plugin, make_form
from rnnbench.claims.metrics import METRICS
from rnnbench.errors import StudyError, unknown_name
from rnnbench.specs import Argument, CanonicalForm, DataSpec, Recipe, RunSpec

__all__ = [
    "BadValueError",
    "asked_spec",
    "check_above_zero",
    "check_architecture",
    "check_choice",
    "check_list",
    "check_margin",
    "check_metric",
    "check_pair",
    "check_settings",
    "check_text",
    "check_value",
    "known_settings",
]

_LARGEST = 1e15  # a TOML file can hold whole numbers that no float can
_OF_DATA = {item.name for item in fields(DataSpec)} - {"dataset", "fingerprint"}
_OF_RECIPE = {item.name for item in fields(Recipe)}
_OF_RUN = {"embedding_size", "engine", "backend"}


class BadValueError(StudyError):
    """A value of a claim that cannot be; `path` leads to it from the table that was checked."""

    def __init__(self, path: tuple[str | int, ...], sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


def asked_spec(architecture: str, settings: Mapping[str, Argument]) -> RunSpec:
    """The notes' run of an architecture with some settings changed; seed 0, data without content.

    Raises:
        StudyError: a setting or a value that cannot be.
    """
    # Any: which of them fits which field is checked by the classes themselves.
    chosen: dict[str, Any] = dict(settings)
    data = {key: chosen.pop(key) for key in list(chosen) if key in _OF_DATA}
    recipe = {key: chosen.pop(key) for key in list(chosen) if key in _OF_RECIPE}
    run = {key: chosen.pop(key) for key in list(chosen) if key in _OF_RUN}
    return RunSpec(
        form=make_form(architecture, **chosen),
        data=DataSpec(dataset="", fingerprint="", **data),
        recipe=Recipe(**recipe),
        seed=0,
        **run,
    )


def check_pair(a: str, b: str, settings: Mapping[str, Argument]) -> None:
    """Refuse what is no architecture, settings that do not fit, and twice the same network."""
    for key, name in (("a", a), ("b", b)):
        check_architecture((key,), name)
    check_settings((a, b), settings)
    if asked_spec(a, settings) == asked_spec(b, settings):
        raise BadValueError(("b",), f"'{b}' is the same network as '{a}'; name two that differ")


def check_architecture(path: tuple[str | int, ...], name: object) -> None:
    """Refuse what is no architecture's name."""
    if not isinstance(name, str):
        raise BadValueError(path, f"an architecture must be a name, got {name!r}")
    try:
        make_form(name)
    except StudyError as err:
        raise BadValueError(path, str(err)) from err


def check_metric(key: str, name: object) -> None:
    """Refuse what is no metric's name."""
    if not isinstance(name, str):
        raise BadValueError((key,), f"'{key}' must be the name of a metric, got {name!r}")
    if name not in METRICS:
        raise BadValueError((key,), unknown_name("metric", name, METRICS))


def check_choice(key: str, value: object, choices: Sequence[str]) -> None:
    """Refuse what is none of the choices."""
    if not isinstance(value, str):
        raise BadValueError((key,), f"'{key}' must be text, got {value!r}")
    if value not in choices:
        raise BadValueError((key,), unknown_name(key, value, choices))


def check_margin(margin: object, metric: str, *, is_needed: bool) -> None:
    """Refuse a margin that is none, and none where neither claim nor study declares one."""
    if margin is not None:
        check_above_zero("margin", margin)
    elif is_needed and METRICS[metric].unit != "accuracy":
        raise BadValueError(
            ("margin",),
            f"the key 'margin' is missing: the study declares one for accuracies only, "
            f"not for {metric}",
        )


def check_above_zero(key: str, value: object) -> None:
    """Refuse what is no number above 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < _LARGEST:  # type: ignore[operator]  # it is a number
        raise BadValueError((key,), f"'{key}' must be a number above 0, got {value!r}")


def check_text(key: str, value: object) -> None:
    """Refuse what is no text, or empty."""
    if not isinstance(value, str) or not value.strip():
        raise BadValueError((key,), f"'{key}' must be text, and not empty, got {value!r}")


def check_list(key: str, values: object) -> None:
    """Refuse what is no list, an empty one, or one that repeats itself."""
    if not isinstance(values, list | tuple) or not values:
        raise BadValueError((key,), f"'{key}' must be a list, and not empty, got {values!r}")
    if any(value in values[:n] for n, value in enumerate(values)):
        raise BadValueError((key,), f"'{key}' names something twice: {values!r}")


def check_settings(architectures: Sequence[str], settings: object) -> None:
    """Refuse settings that the architectures' runs do not take."""
    if not isinstance(settings, Mapping):
        raise BadValueError(("settings",), f"'settings' must be a table, got {settings!r}")
    for key, value in settings.items():
        known = known_settings(architectures)
        if key not in known:
            raise BadValueError(("settings", key), unknown_name("setting", key, known))
        check_value(("settings", key), key, value, architectures)


def check_value(
    path: tuple[str | int, ...], key: str, value: object, architectures: Sequence[str]
) -> None:
    """Refuse a value that a setting of the architectures' runs does not take."""
    if not isinstance(value, str | int | float):
        raise BadValueError(path, f"'{key}' takes one value, got {value!r}")
    for architecture in architectures:
        try:
            asked_spec(architecture, {key: value})
        except (StudyError, OverflowError) as err:  # a whole number that no float can hold
            raise BadValueError(path, str(err)) from err


def known_settings(architectures: Sequence[str]) -> tuple[str, ...]:
    """What can be set in the runs of all these architectures."""
    of_forms = set.intersection(*(_hyperparameters(name) for name in architectures))
    return tuple(sorted(_OF_DATA | _OF_RECIPE | _OF_RUN | of_forms))


def _hyperparameters(architecture: str) -> set[str]:
    if architecture in PRESETS:
        return {item.name for item in fields(CanonicalForm)} - {"cell"}
    return set(find_plugin(architecture).arguments)
