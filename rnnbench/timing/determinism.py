"""The same training twice: after which epoch do the weights differ, if ever?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnbench.errors import WorkerError
from rnnbench.ledger import Ledger
from rnnbench.models import import_keras
from rnnbench.timing.arms import Arm
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.measure import describe_error, make_model, make_reviews
from rnnbench.timing.plan import plan_arms, with_defaults
from rnnbench.timing.turns import call_in_fresh_process
from rnnbench.training.engines import require_gpu

if TYPE_CHECKING:
    from rnnbench.timing.screen import TimingScreen

EPOCHS = 10
N_STEPS = 64

EpochBits: TypeAlias = tuple[float, str]
"""After an epoch, the running average of its loss, and SHA-256 (hex) of every weight's bytes."""


def _follow_epochs(pipe: Connection, arm: Arm, seed: int, epochs: int) -> None:
    """Train, and send the list of `EpochBits`, or the sentence that says why there is none."""
    try:
        pipe.send(_train(arm, seed, epochs))
    except Exception as err:  # whatever a back end raises
        pipe.send(describe_error(err))


def find_first_difference(a: Sequence[EpochBits], b: Sequence[EpochBits]) -> int | None:
    """The first epoch, from 1 up, after which the weights differ; None if none does."""
    for epoch, ((_, one), (_, other)) in enumerate(zip(a, b, strict=True), start=1):
        if one != other:
            return epoch
    return None


def check_determinism(choices: TimingChoices, view: TimingScreen, root: Path) -> int:
    """Train each arm twice alike, say where the two part; how many do.

    Without an option that asks for combinations: as people write it, and with recurrent dropout,
    at the fewest units.

    Raises:
        RnnbenchError: bad input, or a process that failed.
    """
    known = with_defaults(choices)
    arms, left_out = plan_arms(replace(known, units=choices.units or known.units[:1]))
    for sentence in left_out:
        view.say(sentence)
    arms = [arm for arm in arms if not arm.is_control]
    if not choices.is_product:
        arms = [arm for arm in arms if arm.use_cudnn == "auto" or arm.recurrent_dropout]
    ledger = Ledger(root)
    n_differing = 0
    with ledger.locked(view.say_waiting):
        for arm in arms:
            first, second = (_follow(arm, choices.seed, ledger) for _ in range(2))
            epoch = find_first_difference(first, second)
            n_differing += epoch is not None
            view.say(f"{arm.name}: {_say_difference(epoch, first, second)}")
    return n_differing


def _follow(arm: Arm, seed: int, ledger: Ledger) -> list[EpochBits]:
    outcome: list[EpochBits] | str = call_in_fresh_process(
        _follow_epochs, arm, seed, EPOCHS, log=ledger.folder / "workers.log"
    )
    if isinstance(outcome, str):
        raise WorkerError(f"{arm.name}: {outcome}")
    return outcome


def _say_difference(
    epoch: int | None, first: Sequence[EpochBits], second: Sequence[EpochBits]
) -> str:
    if epoch is None:
        return f"the same to the last bit over {len(first)} epochs"
    (one, _), (other, _) = first[epoch - 1], second[epoch - 1]
    return f"differs from epoch {epoch} on (its losses: {one:.8f} and {other:.8f})"


def _train(arm: Arm, seed: int, epochs: int) -> list[EpochBits]:
    import_keras()
    import keras

    found: list[EpochBits] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras is untyped
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            digest = hashlib.sha256()
            for weight in self.model.get_weights():
                digest.update(weight.tobytes())
            found.append((float(logs["loss"]), digest.hexdigest()))

    if arm.device == "gpu":
        require_gpu(arm.backend)
    model = make_model(arm, seed)
    tokens, labels = make_reviews(N_STEPS * arm.batch_size, seed)
    model.fit(
        tokens,
        labels,
        batch_size=arm.batch_size,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[Watch()],
    )
    return found
