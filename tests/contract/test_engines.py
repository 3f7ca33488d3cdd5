"""What every architecture and engine owes: Keras's numbers, the same again, and after a resume."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnbench.architectures import PRESETS, model_parameters
from rnnbench.data.dataset import load_part
from rnnbench.execution.executor import Task
from rnnbench.execution.inline import InlineExecutor
from rnnbench.execution.local import LocalExecutor
from rnnbench.execution.worker import LazyParts
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunResult, RunSpec, Started
from rnnbench.training.loop import Start, train_runs
from rnnbench.training.scan import ScanProgram
from rnnbench.training.streams import batch_order, dropout_seed

N_EPOCHS = 3
WHOLE_BATCHES = 17  # 51 training reviews: three batches, none of them short


@pytest.fixture(scope="module")
def programs(keras_on_jax: Any) -> dict[str, ScanProgram]:
    """Compiled programs by shape: compiling is what these tests take long for."""
    return {}


def batch_size_of(name: str) -> int:
    """A short last batch draws other masks than Keras does; without masks it counts as in Keras."""
    form = PRESETS[name]
    return WHOLE_BATCHES if form.dropout or form.recurrent_dropout else 16


def program_of(programs: dict[str, ScanProgram], spec: RunSpec) -> ScanProgram:
    return programs.setdefault(spec.shape, ScanProgram(spec))


def train(program: ScanProgram, spec: RunSpec, saved: bytes | None = None) -> list[Event]:
    return list(train_runs([Start(spec=spec, saved=saved)], program, LazyParts(spec.data), {}))


def curves(events: list[Event]) -> list[tuple[float, ...]]:
    rows = [event.row for event in events if isinstance(event, EpochEnded)]
    return [(row.epoch, row.loss, row.accuracy, row.val_loss, row.val_accuracy) for row in rows]


def result_of(events: list[Event]) -> RunResult:
    (finished,) = [event for event in events if isinstance(event, Finished)]
    return finished.result


def fit_with_keras(program: ScanProgram, spec: RunSpec) -> list[float]:
    """Each epoch's loss in plain `model.fit`, given the same weights, order and dropout."""
    train_part = load_part(spec.data, "train")
    variables = program.initial(spec)
    for variable, array in zip(program.weight_variables, variables.weights, strict=True):
        variable.assign(array)
    for variable, array in zip(program.optimizer_variables, variables.optimizer, strict=True):
        variable.assign(array)
    program.model.compile(optimizer=program.optimizer, loss="binary_crossentropy")
    losses = []
    for epoch in range(1, N_EPOCHS + 1):
        streams = program.streams(dropout_seed(spec.seed, epoch))
        for variable, array in zip(program.stream_variables, streams, strict=True):
            variable.assign(array)
        order = batch_order(spec.seed, epoch, len(train_part.labels), spec.recipe.order)
        history = program.model.fit(
            train_part.tokens[order],
            train_part.labels[order],
            batch_size=spec.recipe.batch_size,
            shuffle=False,
            verbose=0,
        ).history
        losses.append(history["loss"][0])
    return losses


