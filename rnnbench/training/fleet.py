"""The `fleet` engine: many runs of one shape in one compiled program, on JAX.

The `keras` engine's own epoch under `jax.vmap`: Keras's model and optimizer are in it as they are,
so every architecture works that JAX can vectorise. Data lie on the device once; weights, optimizer,
order, dropout and learning rate are each lane's own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.dataset import Part
from rnnbench.models import import_keras
from rnnbench.output.characters import named_line
from rnnbench.specs import RunSpec
from rnnbench.training.engine import PREDICT_BATCH, Arrays, Outcome, Scores, Variables, Work
from rnnbench.training.scan import ScanProgram, cut_rows

UNROLL = 4  # time steps; measured on an H100: docs/fleet.md


class FleetProgram(ScanProgram):
    """Trains one epoch of every lane a call.

    A lane without a run computes what another computes, and is thrown away: so a fleet keeps its
    width, and with it the last bits of its numbers, while lanes end one after the other.
    """

    def __init__(self, spec: RunSpec, n_lanes: int) -> None:
        import jax
        import keras

        super().__init__(spec)
        self.n_lanes = n_lanes
        self._on_gpu = jax.default_backend() == "gpu"
        if self._on_gpu:
            for layer in self.model._flatten_layers():
                if isinstance(layer, keras.layers.LSTM):
                    layer.use_cudnn = False  # JAX knows no lanes of cuDNN's LSTM

    def run_epochs(self, works: Sequence[Work | None], part: Part) -> list[Outcome | None]:
        """See `Program.run_epochs`; the last, partial batch counts as in Keras."""
        filled = _fill(works)
        parted = [self._divide(work.variables.weights, work.dropout_seed) for work in filled]
        state, (losses, accuracies) = self._call(
            "fleet epoch",
            _stack([trainable for trainable, _ in parted]),
            _stack([untrained for _, untrained in parted]),
            _stack([list(work.variables.optimizer) for work in filled]),
            self._place(part),
            np.stack([cut_rows(work.order, self._batch_size) for work in filled]),
        )
        trainable, untrained, optimizer = ([np.asarray(v) for v in part] for part in state)
        losses, accuracies = np.asarray(losses), np.asarray(accuracies)
        return [
            None
            if work is None
            else Outcome(
                variables=Variables(
                    weights=self._unite(_lane(trainable, lane), _lane(untrained, lane)),
                    optimizer=tuple(_lane(optimizer, lane)),
                ),
                scores=Scores(loss=float(losses[lane]), accuracy=float(accuracies[lane])),
            )
            for lane, work in enumerate(works)
        ]

    def predict_all(
        self, weights: Sequence[Arrays | None], part: Part
    ) -> list[NDArray[np.float32] | None]:
        """See `Program.predict_all`."""
        parted = [self._divide(each, dropout_seed=0) for each in _fill(weights)]
        trainable = _stack([trainable for trainable, _ in parted])
        untrained = _stack([untrained for _, untrained in parted])
        n_reviews = len(part.labels)
        found = np.concatenate(
            [
                np.asarray(self._call("fleet predict", trainable, untrained, part.tokens[rows]))
                for rows in cut_rows(np.arange(n_reviews), PREDICT_BATCH)
            ],
            axis=1,
        )[:, :n_reviews]
        return [None if each is None else found[lane] for lane, each in enumerate(weights)]

    def _call(self, name: str, *arguments: Any) -> Any:  # Any: jax arrays
        # On a CPU unrolled steps take longer.
        with unrolled_time() if self._on_gpu else nullcontext():
            return super()._call(name, *arguments)

    def _function(self, name: str) -> Any:  # Any: functions of jax arrays
        import jax

        if name == "fleet epoch":
            return jax.vmap(self._epoch, in_axes=(0, 0, 0, None, 0))
        if name == "fleet predict":
            return jax.vmap(self._predict, in_axes=(0, 0, None))
        return super()._function(name)


@contextmanager
def unrolled_time() -> Iterator[None]:
    """Inside, Keras's loop over time is traced with `UNROLL` time steps an iteration.

    The loop over batches is not Keras's and stays as it is. Keras itself can unroll a loop whole
    or not at all; one that finds its `scan` elsewhere than in Keras 3.15 only stays slower.
    """
    # By its name: in the package around it a function of the same name hides it.
    module: Any = sys.modules.get("keras.src.backend.jax.rnn")  # Any: attributes are replaced
    lax = getattr(module, "lax", None)
    if lax is None:
        yield
        return
    module.lax = SimpleNamespace(**{**vars(lax), "scan": partial(lax.scan, unroll=UNROLL)})
    try:
        yield
    finally:
        module.lax = lax


def why_not_vmapped(spec: RunSpec) -> str | None:
    """Why JAX cannot vectorise the spec's network over lanes; None if it can. Compiles nothing."""
    import_keras()
    import jax

    program = FleetProgram(spec, 2)
    variables = program.initial(spec)
    trainable, untrained = program._divide(variables.weights, 0)
    lanes = (
        _stack([trainable] * 2),
        _stack([untrained] * 2),
        _stack([list(variables.optimizer)] * 2),
    )
    tokens = np.zeros((4, spec.data.max_len), dtype=np.int32)
    placed = program._place(Part(tokens=tokens, labels=np.zeros(4, np.float32)))
    rows = np.zeros((2, 1, spec.recipe.batch_size), dtype=np.int32)
    try:
        jax.eval_shape(program._function("fleet epoch"), *lanes, placed, rows)
    except Exception as err:  # whatever a layer raises under vmap
        return named_line(err)
    return None


def _fill(lanes: Sequence[Any]) -> list[Any]:  # Any: one type, or None
    """The lanes, those without a run filled with another's."""
    some = next(lane for lane in lanes if lane is not None)
    return [some if lane is None else lane for lane in lanes]


def _stack(lanes: Sequence[Sequence[Any]]) -> list[Any]:
    """Arrays of each lane → arrays with the lanes as first axis."""
    return [
        np.stack([np.asarray(value) for value in values]) for values in zip(*lanes, strict=True)
    ]


def _lane(stacked: Sequence[NDArray[Any]], lane: int) -> list[NDArray[Any]]:
    return [np.array(values[lane]) for values in stacked]
