"""What is asked of a run, what comes out of it, and what a worker says in between."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeAlias, get_args

from rnnbench.errors import StudyError
from rnnbench.limits import check_choice, check_count, check_fraction, check_number
from rnnbench.sources import Source

SYNTHETIC = "synthetic"
SPLIT_KEYS = ("validation_fraction", "split_seed")
"""What `DataSpec` says of a split; of a file of the user's it means nothing."""
SYNTHETIC_NOTICE = (
    "SYNTHETIC REVIEWS, NOT IMDB: these numbers say nothing about real reviews. "
    "For the real ones set RNNBENCH_DATA to a folder that holds imdb.npz, and use --dataset imdb."
)
"""What must stand beside every number that synthetic reviews gave."""

Cell: TypeAlias = Literal["lstm", "gru", "simple-rnn"]
Order: TypeAlias = Literal["reshuffled", "frozen"]
ClassWeight: TypeAlias = Literal["none", "balanced"]
Backend: TypeAlias = Literal["jax", "tensorflow", "torch"]
Status: TypeAlias = Literal["finished", "diverged", "failed", "pruned"]
Purpose: TypeAlias = Literal["report", "tuning"]
Argument: TypeAlias = str | int | float | bool

ORDERS: tuple[str, ...] = get_args(Order)
CLASS_WEIGHTS: tuple[str, ...] = get_args(ClassWeight)
BACKENDS: tuple[str, ...] = get_args(Backend)
ENGINES: tuple[str, ...] = ("keras", "fleet")
USUAL_SETTINGS: Mapping[str, str] = {"class_weight": "none", "race": ""}
"""What `RunSpec.settings` leaves out, for who compares the settings of several runs."""
OPTIMIZERS: tuple[str, ...] = ("rmsprop", "adam", "sgd")

