"""From choices on the command line to the study that they mean."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from rnnbench.architectures import ALL
from rnnbench.datasets import is_table, stem_of_table
from rnnbench.errors import UsageError, unknown_name
from rnnbench.networks.parameters import read_value
from rnnbench.options import option_names
from rnnbench.racing.defaults import without_values_of_imdb
from rnnbench.run_options import RunChoices
from rnnbench.specs import Argument, Recipe
from rnnbench.study import Study
from rnnbench.study_files import bundled_studies, load_study
from rnnbench.study_names import name_after_file

HYPERPARAMETERS = ("units", "dropout", "recurrent_dropout")
RECIPE = tuple(item.name for item in fields(Recipe))
DATA = ("max_len", "num_words")
TUNED = "tuned"
"""What the study of tuned architectures is called."""


def compose_study(choices: RunChoices) -> Study:
    """The study that the choices mean; one that they change is called `NAME-custom`.

    Raises:
        StudyError, UsageError: something that cannot be run.
    """
    if not (choices.architectures or choices.all_ or choices.study or choices.quick):
        raise UsageError(
            "nothing to run: name architectures, or use --all, --quick or --study FILE; "
            "`rnnbench list` shows what there is"
        )
    if choices.study and choices.quick:
        raise UsageError("--quick is a study of its own; leave it or --study out")
    source = choices.study or ("quick" if choices.quick else "textbook")
    base = load_study(source)
    changes = {
        "hyperparameters": chosen_values(choices, HYPERPARAMETERS),
        "data": chosen_values(choices, DATA),
        "recipe": chosen_values(choices, RECIPE),
        "embedding_sizes": choices.embedding_size or None,
    }
    stem = base.name
    if choices.tuned:
        stem = TUNED if base.name == "textbook" else f"{base.name}-{TUNED}"
    dataset = choices.own.dataset(choices.dataset)
    is_own = dataset is not None and is_table(dataset)
    if is_own and source in bundled_studies():
        base = without_values_of_imdb(base)
    if dataset is not None and is_own:  # its runs do not belong among those on IMDB
        stem = name_after_file(stem, stem_of_table(dataset))
    is_changed = any(changes.values()) or bool(choices.set_ or choices.hyperparameters)
    description = None  # what is said of the study is no longer true of what it becomes
    if is_changed:
        description = f"Changed on the command line from the study {base.name}"
    elif is_own:
        description = f"The networks of the study {base.name}, on other texts"
    if dataset is not None:  # what the study says of its own file
        base = replace(base, own={})
    study = base.with_choices(
        name=choices.name or (f"{stem}-custom" if is_changed else stem),
        description=description,
        architectures=choices.architectures or (ALL if choices.all_ else None),
        seeds=choices.seeds or None,
        dataset=dataset,
        metric=choices.metric,
        own=choices.own.reading(),
        **changes,
    )
    if choices.set_ or choices.hyperparameters:
        study = study.with_choices(hyperparameters=_read_settings(study, choices))
    study.refuse_missing()
    return study


def _read_settings(study: Study, choices: RunChoices) -> dict[str, tuple[Argument, ...]]:
    """What `--set` names, each as the values of a grid, of the type that a network takes.

    Raises:
        UsageError: no such hyperparameter or value, or one that was given twice.
    """
    found: dict[str, tuple[Argument, ...]] = dict(choices.hyperparameters)
    for text in choices.set_:
        name, sign, values = text.partition("=")
        name = name.strip()
        if not (sign and name and values.strip()):
            raise UsageError(f"--set takes NAME=VALUE or NAME=VALUE,VALUE, got '{text[:100]}'")
        if name in found or name in chosen_values(choices, HYPERPARAMETERS):
            raise UsageError(f"{name} was given twice; give it once, with a list: {name}=1,2")
        kind = _kind_of(study, name)
        try:
            found[name] = tuple(read_value(value, kind) for value in values.split(","))
        except ValueError as err:
            raise UsageError(f"--set {name} takes {err}, got '{values[:100]}'") from err
    return found


def _kind_of(study: Study, name: str) -> type | None:
    """The type of a hyperparameter in the first architecture that takes it.

    Raises:
        UsageError: none does.
    """
    kinds = [study.kinds(each) for each in study.architectures]
    for taken in kinds:
        if name in taken:
            return taken[name]
    if name in option_names(RunChoices):
        raise UsageError(f"--set is for hyperparameters; write --{name.replace('_', '-')} instead")
    known = {key for taken in kinds for key in taken}
    names = " and ".join(dict.fromkeys(study.architectures))
    raise UsageError(
        f"--set {name}: {unknown_name('hyperparameter', name, known)}"
        if known
        else f"--set {name}: {names} takes no hyperparameters"
    )


def chosen_values(
    choices: RunChoices, names: Iterable[str]
) -> dict[str, tuple[Any, ...]]:  # Any: values of options
    """What was chosen of these, by name, each as the values of a grid."""
    values = {name: getattr(choices, name) for name in names}
    return {
        name: value if isinstance(value, tuple) else (value,)
        for name, value in values.items()
        if value not in (None, ())
    }
