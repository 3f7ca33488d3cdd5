"""`rnnbench timing`: real measurements where one is enough, else what becomes of them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import Answer
from measured import CARRIED, MEASURES, REPOSITORY, SHORT, TWO_ARMS, Lines, make_bare_python
from project import PATIENCE_S
from timed import make_arm, make_sample, make_session

from rnnbench.errors import StoreError
from rnnbench.ledger import Ledger
from rnnbench.study import TIMING
from rnnbench.timing import determinism, samples, sessions, turns
from rnnbench.timing import measure as measuring
from rnnbench.timing import work as timing
from rnnbench.timing.arms import Arm
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.determinism import check_determinism
from rnnbench.timing.measure import answer_requests, describe_error
from rnnbench.timing.plan import plan_arms, with_defaults
from rnnbench.timing.rounds import Outcomes, Wanted
from rnnbench.timing.samples import ArmTimes, Sample
from rnnbench.timing.sessions import read_session, read_sessions
from rnnbench.timing.turns import Turn, cores_of, measure_turns
from rnnbench.timing.work import measure_arms, take_in
from rnnbench.tracking.store import DATABASE, find_store

Command = Callable[..., Answer]


@pytest.fixture
def answers(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the arms to come are answered; afterwards each takes 2 ms a step."""
    shutil.copyfile(template, tmp_path / DATABASE)
    coming: list[Any] = []

    def measure_each(turns: Sequence[Turn], *_: object) -> Iterator[Outcomes]:
        for turn in turns:
            outcomes: Outcomes = {}
            for arm in turn.arms:
                answer = coming.pop(0) if coming else make_sample()
                if isinstance(answer, BaseException):
                    raise answer
                is_sample = isinstance(answer, Sample)
                outcomes[arm] = replace(answer, process=turn.number) if is_sample else answer
            yield outcomes

    monkeypatch.setattr(timing, "measure_turns", measure_each)
    return coming


def measure(root: Path, view: Lines | None = None, **options: Any) -> timing.TimingOutcome:
    return measure_arms(replace(TWO_ARMS, **options), view or Lines(), root)


