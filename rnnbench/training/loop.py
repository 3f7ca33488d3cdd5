"""The epoch loop: the same for every engine, executor and back end."""

import io
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import PartName
from rnnbench.data.dataset import Part, score_grades
from rnnbench.data.files import temporary_folder
from rnnbench.specs import (
    DataSpec,
    EpochEnded,
    EpochRow,
    Event,
    Finished,
    Improved,
    Order,
    RunResult,
    RunSpec,
    Started,
)
from rnnbench.stats.confusions import (
    count_confusions,
    mean_f1,
    score_classes,
)
from rnnbench.training.engine import (
    Arrays,
    Program,
    Scores,
    Work,
    class_weights,
    predicted_classes,
    score,
)
from rnnbench.training.progress import Progress

_ORDER, _DROPOUT = 1, 2  # keeps the two streams of one seed apart


class Parts(Protocol):
    """Gives the parts of a data set, each opened when it is first asked for."""

    def __getitem__(self, name: PartName) -> Part:
        """The part of that name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run to be trained.

    Args:
        saved: the `state` of its last `EpochEnded`; None starts from the seed.
    """

    spec: RunSpec
    saved: bytes | None = None


def train_runs(
    starts: Sequence[Start],
    program: Program,
    parts: Parts,
    environment: Mapping[str, str],
    is_stopped: Callable[[str], bool] = lambda _: False,
) -> Iterator[Event]:
    """Everything that happens in runs of one shape, from their first (or next) epochs to results.

    Each run has a lane of the program for as long as it lasts; one that has stopped leaves its
    lane empty. Results are computed when no lane has an epoch to go.

    Args:
        starts: as many as the program has lanes, or fewer.
        environment: versions and device, recorded with the results.
        is_stopped: whether a run, by its fingerprint, was given up: nothing more comes of it.
    """
    compiled_before = program.compile_seconds
    lanes = [_Lane(start.spec, _resume_or_begin(start, program)) for start in starts]
    for lane in lanes:
        yield Started(
            fingerprint=lane.fingerprint,
            first_epoch=len(lane.progress.history) + 1,
            environment=dict(environment),
        )
    while active := [
        lane for lane in lanes if not lane.is_over and not is_stopped(lane.fingerprint)
    ]:
        _train_epoch(lanes, active, program, parts)
        for lane in active:
            row = lane.progress.history[-1]
            state = lane.progress.to_bytes()
            yield EpochEnded(fingerprint=lane.fingerprint, row=row, state=state)
            if lane.progress.improved:
                yield Improved(fingerprint=lane.fingerprint, epoch=row.epoch, val_loss=row.val_loss)
    ended = [lane for lane in lanes if not is_stopped(lane.fingerprint)]
    for finished in _finish(lanes, ended, program, parts, dict(environment)):
        # A program is shared by runs of one shape: the first that ends pays for compiling it.
        own = program.compile_seconds - compiled_before
        compiled_before = program.compile_seconds
        yield replace(finished, result=replace(finished.result, compile_seconds=own))


def batch_order(seed: int, epoch: int, n_reviews: int, order: Order) -> NDArray[np.int64]:
    """The permutation of `n_reviews` that `epoch` (from 1 up) trains in."""
    drawn_in = 1 if order == "frozen" else epoch
    return np.random.default_rng([seed, _ORDER, drawn_in]).permutation(n_reviews)


def dropout_seed(seed: int, epoch: int) -> int:
    """A 32-bit seed for the epoch's dropout masks, never frozen."""
    return int(np.random.SeedSequence([seed, _DROPOUT, epoch]).generate_state(1)[0])


def pack_predictions(probability: NDArray[np.float32]) -> bytes:
    """An .npz file with `probability` as float16; of two classes on the same side of 0.5.

    Of more classes `predicted` (int8) goes with it: rounding may make two of them equal.
    """
    packed = probability.astype(np.float16)
    buffer = io.BytesIO()
    if probability.ndim == 2:
        predicted = predicted_classes(probability)
        np.savez_compressed(buffer, allow_pickle=False, probability=packed, predicted=predicted)
        return buffer.getvalue()
    crossed = (packed > 0.5) != (probability > 0.5)
    packed[crossed] = np.nextafter(np.float16(0.5), np.float16(1))
    np.savez_compressed(buffer, allow_pickle=False, probability=packed)
    return buffer.getvalue()


@dataclass(slots=True)
class _Lane:
    """A run and how far it is."""

    spec: RunSpec
    progress: Progress

    @property
    def fingerprint(self) -> str:
        return self.spec.fingerprint

    @property
    def is_over(self) -> bool:
        return self.progress.is_over(self.spec.recipe)


def _resume_or_begin(start: Start, program: Program) -> Progress:
    if start.saved is not None:
        return Progress.from_bytes(start.saved)
    return Progress.begin(program.initial(start.spec), start.spec.recipe)


