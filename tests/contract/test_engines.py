"""What every architecture and engine owes: Keras's numbers, the same again, and after a resume."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnbench.architectures import PRESETS, model_parameters
from rnnbench.data.dataset import load_part
from rnnbench.execution.executor import Task
from rnnbench.execution.inline import InlineExecutor
from rnnbench.execution.local import LocalExecutor
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunResult, RunSpec
from rnnbench.training.loop import train_run
from rnnbench.training.scan import ScanProgram
from rnnbench.training.streams import batch_order, dropout_seed

N_EPOCHS = 3
WHOLE_BATCHES = 17  # 51 training reviews: three batches, none of them short


class Parts(dict[str, Any]):  # Any: Part
    """The parts of a spec's data, loaded when asked for."""

    def __init__(self, spec: RunSpec) -> None:
        self.data = spec.data

    def __missing__(self, name: Any) -> Any:
        self[name] = load_part(self.data, name)
        return self[name]


@pytest.fixture(scope="module")
def programs(keras_on_jax: Any) -> dict[str, ScanProgram]:
    """Compiled programs by shape: compiling is what these tests take long for."""
    return {}


def program_of(programs: dict[str, ScanProgram], spec: RunSpec) -> ScanProgram:
    return programs.setdefault(spec.shape, ScanProgram(spec))


def train(program: ScanProgram, spec: RunSpec, saved: bytes | None = None) -> list[Event]:
    return list(train_run(spec, program, Parts(spec), saved, {}))


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
    form = PRESETS[name]
    masks = form.dropout or form.recurrent_dropout
    # A short last batch draws other masks than Keras does; without masks it counts as in Keras.
    batch_size = WHOLE_BATCHES if masks else 16
    spec = make_spec(name, epochs=N_EPOCHS, learning_rate=1e-4, batch_size=batch_size)
    program = program_of(programs, spec)
    ours = [row[1] for row in curves(train(program, spec))]
    assert ours == pytest.approx(fit_with_keras(ScanProgram(spec), spec), abs=1e-5)


@pytest.mark.parametrize("name", PRESETS)
def test_a_run_repeats_and_resumes_bit_for_bit(
    name: str, make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    form = PRESETS[name]
    batch_size = WHOLE_BATCHES if form.dropout or form.recurrent_dropout else 16
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
    form = PRESETS[name]
    batch_size = WHOLE_BATCHES if form.dropout or form.recurrent_dropout else 16
    program = program_of(programs, make_spec(name, batch_size=batch_size))
    assert program.n_parameters == model_parameters(form, num_words=60)


def test_the_best_model_opens_in_plain_keras_and_scores_the_same(
    keras_on_jax: Any, make_spec: Any, programs: dict[str, ScanProgram], tmp_path: Path
) -> None:
    spec = make_spec("lstm-stacked", epochs=4, batch_size=WHOLE_BATCHES)
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


def test_a_loss_that_is_not_finite_ends_the_run_as_diverged(
    make_spec: Any, programs: dict[str, ScanProgram]
) -> None:
    spec = make_spec("lstm", epochs=5)
    program = program_of(programs, spec)
    variables = program.initial(spec)
    broken = replace(variables, weights=tuple(array * np.nan for array in variables.weights))

    class Broken:
        def __getattr__(self, name: str) -> Any:
            return getattr(program, name)

        def initial(self, spec: RunSpec) -> Any:
            return broken

    result = result_of(list(train_run(spec, Broken(), Parts(spec), None, {})))
    assert (result.status, result.epochs, result.test_accuracy) == ("diverged", 1, None)


def test_the_numbers_do_not_depend_on_what_a_worker_trained_before(
    keras_on_jax: Any, make_spec: Any
) -> None:
    first, second = make_spec("gru", seed=5), make_spec("gru", seed=6)
    alone = list(InlineExecutor().run([Task(spec=second)]))
    after = list(InlineExecutor().run([Task(spec=first), Task(spec=second)]))
    mine = [event for event in after if event.fingerprint == second.fingerprint]
    assert curves(alone) == curves(mine)


def test_tensorflow_resumes_bit_for_bit_and_its_checkpoint_opens_on_jax(
    keras_on_jax: Any, make_spec: Any, tmp_path: Path
) -> None:
    spec = make_spec("lstm-dropout", backend="tensorflow", epochs=2)
    once = run_alone(Task(spec=spec))
    state = next(event.state for event in once if isinstance(event, EpochEnded))
    resumed = run_alone(Task(spec=spec, state=state))
    assert curves(once)[1:] == curves(resumed)
    assert result_of(once).test_loss == result_of(resumed).test_loss
    path = tmp_path / "best.keras"
    path.write_bytes(next(event.model for event in once if isinstance(event, Finished)))
    test = load_part(spec.data, "test")
    loss, _ = keras_on_jax.models.load_model(path).evaluate(test.tokens, test.labels, verbose=0)
    assert loss == pytest.approx(result_of(once).test_loss, abs=1e-5)


def run_alone(task: Task) -> list[Event]:
    executor = LocalExecutor(backend=task.spec.backend, gpus=(None,))
    events = list(executor.run([task]))
    assert not [event for event in events if isinstance(event, Failed)]
    return events