def test_one_arm_is_really_measured_exported_and_taken_in_elsewhere(
    tmp_path: Path, template: Path, rnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, other = Lines(), tmp_path / "other"
    shutil.copyfile(template, tmp_path / DATABASE)
    monkeypatch.setattr(samples, "MOST_PROCESSES", 1)
    one = replace(TWO_ARMS, recurrent_dropout=(0.3,), repeats=1, export=tmp_path / "e")
    measure_arms(one, view, tmp_path, SHORT)
    times, again = read_session(tmp_path / "e").arms
    assert again.arm == replace(times.arm, is_control=True)
    (sample,) = times.samples
    assert sample.operations == ("while",)  # the first process looks
    assert sample.train_ms[0] > 0
    assert (len(sample.evaluate_ms), len(sample.predict_ms)) == (SHORT.forward_rounds,) * 2
    other.mkdir()
    monkeypatch.chdir(other)
    done = rnnbench("timing", "--import", "../e")
    assert done.code == 0, done.err
    assert "taken in: 2 arms, measured on " in done.out
    assert "report: " in rnnbench("report", "timing").out
    assert "simple-rnn(2)" in (other / "reports" / "timing" / "index.md").read_text("utf-8")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bare_python(tmp_path_factory.mktemp("bare"))


def test_it_works_without_tensorflow_mlflow_and_optuna(bare_python: Path, tmp_path: Path) -> None:
    for name in ("tensorflow", "mlflow", "optuna"):
        assert subprocess.run([bare_python, "-c", f"import {name}"], capture_output=True).returncode
    done = subprocess.run(
        [bare_python, "-c", MEASURES, "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert "MLflow is not installed here" in done.stdout
    assert all(times.samples for times in read_session(tmp_path / "e.json").arms)


def test_arms_that_are_compared_share_every_process(tmp_path: Path, answers: list[Any]) -> None:
    view = Lines()
    measure(tmp_path, view, units=(2, 3))
    (session,) = read_sessions(tmp_path / ".rnnbench")
    assert session.is_over
    assert session.protocol == "together"
    units = [{arm.units for arm in outcomes} for outcomes in view.outcomes]
    assert sorted(map(tuple, units[:2])) == sorted(map(tuple, units[2:4])) == [(2,), (3,)]
    for times in session.arms:
        assert [sample.process for sample in times.samples] == [0, 1, 2]


def test_every_arm_is_a_run_in_mlflow_once(tmp_path: Path, answers: list[Any]) -> None:
    measure(tmp_path, export=tmp_path / "e.json")
    take_in(tmp_path / "e.json", Lines(), tmp_path)
    runs = {run.data.tags["mlflow.runName"]: run for run in _runs(tmp_path)}
    assert {"simple-rnn(2) jax cpu", "simple-rnn(2) jax cpu recurrent_dropout=0.3"} < set(runs)
    assert len(_runs(tmp_path)) == 5  # two arms and a control, two commands
    run = runs["simple-rnn(2) jax cpu"]
    assert run.data.metrics["train_ms"] == 2.0
    assert run.data.params["recurrent_dropout"] == "0.0"
    assert run.info.status == "FINISHED"


def test_out_of_memory_ends_its_arm_and_no_other(tmp_path: Path, answers: list[Any]) -> None:
    answers.append("out of memory: RESOURCE_EXHAUSTED: 3 GiB")
    outcome = measure(tmp_path)
    assert outcome.n_failed == 1
    (session,) = read_sessions(tmp_path / ".rnnbench")
    assert sorted(bool(times.failure) for times in session.arms) == [False, False, True]
    assert session.is_over


def test_an_interruption_keeps_what_there_is_and_the_same_command_goes_on(
    tmp_path: Path, answers: list[Any]
) -> None:
    answers += [*[make_sample()] * 3, KeyboardInterrupt()]
    view = Lines()
    assert measure(tmp_path, view).interrupted
    assert view.warned[-1] == "interrupted; nothing is lost. To go on: rnnbench timing"
    view = Lines()
    assert not measure(tmp_path, view).interrupted
    assert len(view.outcomes) == 2
    assert len(read_sessions(tmp_path / ".rnnbench")) == 1


class Pipe(list[Any]):
    """This process's end of a pipe: what is sent, and what is asked for until it is closed."""

    def __init__(self, *requests: Any) -> None:
        self._requests = list(requests)

    send = list.append

    def recv(self) -> Any:
        if not self._requests:
            raise EOFError
        return self._requests.pop(0)


def test_what_an_arm_raises_is_its_own(keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make_arm(architecture="simple-rnn", units=2)
    other = replace(plain, recurrent_dropout=0.3)
    whole = measuring.make_model

    def make_model(arm: Arm, seed: int) -> Any:
        if arm == other:
            raise MemoryError("3 GiB")
        return whole(arm, seed)

    monkeypatch.setattr(measuring, "make_model", make_model)
    prepared = [("prepare", arm, 4, False) for arm in (plain, other)]
    asked = [(name, plain) for name in ("settle", "train", "describe", "release", "train")]
    answer_requests(pipe := Pipe(*prepared, *asked), SHORT, ())  # type: ignore[arg-type]
    assert pipe[:3] == [None, "out of memory: 3 GiB", None]
    ms, sample, released, gone = pipe[3:]
    assert ms > 0
    assert (sample.problem, sample.operations, sample.steps) == (None, None, SHORT.fewest_steps)
    assert released is None
    assert gone.startswith("KeyError")


def test_a_process_that_dies_is_the_failure_of_its_arms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "answer_requests", end_at_once)
    coming = [Turn(arms=(make_arm(units=units),), number=units, looks=False) for units in (1, 2)]
    found = list(measure_turns(coming, SHORT, tmp_path / "log"))
    assert [list(outcomes) for outcomes in found] == [list(turn.arms) for turn in coming]
    for outcomes in found:
        assert list(outcomes.values()) == ["the worker process ended with exit code 3"]


def end_at_once(*_: object) -> None:
    os._exit(3)


def test_a_process_that_hangs_is_given_up_while_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "answer_requests", hang)
    monkeypatch.setattr(turns, "MOST_SECONDS", 0.2)
    coming = [Turn(arms=(make_arm(units=units),), number=units, looks=False) for units in (1, 2)]
    found = list(measure_turns(coming, SHORT, tmp_path / "log"))
    assert [str(*outcomes.values())[:22] for outcomes in found] == ["it was not done after "] * 2


def hang(*_: object) -> None:
    time.sleep(60)


class Scripted:
    """A process that answers at once; at most `room` arms have room in it."""

    def __init__(self, told: list[str], answer: str | None = None, room: int = 9) -> None:
        self.told, self.answer, self.room = told, answer, room
        self.lost, self.seat, self.child, self.process = "", (), self, self
        self.held: list[Arm] = []

    def ask(self, name: str, arm: Arm, *_: object) -> Any:
        if name == "prepare":
            self.told.append(f"{arm.device} prepares")
            if self.answer or len(self.held) == self.room:
                return self.answer or "out of memory: 3 GiB"
            self.held.append(arm)
        if name == "describe" and arm in self.held:
            self.told.append(f"{arm.device} measures")
            return make_sample(train_ms=())
        if name == "release":
            self.held.clear()
        return 2.0 if name in ("train", "evaluate", "predict") else None

    def end(self) -> None:
        self.told.append("ends")

    def kill(self) -> None:
        self.told.append("is killed")


def carry_out(
    coming: Sequence[Turn],
    monkeypatch: pytest.MonkeyPatch,
    n_cores: int = 16,
    **scripted: Any,
) -> tuple[list[Outcomes], list[str]]:
    """What scripted processes found, and in what order everything happened."""
    told: list[str] = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(n_cores)))
    monkeypatch.setattr(turns, "_start", lambda *_, **__: Scripted(told, **scripted))
    monkeypatch.setattr(turns, "Holder", hold)
    return list(measure_turns(coming, SHORT, Path("log"))), told


