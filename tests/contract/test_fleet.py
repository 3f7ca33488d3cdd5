"""What a fleet owes: the `keras` engine's numbers in each lane, the same again, also resumed."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from programs import SHORT_LAST, batch_size_of, program_of, with_short_last
from project import write_project

from rnnbench.architectures import PRESETS
from rnnbench.data.dataset import load_part
from rnnbench.execution.executor import Task
from rnnbench.execution.worker import InlineExecutor, LazyParts
from rnnbench.specs import EpochEnded, Event, Failed, Finished, RunSpec
from rnnbench.training.engines import open_program
from rnnbench.training.fleet import UNROLL, FleetProgram, unrolled_time, why_not_vmapped
from rnnbench.training.loop import Start, train_runs
from rnnbench.training.scan import ScanProgram

N_EPOCHS = 5


@pytest.fixture(scope="module")
def fleets(keras_on_jax: Any) -> dict[str, FleetProgram]:
    """Compiled fleets of three lanes by shape: compiling is what these tests take long for."""
    return {}


def fleet_of(fleets: dict[str, FleetProgram], spec: RunSpec) -> FleetProgram:
    if spec.shape not in fleets:
        fleets[spec.shape] = FleetProgram(spec, 3)
    return fleets[spec.shape]


def train(
    fleets: dict[str, FleetProgram],
    specs: Sequence[RunSpec],
    saved: Sequence[bytes | None] = (None,) * 3,
    **options: Any,
) -> list[Event]:
    starts = [Start(spec=spec, saved=state) for spec, state in zip(specs, saved, strict=False)]
    program = fleet_of(fleets, specs[0])
    return list(train_runs(starts, program, LazyParts(specs[0].data), {}, **options))


def curve(events: Sequence[Event], spec: RunSpec) -> list[tuple[float, ...]]:
    return [
        (event.row.epoch, event.row.loss, event.row.val_loss, event.row.val_accuracy)
        for event in events
        if isinstance(event, EpochEnded) and event.fingerprint == spec.fingerprint
    ]


def finished(events: Sequence[Event], spec: RunSpec) -> Finished:
    (found,) = [
        event
        for event in events
        if isinstance(event, Finished) and event.fingerprint == spec.fingerprint
    ]
    return found


@pytest.mark.parametrize(("name", "batch_size"), with_short_last())
def test_each_lane_has_the_losses_of_the_keras_engine(
    name: str,
    batch_size: int,
    make_spec: Any,
    fleets: dict[str, FleetProgram],
    programs: dict[str, ScanProgram],
) -> None:
    chosen = {"epochs": N_EPOCHS, "learning_rate": 1e-4, "batch_size": batch_size}
    specs = [make_spec(name, seed=seed, engine="fleet", **chosen) for seed in (0, 1)]
    events = train(fleets, specs)
    program = program_of(programs, make_spec(name, **chosen))
    for spec in specs:
        alone = make_spec(name, seed=spec.seed, **chosen)
        expected = list(train_runs([Start(spec=alone)], program, LazyParts(alone.data), {}))
        for ours, theirs in zip(curve(events, spec), curve(expected, alone), strict=True):
            assert ours[:3] == pytest.approx(theirs[:3], abs=1e-5)
        ours, theirs = finished(events, spec).result, finished(expected, alone).result
        assert ours.test_loss == pytest.approx(theirs.test_loss, abs=1e-5)


@pytest.mark.parametrize(
    "batch_size",
    [batch_size_of("lstm-dropout"), pytest.param(SHORT_LAST, marks=pytest.mark.campaign)],
)
def test_a_fleet_repeats_and_resumes_bit_for_bit(
    batch_size: int, make_spec: Any, fleets: dict[str, FleetProgram]
) -> None:
    same = {"engine": "fleet", "epochs": N_EPOCHS, "batch_size": batch_size}
    specs = [make_spec("lstm-dropout", seed=seed, **same) for seed in (0, 1, 2)]
    once, again = train(fleets, specs), train(fleets, specs)
    states = [
        next(
            event.state
            for event in once
            if isinstance(event, EpochEnded)
            and event.fingerprint == spec.fingerprint
            and event.row.epoch == 2
        )
        for spec in specs
    ]
    # One of them in another lane, among others than before, and the last not at all.
    resumed = train(fleets, [specs[1], specs[0]], [states[1], states[0]])
    for spec in specs:
        assert curve(once, spec) == curve(again, spec)
    for spec in specs[:2]:
        assert curve(once, spec)[2:] == curve(resumed, spec)
        assert finished(once, spec).result.test_loss == finished(resumed, spec).result.test_loss
        assert finished(once, spec).predictions == finished(resumed, spec).predictions


def test_a_lane_has_its_own_learning_rate_and_early_stop(
    make_spec: Any, fleets: dict[str, FleetProgram]
) -> None:
    same = {"engine": "fleet", "epochs": 20, "batch_size": batch_size_of("gru")}
    wild = make_spec("gru", **same, patience=1, learning_rate=2.0)
    tame = make_spec("gru", **same, patience=20, learning_rate=1e-4)
    events = train(fleets, [wild, tame])
    assert len(curve(events, wild)) < len(curve(events, tame)) == 20
    assert finished(events, wild).result.epochs == len(curve(events, wild))
    alone = train(fleets, [tame])
    assert curve(alone, tame) == curve(events, tame)


def test_a_lane_whose_loss_is_not_finite_ends_alone(
    make_spec: Any, fleets: dict[str, FleetProgram]
) -> None:
    wild = make_spec("simple-rnn", engine="fleet", epochs=4, learning_rate=1e30)
    tame = make_spec("simple-rnn", engine="fleet", epochs=4)
    events = train(fleets, [wild, tame])
    assert finished(events, wild).result.status == "diverged"
    assert finished(events, wild).model == b""
    assert finished(events, tame).result.status == "finished"
    assert curve(train(fleets, [tame]), tame) == curve(events, tame)


def test_a_lane_that_is_given_up_says_nothing_more(
    make_spec: Any, fleets: dict[str, FleetProgram]
) -> None:
    gone = make_spec("simple-rnn", engine="fleet", epochs=4)
    kept = make_spec("simple-rnn", engine="fleet", epochs=4, seed=1)
    stopped: set[str] = set()
    events = []
    starts = [Start(spec=gone), Start(spec=kept)]
    program = fleet_of(fleets, gone)
    for event in train_runs(starts, program, LazyParts(gone.data), {}, stopped.__contains__):
        events.append(event)
        if isinstance(event, EpochEnded) and event.fingerprint == gone.fingerprint:
            stopped.add(gone.fingerprint)
    assert len(curve(events, gone)) == 1
    assert len(curve(events, kept)) == 4
    assert [e.fingerprint for e in events if isinstance(e, Finished)] == [kept.fingerprint]


def test_the_model_of_a_lane_opens_in_plain_keras(
    make_spec: Any, fleets: dict[str, FleetProgram], keras_on_jax: Any, tmp_path: Any
) -> None:
    specs = [make_spec("lstm", seed=seed, engine="fleet", epochs=2) for seed in (0, 1)]
    events = train(fleets, specs)
    test = load_part(specs[0].data, "test")
    for spec in specs:
        path = tmp_path / f"{spec.seed}.keras"
        path.write_bytes(finished(events, spec).model)
        loss, _ = keras_on_jax.models.load_model(path).evaluate(test.tokens, test.labels, verbose=0)
        assert loss == pytest.approx(finished(events, spec).result.test_loss, abs=1e-6)


def test_an_executor_fills_its_lanes_and_ends_every_run(make_spec: Any, keras_on_jax: Any) -> None:
    specs = [make_spec("simple-rnn", seed=n, engine="fleet", epochs=2) for n in range(3)]
    events = list(InlineExecutor(n_lanes=2).run([Task(spec=spec) for spec in specs]))
    assert not [event for event in events if isinstance(event, Failed)]
    ended = [event for event in events if isinstance(event, Finished)]
    assert {event.fingerprint for event in ended} == {spec.fingerprint for spec in specs}
    assert {event.result.environment["lanes"] for event in ended} == {"2"}


def test_lanes_that_do_not_fit_are_halved(
    make_spec: Any, keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_epochs = FleetProgram.run_epochs

    def short_of_memory(self: FleetProgram, *arguments: Any) -> Any:
        if self.n_lanes > 1:
            raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return run_epochs(self, *arguments)

    monkeypatch.setattr(FleetProgram, "run_epochs", short_of_memory)
    specs = [make_spec("simple-rnn", seed=n, engine="fleet", epochs=2) for n in range(2)]
    events = list(InlineExecutor(n_lanes=4).run([Task(spec=spec) for spec in specs]))
    ended = [event for event in events if isinstance(event, Finished)]
    assert {event.result.environment["lanes"] for event in ended} == {"1"}
    assert len(ended) == 2


@pytest.mark.parametrize("name", PRESETS)
def test_every_architecture_can_be_vectorised(name: str, make_spec: Any, keras_on_jax: Any) -> None:
    assert why_not_vmapped(make_spec(name, engine="fleet")) is None


@pytest.mark.campaign
@pytest.mark.timeout(5400)
def test_ten_seeds_on_the_real_reviews_score_as_runs_on_their_own_do(
    real_imdb: Path, tmp_path: Path
) -> None:
    """In the report's terms: equivalent, within half a point."""
    project = write_project(tmp_path / "project", tmp_path / "shared")
    study = ["lstm", "--study", "engines", "--dataset", str(real_imdb), "--no-report"]
    for engine in (["keras"], ["fleet", "--lanes", "10"]):
        done = project.command("run", *study, "--engine", *engine, timeout_s=2400)
        assert done.returncode == 0, done.stderr
    done = project.command("report", "engines", "--format", "csv", "--out", "page")
    assert done.returncode == 0, done.stderr
    with open(project.folder / "page" / "tables" / "pairs.csv", newline="") as file:
        (pair,) = csv.DictReader(file)
    assert (pair["n_a"], pair["n_b"], pair["verdict"]) == ("10", "10", "equivalent")


