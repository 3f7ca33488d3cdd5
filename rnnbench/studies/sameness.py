"""Which of the configurations that a study asks for are one and the same."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnbench.architectures import architecture_names, display_name
from rnnbench.output.amounts import listed, plural
from rnnbench.specs import Argument, Form
from rnnbench.study import Study

MOST_TOLD = 10


def tell_same(study: Study, n_configurations: int) -> list[str]:
    """A sentence for each value or network that the study names twice, and for other names.

    Args:
        n_configurations: how many there are, seeds apart.
    """
    sentences = [*_tell_repeated(study), *_tell_alike(_find_forms(study))]
    if len(sentences) > MOST_TOLD:
        sentences[MOST_TOLD:] = [f"and {len(sentences) - MOST_TOLD} more such"]
    n_asked = _count_asked(study)
    if n_asked > n_configurations:
        sentences.append(f"{n_asked} combinations make {plural(n_configurations, 'configuration')}")
    return sentences


def _find_forms(study: Study) -> dict[Form, list[str]]:
    """What each form is called in the study."""
    found: dict[Form, list[str]] = {}
    for name in dict.fromkeys(study.architectures):
        for values in _grid(_taken(study, name)):
            asked = ", ".join(f"{key} {value}" for key, value in values.items())
            form = study.form(name, **values)
            found.setdefault(form, []).append(f"{name} ({asked})" if asked else name)
    return found


def _tell_alike(forms: Mapping[Form, Sequence[str]]) -> Iterator[str]:
    for form, names in forms.items():
        shown = display_name(form)
        if len(names) > 1:
            yield f"{listed(names)} are one network, {shown}"
        elif shown in architecture_names() and names[0].split(" (")[0] != shown:
            yield f"{names[0]} is {shown}"


def _tell_repeated(study: Study) -> Iterator[str]:
    for name, values in _lists(study).items():
        for value, n_times in Counter(values).items():
            if n_times > 1:
                yield f"{name} names {value} {'twice' if n_times == 2 else f'{n_times} times'}"


def _count_asked(study: Study) -> int:
    grids = (study.data, study.recipe, {"embedding_size": study.embedding_sizes or (None,)})
    n_others = math.prod(len(values) for grid in grids for values in grid.values())
    n_forms = (math.prod(map(len, _taken(study, name).values())) for name in study.architectures)
    return n_others * sum(n_forms)


def _taken(study: Study, name: str) -> dict[str, tuple[Argument, ...]]:
    """The values of the hyperparameters that one of the architectures takes."""
    kinds = study.kinds(name)
    return {key: values for key, values in study.hyperparameters.items() if key in kinds}


def _lists(study: Study) -> dict[str, tuple[Any, ...]]:  # Any: values of several types
    """Every list of the study that a grid is made of, but for its seeds."""
    sizes = {"embedding_size": study.embedding_sizes} if study.embedding_sizes else {}
    grids = {**study.hyperparameters, **sizes, **study.data, **study.recipe}
    return {"architectures": study.architectures, **grids}


def _grid(
    values: Mapping[str, tuple[Any, ...]],  # Any: values of several types
) -> Iterator[dict[str, Any]]:
    for chosen in itertools.product(*map(dict.fromkeys, values.values())):
        yield dict(zip(values, chosen, strict=True))
