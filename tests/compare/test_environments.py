"""Runs that were not made alike stand together only with a sentence that says so."""

from __future__ import annotations

import pytest
from made_up import ENVIRONMENT, finished

from rnnbench.compare.environments import describe_differences, tell_mixed
from rnnbench.execution import environment
from rnnbench.execution.environment import describe_process, worker_environment
from rnnbench.specs import Backend, RunResult

ALL_VARIABLES = (
    *(name for names in environment._NUMERIC_VARIABLES.values() for name in names),
    *environment._ON_A_GPU,
)


def made_with(**environment: str) -> RunResult:
    named = {name.replace("__", "."): value for name, value in environment.items()}
    return finished(environment={**ENVIRONMENT, **named})


OLD, NEW = made_with(version__keras="3.4.1"), made_with(version__keras="3.15.1")


def test_two_versions_of_keras_are_named_with_their_arms() -> None:
    said = tell_mixed("order=frozen", [("lstm", [OLD, NEW, NEW]), ("gru", [NEW])])
    assert said.startswith("order=frozen: Runs that were not made alike stand together, which")
    assert "(keras 3.15.1: lstm 2 runs, gru 1 run; keras 3.4.1: lstm 1 run)" in said


@pytest.mark.parametrize(
    ("n_arms", "rest"), [(4, ""), (5, " and 1 more arm"), (6, " and 2 more arms")]
)
def test_arms_that_are_not_named_are_counted(n_arms: int, rest: str) -> None:
    arms = [(f"arm {n}", [NEW]) for n in range(n_arms)]
    said = tell_mixed("", [("lstm", [OLD]), *arms])
    assert f"arm 3 1 run{rest}; keras 3.4.1" in said


def test_runs_made_alike_need_no_word() -> None:
    assert tell_mixed("", [("lstm", [NEW, NEW]), ("gru", [NEW])]) == ""
    assert tell_mixed("", []) == ""


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"version__jax": "0.10"}, {"version__jax": "0.11"}, "jax 0.10 or 0.11"),
        ({"device": "cpu"}, {"device": "gpu:1"}, "device cpu or gpu"),
        ({"device": "gpu:0"}, {"device": "gpu:1"}, ""),
        ({"version__jax": "0.10"}, {}, ""),
        ({"variable__XLA_FLAGS": "--a"}, {"variable__XLA_FLAGS": "--b"}, "XLA_FLAGS --a or --b"),
        ({"processor": "A"}, {"processor": "B"}, ""),
        ({"version__numpy": "2.1"}, {"version__numpy": "2.2"}, ""),
    ],
    ids=["back end", "device", "two gpus", "not noted", "variable", "processor", "numpy"],
)
def test_what_may_change_numbers_is_compared(
    one: dict[str, str], other: dict[str, str], words: str
) -> None:
    assert describe_differences([made_with(**one), made_with(**other)]) == words


def test_a_variable_that_one_run_had_is_said() -> None:
    said = tell_mixed("", [("lstm", [made_with(), made_with(variable__NVIDIA_TF32_OVERRIDE="0")])])
    assert "NVIDIA_TF32_OVERRIDE 0: lstm 1 run; NVIDIA_TF32_OVERRIDE not set: lstm 1 run" in said


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the variables that a worker may note is set."""
    for name in ALL_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def noted(backend: Backend, gpu: str | None = None) -> set[str]:
    """Variables that a worker says were set."""
    found = describe_process(backend, gpu)
    return {key.removeprefix("variable.") for key in found if key.startswith("variable.")}


def test_a_worker_notes_what_its_user_has_set_and_not_what_it_always_has(
    unset: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"XLA_FLAGS": "", "JAX_DEFAULT_PRNG_IMPL": "rbg"}.items():
        monkeypatch.setenv(name, value)
    for name, value in worker_environment("jax").items():
        monkeypatch.setenv(name, value)
    assert noted("jax") == {"JAX_DEFAULT_PRNG_IMPL"}
    monkeypatch.setenv("XLA_FLAGS", "--own")
    monkeypatch.setenv("XLA_FLAGS", worker_environment("jax")["XLA_FLAGS"])
    assert describe_process("jax", None)["variable.XLA_FLAGS"] == "--own"


def test_a_variable_is_noted_where_it_changes_numbers(
    unset: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_describe_gpu", lambda _: {})
    for name in ALL_VARIABLES:
        monkeypatch.setenv(name, "1")
    assert noted("tensorflow") == {"TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS"}
    assert noted("torch") == {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"}
    assert noted("torch", "0") == {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "NVIDIA_TF32_OVERRIDE"}
    assert not noted("jax") & {"TF_ENABLE_ONEDNN_OPTS", "NVIDIA_TF32_OVERRIDE"}
