"""One architecture's search: Optuna asks and prunes, batch by batch, the same way every time.

Only what is over is kept in the storage, each trial whole and in the order of the numbers. What is
asked next follows from the trials of earlier batches and the seed alone, so a search that was
killed asks for the same trials again. Nothing depends on which run of a batch ended first.
"""

from __future__ import annotations

import datetime
import json
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from rnnbench.errors import StoreError, UsageError
from rnnbench.tracking.addresses import reason
from rnnbench.tuning.space import PARAMETERS, Choices, Params, Range, Space
from rnnbench.tuning.storage import JOURNAL
from rnnbench.tuning.trials import Proposal, Trial, TrialState, best_so_far

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

__all__ = ["BATCH", "PRUNERS", "SAMPLERS", "Method", "Search", "measure_importances", "put_aside"]

Sampler: TypeAlias = Literal["tpe", "random", "grid"]
Pruner: TypeAlias = Literal["median", "none"]
SAMPLERS: tuple[str, ...] = get_args(Sampler)
PRUNERS: tuple[str, ...] = get_args(Pruner)

BATCH = 6  # trials asked at once: enough to keep a few workers busy, few enough to learn from
N_BEFORE_PRUNING = 5  # complete trials before the median means anything; Optuna's default
N_WARMUP_EPOCHS = 10  # a small learning rate starts slowly
_DECLARATION = "rnnbench.declaration"
_BEGAN = "rnnbench.began"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a space is searched.

    Args:
        n_trials: how many trials there shall be in the end.
        first: tried before all others where the space holds it: the value of the notes.
        n_epochs: at most so many in a run.
    """

    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0
    n_trials: int = 30
    n_epochs: int = 100
    first: Mapping[str, float | int] | None = None


class Search:
    """An Optuna study, made if it is not there.

    Args:
        name: of the Optuna study.
        declaration: all that a trial's value and number depend on; plain values.
        place: of the storage, for messages.

    Attributes:
        trials: those that this program made and that are over.
        n_foreign: how many others the study has, which are left alone.
        began: local date and time; another after the search was put aside.

    Raises:
        UsageError: the study was declared otherwise; the difference is shown.
        StoreError: the storage does not answer, or one of its trials is damaged.
    """

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        *,
        space: Space,
        method: Method,
        declaration: Mapping[str, Any],  # Any: JSON values
        place: str = JOURNAL,
    ) -> None:
        self.name = name
        self._place = place
        self._space = space
        self._method = method
        self._grid = space.grid(method.n_trials) if method.sampler == "grid" else None
        with _storing(place), _quiet():
            import optuna

            self._study = optuna.create_study(
                study_name=name, storage=storage, direction="minimize", load_if_exists=True
            )
            self._declare(declaration)
            found = self._study.get_trials()
            own = [trial for trial in found if _is_own(trial)]
            self.trials = [self._from_optuna(*numbered) for numbered in enumerate(own)]
            self.n_foreign = len(found) - len(own)
            self.began = str(self._study.user_attrs[_BEGAN])

    @property
    def n_trials(self) -> int:
        """How many trials there shall be: a grid may have fewer than were asked for."""
        return self._method.n_trials if self._grid is None else len(self._grid)

    @property
    def is_over(self) -> bool:
        """Whether every trial is there."""
        return len(self.trials) >= self.n_trials

    def next_batch(self) -> list[Proposal]:
        """The trials of the first unfinished batch that are not over; empty at the end."""
        if self.is_over:
            return []
        start = len(self.trials) // BATCH * BATCH
        points = self._grid[start : start + BATCH] if self._grid else self._ask(start)
        proposals = [
            Proposal(number=number, params=params) for number, params in enumerate(points, start)
        ]
        return [found for found in proposals if len(self.trials) <= found.number < self.n_trials]

    def pruning(self) -> Callable[[Sequence[float]], bool]:
        """Whether a run shall be given up, from its validation losses so far.

        It compares with the complete trials of earlier batches: it is given up after an epoch if
        its best loss so far is above the median of theirs at that epoch. A trial that had stopped
        by then counts with its best.

        Source: Optuna's MedianPruner (Golovin et al. 2017, section 3.2.2).
        """
        if self._method.pruner == "none":
            return lambda losses: False
        import optuna

        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=N_BEFORE_PRUNING, n_warmup_steps=N_WARMUP_EPOCHS
        )
        view = self._view(optuna.samplers.RandomSampler(), fill=True)

        def prune(losses: Sequence[float]) -> bool:
            lowest = best_so_far(losses)
            running = optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING,
                intermediate_values={len(lowest): lowest[-1]} if lowest else {},
            )
            return bool(pruner.prune(view, running))

        return prune

    def tell(self, trial: Trial) -> None:
        """Keep a trial that is over; the next number, in one write."""
        assert trial.number == len(self.trials), "trials are told in the order of their numbers"
        with _storing(self._place):
            self._study.add_trial(_to_optuna(trial, _distributions(self._space)))
        self.trials.append(trial)

    def _ask(self, start: int) -> list[Params]:
        """The points of the batch that begins with trial `start`."""
        import numpy as np

        seed = int(np.random.SeedSequence([self._method.seed, start]).generate_state(1)[0])
        with _quiet():
            view = self._view(_make_sampler(self._method.sampler, seed), n_trials=start)
            first = self._method.first
            if start == 0 and first is not None and self._space.contains(first):
                view.enqueue_trial(dict(first))
            asked = [view.ask(_distributions(self._space)) for _ in range(BATCH)]
        return [_typed(trial.params) for trial in asked]

    def _view(
        self, sampler: BaseSampler, *, n_trials: int | None = None, fill: bool = False
    ) -> Study:
        """A study in memory that holds the trials of earlier batches and no others.

        Args:
            n_trials: so many of the first; None takes those of all whole batches.
            fill: let each curve go on to the last epoch with its best loss so far.
        """
        import optuna

        if n_trials is None:
            n_trials = len(self.trials) // BATCH * BATCH
        view = optuna.create_study(direction="minimize", sampler=sampler)
        distributions = _distributions(self._space)
        for trial in self.trials[:n_trials]:
            curve = best_so_far(trial.curve, self._method.n_epochs) if fill else trial.curve
            view.add_trial(_to_optuna(trial, distributions, curve))
        return view

    def _from_optuna(self, number: int, found: FrozenTrial) -> Trial:
        """Our trial of that number; Optuna counts those of others too."""
        try:
            return _from_optuna(found, number, self._space)
        except Exception as err:  # whatever a journal that was changed holds
            raise StoreError(
                f"trial {found.number} of '{self.name}' in {self._place} is damaged "
                f"({str(err)[:200]}); restore it, or start over with --fresh"
            ) from err

    def _declare(self, declaration: Mapping[str, Any]) -> None:  # Any: JSON values
        """Lay down what the search depends on, or check that it is still the same."""
        text = json.dumps(declaration, sort_keys=True)
        known = self._study.user_attrs.get(_DECLARATION)
        if known is None and not self._study.get_trials(deepcopy=False):
            self._study.set_user_attr(_BEGAN, datetime.datetime.now().isoformat())
            self._study.set_user_attr(_DECLARATION, text)
        elif known is None:
            raise UsageError(
                f"{self._place} has an Optuna study '{self.name}' that this program did not make; "
                "choose another --storage"
            )
        elif known != text:
            changes = _differences(json.loads(known), json.loads(text))
            raise UsageError(
                f"{self.name} was begun otherwise: {'; '.join(changes)}. Ask as it was begun, "
                "or start over with --fresh (the old trials are put aside)"
            )


def measure_importances(space: Space, trials: Sequence[Trial]) -> dict[str, float]:
    """How much of the value's variance each parameter explains; empty where that is unknown.

    Source: Hutter et al. 2014 (fANOVA), as Optuna computes it from the complete trials.
    """
    import optuna

    complete = [trial for trial in trials if trial.state == "complete"]
    if len(complete) < 4:
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _quiet():
        view = optuna.create_study(direction="minimize")
        view.add_trials([_to_optuna(trial, _distributions(space)) for trial in complete])
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        try:
            found = optuna.importance.get_param_importances(view, evaluator=evaluator)
        except (RuntimeError, ValueError):  # all values are equal
            return {}
    return {name: float(share) for name, share in found.items()}


def put_aside(storage: BaseStorage, name: str) -> bool:
    """Give an Optuna study another name, so that the next one starts over; whether it was there.

    Raises:
        StoreError: the storage does not answer.
    """
    import optuna

    with _storing(JOURNAL), _quiet():
        if name not in optuna.get_all_study_names(storage):
            return False
        stamp = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S.%f")
        optuna.copy_study(
            from_study_name=name,
            from_storage=storage,
            to_storage=storage,
            to_study_name=f"{name} (put aside {stamp})",
        )
        optuna.delete_study(study_name=name, storage=storage)
    return True


def _make_sampler(name: str, seed: int) -> BaseSampler:
    import optuna

    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed)


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {name: _distribution(name, domain) for name, domain in space.domains.items()}


def _distribution(name: str, domain: Range | Choices) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(domain, Choices):
        return CategoricalDistribution(domain.values)
    if PARAMETERS[name] is int:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


def _typed(params: Mapping[str, Any]) -> Params:  # Any: what a distribution holds
    return {name: PARAMETERS[name](value) for name, value in params.items()}


_NOTES = ("losses", "epochs", "seconds", "reason")


def _to_optuna(
    trial: Trial,
    distributions: Mapping[str, BaseDistribution],
    curve: Sequence[float] | None = None,
) -> FrozenTrial:
    from optuna.trial import FrozenTrial, TrialState

    states = {
        "complete": TrialState.COMPLETE,
        "pruned": TrialState.PRUNED,
        "failed": TrialState.FAIL,
    }
    ended = datetime.datetime.now()
    losses = trial.curve if curve is None else curve
    return FrozenTrial(
        number=trial.number,
        trial_id=-1,
        state=states[trial.state],
        value=trial.value,
        datetime_start=ended - datetime.timedelta(seconds=trial.seconds),
        datetime_complete=ended,
        params=dict(trial.params),
        distributions=dict(distributions),
        user_attrs={name: getattr(trial, name) for name in _NOTES},
        system_attrs={},
        intermediate_values={
            epoch: loss for epoch, loss in enumerate(losses, start=1) if math.isfinite(loss)
        },
    )


def _is_own(found: FrozenTrial) -> bool:
    """Whether `_to_optuna` made it: others can add to the study, and queue what is to be tried."""
    return found.state.is_finished() and found.user_attrs.keys() >= set(_NOTES)


def _from_optuna(found: FrozenTrial, number: int, space: Space) -> Trial:
    from optuna.trial import TrialState as State

    params = _typed(found.params)
    if not space.contains(params):
        raise ValueError(f"{params} is not in the space")
    states: dict[State, TrialState] = {State.COMPLETE: "complete", State.PRUNED: "pruned"}
    notes = {name: found.user_attrs[name] for name in _NOTES}
    steps = found.intermediate_values
    return Trial(
        number=number,
        params=params,
        state=states.get(found.state, "failed"),
        value=found.value if found.state == State.COMPLETE else None,
        curve=tuple(steps[step] for step in sorted(steps)),
        **{**notes, "losses": tuple(notes["losses"])},
    )


def _differences(before: object, after: object, name: str = "") -> list[str]:
    """`space.learning_rate.high was 0.1 and is now 0.01`, for each value that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for key in sorted(before.keys() | after.keys())
            for change in _differences(
                before.get(key), after.get(key), f"{name}.{key}" if name else key
            )
        ]
    if before == after:
        return []
    old, new = ("absent" if value is None else value for value in (before, after))
    return [f"{name} was {old} and is now {new}"]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's announcements of what it calls experimental."""
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        yield


@contextmanager
def _storing(place: str) -> Iterator[None]:
    """Turns whatever a storage raises into StoreError."""
    try:
        yield
    except (StoreError, UsageError):
        raise
    except Exception as err:  # whatever a journal, a database's driver or the network raises
        raise StoreError(f"Optuna's storage does not take trials ({place}: {reason(err)})") from err
