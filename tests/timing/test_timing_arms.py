"""What an arm can be, the arms that take a cost apart, and the kernel by Keras's rule."""

from __future__ import annotations

from typing import Any

import pytest
from timed import make_arm

from rnnbench.errors import UsageError
from rnnbench.timing.arms import RUNGS, Arm, ladder
from rnnbench.timing.kernels import kernel_path, run_same_code, shows_cudnn


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"use_cudnn": "on", "device": "gpu", "recurrent_dropout": 0.3}, "no masks for the state"),
        ({"use_cudnn": "on"}, "needs a GPU"),
        ({"use_cudnn": "on", "device": "gpu", "architecture": "gru"}, "no cuDNN path for a GRU"),
        ({"use_cudnn": "off", "architecture": "simple-rnn"}, "simple-rnn"),
        ({"implementation": 1, "architecture": "simple-rnn"}, "no implementation to choose"),
        ({"implementation": 2, "recurrent_dropout": 0.3}, "Keras then takes 1"),
        ({"implementation": 3}, "implementation is 1 or 2, got 3"),
        ({"architecture": "lstmm"}, "did you mean 'lstm'"),
        ({"architecture": "lstm-dropout"}, "unknown architecture 'lstm-dropout'"),
        ({"units": 0}, "units must be a whole number from 1 to 10,000, got 0"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"dropout": 1.5}, "dropout must be at least 0 and below 1"),
        ({"backend": "mxnet"}, "unknown backend 'mxnet'"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
    ],
)
def test_an_arm_that_cannot_be_is_refused_with_the_reason(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        make_arm(**changes)


def test_each_rung_of_the_ladder_changes_one_thing() -> None:
    plain, off, one, masks = ladder(make_arm())
    assert (plain.use_cudnn, off.use_cudnn) == ("auto", "off")
    assert (off.implementation, one.implementation) == (None, 1)
    assert (one.recurrent_dropout, masks.recurrent_dropout) == (0.0, 0.3)
    assert masks.implementation == 1


def test_a_simple_rnn_has_no_fused_kernel_to_lose() -> None:
    assert [arm.recurrent_dropout for arm in ladder(make_arm(architecture="simple-rnn"))] == [
        0.0,
        0.3,
    ]


def test_on_tensorflow_with_a_gpu_recurrent_dropout_is_timed_as_written_too() -> None:
    on_gpu = make_arm(architecture="gru", backend="tensorflow", device="gpu")
    *_, masks, as_written = ladder(on_gpu)
    assert (as_written.use_cudnn, as_written.recurrent_dropout) == ("auto", 0.3)
    assert not kernel_path(as_written).jit
    assert kernel_path(masks).jit


def test_the_stacked_arm_has_no_dropout_unless_asked_for() -> None:
    assert make_arm(architecture="lstm-stacked").form.dropout == 0
    assert make_arm(architecture="lstm-stacked", dropout=0.2).form.dropout == 0.2


def test_a_name_tells_what_differs_from_the_defaults() -> None:
    arm = make_arm(units=64, use_cudnn="off", implementation=1, recurrent_dropout=0.3, jit=False)
    assert arm.name == ("lstm(64) jax cpu cuDNN off implementation=1 recurrent_dropout=0.3 no jit")


def test_implementation_2_is_what_keras_takes_by_itself() -> None:
    assert make_arm(implementation=2) == make_arm()


def test_an_arm_survives_json() -> None:
    arm = make_arm(architecture="gru", implementation=1, dropout=0.3, is_control=True)
    assert Arm.from_json(arm.to_json()) == arm
    before = make_arm().to_json()  # of a format in which there were no controls
    del before["is_control"]
    assert Arm.from_json(before) == make_arm()


@pytest.mark.parametrize(
    "values", [None, {}, {"architecture": "lstm"}, {**make_arm().to_json(), "dropout": "x"}]
)
def test_json_that_is_no_arm_is_refused(values: Any) -> None:
    with pytest.raises(UsageError):
        Arm.from_json(values)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"device": "gpu"}, "cuDNN", "a GPU"),
        ({"device": "gpu", "backend": "tensorflow"}, "cuDNN", "a GPU"),
        ({"device": "gpu", "backend": "torch", "jit": False}, "cuDNN", "a GPU"),
        ({"device": "gpu", "architecture": "gru"}, "XLA scan", "no cuDNN path for a GRU on JAX"),
        ({}, "XLA scan", "no GPU → no cuDNN, implementation 2"),
        ({"backend": "tensorflow"}, "XLA while loop", "no GPU"),
        ({"backend": "tensorflow", "jit": False}, "while loop", "no GPU"),
        ({"backend": "torch", "jit": False}, "Python loop over the time steps", "no GPU"),
        (
            {"device": "gpu", "recurrent_dropout": 0.3},
            "XLA scan",
            r"recurrent_dropout=0.3 → no cuDNN, implementation 1",
        ),
        (
            {"device": "gpu", "backend": "tensorflow", "recurrent_dropout": 0.3},
            "while loop",
            "Keras leaves XLA out",
        ),
        ({"device": "gpu", "use_cudnn": "off"}, "XLA scan", "use_cudnn=False"),
        ({"architecture": "gru"}, "XLA scan", "the inputs of all steps projected at once"),
        ({"architecture": "gru", "use_cudnn": "off"}, "XLA scan", "implementation 2"),
        ({"backend": "torch", "device": "gpu"}, "unrolled loop", "torch.compile → no cuDNN"),
        ({"device": "gpu", "architecture": "simple-rnn"}, "XLA scan", "no fused kernel"),
    ],
)
def test_the_kernel_follows_from_the_rule(changes: dict[str, Any], path: str, reason: str) -> None:
    found = kernel_path(make_arm(**changes))
    assert found.path.startswith(path)
    assert reason in found.reason


def test_a_fused_kernel_is_recognised_by_its_name() -> None:
    assert shows_cudnn(["CudnnRNNV3", "While"])
    assert not shows_cudnn(["While"])


def test_every_arm_of_a_ladder_knows_its_rung() -> None:
    on_gpu = make_arm(backend="tensorflow", device="gpu")
    assert [arm.rung for arm in ladder(on_gpu)] == list(RUNGS)
    simple = make_arm(architecture="simple-rnn")
    assert [arm.rung for arm in ladder(simple)] == ["plain", "recurrent-dropout"]
    assert make_arm(is_control=True).rung is None
    assert make_arm(implementation=1).rung is None


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ({}, {"use_cudnn": "off"}, True),
        ({}, {"is_control": True}, True),
        ({"architecture": "gru"}, {"architecture": "gru", "use_cudnn": "off"}, False),
        ({"device": "gpu"}, {"device": "gpu", "use_cudnn": "off"}, False),
        (
            {"architecture": "gru", "backend": "tensorflow"},
            {"architecture": "gru", "backend": "tensorflow", "use_cudnn": "off"},
            True,
        ),
        ({"backend": "torch"}, {"backend": "torch", "use_cudnn": "off"}, False),
        ({"recurrent_dropout": 0.3}, {"recurrent_dropout": 0.3, "implementation": 1}, True),
        ({}, {"implementation": 1}, False),
        ({"architecture": "gru"}, {"architecture": "gru", "implementation": 1}, True),
        ({}, {"units": 9}, False),
        ({}, {"jit": False}, False),
    ],
)
def test_arms_that_differ_in_nothing_but_in_what_they_are_told_are_found(
    a: dict[str, Any], b: dict[str, Any], same: bool
) -> None:
    assert run_same_code(make_arm(**a), make_arm(**b)) == same
