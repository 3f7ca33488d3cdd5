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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rnnbench.entries import Parent
from rnnbench.errors import StoreError, UsageError
from rnnbench.specs import RunSpec
from rnnbench.tracking.addresses import reason, show_address
from rnnbench.tuning.plan import BATCH, Tuning
from rnnbench.tuning.space import PARAMETERS, Params, Range, Space
from rnnbench.tuning.storage import JOURNAL
from rnnbench.tuning.trials import Trial, TrialState, best_so_far

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

N_BEFORE_PRUNING = 5  # complete trials before the median means anything; Optuna's default
N_WARMUP_EPOCHS = 10  # a small learning rate starts slowly
_DECLARATION = "rnnbench.declaration"
_BEGAN = "rnnbench.began"
_NOTES = ("losses", "epochs", "seconds", "reason")
_STATES: Mapping[TrialState, str] = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


class Search:
    """An architecture's Optuna study, made if it is not there.

    Attributes:
        place: where Optuna keeps it, without a password.
        trials: those that this program made and that are over.
        n_foreign: how many others the study has, which are left alone.
        began: local date and time; another after the search was put aside.

    Raises:
        UsageError: the study was declared otherwise; the difference is shown.
        StoreError: the storage does not answer, or one of its trials is damaged.
    """

    def __init__(self, tuning: Tuning, architecture: str, storage: BaseStorage) -> None:
        self.architecture = architecture
        self.name = tuning.search_name(architecture)
        self._tuning = tuning
        self.place = show_address(tuning.choices.storage or JOURNAL)
        is_grid = tuning.choices.sampler == "grid"
        self._grid = tuning.space.grid(tuning.choices.trials) if is_grid else None
        with _storing(self.place), _quiet():
            import optuna

            self._distributions = _distributions(tuning.space)
            self._study = optuna.create_study(
                study_name=self.name, storage=storage, direction="minimize", load_if_exists=True
            )
            self._declare(tuning.declaration(architecture))
            found = self._study.get_trials()
            # Others can add to the study, and queue what is to be tried.
            own = [t for t in found if t.state.is_finished() and t.user_attrs.keys() >= {*_NOTES}]
            self.trials = [self._read(*numbered) for numbered in enumerate(own)]
            self.n_foreign = len(found) - len(own)
            self.began = str(self._study.user_attrs[_BEGAN])

    @property
    def n_trials(self) -> int:
        """How many trials there shall be: a grid may have fewer than were asked for."""
        return self._tuning.choices.trials if self._grid is None else len(self._grid)

    @property
    def is_over(self) -> bool:
        """Whether every trial is there."""
        return len(self.trials) >= self.n_trials

    def specs(self, params: Params) -> tuple[RunSpec, ...]:
        """The runs of a trial, one a tuning seed."""
        return self._tuning.specs(self.architecture, params)

    def chain(self, number: int | None = None) -> tuple[Parent, ...]:
        """The search, and the trial in it; a search that was started over has other keys."""
        key = f"{self.name} {self.began}"
        whole = Parent(key=key, name=self.name)
        if number is None:
            return (whole,)
        return whole, Parent(key=f"{key} trial {number}", name=f"trial {number}")

    def next_batch(self) -> list[Trial]:
        """The trials of the first unfinished batch that are not over; empty at the end."""
        if self.is_over:
            return []
        start = self._n_in_batches
        points = self._grid[start : start + BATCH] if self._grid else self._ask()
        asked = [
            Trial(number=number, params=params, state=None)
            for number, params in enumerate(points, start)
        ]
        return asked[len(self.trials) - start : self.n_trials - start]

    def pruning(self) -> Callable[[Sequence[float]], bool]:
        """Whether a run shall be given up, from its validation losses so far.

        It compares with the complete trials of earlier batches: it is given up after an epoch if
        its best loss so far is above the median of theirs at that epoch. A trial that had stopped
        by then counts with its best.

        Source: Optuna's MedianPruner (Golovin et al. 2017, section 3.2.2).
        """
        if self._tuning.choices.pruner == "none":
            return lambda losses: False
        import optuna

        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=N_BEFORE_PRUNING, n_warmup_steps=N_WARMUP_EPOCHS
        )
        n_epochs = self.specs({})[0].recipe.epochs
        view = self._view(optuna.samplers.RandomSampler(), n_epochs)

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
        with _storing(self.place):
            self._study.add_trial(_to_optuna(trial, self._distributions))
        self.trials.append(trial)

    @property
    def _n_in_batches(self) -> int:
        """How many trials the whole batches have that are over."""
        return len(self.trials) // BATCH * BATCH

    def _ask(self) -> list[Params]:
        """The points of the next batch."""
        import numpy as np
        import optuna

        start, choices = self._n_in_batches, self._tuning.choices
        seed = int(np.random.SeedSequence([choices.sampler_seed, start]).generate_state(1)[0])
        samplers = optuna.samplers
        make = samplers.RandomSampler if choices.sampler == "random" else samplers.TPESampler
        with _quiet():
            view = self._view(make(seed=seed))
            first = self._tuning.textbook_params(self.architecture) if start == 0 else None
            if first is not None and self._tuning.space.contains(first):
                view.enqueue_trial(dict(first))
            asked = [view.ask(self._distributions) for _ in range(BATCH)]
        return [_typed(trial.params) for trial in asked]

    def _view(self, sampler: BaseSampler, n_epochs: int = 0) -> Study:
        """A study in memory that holds the trials of whole batches and no others.

        Args:
            n_epochs: each curve goes on to this epoch with its best loss so far; 0 for the curves
                as they were.
        """
        import optuna

        view = optuna.create_study(direction="minimize", sampler=sampler)
        for trial in self.trials[: self._n_in_batches]:
            curve = best_so_far(trial.curve, n_epochs) if n_epochs else trial.curve
            filled = replace(trial, curve=tuple(curve))
            view.add_trial(_to_optuna(filled, self._distributions))
        return view

    def _read(self, number: int, found: FrozenTrial) -> Trial:
        """Our trial of that number, as it was told; Optuna counts those of others too."""
        states = {theirs: ours for ours, theirs in _STATES.items()}
        try:
            params = _typed(found.params)
            if not self._tuning.space.contains(params):
                raise ValueError(f"{params} is not in the space")
            state = states[found.state.name]
            notes = {name: found.user_attrs[name] for name in _NOTES}
            steps = found.intermediate_values
            return Trial(
                number=number,
                params=params,
                state=state,
                value=found.value if state == "complete" else None,
                curve=tuple(steps[step] for step in sorted(steps)),
                **{**notes, "losses": tuple(notes["losses"])},
            )
        except Exception as err:  # whatever a journal that was changed holds
            raise StoreError(
                f"trial {found.number} of '{self.name}' in {self.place} is damaged "
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
                f"{self.place} has an Optuna study '{self.name}' that this program did not make; "
                "choose another --storage"
            )
        elif known != text:
            changes = _differences(json.loads(known), json.loads(text))
            raise UsageError(
                f"{self.name} was started with other settings: {'; '.join(changes)}. Use the same "
                "settings, or start over with --fresh (the old trials are put aside)"
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
        distributions = _distributions(space)
        view.add_trials([_to_optuna(trial, distributions) for trial in complete])
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


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for name, domain in space.domains.items():
        if not isinstance(domain, Range):
            found[name] = CategoricalDistribution(domain)
        elif PARAMETERS[name] is int:
            found[name] = IntDistribution(int(domain.low), int(domain.high), log=domain.log)
        else:
            found[name] = FloatDistribution(domain.low, domain.high, log=domain.log)
    return found


def _typed(params: Mapping[str, Any]) -> Params:  # Any: what a distribution holds
    return {name: PARAMETERS[name](value) for name, value in params.items()}


def _to_optuna(trial: Trial, distributions: Mapping[str, BaseDistribution]) -> FrozenTrial:
    import optuna

    assert trial.state is not None, "only what is over is kept"
    ended = datetime.datetime.now()
    return optuna.trial.FrozenTrial(
        number=trial.number,
        trial_id=-1,
        state=optuna.trial.TrialState[_STATES[trial.state]],
        value=trial.value,
        datetime_start=ended - datetime.timedelta(seconds=trial.seconds),
        datetime_complete=ended,
        params=dict(trial.params),
        distributions=dict(distributions),
        user_attrs={name: getattr(trial, name) for name in _NOTES},
        system_attrs={},
        intermediate_values={
            epoch: loss for epoch, loss in enumerate(trial.curve, start=1) if math.isfinite(loss)
        },
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