@pytest.mark.parametrize("name", PRESETS)
def test_losses_are_those_of_plain_keras(
    name: str, make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    spec = make_spec(name, epochs=N_EPOCHS, learning_rate=1e-4, batch_size=batch_size_of(name))
    program = program_of(programs, spec)
    ours = [row[1] for row in curves(train(program, spec))]
    assert ours == pytest.approx(fit_with_keras(ScanProgram(spec), spec), abs=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_a_run_repeats_and_resumes_bit_for_bit(
    name: str, make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    spec = make_spec(name, epochs=N_EPOCHS, learning_rate=0.02, batch_size=batch_size_of(name))
    program = program_of(programs, spec)
    once, again = train(program, spec), train(program, spec)
    first_epoch = next(event for event in once if isinstance(event, EpochEnded))
    resumed = train(program, spec, saved=first_epoch.state)
    assert curves(once) == curves(again)
    assert curves(once)[1:] == curves(resumed)
    assert result_of(once).test_loss == result_of(resumed).test_loss


@pytest.mark.parametrize("name", PRESETS)
def test_keras_counts_the_same_parameters(
    name: str, make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    program = program_of(programs, make_spec(name, batch_size=batch_size_of(name)))
    assert program.n_parameters == model_parameters(PRESETS[name], num_words=60)


@pytest.mark.parametrize("name", PRESETS)
def test_the_best_model_opens_in_plain_keras_and_scores_the_same(
    name: str,
    keras_on_jax: Any,
    make_spec: Any,
    programs: dict[str, ScanProgram],
    tmp_path: Path,
) -> None:
    spec = make_spec(name, epochs=N_EPOCHS, learning_rate=0.02, batch_size=batch_size_of(name))
    events = train(program_of(programs, spec), spec)
    (finished,) = [event for event in events if isinstance(event, Finished)]
    path = tmp_path / "best.keras"
    path.write_bytes(finished.model)
    test = load_part(spec.data, "test")
    loss, accuracy = keras_on_jax.models.load_model(path).evaluate(
        test.tokens, test.labels, verbose=0
    )
    assert loss == pytest.approx(finished.result.test_loss, abs=1e-6)
    assert accuracy == pytest.approx(finished.result.test_accuracy, abs=1e-6)
    with np.load(io.BytesIO(finished.predictions), allow_pickle=False) as kept:
        correct = (kept["probability"] > 0.5) == (test.labels > 0.5)
    assert correct.mean() == pytest.approx(finished.result.test_accuracy)


def test_frozen_order_parts_from_reshuffled_in_the_second_epoch(
    make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    reshuffled = make_spec("lstm", epochs=2)
    frozen = make_spec("lstm", epochs=2, order="frozen")
    program = program_of(programs, reshuffled)
    one, other = curves(train(program, reshuffled)), curves(train(program, frozen))
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_a_run_whose_loss_is_not_finite_ends_as_diverged_and_the_next_goes_on(
    keras_on_jax: Any, make_spec: Any
) -> None:
    wild = make_spec("simple-rnn", epochs=5, learning_rate=1e30)
    tame = make_spec("simple-rnn", seed=1)
    events = list(InlineExecutor().run([Task(spec=wild), Task(spec=tame)]))
    diverged, finished = [event for event in events if isinstance(event, Finished)]
    assert (diverged.result.status, diverged.result.epochs) == ("diverged", 1)
    assert diverged.result.reason == "the loss is not finite after epoch 1"
    assert diverged.result.test_accuracy is None
    assert diverged.model == b""
    assert finished.result.status == "finished"


def test_the_numbers_do_not_depend_on_what_a_worker_trained_before(
    keras_on_jax: Any, make_spec: Any
) -> None:
    first, second = make_spec("gru", seed=5), make_spec("gru", seed=6)
    alone = list(InlineExecutor().run([Task(spec=second)]))
    after = list(InlineExecutor().run([Task(spec=first), Task(spec=second)]))
    mine = [event for event in after if event.fingerprint == second.fingerprint]
    assert curves(alone) == curves(mine)


@pytest.fixture(scope="module")
def on_tensorflow() -> dict[str, list[list[Event]]]:
    """By architecture: a run, and in another process the same run again and its resume."""
    return {}


@pytest.mark.parametrize("name", ["lstm-stacked", pytest.param("lstm", marks=pytest.mark.slow)])
def test_tensorflow_repeats_and_resumes_bit_for_bit(
    name: str, make_spec: Any, on_tensorflow: dict[str, list[list[Event]]]
) -> None:
    once, again, resumed = train_on_tensorflow(name, on_tensorflow, make_spec)
    assert len(curves(once)) == N_EPOCHS
    assert curves(once) == curves(again)
    assert curves(once)[1:] == curves(resumed)
    assert result_of(once).test_loss == result_of(resumed).test_loss


def test_compiling_on_tensorflow_is_timed_apart_from_the_epochs(
    make_spec: Any, on_tensorflow: dict[str, list[list[Event]]]
) -> None:
    once, _, resumed = train_on_tensorflow("lstm-stacked", on_tensorflow, make_spec)
    seconds = [event.row.epoch_seconds for event in once if isinstance(event, EpochEnded)]
    result = result_of(once)
    assert max(seconds) < result.compile_seconds
    assert result.fit_seconds == pytest.approx(sum(seconds))
    assert result_of(resumed).compile_seconds == 0  # the run before it had compiled all


def test_the_run_that_compiles_pays_for_it(keras_on_jax: Any, make_spec: Any) -> None:
    spec = make_spec("simple-rnn", units=3)
    program = ScanProgram(spec)
    first, second = (result_of(train(program, spec)) for _ in range(2))
    assert first.compile_seconds > second.compile_seconds == 0
    assert first.epoch_seconds is not None
    assert first.epoch_seconds < first.compile_seconds


def test_a_model_of_one_back_end_opens_on_the_other(
    keras_on_jax: Any,
    make_spec: Any,
    on_tensorflow: dict[str, list[list[Event]]],
    tmp_path: Path,
) -> None:
    events = train_on_tensorflow("lstm-stacked", on_tensorflow, make_spec)[0]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    path = tmp_path / "best.keras"
    path.write_bytes(finished.model)
    test = load_part(make_spec().data, "test")
    model = keras_on_jax.models.load_model(path)
    loss, _ = model.evaluate(test.tokens, test.labels, verbose=0)
    assert loss == pytest.approx(finished.result.test_loss, abs=1e-5)
    with np.load(io.BytesIO(finished.predictions), allow_pickle=False) as kept:
        probability = kept["probability"].astype(np.float32)
    # What is kept has three digits: it is float16.
    assert model.predict(test.tokens, verbose=0)[:, 0] == pytest.approx(probability, abs=1e-3)


def train_on_tensorflow(
    name: str, found: dict[str, list[list[Event]]], make_spec: Any
) -> list[list[Event]]:
    """Trains when it is first asked: TensorFlow takes long to start, and longer to compile."""
    if name not in found:
        spec = make_spec(name, backend="tensorflow", epochs=N_EPOCHS)
        (once,) = run_in_one_worker([Task(spec=spec)])
        state = next(event.state for event in once if isinstance(event, EpochEnded))
        again, resumed = run_in_one_worker([Task(spec=spec), Task(spec=spec, state=state)])
        found[name] = [once, again, resumed]
    return found[name]


def run_in_one_worker(tasks: list[Task]) -> list[list[Event]]:
    """The events of each task, in the order of the tasks."""
    runs: list[list[Event]] = []
    for event in LocalExecutor(backend="tensorflow", gpus=(None,)).run(tasks):
        assert not isinstance(event, Failed), event.traceback
        if isinstance(event, Started):
            runs.append([])
        runs[-1].append(event)
    return runs
