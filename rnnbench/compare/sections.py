"""Runs divided into tables: inside one, only the contrast and the seed differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from rnnbench.architectures import PRESETS, display_name, make_form_like, names_apart
from rnnbench.errors import StudyError
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import USUAL_SETTINGS, Argument, CanonicalForm, Form, PluginForm, RunSpec
from rnnbench.study import Tuned

_Key: TypeAlias = tuple[Form, tuple[tuple[str, object], ...]]
_ORDERS = ("reshuffled", "frozen")
_OWN_SPLIT = "each seed's own"
_OWN_RATE = "each cell's own"
RESPONSE_FACTORS = ("units", "dropout", "recurrent_dropout", "max_len", "learning_rate")
"""The hyperparameters to which the report says how a score responds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Arm:
    """Runs that differ in their seed only.

    Args:
        name: the value of the contrast: an architecture, or `units=8`.
        runs: all of them, the failed and unfinished too, by seed.
        unlearned: fingerprints of finished runs that did not learn; of other arms too.
    """

    name: str
    runs: tuple[RecordedRun, ...]
    unlearned: frozenset[str] = frozenset()

    @cached_property
    def finished(self) -> tuple[RecordedRun, ...]:
        """The runs that produced a score."""
        return tuple(run for run in self.runs if run.is_finished)

    @cached_property
    def learned(self) -> tuple[RecordedRun, ...]:
        """The runs whose scores are compared."""
        return tuple(run for run in self.finished if run.spec.fingerprint not in self.unlearned)

    @property
    def spec(self) -> RunSpec:
        """What was asked of the first run."""
        return self.runs[0].spec

    @cached_property
    def values(self) -> dict[str, object]:
        """The hyperparameters, recipe and data; None where the architecture has no such."""
        settings = _settings(self.spec)
        found = {name: hyperparameter(self.spec.form, name) for name in RESPONSE_FACTORS}
        found = {name: settings.get(name, value) for name, value in found.items()}
        numbers = {
            name: value if isinstance(value, int | float) else None for name, value in found.items()
        }
        others = {key: settings[key] for key in settings if key not in ("split_seed", *numbers)}
        return numbers | others

    @cached_property
    def base(self) -> str:
        """The architecture's name without its hyperparameters."""
        form = self.spec.form
        for name in RESPONSE_FACTORS:
            if name not in self.spec.settings and self.values[name] is not None:
                form = without(form, name)
        name, code = display_name(form), f"code={getattr(form, 'code', '')}"
        is_apart = code in self.name and code not in name  # from an arm of the same name
        return f"{name} ({code})" if is_apart else name


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """Arms that differ in the contrast only.

    Args:
        name: what tells this section from the others, and the architecture where that is not the
            contrast; empty where there is nothing to tell.
    """

    name: str
    arms: tuple[Arm, ...]

    @property
    def reviews(self) -> str:
        """The fingerprint of what the first arm learns from."""
        return self.arms[0].spec.data.fingerprint


def divide_runs(
    runs: Iterable[RecordedRun],
    contrast: str,
    *,
    vary_split: bool = False,
    tuned: Tuned | None = None,
    unlearned: frozenset[str] = frozenset(),
) -> tuple[Section, ...]:
    """The runs as sections of arms.

    Args:
        contrast: the factor between arms; everything else but the seed is equal in a section.
        vary_split: runs of several splits belong together, one split a seed.
        tuned: runs with an architecture's tuned values belong to its arm.
        unlearned: fingerprints of finished runs that did not learn.
    """
    runs = tuple(runs)
    apart = names_apart(run.spec.form for run in runs)
    grouped: dict[_Key, dict[str, list[RecordedRun]]] = {}
    places: dict[str, tuple[object, ...]] = {}
    for run in runs:
        settings = _settings(run.spec)
        del settings["race"]  # it is in place of the learning rate
        if vary_split and settings["split_seed"] == run.spec.seed:
            settings["split_seed"] = _OWN_SPLIT
        label = apart[run.spec.form]
        name, place, form = _take_out(run.spec.form, label, settings, contrast)
        if run.spec.race and "learning_rate" in settings:
            settings["learning_rate"] = f"{_OWN_RATE} (race {run.spec.race})"
        if tuned:
            name = f"tuned {_tuned_name(run.spec, label, tuned)}"
            del settings["learning_rate"]
        places[name] = place
        key = (form, tuple(sorted(settings.items())))
        grouped.setdefault(key, {}).setdefault(name, []).append(run)
    names = _section_names(list(grouped), contrast)
    sections = [
        Section(
            name=names[key],
            arms=tuple(
                Arm(
                    name=name,
                    runs=tuple(sorted(found, key=lambda run: run.spec.seed)),
                    unlearned=unlearned,
                )
                for name, found in sorted(arms.items(), key=lambda item: places[item[0]])
            ),
        )
        for key, arms in sorted(grouped.items(), key=lambda item: _place_of_key(item[0]))
    ]
    return tuple(sections)