def hold(child: Scripted, seat: tuple[Any, ...]) -> Scripted:
    child.seat = seat
    return child


def turn_on(device: str, number: int, cores: tuple[int, ...] = ()) -> Turn:
    return Turn(arms=(make_arm(device=device),), number=number, looks=False, cores=cores)


def test_a_large_machine_prepares_a_gpus_processes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, told = carry_out([turn_on("gpu", n) for n in range(2)], monkeypatch)
    assert told == [*("gpu prepares",) * 2, *("gpu measures", "ends") * 2]


def test_a_large_machine_measures_on_both_devices_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    halves = {"cpu": tuple(range(8)), "gpu": tuple(range(8, 16))}
    coming = [
        turn_on(device, n, halves[device]) for n, device in enumerate(("cpu", "gpu", "cpu", "gpu"))
    ]
    found, told = carry_out(coming, monkeypatch)
    assert len(found) == 4
    assert [each for each in told if each.startswith("cpu")] == ["cpu prepares", "cpu measures"] * 2
    assert [each.split()[1] for each in told if each.startswith("gpu")] == [
        *("prepares", "prepares", "measures", "measures")
    ]


def test_on_few_cores_no_process_prepares_beside_another(monkeypatch: pytest.MonkeyPatch) -> None:
    coming = [turn_on(device, n) for n, device in enumerate(("gpu", "cpu", "cpu", "gpu"))]
    _, told = carry_out(coming, monkeypatch, n_cores=3)
    assert [each.split()[-1] for each in told] == ["prepares", "measures", "ends"] * 4


def test_of_a_gpus_processes_only_so_many_prepare_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, told = carry_out([turn_on("gpu", n) for n in range(20)], monkeypatch, n_cores=128)
    assert told[: turns.MOST_AT_ONCE + 1] == [
        *["gpu prepares"] * turns.MOST_AT_ONCE,
        "gpu measures",
    ]


