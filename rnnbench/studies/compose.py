"""From choices on the command line to the study that they mean."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from rnnbench.architectures import ALL
from rnnbench.datasets import is_table, stem_of_table
from rnnbench.errors import UsageError
from rnnbench.racing.defaults import without_values_of_imdb
from rnnbench.run_options import RunChoices
from rnnbench.specs import Recipe
from rnnbench.study import Study, bundled_studies, load_study
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
    is_changed = any(changes.values())
    description = None  # what is said of the study is no longer true of what it becomes
    if is_changed:
        description = f"Changed on the command line from the study {base.name}"
    elif is_own:
        description = f"The networks of the study {base.name}, on other texts"
    if dataset is not None:  # what the study says of its own file
        base = replace(base, own={})
    return base.with_choices(
        name=choices.name or (f"{stem}-custom" if is_changed else stem),
        description=description,
        architectures=choices.architectures or (ALL if choices.all_ else None),
        seeds=choices.seeds or None,
        dataset=dataset,
        metric=choices.metric,
        own=choices.own.reading(),
        **changes,
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