def _train_epoch(
    lanes: Sequence[_Lane], active: Sequence[_Lane], program: Program, parts: Parts
) -> None:
    """One epoch of every active lane; its time is shared among them."""
    train, validation = parts["train"], parts["validation"]
    works = [_work(lane, len(train.labels)) if lane in active else None for lane in lanes]
    works += [None] * (program.n_lanes - len(works))
    compiled_before, began = program.compile_seconds, time.perf_counter()
    outcomes = program.run_epochs(works, train)
    weights = [None if outcome is None else outcome.variables.weights for outcome in outcomes]
    counts = class_weights(lanes[0].spec, train)
    held_out = _evaluate(program, weights, validation, counts)
    seconds = time.perf_counter() - began - (program.compile_seconds - compiled_before)
    for lane, outcome, scores in zip(lanes, outcomes, held_out, strict=False):
        if outcome is None or scores is None:
            continue
        row = EpochRow(
            epoch=len(lane.progress.history) + 1,
            loss=outcome.scores.loss,
            accuracy=outcome.scores.accuracy,
            val_loss=scores.loss,
            val_accuracy=scores.accuracy,
            epoch_seconds=seconds / len(active),
            ended_at=time.time(),
        )
        lane.progress = lane.progress.after(outcome.variables, row)


def _work(lane: _Lane, n_reviews: int) -> Work:
    spec, epoch = lane.spec, len(lane.progress.history) + 1
    return Work(
        variables=lane.progress.variables,
        order=batch_order(spec.seed, epoch, n_reviews, spec.recipe.order),
        dropout_seed=dropout_seed(spec.seed, epoch),
    )


def _evaluate(
    program: Program,
    weights: Sequence[Arrays | None],
    part: Part,
    counts: NDArray[np.float32] | None,
) -> list[Scores | None]:
    """Each lane's scores; `counts` is what each class counts in the loss."""
    found = program.predict_all(weights, part)
    return [None if each is None else score(each, part.labels, counts) for each in found]


def _finish(
    lanes: Sequence[_Lane],
    ended: Sequence[_Lane],
    program: Program,
    parts: Parts,
    environment: dict[str, str],
) -> Iterator[Finished]:
    """The result of each lane that has ended; the test half is opened here, and nowhere else."""
    scored = [lane for lane in ended if _is_scored(lane)]
    files = {lane.fingerprint: _through_file(program, lane) for lane in scored}
    weights: list[Arrays | None] = [
        files[lane.fingerprint][1] if lane in scored else None for lane in lanes
    ]
    weights += [None] * (program.n_lanes - len(weights))
    probabilities: list[NDArray[np.float32] | None] = [None] * len(weights)
    trained: list[Scores | None] = [None] * len(weights)
    held_out: list[NDArray[np.float32] | None] = [None] * len(weights)
    if scored:
        probabilities = program.predict_all(weights, parts["test"])
        counts = class_weights(lanes[0].spec, parts["train"])
        trained = _evaluate(program, weights, parts["train"], counts)
        if counts is not None or lanes[0].spec.data.is_own:
            held_out = program.predict_all(weights, parts["validation"])
    for lane, probability, train, held in zip(
        lanes, probabilities, trained, held_out, strict=False
    ):
        if lane not in ended:
            continue
        result = _describe(lane, program, environment)
        if probability is None or train is None:
            yield Finished(fingerprint=lane.fingerprint, result=result, model=b"", predictions=b"")
            continue
        result = replace(
            _with_test_scores(result, probability, parts["test"], lane.spec.data),
            train_loss_at_best=train.loss,
            train_accuracy_at_best=train.accuracy,
            val_macro_recall=_macro_recall(held, parts["validation"], lane.spec.data),
        )
        yield Finished(
            fingerprint=lane.fingerprint,
            result=result,
            model=files[lane.fingerprint][0],
            predictions=pack_predictions(probability),
        )


def _with_test_scores(
    result: RunResult, probability: NDArray[np.float32], part: Part, data: DataSpec
) -> RunResult:
    """The result with its scores on the test half; of grades also how far off they are."""
    scores = score(probability, part.labels)
    table = count_confusions(part.labels, predicted_classes(probability), data.n_classes)
    return replace(
        result,
        test_loss=scores.loss,
        test_accuracy=scores.accuracy,
        test_macro_f1=mean_f1(table),
        **score_grades(data, table),
    )


def _macro_recall(
    probability: NDArray[np.float32] | None, part: Part, data: DataSpec
) -> float | None:
    """The mean recall of the classes that are there; None without predictions."""
    if probability is None:
        return None
    table = count_confusions(part.labels, predicted_classes(probability), data.n_classes)
    return float(np.nanmean(score_classes(table).recall))


def _is_scored(lane: _Lane) -> bool:
    """A run that diverged or serves tuning keeps no model and never meets the test half."""
    return not lane.progress.diverged and lane.spec.purpose != "tuning"


def _describe(lane: _Lane, program: Program, environment: dict[str, str]) -> RunResult:
    """The result as far as the history tells it."""
    history = lane.progress.history
    result = RunResult(
        status="diverged" if lane.progress.diverged else "finished",
        epochs=len(history),
        n_parameters=program.n_parameters,
        fit_seconds=sum(row.epoch_seconds for row in history),
        epoch_seconds=statistics.median(row.epoch_seconds for row in history),
        environment=environment,
    )
    if lane.progress.diverged:
        return replace(result, reason=f"the loss is not finite after epoch {len(history)}")
    best = history[lane.progress.stopping.best_epoch - 1]
    return replace(
        result, best_epoch=best.epoch, val_loss=best.val_loss, val_accuracy=best.val_accuracy
    )


def _through_file(program: Program, lane: _Lane) -> tuple[bytes, Arrays]:
    """The best model's file, and the weights read back from it: what is scored is what is kept."""
    with temporary_folder() as folder:
        path = folder / "best.keras"
        program.save(lane.progress.best, path, lane.spec.recipe.learning_rate)
        return path.read_bytes(), program.load(path)
