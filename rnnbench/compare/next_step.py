"""What to try next: the user's own command with other options."""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rnnbench.data.cache import open_corpus
from rnnbench.data.sight import choose_sight
from rnnbench.errors import DataError
from rnnbench.limits import MOST
from rnnbench.options import option_names
from rnnbench.own_options import OwnFileChoices
from rnnbench.specs import DataSpec, Recipe, RunSpec

HIGHER_RATE = 0.01
"""What is tried where the rate is low; tuning finds rates of about 0.005 to 0.02 on IMDB
(docs/results/tuned/runs.csv)."""

_LOW_RATE = 0.003
_OF_TUNE = {"all", "dataset", "race", "max-len", "num-words", "epochs", "class-weight"}
_FLAGS = {"report", "no-report", "dry-run"}


def next_step(
    specs: Sequence[RunSpec], command: str, *, has_learnt: bool, is_cut_short: bool
) -> str:
    """The command to try, in words; empty where there is none to be named.

    Args:
        specs: what was run.
        command: the words that ran it; empty if nobody knows them.
        has_learnt: whether the networks are as good as can be had for nothing; if not, they are to
            see more of the texts and to learn at a higher rate, or else at a tuned one.
        is_cut_short: whether runs stopped at the epoch limit, and would have gone on.
    """
    is_tuned = "--tuned" in command.split()
    changes: dict[str, object] = {}
    if not (has_learnt or is_tuned):
        changes |= _wider_sight({spec.data for spec in specs}) | _higher_rate(specs)
    if is_cut_short:
        changes |= _more_epochs(specs, is_faster="learning-rate" in changes)
    if changes:
        return with_options(command, changes)
    if has_learnt or is_tuned or is_cut_short:
        return ""
    tuned = with_options(command, {"tuned": None}, without=("learning-rate",))
    return f"{tuning_of(command)}; then {tuned}"


def with_options(
    command: str, changes: Mapping[str, object], *, without: Collection[str] = ()
) -> str:
    """The command with options set, and others left out; None sets one without a value.

    Of a command that is not `rnnbench run` the options alone.
    """
    words = _words_of_run(command)
    kept = [
        word
        for name, option in (_options(words) if words else ())
        if name not in changes and name not in without
        for word in option
    ]
    for name, value in changes.items():
        kept += [f"--{name}"] if value is None else [f"--{name}", str(value)]
    return _written("run", words, kept)


def tuning_of(command: str) -> str:
    """`rnnbench tune` for the networks and the data of a command that runs them."""
    words = _words_of_run(command)
    known = _OF_TUNE | {name.replace("_", "-") for name in option_names(OwnFileChoices)}
    known |= {"no-quotes"}
    kept = [
        word
        for name, option in (_options(words) if words else ())
        if not name or (name in known and not _is_grid(name, option))
        for word in option
    ]
    return _written("tune", words if kept else None, kept)


def _wider_sight(data: Iterable[DataSpec]) -> dict[str, object]:
    """What shows the networks more of the user's texts, where much of them is cut off."""
    found = [each for each in data if each.is_own]
    if not found:
        return {}
    try:
        wanted = choose_sight(open_corpus(found[0].fingerprint))
    except DataError:
        return {}
    seen = {name: max(getattr(each, name) for each in found) for name in ("max_len", "num_words")}
    if seen["max_len"] >= wanted.max_len and 2 * seen["num_words"] >= wanted.num_words:
        return {}
    return {
        "max-len": max(seen["max_len"], wanted.max_len),
        "num-words": max(seen["num_words"], wanted.num_words),
    }


def _higher_rate(specs: Iterable[RunSpec]) -> dict[str, object]:
    highest = max(spec.recipe.learning_rate for spec in specs)
    return {"learning-rate": HIGHER_RATE} if highest < _LOW_RATE else {}


def _more_epochs(specs: Iterable[RunSpec], *, is_faster: bool) -> dict[str, object]:
    """Three times as many, and the textbook's at least; those alone where the rate grows too."""
    limit, usual = max(spec.recipe.epochs for spec in specs), Recipe().epochs
    wanted = min(usual if is_faster else max(usual, 3 * limit), MOST["epochs"])
    return {"epochs": wanted} if wanted > limit else {}


def _words_of_run(command: str) -> list[str] | None:
    words = shlex.split(command)
    return words[2:] if words[:2] == ["rnnbench", "run"] else None


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option's name, and its words as they were typed; of other words no name."""
    rest = list(words)
    while rest:
        name, has_value, _ = rest[0].partition("=")
        if not name.startswith("--"):
            yield "", [rest.pop(0)]
            continue
        name = name.removeprefix("--")
        takes = not has_value and name not in _FLAGS and rest[1:] and rest[1][:2] != "--"
        yield name, [rest.pop(0) for _ in range(2 if takes else 1)]


def _is_grid(name: str, option: Sequence[str]) -> bool:
    """Whether it is a list, where tuning takes one value."""
    return name in _OF_TUNE and name != "dataset" and "," in option[-1]


def _written(verb: str, words: Sequence[str] | None, kept: Sequence[str]) -> str:
    start = f"rnnbench {verb}" if words is not None else f"rnnbench {verb} …"
    return " ".join((start, shlex.join(kept))).strip()
