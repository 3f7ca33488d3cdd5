"""What to try next: the user's own command with other options."""

import os
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnbench.architectures import display_name, name_without_units
from rnnbench.data.text_summaries import find_sight
from rnnbench.limits import MOST
from rnnbench.networks.reading import names_file
from rnnbench.options import ExecutorChoices, WorkerChoices, flag_names, option_names
from rnnbench.own_options import OwnFileChoices, RaceChoices
from rnnbench.run_options import RunChoices
from rnnbench.specs import DataSpec, Recipe, RunSpec

HIGHER_RATE = 0.01
"""What is tried where the rate is low; tuning finds rates of about 0.005 to 0.02 on IMDB
(docs/results/tuned/runs.csv)."""

_LOW_RATE = 0.001  # the lowest that a race tries
_SET = "--set"  # of which each that is given counts


def _typed(*kinds: type) -> frozenset[str]:
    """Their options, as they are typed."""
    names = (name for kind in kinds for name in option_names(kind))
    return frozenset(f"--{name.replace('_', '-')}" for name in names)


_FLAGS = flag_names(RunChoices)
_FILES = {"--dataset", "--train", "--test", "--validation"}
_ONE_OF_TUNE = {"--epochs", "--class-weight", "--max-len", "--num-words"}
"""Of which `rnnbench tune` takes one value, and `run` a list of some."""
_OF_TUNE = (
    _typed(OwnFileChoices, RaceChoices, WorkerChoices) | _ONE_OF_TUNE | {"--all", "--dataset"}
)
_NOT_OF_TUNE = (_typed(ExecutorChoices) - _typed(WorkerChoices)) | {
    *("--seeds", "--study", "--quick", "--name", "--metric", "--report", "--no-report"),
    "--learning-rate",
}
"""What tuning does without; any other option of `run` makes networks that it does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """A `rnnbench run`, as it was typed.

    Args:
        networks: the words that belong to no option, and each `--set` with its values.
        options: values by name; None of one that takes none. Of one given twice the last counts.
        is_python: whether it was `rnnbench.run(…)`.
    """

    networks: tuple[str, ...] = ("…",)
    options: dict[str, str | None]
    is_python: bool = False

    @property
    def needs_files_of_elsewhere(self) -> bool:
        """Whether a network's file is not here: its runs came from another folder."""
        files = (word for word in self.networks if names_file(word))
        return not all(Path(word.rpartition(".py")[0] + ".py").is_file() for word in files)

    def changed(
        self, changes: Mapping[str, str | None], without: Collection[str] = ()
    ) -> "_Command":
        """With options set, at the end, and others left out."""
        left_out = {*changes, *without}
        kept = {name: value for name, value in self.options.items() if name not in left_out}
        return replace(self, options={**kept, **changes})

    def written(self, verb: str = "run") -> str:
        """In words for a shell, or for Python; `…` stands for what nobody knows."""
        if self.is_python and verb == "run":
            given = (f", {_spell(name)}={value or True}" for name, value in self.options.items())
            return f"rnnbench.run(…{''.join(given)})"
        options = [word for item in self.options.items() for word in item if word is not None]
        return shlex.join(["rnnbench", verb, *self.networks, *options]).replace("'…'", "…")


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
    known = _read(command)
    if known is None or (has_learnt and not is_cut_short) or known.needs_files_of_elsewhere:
        return ""
    is_tuned = "--tuned" in known.options
    if not is_tuned and (raced := _raced(known, specs)):
        # A limit that cut the notes' recipe short would cut the raced one too.
        raced = raced.changed({}, without=("--epochs",)) if is_cut_short else raced
        return f"{raced.written()}, with a race for the settings"
    changes: dict[str, str | None] = {}
    if not (has_learnt or is_tuned):
        changes |= _wider_sight({spec.data for spec in specs}) | _higher_rate(specs)
    if is_cut_short:
        changes |= _more_epochs(specs, is_faster="--learning-rate" in changes)
    if changes:
        return known.changed(changes).written()
    return "" if is_tuned or is_cut_short else _tuned(known, specs)