def test_a_fleet_of_one_lane_is_the_epoch_of_keras(make_spec: Any, keras_on_jax: Any) -> None:
    assert type(open_program(make_spec(engine="fleet"), 1)) is ScanProgram
    assert type(open_program(make_spec(engine="fleet"), 2)) is FleetProgram


@pytest.fixture
def program_on_gpu(
    make_spec: Any, keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch
) -> FleetProgram:
    """A fleet that takes this CPU for a GPU."""
    import jax

    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        return FleetProgram(make_spec(engine="fleet"), 3)


def loops_of(jaxpr: Any) -> Iterator[tuple[int, int]]:
    """Length and time steps an iteration of each `scan`, also of those inside."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "scan":
            yield equation.params["length"], equation.params["unroll"]
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from loops_of(inner)


def loops_traced(program: FleetProgram, specs: Sequence[RunSpec]) -> tuple[Any, set[Any]]:
    """The first lane's curve, and the loops of what was traced to get there."""
    import jax

    function, loops = program._function, set[Any]()

    def recorded(name: str) -> Any:
        def traced(*arguments: Any) -> Any:
            loops.update(loops_of(jax.make_jaxpr(function(name))(*arguments).jaxpr))
            return function(name)(*arguments)

        return traced

    program._function = recorded  # type: ignore[method-assign]
    starts = [Start(spec=spec) for spec in specs]
    events = list(train_runs(starts, program, LazyParts(specs[0].data), {}))
    return curve(events, specs[0]), loops


def test_on_a_gpu_the_loop_over_time_alone_is_unrolled(
    make_spec: Any, program_on_gpu: FleetProgram
) -> None:
    specs = [make_spec(seed=seed, engine="fleet", epochs=1) for seed in range(3)]
    n_batches, n_words = 4, specs[0].data.max_len
    expected, loops = loops_traced(FleetProgram(specs[0], 3), specs)
    assert loops == {(n_batches, 1), (n_words, 1)}
    unrolled, loops = loops_traced(program_on_gpu, specs)
    assert loops == {(n_batches, 1), (n_words, UNROLL)}
    for ours, theirs in zip(unrolled, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_another_loop_of_keras_is_left_as_it_is(
    keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["keras.src.backend.jax.rnn"]
    lax = module.lax
    with unrolled_time():
        assert module.lax.scan.keywords == {"unroll": UNROLL}
    assert module.lax is lax
    monkeypatch.delattr(module, "lax")
    with unrolled_time():
        assert not hasattr(module, "lax")
    monkeypatch.delitem(sys.modules, module.__name__)
    with unrolled_time():
        assert module.__name__ not in sys.modules
