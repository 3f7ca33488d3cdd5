"""Which kernel carries out an arm's recurrent layers: by Keras's rule, and by looking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from rnnbench.timing.arms import Arm

CUDNN = "cuDNN"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPath:
    """The code that runs an arm.

    Args:
        path: `cuDNN`, or what loops over the time steps.
        jit: whether the whole step is compiled by XLA (by `torch.compile` on PyTorch).
        reason: why, in words.
    """

    path: str
    jit: bool
    reason: str


def kernel_path(arm: Arm) -> KernelPath:
    """The path by the rule.

    Source: Keras 3.15, `layers/rnn/lstm.py` (`inner_loop`, `supports_jit`), `layers/rnn/gru.py`,
    and `lstm`, `gru` and `cudnn_ok` of each back end.
    """
    why_not = _why_not_cudnn(arm)
    jit = arm.jit and not _loses_jit(arm)
    if why_not is None:
        return KernelPath(path=CUDNN, jit=jit, reason="tanh, sigmoid, no mask, and a GPU")
    reason = why_not
    if _takes_own_loop(arm):
        reason += "; Keras's own loop, the inputs of all steps projected at once"
    elif arm.has_layer_options:
        reason += f", implementation {_implementation(arm)}"
    if arm.jit and not jit:
        reason += "; the layer was made for cuDNN, so Keras leaves XLA out"
    return KernelPath(path=_loop(arm, jit), jit=jit, reason=reason)


def run_same_code(a: Arm, b: Arm) -> bool:
    """Whether two arms differ in nothing but in what they are told, by the rule."""
    return _code(a) == _code(b)


def _code(arm: Arm) -> tuple[object, ...]:
    """Equal for arms whose steps are the same."""
    runs = kernel_path(arm)
    fused = runs.path == CUDNN or _takes_own_loop(arm) or not arm.has_layer_options
    implementation = None if fused else _implementation(arm)
    told = replace(arm, use_cudnn="auto", implementation=None, is_control=False, jit=runs.jit)
    return told, runs.path, _takes_own_loop(arm), implementation


def _takes_own_loop(arm: Arm) -> bool:
    """Whether Keras's loop in cuDNN's place runs; where cuDNN does, it is not asked."""
    return arm.has_own_loop and arm.use_cudnn != "off" and not arm.recurrent_dropout


def _implementation(arm: Arm) -> int:
    return 1 if arm.recurrent_dropout else arm.implementation or 2


def _why_not_cudnn(arm: Arm) -> str | None:
    """None where cuDNN runs."""
    if arm.form.cell == "simple-rnn":
        return "Keras has no fused kernel for a SimpleRNN"
    if arm.recurrent_dropout:
        return f"recurrent_dropout={arm.recurrent_dropout:g} → no cuDNN"
    if arm.use_cudnn == "off":
        return "use_cudnn=False"
    if arm.device == "cpu":
        return "no GPU → no cuDNN"
    if arm.has_cudnn_kernel:
        return None
    if arm.backend == "torch":
        return "torch.compile → no cuDNN"
    return "Keras has no cuDNN path for a GRU on JAX"


def _loses_jit(arm: Arm) -> bool:
    """On TensorFlow a layer that may use cuDNN rules XLA out, before recurrent dropout is asked."""
    return (
        arm.backend == "tensorflow"
        and arm.device == "gpu"
        and arm.has_cudnn_kernel
        and arm.use_cudnn != "off"
    )


def _loop(arm: Arm, jit: bool) -> str:
    if arm.backend == "jax":
        return "XLA scan" if jit else "scan, the rest of the step uncompiled"
    if arm.backend == "tensorflow":
        return "XLA while loop" if jit else "while loop"
    return "unrolled loop, torch.compile" if jit else "Python loop over the time steps"


def find_operations(model: Any, tokens: Any, backend: str) -> tuple[str, ...]:
    """Names of what the forward pass runs that tell a fused kernel from a loop, sorted.

    Args:
        model: a Keras model.
        tokens: int32 `(batch_size, max_len)`.

    Returns:
        JAX: instructions of the compiled program; TensorFlow: operations of the graph; PyTorch:
        operators that its profiler saw.
    """
    # What is looked at is what is timed: JAX's compiled step, and PyTorch's own.
    find = {"jax": _of_jax, "tensorflow": _of_tensorflow, "torch": _of_torch}[backend]
    names = {name for name in find(model, tokens) if _is_telling(name)}
    return tuple(sorted(names))


def shows_cudnn(operations: Iterable[str]) -> bool:
    """Whether a fused kernel of cuDNN is among the operations."""
    return any("cudnn" in name.lower() for name in operations)


def _is_telling(name: str) -> bool:
    lower = name.lower()
    return ("cudnn" in lower and "rnn" in lower) or lower in (
        "while",
        "statelesswhile",
        "aten::addmm",
        "aten::mm",
    )


def _of_jax(model: Any, tokens: Any) -> set[str]:
    import re

    import jax

    trainable = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]

    def forward(trainable: Any, others: Any, tokens: Any) -> Any:
        return model.stateless_call(trainable, others, tokens, training=True)

    text = jax.jit(forward).lower(trainable, others, tokens).compile().as_text() or ""
    calls = re.findall(r'custom_call_target="([^"]+)"', text)
    return {*calls, *re.findall(r" (while)\(", text)}


def _of_tensorflow(model: Any, tokens: Any) -> set[str]:
    import tensorflow as tf

    function = tf.function(lambda tokens: model(tokens, training=True))
    graph = function.get_concrete_function(tf.constant(tokens)).graph.as_graph_def()
    nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
    return {node.op for node in nodes}


def _of_torch(model: Any, tokens: Any) -> set[str]:
    import torch

    with torch.profiler.profile() as profile:
        model.predict_on_batch(tokens)  # through Keras's own step, compiled if the arm is
    return {event.key for event in profile.key_averages()}
