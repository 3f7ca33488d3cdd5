"""A race as it is kept: on which texts, who took part, and how far each came."""

import hashlib
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rnnbench.entries import parse_file, write_json
from rnnbench.errors import DamagedError, StudyError
from rnnbench.formats import parse_json
from rnnbench.limits import check_count, check_number
from rnnbench.specs import DataSpec, Recipe, RunSpec
from rnnbench.study import OTHER_CELLS

FOLDER = "races"
"""Where the ledger keeps them."""
NETWORKS = ("lstm", "gru")
"""Every setting is tried with both, whatever the study trains: a race serves all studies."""
_MOST_VALUES = 1000  # of a race's file; one of nine entrants has 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a race chooses."""

    learning_rate: float
    units: int
    embedding_size: int

    def __post_init__(self) -> None:
        check_count("units", self.units)
        check_count("embedding_size", self.embedding_size)
        Recipe(learning_rate=self.learning_rate)

    @property
    def size(self) -> tuple[int, int]:
        """What all networks of a study share."""
        return self.units, self.embedding_size

    def written(self) -> str:
        """`learning_rate 0.01, units 32, embedding_size 64`."""
        return ", ".join(f"{name} {value:g}" for name, value in asdict(self).items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A setting, and how far its networks came.

    Args:
        losses: by network, the lowest validation loss so far, in nats a text.
        epochs: by network.
        is_over: whether each network stopped by itself, not because the time was over.
    """

    setting: Setting
    losses: Mapping[str, float]
    epochs: Mapping[str, int]
    is_over: bool

    def __post_init__(self) -> None:
        if strange := (self.losses.keys() | self.epochs.keys()) - set(NETWORKS):
            raise StudyError(f"a race is between {NETWORKS}, got {min(strange)!r}")
        for loss in self.losses.values():
            check_number("loss", loss)
        for epochs in self.epochs.values():
            check_count("epochs", epochs, 0)

    @property
    def loss(self) -> float | None:
        """The mean over the networks; None where one has no epoch, diverged or failed."""
        return _mean([self.losses.get(name) for name in NETWORKS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A race that is over.

    Args:
        data: the texts, and what is seen of them.
        held: what was not raced, by name, because the user set it.
        recipe: of every run, but for the learning rate.
        seed: of every run.
        limit_seconds: when it was to end; `seconds` is what it took.
    """

    data: DataSpec
    held: Mapping[str, float | int]
    recipe: Recipe
    seed: int
    limit_seconds: float
    seconds: float
    entrants: tuple[Entrant, ...]

    def __post_init__(self) -> None:
        check_count("seed", self.seed, 0)
        for name in ("limit_seconds", "seconds"):
            if not 0 <= check_number(name, getattr(self, name)) < math.inf:
                raise StudyError(f"{name} must be a time, got {getattr(self, name)}")
        if not self.entrants:
            raise StudyError("a race takes one entrant at least")
        Setting(**{**asdict(self.entrants[0].setting), **self.held})

    @property
    def place(self) -> str:
        """Where it is kept, in the ledger's folder."""
        return _place(self.data, self.recipe, self.held)

    @property
    def winners(self) -> Mapping[str, Entrant]:
        """By network who was chosen for it, and by `OTHER_CELLS` for all others.

        All are of one size, at which those chosen for the two networks come lowest on average. Of a
        size that the time cut, one serves all: a network that came further had more to choose from.
        Of equals the first, and of all the first where nobody came as far as an epoch.
        """
        sizes: dict[tuple[int, int], list[Entrant]] = {}
        for each in self.entrants:
            sizes.setdefault(each.setting.size, []).append(each)
        chosen = [_choose(entrants) for entrants in sizes.values()]
        return min(chosen, key=lambda found: _rank(_mean_of(found)))

    @property
    def rates(self) -> dict[str, float]:
        """The learning rates, by network and for all others."""
        return {name: each.setting.learning_rate for name, each in self.winners.items()}

    @property
    def size(self) -> tuple[int, int]:
        """Units and embedding size that won."""
        return self.winners[OTHER_CELLS].setting.size

    @property
    def is_decided(self) -> bool:
        """Whether anybody came as far as an epoch with each network."""
        return _mean_of(self.winners) is not None

    def chose(self, spec: RunSpec) -> bool:
        """Whether a run is seen and trained so, with the rate and embedding size that won."""
        if spec.data.fingerprint != self.data.fingerprint:
            return False
        winners = self.winners
        setting = winners.get(spec.form.cell, winners[OTHER_CELLS]).setting
        return (
            spec.embedding_size == setting.embedding_size
            and spec.recipe.learning_rate == setting.learning_rate
            and _ask(spec.data, spec.recipe, self.held) == _ask(self.data, self.recipe, self.held)
        )

    @property
    def was_cut(self) -> bool:
        """Whether the time ended before every entrant had."""
        return not all(each.is_over for each in self.entrants)


def write_race(ledger_folder: Path, race: Race) -> None:
    """Keep it, whole or not at all.

    Raises:
        OSError: the disk is full or gone.
    """
    write_json(ledger_folder / race.place, asdict(race))


def find_race(
    ledger_folder: Path,
    spec: RunSpec,
    held: Mapping[str, float | int],
    on_problem: Callable[[str], None] = lambda _: None,
) -> Race | None:
    """The race that was run for runs like this one, with these values held.

    Args:
        on_problem: called with a sentence if its file is damaged.
    """
    return _read(ledger_folder / _place(spec.data, spec.recipe, held), on_problem)


def read_races(ledger_folder: Path, fingerprint: str) -> list[Race]:
    """Every race that was run on these texts; one that is damaged is left out."""
    places = sorted((ledger_folder / FOLDER / fingerprint[:16]).glob("*.json"))
    return [race for place in places if (race := _read(place, lambda _: None)) is not None]


def parse_race(content: bytes) -> Race:
    """The race that a file holds.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, StudyError: it holds none.
    """
    values: dict[str, Any] = parse_json(content, most_values=_MOST_VALUES)  # Any: JSON values
    entrants = [
        Entrant(**{**each, "setting": Setting(**each["setting"])}) for each in values["entrants"]
    ]
    parts = {"data": DataSpec(**values["data"]), "recipe": Recipe(**values["recipe"])}
    return Race(**{**values, **parts, "entrants": tuple(entrants)})


def lowest_loss(entrants: Sequence[Entrant]) -> float | None:
    """The mean loss of those who would be chosen of one size; None where a network has none."""
    return _mean_of(_choose(entrants))


def _choose(entrants: Sequence[Entrant]) -> dict[str, Entrant]:
    """Of one size: for each network who came lowest with it, and with both for all others."""
    best = min(entrants, key=lambda each: _rank(each.loss))
    chosen = dict.fromkeys((*NETWORKS, OTHER_CELLS), best)
    if best.loss is not None and all(each.is_over for each in entrants):
        chosen |= {name: min(entrants, key=partial(_rank_with, name)) for name in NETWORKS}
    return chosen


def _mean_of(chosen: Mapping[str, Entrant]) -> float | None:
    """The mean loss of those who were chosen for the networks."""
    return _mean([chosen[name].losses.get(name) for name in NETWORKS])


def _mean(losses: Sequence[float | None]) -> float | None:
    known = [loss for loss in losses if loss is not None]
    return statistics.fmean(known) if len(known) == len(losses) else None


def _rank_with(network: str, entrant: Entrant) -> tuple[bool, float]:
    return _rank(entrant.losses.get(network))


def _rank(loss: float | None) -> tuple[bool, float]:
    return (loss is None, 0.0 if loss is None else loss)


def _ask(data: DataSpec, recipe: Recipe, held: Mapping[str, float | int]) -> str:
    """What makes it another race on the same texts, as JSON."""
    trained = {**asdict(recipe), "learning_rate": None}
    return json.dumps([data.max_len, data.num_words, trained, dict(held)], sort_keys=True)


def _place(data: DataSpec, recipe: Recipe, held: Mapping[str, float | int]) -> str:
    name = hashlib.sha256(_ask(data, recipe, held).encode()).hexdigest()[:12]
    return f"{FOLDER}/{data.fingerprint[:16]}/{name}.json"


def _read(place: Path, on_problem: Callable[[str], None]) -> Race | None:
    try:
        return parse_file(place, parse_race)
    except DamagedError as err:
        on_problem(f"{err}; the race is run again")
        return None
