"""The race itself: a few settings trained side by side until each stops, or the time is over."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rnnbench.architectures import make_form
from rnnbench.execution.executor import Executor, Task
from rnnbench.racing.record import NETWORKS, Entrant, Setting, lowest_loss
from rnnbench.specs import EpochEnded, Failed, Finished, RunSpec

SIZES = ((32, 64), (8, 16), (64, 128))
"""Units and embedding size, in the order in which they are tried; the last if more is better."""
RATES = (1e-3, 3e-3, 1e-2)
STEPS_AN_EPOCH = 300
BATCH_SIZES = (4, 8, 16, 32, 64)


def choose_batch_size(n_train: int) -> int:
    """Texts a step: the most of `BATCH_SIZES` that give an epoch `STEPS_AN_EPOCH` steps.

    The notes' 64 for many texts: with few ones an epoch of it would hardly move the weights.
    """
    fitting = (size for size in BATCH_SIZES if size * STEPS_AN_EPOCH <= n_train)
    return max(fitting, default=BATCH_SIZES[0])


def list_settings(held: Mapping[str, float | int]) -> list[list[Setting]]:
    """The settings of each heat, with some values held; heats that this makes alike are one.

    Args:
        held: by the names of `Setting`.
    """
    rates = (float(held["learning_rate"]),) if "learning_rate" in held else RATES
    sizes = [
        (int(held.get("units", units)), int(held.get("embedding_size", size)))
        for units, size in SIZES
    ]
    return [
        [Setting(units=units, embedding_size=size, learning_rate=rate) for rate in rates]
        for units, size in dict.fromkeys(sizes)
    ]


@dataclass(kw_only=True)
class Heats:
    """Runs the heats one after the other; what came of each setting.

    Args:
        base: a run of the study; its data, recipe and back end are raced on.
        deadline: of `time.perf_counter`.
        on_entrant: told of each entrant when its last network stops.
    """

    base: RunSpec
    executor: Executor
    deadline: float
    on_entrant: Callable[[Entrant], None]
    _losses: dict[tuple[Setting, str], float] = field(default_factory=dict)
    _epochs: dict[tuple[Setting, str], int] = field(default_factory=dict)
    _over: set[tuple[Setting, str]] = field(default_factory=set)

    def carry_out(self, heats: Sequence[Sequence[Setting]]) -> Iterator[Entrant]:
        """Every entrant, in order; a heat that cannot change the outcome is left out."""
        best: list[float | None] = []
        for number, heat in enumerate(heats):
            if number and time.perf_counter() > self.deadline:
                break
            if number == len(SIZES) - 1 and not _is_rising(best):
                break
            self._train(heat)
            found = [self._entrant(setting) for setting in heat]
            best.append(lowest_loss(found))
            yield from found

    def _train(self, heat: Sequence[Setting]) -> None:
        runs = {
            self._spec(setting, network).fingerprint: (setting, network)
            for setting, network in itertools.product(heat, NETWORKS)
        }
        # A low rate takes many epochs: it starts first.
        tasks = [
            Task(spec=self._spec(*run), expected_seconds=1 / run[0].learning_rate)
            for run in runs.values()
        ]
        is_late = False
        for event in self.executor.run(tasks):
            run = runs[event.fingerprint]
            if isinstance(event, EpochEnded):
                self._epochs[run] = event.row.epoch
                loss = event.row.val_loss
                self._losses[run] = min(loss, self._losses.get(run, loss))
            elif isinstance(event, Finished | Failed):
                self._end(run, event)
            if not is_late and time.perf_counter() > self.deadline:
                is_late = True
                for fingerprint in runs:
                    self.executor.stop(fingerprint)

    def _end(self, run: tuple[Setting, str], event: Finished | Failed) -> None:
        if isinstance(event, Failed) or event.result.status != "finished":
            self._losses.pop(run, None)
        self._over.add(run)
        entrant = self._entrant(run[0])
        if entrant.is_over:
            self.on_entrant(entrant)

    def _entrant(self, setting: Setting) -> Entrant:
        runs = {name: (setting, name) for name in NETWORKS}
        return Entrant(
            setting=setting,
            losses={name: self._losses[run] for name, run in runs.items() if run in self._losses},
            epochs={name: self._epochs.get(run, 0) for name, run in runs.items()},
            is_over=all(run in self._over for run in runs.values()),
        )

    def _spec(self, setting: Setting, network: str) -> RunSpec:
        return replace(
            self.base,
            form=make_form(network, units=setting.units),
            embedding_size=setting.embedding_size,
            recipe=replace(self.base.recipe, learning_rate=setting.learning_rate),
            purpose="tuning",
        )


def _is_rising(best: Sequence[float | None]) -> bool:
    """Whether the first, larger networks beat the second, smaller ones."""
    first, second = (float("inf") if loss is None else loss for loss in best)
    return first <= second
