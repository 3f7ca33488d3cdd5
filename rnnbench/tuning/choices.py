"""What `rnnbench tune` takes."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from rnnbench.errors import UsageError, unknown_name
from rnnbench.limits import MOST, parse_seeds
from rnnbench.options import ArchitectureChoices, ClassWeight, Epochs, WorkerChoices
from rnnbench.own_options import Dataset, OwnFileChoices, RaceChoices

_KNOWN = {"sampler": ("tpe", "random", "grid"), "pruner": ("median", "none")}
_MOST_TRIALS = 10_000
FIRST_SEED = 1000  # reports count from 0


def _tuning_seeds(text: str) -> tuple[int, ...]:
    """Seeds as `--seeds` reads them, but a bare number counts from 1000 up."""
    first = FIRST_SEED if text.strip().isdigit() else 0
    return tuple(first + seed for seed in parse_seeds(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneChoices(ArchitectureChoices):
    """What to tune, over which space, with which budget, and where.

    Args:
        command: the words that repeat this command.

    Raises:
        UsageError: something that cannot be searched.
    """

    trials: Annotated[
        int, typer.Option(help="Trials per architecture; a larger number later adds to them.")
    ] = 30
    tuning_seeds: Annotated[
        tuple[int, ...],
        typer.Option(
            help="Seeds of each trial: how many (counted from 1000), a range or a list; "
            "no report may use them. Default: 3."
        ),
        _tuning_seeds,
    ] = (FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2)
    space: Annotated[
        str, typer.Option(help="learning-rate, full (units and dropout too), or a TOML file.")
    ] = "learning-rate"
    sampler: Annotated[str, typer.Option(help="tpe, random or grid.")] = "tpe"
    pruner: Annotated[
        str, typer.Option(help="median (stops a trial that is worse than most), or none.")
    ] = "median"
    sampler_seed: Annotated[int, typer.Option(help="Seed of the sampler.")] = 0
    storage: Annotated[
        str | None,
        typer.Option(
            help="Optuna's storage: sqlite:///file.db, postgresql://…; by default "
            "optuna-journal.log in this folder."
        ),
    ] = None
    epochs: Epochs = None
    class_weight: ClassWeight = None
    max_len: Annotated[int | None, typer.Option(help="Words per text.")] = None
    num_words: Annotated[int | None, typer.Option(help="Size of the vocabulary.")] = None
    dataset: Dataset = None
    own: OwnFileChoices = field(default_factory=OwnFileChoices)
    racing: RaceChoices = field(default_factory=RaceChoices)
    placing: WorkerChoices = field(default_factory=WorkerChoices)
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; the old trials are put aside.")
    ] = False
    command: str = "rnnbench tune"

    def __post_init__(self) -> None:
        ArchitectureChoices.__post_init__(self)
        if not (self.architectures or self.all_):
            raise UsageError("nothing to tune: name architectures, or use --all")
        if not 1 <= self.trials <= _MOST_TRIALS:
            raise UsageError(f"--trials must be from 1 to {_MOST_TRIALS:,}, got {self.trials}")
        if not 0 <= self.sampler_seed <= MOST["seed"]:
            raise UsageError(
                f"--sampler-seed must be from 0 to {MOST['seed']:,}, got {self.sampler_seed}"
            )
        for kind, known in _KNOWN.items():
            if getattr(self, kind) not in known:
                raise UsageError(unknown_name(kind, getattr(self, kind), known))