def _read(command: str) -> _Command | None:
    """What was typed; of another command than `rnnbench run` nothing is known.

    None where it is no command line: whoever can write to MLflow may have written it.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if words[:2] != ["rnnbench", "run"]:
        return _Command(options={}, is_python=command.startswith("rnnbench.run("))
    networks: list[str] = []
    options: dict[str, str | None] = {}
    rest = iter(words[2:])
    for word in rest:
        name, is_there, value = word.partition("=")
        if name == _SET:
            networks += [name, value if is_there else next(rest, "")]
        elif not name.startswith("--"):
            networks.append(word)
        elif name in _FLAGS:
            options[name] = None
        else:
            value = value if is_there else next(rest, "")
            # Standard input cannot be read a second time.
            options[name] = "…" if value == "-" and name in _FILES else value
    return _Command(networks=tuple(networks), options=options)


def _spell(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _raced(known: _Command, specs: Iterable[RunSpec]) -> _Command | None:
    """With the race that the user forwent; None where it would choose no learning rate."""
    usual = os.environ.get("RNNBENCH_RACE")
    is_open = "--learning-rate" not in known.options and any(
        spec.data.is_own and spec.recipe.learning_rate == Recipe().learning_rate for spec in specs
    )
    if not is_open or known.options.get("--race", usual) != "none":
        return None
    return known.changed({"--race": "3m"} if usual == "none" else {}, without=("--race",))


def _tuned(known: _Command, specs: Sequence[RunSpec]) -> str:
    """`rnnbench tune` for the same networks on the same data, and what measures its winners.

    Empty where tuning does not take what the command says of them.
    """
    options = {name: known.options[name] for name in known.options if name not in _NOT_OF_TUNE}
    is_list = any("," in (options.get(name) or "") for name in _ONE_OF_TUNE)
    if is_list or not options.keys() <= _OF_TUNE or _SET in known.networks:
        return ""
    networks = known.networks
    if not networks and "--all" not in options:
        names = dict.fromkeys(map(_name, specs))
        if any("(" in name or ":" in name for name in names):  # what tune cannot be told so
            return ""
        networks = tuple(names)
    is_in_study = "--study" in known.options and not options.keys() & {"--dataset", "--train"}
    if is_in_study and any(spec.data.is_own for spec in specs):
        return ""
    tune = _Command(networks=networks, options=options).written("tune")
    run = known.changed({"--tuned": None}, without=("--learning-rate",)).written()
    return f"{tune}; then {run}"


def _name(spec: RunSpec) -> str:
    """What the architecture is called; on texts of the user's own a race may choose its units."""
    return (name_without_units if spec.data.is_own else display_name)(spec.form)


def _wider_sight(data: Iterable[DataSpec]) -> dict[str, str]:
    """What shows the networks more of the user's texts, where much of them is cut off."""
    found = [each for each in data if each.is_own]
    if not found:
        return {}
    wanted = find_sight(found[0])
    if wanted is None:
        return {}
    seen = {name: max(getattr(each, name) for each in found) for name in ("max_len", "num_words")}
    if seen["max_len"] >= wanted.max_len and 2 * seen["num_words"] >= wanted.num_words:
        return {}
    return {
        "--max-len": str(max(seen["max_len"], wanted.max_len)),
        "--num-words": str(max(seen["num_words"], wanted.num_words)),
    }


def _higher_rate(specs: Iterable[RunSpec]) -> dict[str, str]:
    highest = max(spec.recipe.learning_rate for spec in specs)
    return {"--learning-rate": str(HIGHER_RATE)} if highest < _LOW_RATE else {}


def _more_epochs(specs: Iterable[RunSpec], *, is_faster: bool) -> dict[str, str]:
    """Three times as many, and the textbook's at least; those alone where the rate grows too."""
    limit, usual = max(spec.recipe.epochs for spec in specs), Recipe().epochs
    wanted = min(usual if is_faster else max(usual, 3 * limit), MOST["epochs"])
    return {"--epochs": str(wanted)} if wanted > limit else {}