USUAL_EMBEDDING_SIZE = 16
"""The notes'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalForm:
    """The recurrent part of a model: `depth` layers of one cell.

    Two names that mean the same network have the same canonical form.

    Args:
        dropout, recurrent_dropout: fractions in [0, 1), the same in every layer.
        reset_after: for a GRU, whether the reset gate acts after the matrix product
            (Keras's default, two bias vectors); None for the other cells.
    """

    cell: Cell
    depth: int = 1
    units: int = 8
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    reset_after: bool | None = None

    def __post_init__(self) -> None:
        check_choice("cell", self.cell, get_args(Cell))
        for name in ("depth", "units"):
            check_count(name, getattr(self, name))
        for name in ("dropout", "recurrent_dropout"):
            # 0 and 0.0 must not make two fingerprints of one network.
            object.__setattr__(self, name, check_fraction(name, getattr(self, name)))
        if (self.cell == "gru") != (self.reset_after is not None):
            raise StudyError("reset_after is for a GRU only")
        if not isinstance(self.reset_after, bool | None):
            raise StudyError(f"reset_after must be true or false, got {self.reset_after!r}")

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Plain values, by field."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginForm:
    """A network that another package builds, or a file of the user's: its name and arguments.

    Args:
        code: a digest of what its code does; empty where nobody noted it.
        defaults: of the arguments of a file's function, those that it has by itself: they are left
            out of its name.
        source: the code of a file's function; None for a package's, and where it is not here.
    """

    name: str
    arguments: tuple[tuple[str, Argument], ...] = ()
    code: str = ""
    defaults: tuple[tuple[str, Argument], ...] = field(default=(), repr=False)
    source: Source | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("arguments", "defaults"):
            pairs = tuple(sorted((str(key), value) for key, value in getattr(self, name)))
            object.__setattr__(self, name, pairs)
        if not (isinstance(self.code, str) and re.fullmatch(r"([0-9a-f]{12})?", self.code)):
            raise StudyError(f"the digest of a plug-in's code is 12 hex digits, got {self.code!r}")

    def __eq__(self, other: object) -> bool:
        """Whether name, arguments and code are the same; 1, 1.0 and true are not."""
        return isinstance(other, PluginForm) and self._identity == other._identity

    def __hash__(self) -> int:
        """Of what makes two equal."""
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, str, str]:
        return self.name, repr(self.arguments), self.code

    @property
    def cell(self) -> str:
        """Its own, whatever that is: its name."""
        return self.name

    @property
    def is_of_file(self) -> bool:
        """Whether a function of the user's builds it: `net.py:build`; no plug-in has a colon."""
        return ":" in self.name

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Plain values, without the source; `defaults` where there are such."""
        values: dict[str, Any] = {"name": self.name, "arguments": self.arguments, "code": self.code}
        return values | ({"defaults": self.defaults} if self.defaults else {})


Form: TypeAlias = CanonicalForm | PluginForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a run is trained.

    Args:
        batch_size: reviews a step.
        epochs: at most this many.
        patience: epochs without a better validation loss before training stops.
        order: `reshuffled` draws a new permutation every epoch, `frozen` keeps the first one.
        class_weight: `balanced` has each class count the same in the loss, however rare it is.
    """

    optimizer: str = "rmsprop"
    learning_rate: float = 1e-4
    batch_size: int = 64
    epochs: int = 100
    patience: int = 3
    order: Order = "reshuffled"
    class_weight: ClassWeight = "none"

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("order", self.order, ORDERS)
        check_choice("class_weight", self.class_weight, CLASS_WEIGHTS)
        for name in ("batch_size", "epochs", "patience"):
            check_count(name, getattr(self, name))
        rate = check_number("learning_rate", self.learning_rate)
        if not (rate > 0 and math.isfinite(rate)):
            raise StudyError(f"learning_rate must be above 0, got {self.learning_rate}")
        object.__setattr__(self, "learning_rate", rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """Which reviews, as a network sees them.

    Args:
        dataset: a name for people; `fingerprint` (SHA-256 of the content) is what counts.
        num_words: ranks from here up become the unknown word, 2.
        max_len: tokens a review; longer ones lose their beginning, shorter ones are
            padded with 0 in front.
        validation_fraction: part of the training half held out for validation.
        split_seed: `random_state` of that split. Data that come with a split of their own keep it.
        n_classes: labels run from 0 up to one less.
    """

    dataset: str
    fingerprint: str
    num_words: int = 500
    max_len: int = 100
    validation_fraction: float = 0.2
    split_seed: int = 42
    n_classes: int = 2

    @property
    def is_own(self) -> bool:
        """Whether it is a file of the user's, which is split when it is read."""
        return is_own(self.dataset)

    def __post_init__(self) -> None:
        for name in ("dataset", "fingerprint"):
            if not isinstance(getattr(self, name), str):
                raise StudyError(f"{name} must be text, got {getattr(self, name)!r}")
        check_count("n_classes", self.n_classes, 2)
        check_count("num_words", self.num_words, 4)
        check_count("max_len", self.max_len)
        if not 0 < check_number("validation_fraction", self.validation_fraction) < 1:
            raise StudyError(
                f"validation_fraction must lie between 0 and 1, got {self.validation_fraction}"
            )
        check_count("split_seed", self.split_seed, 0)


def is_own(dataset: str) -> bool:
    """Whether data of that name are texts of the user's."""
    return dataset not in ("imdb", SYNTHETIC)


def noun_of(data: Iterable[DataSpec]) -> str:
    """What people call what was learnt from: `reviews` of IMDB or its stand-in, else `texts`."""
    return "texts" if any(each.is_own for each in data) else "reviews"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """One architecture, one set of hyperparameters, one seed.

    Args:
        purpose: a run for `tuning` never sees the test half, and keeps no model.
        race: which race gave each cell its own learning rate, so that its runs belong together;
            empty where all cells have one.
    """

    form: Form
    data: DataSpec
    seed: int
    recipe: Recipe = field(default_factory=Recipe)
    embedding_size: int = USUAL_EMBEDDING_SIZE
    engine: str = "keras"
    backend: Backend = "jax"
    purpose: Purpose = "report"
    race: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.race, str) and re.fullmatch(r"([0-9a-f]{8})?", self.race)):
            raise StudyError(f"the digest of a race's rates is 8 hex digits, got {self.race!r}")
        check_choice("purpose", self.purpose, get_args(Purpose))
        check_choice("engine", self.engine, ENGINES)
        check_choice("backend", self.backend, BACKENDS)
        check_count("embedding_size", self.embedding_size)
        check_count("seed", self.seed, 0)

    @property
    def fingerprint(self) -> str:
        """16 hex digits over everything that can change the run's numbers, and over its race."""
        return _digest(self._identity())

    @property
    def settings(self) -> dict[str, Any]:  # Any: values of several types
        """All that can change a run's numbers but its form and its seed, by name.

        `class_weight` and `race` are among them only where there are such (`USUAL_SETTINGS`).
        """
        identity = self._identity()
        names = ("embedding_size", "engine", "backend", "race")
        own = {key: identity[key] for key in names if key in identity}
        identity["data"].pop("n_classes", None)  # it follows from the content
        return {**identity["recipe"], **identity["data"], **own}

    @property
    def shape(self) -> str:
        """16 hex digits that are equal for runs which one compiled program can train."""
        identity = self._identity()
        for key in ("purpose", "race"):
            identity.pop(key, None)
        del identity["seed"], identity["recipe"]["learning_rate"], identity["data"]["split_seed"]
        for key in ("epochs", "patience", "order"):
            del identity["recipe"][key]
        return _digest(identity)

    @property
    def others_code(self) -> str:
        """Which code of others builds the network; empty of a canonical form."""
        return f"{self.form.name} {self.form.code}" if isinstance(self.form, PluginForm) else ""

    def to_json(self) -> dict[str, Any]:  # Any: JSON values
        """Plain values from which `from_json` builds an equal spec; `race` where there is one."""
        values = asdict(self)
        if isinstance(self.form, PluginForm):
            values["form"] = self.form.to_json()
        if not self.race:
            del values["race"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunSpec:  # Any: JSON values
        """The spec that `to_json` described."""
        form = dict(values["form"])
        return cls(
            form=PluginForm(**form) if "name" in form else CanonicalForm(**form),
            data=DataSpec(**values["data"]),
            recipe=Recipe(**values["recipe"]),
            **{key: values[key] for key in ("seed", "embedding_size", "engine", "backend")},
            purpose=values.get("purpose", "report"),
            race=values.get("race", ""),
        )

    def _identity(self) -> dict[str, Any]:  # Any: JSON values
        identity = self.to_json()
        del identity["data"]["dataset"]  # a name; the content is fingerprinted
        if self.data.n_classes == 2:
            del identity["data"]["n_classes"]
        if self.recipe.class_weight == "none":
            del identity["recipe"]["class_weight"]
        if self.purpose == "report":
            del identity["purpose"]
        form = identity["form"]
        if form.get("code") == "":  # of a run from before it was noted
            del form["code"]
        form.pop("defaults", None)
        if isinstance(self.form, PluginForm) and self.form.is_of_file:
            del form["name"]  # where the file lies; the code is fingerprinted
        return identity


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """One line of a run's history.

    Args:
        epoch: from 1 up.
        loss, accuracy: running averages over the epoch's batches, with dropout, as Keras has them.
        val_loss, val_accuracy: on the validation part after the epoch, without dropout.
        epoch_seconds: training and validation, compilation apart.
        ended_at: seconds since 1970.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    epoch_seconds: float
    ended_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What came out of a run; None where there is nothing honest to say.

    Args:
        status: a `pruned` run was given up because others of its kind did better.
        best_epoch: the epoch of the lowest validation loss, from 1 up.
        train_loss_at_best, train_accuracy_at_best: of the best model on the training part,
            evaluated without dropout.
        test_loss, test_accuracy, test_macro_f1: of the best model's file on the test half,
            computed once; the last is the mean of the classes' F1 scores.
        test_absolute_error, test_quadratic_kappa: the same where the classes are grades: how far
            off they are, in grades, and the agreement beyond chance.
        val_macro_recall: of a run with class weights or on texts of the user's own, the mean recall
            of the classes on the validation part, by the best model.
        fit_seconds: all epochs, compilation apart.
        epoch_seconds: the median over the epochs.
        compile_seconds: spent on compiling by this run, since it was last taken up.
        reason, traceback: why a run diverged, failed or was pruned.
    """

    status: Status
    epochs: int
    n_parameters: int | None = None
    best_epoch: int | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    train_loss_at_best: float | None = None
    train_accuracy_at_best: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    test_macro_f1: float | None = None
    test_absolute_error: float | None = None
    test_quadratic_kappa: float | None = None
    val_macro_recall: float | None = None
    fit_seconds: float = 0.0
    epoch_seconds: float | None = None
    compile_seconds: float = 0.0
    reason: str | None = None
    traceback: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def imported_from(self) -> str | None:
        """The machine that the run came from in an archive; None for a run of this folder."""
        return self.environment.get("imported_from")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunResult:  # Any: JSON values
        """The result as `dataclasses.asdict` wrote it; keys of a later version are left out."""
        known = {item.name for item in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A worker took the run up; `first_epoch` is above 1 when it resumes."""

    fingerprint: str
    first_epoch: int
    environment: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochEnded:
    """A whole epoch is done; `state` (an .npz file's bytes) is all that a resume needs."""

    fingerprint: str
    row: EpochRow
    state: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Improved:
    """The epoch that has just ended has the lowest validation loss so far."""

    fingerprint: str
    epoch: int
    val_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The run is over, finished or diverged.

    Args:
        model: bytes of the best model's `.keras` file; empty for a run that diverged or tuned.
        predictions: bytes of an .npz file; empty likewise. `probability` float16 `(n_test,)` of a
            positive review, or `(n_test, n_classes)`, whose largest is in `predicted` int8.
    """

    fingerprint: str
    result: RunResult
    model: bytes
    predictions: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The run raised, or its worker died; then nothing is known of its environment."""

    fingerprint: str
    reason: str
    traceback: str
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """The run was given up after its last whole epoch; the parent says so, never a worker."""

    fingerprint: str
    reason: str
    environment: dict[str, str] = field(default_factory=dict)


Event: TypeAlias = Started | EpochEnded | Improved | Finished | Failed | Pruned


def _digest(values: Mapping[str, Any]) -> str:  # Any: JSON values
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
