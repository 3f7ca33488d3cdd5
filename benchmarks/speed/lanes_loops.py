"""Other ways through the recurrent loop of Keras's LSTM, on JAX: what `lanes.py` tries.

Each takes the place of Keras's own in the process that calls it, for good; numbers must stay the
same but for rounding. None is used by `rnnbench`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["LOOPS"]


def unroll(steps: int) -> None:
    """Keras's loop with so many time steps an iteration.

    The loop over time alone: the one over batches is opened before Keras is asked for a model.
    """
    from jax import lax

    class Lax:  # the module that Keras's loop looks `scan` up in
        scan = staticmethod(functools.partial(lax.scan, unroll=steps))

    # By its name: in the package around it a function of the same name hides it.
    sys.modules["keras.src.backend.jax.rnn"].lax = Lax  # type: ignore[attr-defined]


def project_first() -> None:
    """The inputs of all time steps multiplied with the kernel before the loop."""
    _replace_loop(_loop)


def differentiate_by_hand() -> None:
    """Likewise, and a backward loop that keeps to what needs the carry.

    The gradient of the recurrent weights is one product over all time steps after it.
    """
    _replace_loop(_loop_by_hand())


LOOPS: dict[str, Callable[[], None]] = {
    "unrolled 2": functools.partial(unroll, 2),
    "unrolled 4": functools.partial(unroll, 4),
    "inputs first": project_first,
    "by hand": differentiate_by_hand,
}


def _replace_loop(loop: Any) -> None:  # Any: functions of jax arrays
    """Have `keras.layers.LSTM` go through time with `loop(z, recurrent)`."""
    import jax.numpy as jnp
    import keras

    def inner_loop(layer: Any, sequences: Any, *_: Any, **__: Any) -> Any:
        cell = layer.cell
        kernel, recurrent, bias = (
            keras.ops.convert_to_tensor(weights)
            for weights in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        z = jnp.swapaxes(sequences @ kernel + bias, 0, 1)
        outputs, carry = loop(z, recurrent)
        return outputs[-1], jnp.swapaxes(outputs, 0, 1), list(carry)

    keras.layers.LSTM.inner_loop = inner_loop


def _loop(z: Any, recurrent: Any) -> Any:  # Any: jax arrays
    """`z` `(time, batch, 4 × units)` → outputs `(time, batch, units)` and the last `(h, c)`."""
    import jax

    def step(carry: Any, z_t: Any) -> Any:
        h, c, *_ = _step(carry, z_t, recurrent)
        return (h, c), h

    carry, outputs = jax.lax.scan(step, _start(z, recurrent), z)
    return outputs, carry


def _start(z: Any, recurrent: Any) -> Any:  # Any: jax arrays
    import jax.numpy as jnp

    return (jnp.zeros((z.shape[1], recurrent.shape[0]), z.dtype),) * 2


def _step(carry: Any, z_t: Any, recurrent: Any) -> Any:  # Any: jax arrays
    """One time step: h, c, and the four gates after their activations, `(batch, 4, units)`."""
    import jax
    import jax.numpy as jnp

    h, c = carry
    a = (z_t + h @ recurrent).reshape(len(h), 4, -1)  # Keras's order: input, forget, cell, output
    i, f, o = (jax.nn.sigmoid(a[:, gate]) for gate in (0, 1, 3))
    g = jnp.tanh(a[:, 2])
    c = f * c + i * g
    return o * jnp.tanh(c), c, jnp.stack([i, f, g, o], axis=1)


def _loop_by_hand() -> Any:  # Any: a function of jax arrays
    import jax
    import jax.numpy as jnp

    def forward(z: Any, recurrent: Any) -> Any:
        def step(carry: Any, z_t: Any) -> Any:
            h, c, gates = _step(carry, z_t, recurrent)
            return (h, c), (h, c, gates)

        carry, (hs, cs, gates) = jax.lax.scan(step, _start(z, recurrent), z)
        return (hs, carry), (hs, cs, gates, recurrent)

    def backward(kept: Any, given: Any) -> Any:
        hs, cs, gates, recurrent = kept
        d_hs, d_carry = given
        before = jnp.concatenate([jnp.zeros_like(cs[:1]), cs[:-1]])

        def step(carry: Any, at: Any) -> Any:
            d_h, d_c = carry
            d_h_t, gates_t, c_t, c_before = at
            i, f, g, o = (gates_t[:, gate] for gate in range(4))
            d_h, squashed = d_h + d_h_t, jnp.tanh(c_t)
            d_c = d_c + d_h * o * (1 - squashed**2)
            parts = [
                d_c * g * i * (1 - i),
                d_c * c_before * f * (1 - f),
                d_c * i * (1 - g**2),
                d_h * squashed * o * (1 - o),
            ]
            d_z = jnp.concatenate(parts, axis=1)
            return (d_z @ recurrent.T, d_c * f), d_z

        _, d_z = jax.lax.scan(step, d_carry, (d_hs, gates, cs, before), reverse=True)
        h_before = jnp.concatenate([jnp.zeros_like(hs[:1]), hs[:-1]])
        return d_z, jnp.einsum("tbu,tbk->uk", h_before, d_z)

    loop = jax.custom_vjp(lambda z, recurrent: forward(z, recurrent)[0])
    loop.defvjp(forward, backward)
    return loop
