"""What a study on own texts takes where nobody set it: by their size, and by a race."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import Corpus
from rnnbench.data.sight import choose_sight
from rnnbench.datasets import DatasetRef
from rnnbench.errors import UsageError
from rnnbench.execution.engines import Workers
from rnnbench.formats import why_failed
from rnnbench.ledger import Ledger
from rnnbench.page.screen import Screen
from rnnbench.racing.race import Heats, choose_batch_size, list_settings
from rnnbench.racing.record import Race, Setting, find_race, write_race
from rnnbench.racing.screen import show_entrant, show_race, tell_limit, tell_winner
from rnnbench.specs import RunSpec
from rnnbench.study import OTHER_CELLS, Study, expand_study

SEED = 1000  # tuning counts from here; reports count from 0
LOCK = "race.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Racing:
    """With what a race is run, and where it is kept.

    Args:
        limit_seconds: when it ends; 0 for no race, which leaves the notes' recipe as it is.
        is_fresh: whether a race that was kept does not count.
        on_open: called in place of a race that would have to be run, with the names of what it
            would choose; None where it is run.
    """

    workers: Workers
    ledger: Ledger
    limit_seconds: float
    is_fresh: bool
    view: Screen
    on_open: Callable[[Collection[str]], object] | None = None


def without_values_of_imdb(study: Study) -> Study:
    """A bundled study for other texts: what it lays down of one value was chosen for IMDB."""
    return replace(
        study,
        data=_grids(study.data, ("num_words", "max_len")),
        recipe=_grids(study.recipe, ("learning_rate", "batch_size")),
    )


def with_defaults(study: Study, dataset: DatasetRef, racing: Racing) -> Study:
    """The study with every value that it leaves open, for texts of the user's own; else as it is.

    Raises:
        UsageError: the study has the race's seed.
        StoreError: the folder cannot be written.
    """
    if not dataset.is_own:
        return study
    corpus = open_corpus(dataset.fingerprint)
    study = replace(study, data={**_see(corpus), **study.data})
    held = _find_held(study)
    if not racing.limit_seconds:
        return study
    batch_size = choose_batch_size(corpus.n_training)
    study = replace(study, recipe={"batch_size": (batch_size,), **study.recipe})
    if len(held) == len(fields(Setting)):
        return study
    if SEED in study.seeds:
        raise UsageError(
            f"seed {SEED} chooses the settings in a race; networks must be measured on others: "
            "leave it out of --seeds"
        )
    base = _first_run(study, dataset, racing.workers)
    if racing.on_open is None:
        return _with_setting(study, _find_or_run(base, held, racing), held)
    kept = _find(base, held, racing)
    if kept is not None:
        return _with_setting(study, kept, held)
    racing.on_open([item.name for item in fields(Setting) if item.name not in held])
    return study


def _grids(
    table: Mapping[str, tuple[Any, ...]],  # Any: TOML values
    of_imdb: Collection[str],
) -> dict[str, tuple[Any, ...]]:
    """The table without single values that were chosen for IMDB."""
    return {
        name: values for name, values in table.items() if name not in of_imdb or len(values) > 1
    }


def _see(corpus: Corpus) -> dict[str, tuple[int]]:
    sight = choose_sight(corpus)
    return {"max_len": (sight.max_len,), "num_words": (sight.num_words,)}


def _find_held(study: Study) -> dict[str, float | int]:
    """What the study itself lays down of a `Setting`; the first value of a grid."""
    found: dict[str, Any] = {**study.hyperparameters, **study.recipe}  # Any: values of a grid
    if study.embedding_sizes:
        found["embedding_size"] = study.embedding_sizes
    return {item.name: found[item.name][0] for item in fields(Setting) if item.name in found}


def _first_run(study: Study, dataset: DatasetRef, workers: Workers) -> RunSpec:
    """On its data, by its recipe, with the race's seed."""
    (spec, *_) = expand_study(
        replace(study, seeds=(SEED,)),
        dataset.spec,
        backend=workers.placement.backend,
        engine=workers.engine.engine,
    )
    return spec


def _find_or_run(base: RunSpec, held: Mapping[str, float | int], racing: Racing) -> Race:
    """One command races at a time: the next finds what it kept."""
    ledger, view = racing.ledger, racing.view
    with ledger.locked(view.say_waiting, LOCK):
        kept = _find(base, held, racing)
        if kept is not None:
            return kept
        race = _run(base, held, racing)
        if race.is_decided:
            try:
                write_race(ledger.folder, race)
            except OSError as err:
                view.warn(
                    f"the race cannot be kept ({why_failed(err)}); the next command races again"
                )
    show_race(race, view, is_kept=False)
    return race


def _find(base: RunSpec, held: Mapping[str, float | int], racing: Racing) -> Race | None:
    """The race that was kept of such runs, and counts."""
    if racing.is_fresh:
        return None
    kept = find_race(racing.ledger.folder, base, held, racing.view.warn)
    if kept is None or (kept.was_cut and racing.limit_seconds > kept.limit_seconds):
        return None  # more time was given
    show_race(kept, racing.view, is_kept=True)
    return kept


def _run(base: RunSpec, held: Mapping[str, float | int], racing: Racing) -> Race:
    tell_limit(base.data.dataset, racing.limit_seconds, racing.view)
    began = time.perf_counter()
    heats = Heats(
        base=base,
        executor=racing.workers.executor,
        deadline=began + racing.limit_seconds,
        on_entrant=lambda entrant: show_entrant(entrant, racing.view),
    )
    entrants = tuple(heats.carry_out(list_settings(held)))
    return Race(
        data=base.data,
        held=dict(held),
        recipe=base.recipe,
        seed=base.seed,
        limit_seconds=racing.limit_seconds,
        seconds=time.perf_counter() - began,
        entrants=entrants,
    )


def _with_setting(study: Study, race: Race, held: Mapping[str, float | int]) -> Study:
    """The study with what won, where it is not held; and a description that says so."""
    units, embedding_size = race.size
    hyperparameters, sizes, recipe = study.hyperparameters, study.embedding_sizes, study.recipe
    if "units" not in held and any("units" in study.kinds(name) for name in study.architectures):
        hyperparameters = {**hyperparameters, "units": (units,)}
    if "embedding_size" not in held:
        sizes = (embedding_size,)
    rates = race.rates
    if len({*rates.values()}) == 1:
        recipe = {"learning_rate": (rates[OTHER_CELLS],), **recipe}
        rates = {}
    return replace(
        study,
        hyperparameters=hyperparameters,
        embedding_sizes=sizes,
        recipe=recipe,
        rates=rates,
        description="; ".join(filter(None, (study.description, tell_winner(race)))),
    )
