"""What every architecture and engine owes: Keras's numbers, the same again, and after a resume."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from programs import SHORT_LAST, WHOLE_BATCHES, batch_size_of, program_of, with_short_last
from project import build_once

from rnnbench.architectures import PRESETS, model_parameters
from rnnbench.data.dataset import load_part
from rnnbench.execution.executor import Task
from rnnbench.execution.local import LocalExecutor
from rnnbench.execution.worker import InlineExecutor, LazyParts
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunResult, RunSpec, Started
from rnnbench.training.loop import Start, batch_order, dropout_seed, train_runs
from rnnbench.training.scan import ScanProgram

N_EPOCHS = 3
ON_TENSORFLOW = "lstm-dropout"
"""What the gate trains on it; the campaign trains every architecture."""


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


@pytest.mark.parametrize(("name", "batch_size"), with_short_last())
def test_losses_are_those_of_plain_keras(
    name: str, batch_size: int, make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    """A short last batch counts as in Keras; where there are masks it draws others."""
    if batch_size == SHORT_LAST and (PRESETS[name].dropout or PRESETS[name].recurrent_dropout):
        pytest.skip("Keras draws the masks of a short batch otherwise")
    spec = make_spec(name, epochs=N_EPOCHS, learning_rate=1e-4, batch_size=batch_size)
    program = program_of(programs, spec)
    ours = [row[1] for row in curves(train(program, spec))]
    assert ours == pytest.approx(fit_with_keras(ScanProgram(spec), spec), abs=1e-5)


@pytest.mark.parametrize(("name", "batch_size"), with_short_last())
def test_a_run_repeats_and_resumes_bit_for_bit(
    name: str, batch_size: int, make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    spec = make_spec(name, epochs=N_EPOCHS, learning_rate=0.02, batch_size=batch_size)
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


@pytest.fixture
def on_tensorflow(request: pytest.FixtureRequest, make_spec: Any, shared: Path) -> list[Event]:
    """The events of a run, trained once in a test run: it takes long to start and to compile."""
    name = getattr(request, "param", ON_TENSORFLOW)
    path = shared / "tensorflow" / name / "events.pickle"

    def train() -> None:
        (events,) = run_in_one_worker([Task(spec=tensorflow_spec(name, make_spec))])
        path.write_bytes(pickle.dumps(events))

    build_once(path.parent, train)
    found: list[Event] = pickle.loads(path.read_bytes())
    return found


@pytest.mark.parametrize(
    "on_tensorflow",
    [
        ON_TENSORFLOW,
        *(pytest.param(n, marks=pytest.mark.campaign) for n in PRESETS if n != ON_TENSORFLOW),
    ],
    indirect=True,
)
def test_tensorflow_repeats_and_resumes_bit_for_bit_in_another_process(
    on_tensorflow: list[Event], make_spec: Any, request: pytest.FixtureRequest
) -> None:
    once = on_tensorflow
    first_epoch = next(event for event in once if isinstance(event, EpochEnded))
    spec = tensorflow_spec(request.node.callspec.params["on_tensorflow"], make_spec)
    again, resumed = run_in_one_worker([Task(spec=spec), Task(spec=spec, state=first_epoch.state)])
    assert len(curves(once)) == N_EPOCHS
    assert curves(once) == curves(again)
    assert curves(once)[1:] == curves(resumed)
    assert result_of(once).test_loss == result_of(resumed).test_loss
    assert result_of(resumed).compile_seconds == 0  # the run before it had compiled all


def test_compiling_on_tensorflow_is_timed_apart_from_the_epochs(
    on_tensorflow: list[Event],
) -> None:
    once = on_tensorflow
    seconds = [event.row.epoch_seconds for event in once if isinstance(event, EpochEnded)]
    result = result_of(once)
    assert max(seconds) < result.compile_seconds
    assert result.fit_seconds == pytest.approx(sum(seconds))


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
    on_tensorflow: list[Event],
    tmp_path: Path,
) -> None:
    (finished,) = [event for event in on_tensorflow if isinstance(event, Finished)]
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


def tensorflow_spec(name: str, make_spec: Any) -> RunSpec:
    """In the campaign the last batch is short: another program to compile."""
    size = WHOLE_BATCHES if name == ON_TENSORFLOW else SHORT_LAST
    spec: RunSpec = make_spec(name, backend="tensorflow", epochs=N_EPOCHS, batch_size=size)
    return spec


def run_in_one_worker(tasks: list[Task]) -> list[list[Event]]:
    """The events of each task, in the order of the tasks."""
    runs: list[list[Event]] = []
    for event in LocalExecutor(backend="tensorflow", gpus=(None,)).run(tasks):
        assert not isinstance(event, Failed), event.traceback
        if isinstance(event, Started):
            runs.append([])
        runs[-1].append(event)
    return runs
