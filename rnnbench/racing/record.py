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
        """By network, who came lowest with it at the size at which the two come lowest on average.

        Of equals, or if nobody has a loss, the first. A network's own learning rate is a part of
        what it can do; a size in common keeps its cost comparable.
        """
        heats: dict[tuple[int, int], list[Entrant]] = {}
        for each in self.entrants:
            heats.setdefault(each.setting.size, []).append(each)
        heat = min(heats.values(), key=lambda entrants: _rank(lowest_loss(entrants)))
        return {name: min(heat, key=partial(_rank_with, name)) for name in NETWORKS}

    @property
    def size(self) -> tuple[int, int]:
        """Units and embedding size that won."""
        return next(iter(self.winners.values())).setting.size

    @property
    def is_decided(self) -> bool:
        """Whether anybody came as far as an epoch with each network."""
        return any(each.loss is not None for each in self.entrants)

    def rate_of(self, cell: str) -> float:
        """The learning rate for a network: its own, or of another cell the lowest mean's."""
        heat = [each for each in self.entrants if each.setting.size == self.size]
        best = self.winners.get(cell) or min(heat, key=lambda each: _rank(each.loss))
        return best.setting.learning_rate

    def chose(self, spec: RunSpec) -> bool:
        """Whether a run is seen so and trained so, but for what tuning may have changed."""
        texts, asked = self.data.fingerprint, _ask(self.data, self.recipe, self.held)
        return (texts, asked) == (
            spec.data.fingerprint,
            _ask(spec.data, spec.recipe, self.held),
        ) and spec.embedding_size == self.size[1]

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
    """The mean over the networks of each one's lowest loss; None where one has no epoch."""
    found = [
        min((each.losses[name] for each in entrants if name in each.losses), default=None)
        for name in NETWORKS
    ]
    return _mean(found)


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
