"""What `rnnbench reproduce` is asked for, and the epochs that it compares."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rnnbench.published.notes import NotesRun
from rnnbench.specs import EpochRow
from rnnbench.training.notes_procedure import EPOCHS, Fitted, Score

DIGITS = 4
"""Decimals that the notes print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproduceChoices:
    """What was asked for on the command line.

    Args:
        name: whose procedure: `notes-2025`.
        only: architectures; empty means all that the notes train.
        epochs: at most this many are trained, and compared.
        jit: compile the models without dropout with XLA.
        fresh: train again what an earlier command has kept.
    """

    name: str
    only: tuple[str, ...] = ()
    dataset: str = "imdb"
    epochs: int = EPOCHS
    jit: bool = True
    fresh: bool = False

    @property
    def command(self) -> str:
        """The words that repeat this command, without any path of this machine."""
        words = ["rnnbench", "reproduce", self.name]
        words += ["--only", ",".join(self.only)] if self.only else []
        words += ["--epochs", str(self.epochs)] if self.epochs != EPOCHS else []
        return " ".join(words if self.jit else [*words, "--no-jit"])


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochComparison:
    """Validation loss and accuracy of one epoch; None on the side that had stopped before it.

    Args:
        measured: unrounded.
    """

    epoch: int
    published: tuple[float, float] | None
    measured: tuple[float, float] | None

    @property
    def differences(self) -> tuple[float, ...] | None:
        """Measured minus published, to the printed decimal; None without both."""
        if self.published is None or self.measured is None:
            return None
        pairs = zip(self.measured, self.published, strict=True)
        return tuple(round(round(ours, DIGITS) - theirs, DIGITS) for ours, theirs in pairs)

    @property
    def agrees(self) -> bool:
        """Whether loss and accuracy both print as the notes print them."""
        return self.differences == (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One architecture's epochs and scores, published and measured; at least one epoch of each."""

    published: NotesRun
    fitted: Fitted

    @property
    def architecture(self) -> str:
        """Its name."""
        return self.fitted.architecture

    @property
    def epochs(self) -> list[EpochComparison]:
        """A comparison for each epoch that either side has, in order."""
        sides = zip_longest(self.published.history, self.fitted.history)
        return [
            EpochComparison(
                epoch=epoch,
                published=(theirs[2], theirs[3]) if theirs else None,
                measured=(ours.val_loss, ours.val_accuracy) if ours else None,
            )
            for epoch, (theirs, ours) in enumerate(sides, start=1)
        ]

    @property
    def n_exact(self) -> int:
        """Epochs whose loss and accuracy both agree to the printed decimal."""
        return sum(row.agrees for row in self.epochs)

    @property
    def is_exact(self) -> bool:
        """Whether every epoch agrees and training stops after the same one."""
        return self.first_difference is None

    @property
    def first_difference(self) -> int | None:
        """The first epoch that does not agree; None if all do."""
        return next((row.epoch for row in self.epochs if not row.agrees), None)

    @property
    def loss_difference(self) -> float:
        """The largest, over the epochs that both have."""
        return self._largest_difference(0)

    @property
    def accuracy_difference(self) -> float:
        """Likewise."""
        return self._largest_difference(1)

    @property
    def best(self) -> EpochRow:
        """The measured epoch with the lowest validation loss."""
        return min(self.fitted.history, key=lambda row: row.val_loss)

    def score(self, part: Literal["validation", "test"], *, dropout: bool) -> Score | None:
        """The best model on a part, with dropout left on as in the notes, or as it is meant."""
        scores = self.fitted.scores
        return next((s for s in scores if (s.part, s.dropout) == (part, dropout)), None)

    def _largest_difference(self, column: int) -> float:
        found = [row.differences for row in self.epochs if row.differences]
        return max((abs(of_epoch[column]) for of_epoch in found), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproductionReport:
    """What `rnnbench reproduce` found.

    Args:
        environment: versions and hardware, as `describe_process` names them.
    """

    choices: ReproduceChoices
    models: tuple[Reproduction, ...]
    environment: Mapping[str, str]