def test_on_a_cpu_the_turns_of_a_repeat_share_the_process_of_their_back_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coming = [
        Turn(arms=(make_arm(units=units),), number=n, looks=False)
        for n in (0, 1)
        for units in (1, 2)
    ]
    _, told = carry_out(coming, monkeypatch, n_cores=1)
    assert told == [*[*("cpu prepares", "cpu measures") * 2, "ends"] * 2]


@pytest.mark.parametrize(("backend", "at_once"), [("jax", 2), ("tensorflow", 2), ("torch", 1)])
def test_on_a_cpu_as_many_prepare_at_once_as_there_are_cores_unless_their_threads_spin(
    monkeypatch: pytest.MonkeyPatch, backend: str, at_once: int
) -> None:
    coming = [
        Turn(arms=(make_arm(backend=backend, units=units),), number=0, looks=False)
        for units in (1, 2, 3, 4)
    ]
    _, told = carry_out(coming, monkeypatch, n_cores=2)
    batch = [*["cpu prepares"] * at_once, *["cpu measures"] * at_once]
    assert told == [*batch * (4 // at_once), *["ends"] * at_once]


def test_an_arm_that_failed_is_not_in_the_processes_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, told = carry_out([turn_on("cpu", n) for n in range(3)], monkeypatch, answer="no kernel")
    assert [list(outcomes.values()) for outcomes in found] == [["no kernel"]]
    assert told == ["cpu prepares", "ends"]


def test_arms_that_do_not_fit_in_one_process_take_turns_in_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arms = tuple(make_arm(units=8, recurrent_dropout=rate) for rate in (0.0, 0.1, 0.2, 0.3))
    (found,), told = carry_out([Turn(arms=arms, number=0, looks=False)], monkeypatch, room=2)
    assert all(isinstance(each, Sample) for each in found.values())
    assert told.count("ends") == 3  # the one that was too small, and the two


def test_an_arm_that_fits_in_no_process_leaves_the_others_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arms = tuple(make_arm(recurrent_dropout=rate) for rate in (0.0, 0.1, 0.2))
    (found,), _ = carry_out([Turn(arms=arms, number=0, looks=False)], monkeypatch, room=1)
    lost = [arm for arm in arms if not isinstance(found[arm], Sample)]
    assert [found[arm] for arm in lost] == ["out of memory: 3 GiB"]


def test_when_the_budget_is_over_no_turn_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_start", lambda *_, **__: pytest.fail("a process began"))
    wanted = Wanted(until=time.monotonic() - 1)
    assert list(measure_turns([turn_on("cpu", 0)], SHORT, Path("log"), wanted)) == []


def test_a_budget_that_ends_first_is_said_and_the_same_command_goes_on(
    tmp_path: Path, answers: list[Any]
) -> None:
    view = Lines()
    measure(tmp_path, view, budget=1e-9)
    assert view.outcomes == []
    assert (
        "the budget of 0 s is over before all was measured as precisely as asked" in view.warned[-1]
    )
    measure(tmp_path, view)
    assert len(view.outcomes) == 3
    assert len(read_sessions(tmp_path / ".rnnbench")) == 1


def test_a_session_goes_on_to_what_is_asked_for_now(tmp_path: Path, answers: list[Any]) -> None:
    answers += [make_sample(ms) for n in range(3) for ms in (2.0, 2.0, 3.0 + 0.1 * n)]
    measure(tmp_path, precision=0.1)
    view = Lines()
    measure(tmp_path, view, precision=0.03)
    (session,) = read_sessions(tmp_path / ".rnnbench")
    assert view.outcomes
    assert session.precision == 0.03
    assert session.is_over


def test_a_large_machine_divides_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for n_cores, halves in ((2, (0, 0)), (7, (0, 0)), (16, (8, 8))):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=n_cores: set(range(n)))
        cpu, gpu = (cores_of(device, {"cpu", "gpu"}) for device in ("cpu", "gpu"))
        assert (len(cpu), len(gpu)) == halves
        assert not set(cpu) & set(gpu)
        assert cores_of("cpu", {"cpu"}) == ()


def test_fresh_measures_again(tmp_path: Path, answers: list[Any]) -> None:
    answers += [*[make_sample()] * 3, KeyboardInterrupt()]
    measure(tmp_path)
    view = Lines()
    measure(tmp_path, view, fresh=True)
    assert len(view.outcomes) == 3
    assert len(read_sessions(tmp_path / ".rnnbench")) == 2


def test_what_is_measured_is_not_measured_again(tmp_path: Path, answers: list[Any]) -> None:
    measure(tmp_path)
    view = Lines()
    measure(tmp_path, view)
    assert view.outcomes == []
    assert any("--fresh measures again" in text for text in view.said)


def test_what_was_not_looked_at_is_looked_at_by_the_command_that_goes_on(tmp_path: Path) -> None:
    arm, unseen = make_arm(), make_sample(process=1, evaluate_ms=(), predict_ms=())
    session = make_session([ArmTimes(arm=arm, samples=(unseen,))])
    assert [turn.looks for turn in timing._next_turns(session)] == [True, False, False, False]
    seen = session.with_outcomes({arm: make_sample(process=2)})
    assert [(turn.looks, turn.number) for turn in timing._next_turns(seen)] == [
        *((False, 3), (False, 4), (False, 5))
    ]


def test_what_failed_is_tried_again_by_the_next_command(tmp_path: Path, answers: list[Any]) -> None:
    answers.append("out of memory")
    assert measure(tmp_path).n_failed == 1
    assert measure(tmp_path).n_failed == 0


def test_what_cannot_be_believed_is_measured_again(tmp_path: Path, answers: list[Any]) -> None:
    answers.append(make_sample(problem="the loss is not finite"))
    view = Lines()
    measure(tmp_path, view)
    assert len(view.outcomes) == 4


@pytest.mark.parametrize(("load", "warns"), [(0.1, False), (1.7, True)])
def test_a_machine_under_load_is_warned_of(
    tmp_path: Path,
    answers: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    load: float,
    warns: bool,
) -> None:
    monkeypatch.setattr(timing, "processes_at_work", lambda: load)
    view = Lines()
    measure(tmp_path, view)
    assert any("under load (1.7 other processes" in text for text in view.warned) == warns


def test_a_full_disk_is_one_sentence(
    tmp_path: Path, answers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sessions, "write_whole", refuse)
    with pytest.raises(StoreError, match="No space left on device"):
        measure(tmp_path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "out of memory: MemoryError"),
        (RuntimeError("RESOURCE_EXHAUSTED: no room\nmore"), "out of memory: RESOURCE_EXHAUSTED"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_want_of_memory_is_told_from_other_errors(error: Exception, words: str) -> None:
    assert describe_error(error).startswith(words)
    assert "\n" not in describe_error(error)


def test_the_default_arms_are_those_that_the_file_names() -> None:
    arms, _ = plan_arms(with_defaults(TimingChoices(backend=("jax",), device=("cpu",))))
    assert len(arms) == 32
    assert {arm.units for arm in arms} == {8, 64}
    assert make_arm(use_cudnn="off", implementation=1, recurrent_dropout=0.3) in arms


def test_the_test_carries_what_the_wheelhouse_does() -> None:
    text = (REPOSITORY / "noxfile.py").read_text("utf-8")
    start = text.index("CARRIED = (")
    assert all(f'"{name}"' in text[start : text.index(")\n", start + 200)] for name in CARRIED)


def test_of_a_product_the_arms_that_cannot_be_are_left_out_and_named() -> None:
    choices = TimingChoices(
        backend=("jax",), device=("cpu",), units=(8,), use_cudnn=("auto", "off")
    )
    arms, left_out = plan_arms(with_defaults(choices))
    assert len(arms) == 11  # three architectures twice, SimpleRNN once, and each a control
    assert sum("run the same code" in text for text in left_out) == 2  # both LSTMs, not the GRU
    assert any(text.startswith("left out: cuDNN has no kernel") for text in left_out)


def test_any_product_can_be_asked_for() -> None:
    choices = TimingChoices(
        architectures=("lstm",),
        backend=("jax",),
        device=("cpu",),
        units=(8,),
        dropout=(0.0, 0.3),
        recurrent_dropout=(0.0, 0.3),
        jit=(True, False),
    )
    arms, _ = plan_arms(with_defaults(choices))
    assert len(arms) == 9


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--backend", "mxnet"], "unknown backend 'mxnet'"),
        (["lstmm"], "did you mean 'lstm'"),
        (["--use-cudnn", "on", "--recurrent-dropout", "0.3"], "cuDNN's kernel has no masks"),
        (["--use-cudnn", "yes"], "unknown use_cudnn 'yes'"),
        (["--jit", "maybe"], "--jit takes on, off or on,off, got 'maybe'"),
        (["--repeats", "0"], "repeats must be from 1 to 1000, got 0"),
        (["--precision", "5"], "--precision takes a percentage like 5% or 2.5%, got '5'"),
        (["--precision", "0%"], "precision must be from 0.1% to below 100%, got 0%"),
        (["--budget", "soon"], "--budget takes a time like 90s, 30m or 2h"),
        (["--units", "x"], "--units takes"),
        (["--import", "nowhere.json"], "cannot read nowhere.json"),
        (["--import", "a", "--export", "b"], "--import stands alone"),
        (["--export", "nowhere/file.json", "--backend", "jax"], "name a file in a folder"),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_2(
    rnnbench: Command, words: list[str], sentence: str
) -> None:
    answer = rnnbench("timing", *words)
    assert answer.code == 2
    assert sentence in answer.err


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="PyTorch is installed here"
)
def test_a_back_end_that_is_missing_is_named_with_what_is_here(rnnbench: Command) -> None:
    answer = rnnbench("timing", "--backend", "torch")
    assert answer.code == 2
    assert "the back end torch is not installed (here: jax" in answer.err
    assert "pip install 'rnnbench[torch]'" in answer.err


def test_a_gpu_that_is_missing_is_refused_with_what_to_do(
    rnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    answer = rnnbench("timing", "--device", "gpu")
    assert answer.code == 2
    assert "there is no NVIDIA GPU here (devices here: cpu)" in answer.err
    assert "--export FILE" in answer.err


def test_a_dry_run_shows_the_arms_and_measures_nothing(rnnbench: Command, tmp_path: Path) -> None:
    answer = rnnbench("timing", "lstm", "--backend", "jax", "--device", "cpu", "--dry-run")
    assert answer.code == 0
    assert "lstm(8) jax cpu cuDNN off implementation=1 recurrent_dropout=0.3" in answer.out
    assert "to do     6 turns of 2 groups of arms, each 3 times at least" in answer.out
    assert "until     no interval reaches further than 5 %" in answer.out
    assert not (tmp_path / ".rnnbench").exists()


def test_a_report_on_time_needs_times(rnnbench: Command, tmp_path: Path) -> None:
    Ledger(tmp_path)
    answer = rnnbench("report", TIMING)
    assert answer.code == 2
    assert "begin with `rnnbench timing`" in answer.err


def test_two_trainings_alike_are_compared_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keras_on_jax: Any
) -> None:
    """In this process and with few steps; the campaign takes two, with all of them."""

    def call(target: Callable[..., None], *arguments: object, log: Path) -> Any:
        target(pipe := Pipe(), *arguments)
        return pipe[0]

    monkeypatch.setattr(determinism, "call_in_fresh_process", call)
    monkeypatch.setattr(determinism, "N_STEPS", 4)
    view = Lines()
    assert check_determinism(replace(TWO_ARMS, recurrent_dropout=(0.3,)), view, tmp_path) == 0
    assert "the same to the last bit over 10 epochs" in view.said[-1]


def _runs(folder: Path) -> list[Any]:
    from mlflow import MlflowClient

    assert (folder / DATABASE).exists()
    client = MlflowClient(find_store(folder).address)
    experiment = client.get_experiment_by_name(TIMING)
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))
