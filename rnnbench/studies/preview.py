"""`rnnbench run --dry-run`: what would be run, at once; nothing is started or written."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from rnnbench.compare.baseline import find_floor
from rnnbench.compare.comparison import find_unlearned
from rnnbench.data.cache import open_corpus
from rnnbench.data.imdb import find_imdb
from rnnbench.data.tables import OwnChoices
from rnnbench.datasets import DatasetRef, is_table, resolve_dataset, stem_of_table
from rnnbench.execution.engines import foresee_executor
from rnnbench.ledger import Ledger
from rnnbench.named_networks import name_networks
from rnnbench.output.amounts import listed, plural
from rnnbench.racing.record import Setting
from rnnbench.recorded_runs import RecordedRun
from rnnbench.run_options import RunChoices
from rnnbench.specs import SYNTHETIC, PluginForm
from rnnbench.studies.compose import compose_study
from rnnbench.studies.plan import Plan, expand_for, settle_study
from rnnbench.studies.results import Results, title_of
from rnnbench.studies.sameness import tell_same
from rnnbench.studies.screen import PreviewScreen
from rnnbench.studies.summary import summarise
from rnnbench.study import Study
from rnnbench.tracking.store import find_store
from rnnbench.tuning.winners import refuse_untuned


class _NotReadError(Exception):
    """The cache lacks the texts."""


def preview_study(choices: RunChoices, view: PreviewScreen, root: Path) -> Results:
    """Say what `run_study` would do; the study as it stands.

    Neither a process nor Keras is needed for that, and nothing is written, in the folder or in the
    cache. What only they can tell is said to be found out later.

    Raises:
        RnnbenchError: bad input, or data or folder out of reach.
    """
    plan, open_ = _foresee(choices, view, root)
    results = _take_stock(plan, is_open=bool(open_))
    view.show_plan(plan)
    view.show_settings(plan, open_)
    for sentence in tell_same(plan.study, len(results.rows)):
        view.say(f"the same  {sentence}")
    for name, n_runs in _count_elsewhere(results).items():
        view.say(f"the same  {plural(n_runs, 'run')} as in the study {name}, to be taken over")
    for sentence in _tell_later(plan, choices):
        view.say(f"later     {sentence}")
    view.show_results(results)
    return results


def _foresee(choices: RunChoices, view: PreviewScreen, root: Path) -> tuple[Plan, frozenset[str]]:
    """The plan as far as it is known, and the names of what the texts, or a race, will decide."""
    study = compose_study(choices)
    find_store(root)
    ledger = Ledger(root, writable=False, on_problem=view.warn)
    study = name_networks(study, ledger, view.say)
    if choices.tuned:
        refuse_untuned(ledger.folder, study)
    workers = foresee_executor(choices.placing, ledger.folder)
    dataset = _recall(study)
    n_train, open_ = 0, set[str]()
    if dataset.fingerprint:
        n_train = open_corpus(dataset.fingerprint).train.n_reviews
        study = settle_study(study, dataset, choices, workers, ledger, view, open_.update)
    else:
        choices.racing.refuse_elsewhere(dataset.name)
        open_ = _list_open(study, dataset, choices)
    plan = Plan(
        study=study,
        specs=tuple(expand_for(study, dataset, workers)),
        dataset=dataset,
        workers=workers,
        ledger=ledger,
        n_train=n_train,
        fresh=choices.fresh,
    )
    return plan.refreshed(), frozenset(open_)


def _recall(study: Study) -> DatasetRef:
    """The prepared reviews; without a fingerprint where `run` is to read or fetch them first.

    Raises:
        RnnbenchError: as `resolve_dataset`, but for what is wrong in a file that was not read.
    """
    choice = study.dataset
    if choice in ("auto", "imdb") and find_imdb() is None:
        return DatasetRef(name="imdb", fingerprint="", origin="to be downloaded")
    try:
        return resolve_dataset(choice, on_preparing=_refuse_to_read, own=OwnChoices(**study.own))
    except _NotReadError:
        name = stem_of_table(choice) if is_table(choice) else "imdb"
        name = SYNTHETIC if choice.startswith(SYNTHETIC) else name
        return DatasetRef(name=name, fingerprint="", origin="not read yet")


def _list_open(study: Study, dataset: DatasetRef, choices: RunChoices) -> set[str]:
    """What is chosen for texts of the user's once they are read, as far as it is left open."""
    if not dataset.is_own:
        return set()
    raced = {"batch_size", *(item.name for item in fields(Setting))} if choices.racing.race else ()
    sizes = {"embedding_size"} if study.embedding_sizes else set()
    held = {*study.data, *study.recipe, *study.hyperparameters, *sizes}
    return {"max_len", "num_words", *raced} - held


def _refuse_to_read() -> None:
    raise _NotReadError


def _take_stock(plan: Plan, *, is_open: bool) -> Results:
    """The runs of the plan with what is known of them.

    Args:
        is_open: whether settings are yet to be chosen, so that no parameters can be counted.
    """
    study, folder = plan.study, plan.ledger.folder.parent
    left = {task.spec for task in plan.tasks}
    runs = []
    for spec in plan.specs:
        entry = None if spec in left else plan.find(spec)
        place = entry or plan.ledger.entry(study.name, spec)
        result = None if entry is None else entry.result()
        runs.append(RecordedRun(study=study.name, spec=spec, result=result, folder=place.folder))
    unlearned = find_unlearned(runs, find_floor, study.metric) or frozenset()
    rows = summarise(runs, vary_split=study.vary_split, unlearned=unlearned)
    return Results(
        study=study.name,
        title=title_of(plan),
        notice=plan.dataset.notice,
        metric=study.metric,
        folder=folder,
        runs=tuple(runs),
        rows=tuple(replace(row, n_parameters=None) if is_open else row for row in rows),
        sentences=(),
    )


def _count_elsewhere(results: Results) -> Counter[str]:
    """By study, how many finished runs of it are the same as runs of this one."""
    places = (run.folder.parent.name for run in results.runs if run.folder is not None)
    return Counter(name for name in places if name != results.study)


def _tell_later(plan: Plan, choices: RunChoices) -> Iterator[str]:
    """What is found out before the first run, and is not known here."""
    if not plan.dataset.fingerprint:
        yield (
            f"{plan.dataset.name} is read and checked; until then it is not known which runs are "
            "done"
        )
    if choices.placing.executor == "ray":
        yield "the cluster is joined, whose devices may decide on the engine"
    names = {spec.form.name: None for spec in plan.specs if isinstance(spec.form, PluginForm)}
    if names:
        yield f"Keras builds, trains and saves {listed([*names])} once"
    if plan.workers.engine.engine == "fleet":
        yield "JAX says which networks it can vectorise"