def tuned_architectures(spec: RunSpec, tuned: Tuned) -> list[str]:
    """The architectures for which tuning found the run's values; most often one, or none."""
    return [name for name, values in tuned.items() if _has_values(spec, name, values)]


def without(form: Form, name: str) -> Form:
    """The form with a hyperparameter at its usual value, so that forms can be grouped."""
    if isinstance(form, PluginForm):
        kept = tuple(pair for pair in form.arguments if pair[0] != name)
        return replace(form, arguments=kept)
    usual = CanonicalForm(cell=form.cell, reset_after=form.reset_after)
    return replace(form, **{name: getattr(usual, name)})


def hyperparameter(form: Form, name: str) -> object:
    """A hyperparameter's value; None where the form has no such."""
    if isinstance(form, PluginForm):
        return dict(form.arguments).get(name)
    return getattr(form, name, None)


_ANY_FORM = PluginForm(name="")


def _settings(spec: RunSpec) -> dict[str, object]:
    """The run's settings, the same ones of every run."""
    return {**USUAL_SETTINGS, **spec.settings}


def _take_out(
    form: Form, label: str, settings: dict[str, object], contrast: str
) -> tuple[str, tuple[object, ...], Form]:
    """The arm's name, its place among the others, and the form of its section.

    The contrast is taken out of `settings`.
    """
    if contrast == "architecture":
        return label, _place_of_form(form), _ANY_FORM
    factor = "learning_rate" if contrast == "tuned" else contrast
    if factor in settings:
        value = settings.pop(factor)
        place: tuple[object, ...] = (_ORDERS.index(str(value)),) if factor == "order" else (value,)
        return f"{factor}={value}", place, form
    value = hyperparameter(form, factor)
    return f"{factor}={value}", (value,), without(form, factor)


def _tuned_name(spec: RunSpec, label: str, tuned: Tuned) -> str:
    """The architecture whose values these are; else, of an earlier search, the values."""
    is_told_apart = label != display_name(spec.form)
    for name in () if is_told_apart else tuned_architectures(spec, tuned):
        units = hyperparameter(spec.form, "units")
        usual = hyperparameter(make_form_like(spec.form, name), "units")
        is_usual = "units" in tuned[name] or units == usual
        return name if is_usual else f"{name}(units={units})"
    return f"{label} (learning_rate={spec.recipe.learning_rate:.6g})"


def _has_values(spec: RunSpec, architecture: str, values: Mapping[str, float | int]) -> bool:
    """Whether they are its values, and all else is the architecture's own but for the units."""
    units = hyperparameter(spec.form, "units")
    form: dict[str, Argument] = {"units": units} if isinstance(units, int) else {}
    form |= {key: value for key, value in values.items() if key != "learning_rate"}
    rate = values.get("learning_rate", spec.recipe.learning_rate)
    try:
        made = make_form_like(spec.form, architecture, **form)
        return spec.form == made and spec.recipe.learning_rate == rate
    except StudyError:  # a plug-in that is not installed here
        return False


def _section_names(keys: Sequence[_Key], contrast: str) -> Mapping[_Key, str]:
    """What differs among the sections, in words."""
    settings = [dict(values) for _, values in keys]
    varying = [
        name
        for name in (settings[0] if settings else {})
        if len({values[name] for values in settings}) > 1
    ]
    apart = names_apart(form for form, _ in keys)
    names = {}
    for (form, values), own in zip(keys, settings, strict=True):
        words = [] if contrast == "architecture" else [apart[form]]
        words += [f"{name}={_short(name, own[name])}" for name in varying]
        names[form, values] = " · ".join(words)
    return names


def _short(name: str, value: object) -> object:
    return str(value)[:12] if name == "fingerprint" else value


def _place_of_form(form: Form) -> tuple[object, ...]:
    """The design's order, then by name."""
    name = display_name(form)
    presets = list(PRESETS)
    return (presets.index(name) if name in presets else len(presets), name)


def _place_of_key(key: _Key) -> tuple[object, ...]:
    form, settings = key
    of_form = () if form == _ANY_FORM else _place_of_form(form)
    return (*of_form, *(_place_of_value(value) for _, value in settings))


def _place_of_value(value: object) -> tuple[bool, float, str]:
    """Numbers by size, then words by the alphabet."""
    return (False, value, "") if isinstance(value, int | float) else (True, 0, str(value))
