"""`rnnbench report`: from tracked runs to a page."""

import itertools
import time
import webbrowser
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rnnbench.claims.claims import add_notes, load_claims
from rnnbench.claims.kinds import Claim
from rnnbench.compare.baseline import find_baselines, find_floor
from rnnbench.compare.comparison import Declaration
from rnnbench.data.text_summaries import summaries_at_hand
from rnnbench.errors import RnnbenchError, StoreError, UsageError, unknown_name
from rnnbench.execution.process import call_in_process
from rnnbench.ledger import FOLDER, LOOKS_LOCK, Ledger
from rnnbench.looks import Look, declared_value
from rnnbench.output.amounts import plain, plural
from rnnbench.page.screen import Screen
from rnnbench.racing.record import read_races
from rnnbench.recorded_runs import NO_RUNS, RecordedRun, changed_at, read_runs
from rnnbench.reports.compose import (
    Report,
    compose_report,
    compose_timing_report,
    is_of_own_texts,
)
from rnnbench.reports.writer import FORMATS, LATEX, write_report
from rnnbench.study import TIMING
from rnnbench.study_files import bundled_studies, load_study
from rnnbench.timing.rows import TimingPart, compose_timing_part
from rnnbench.timing.sessions import read_sessions
from rnnbench.tracking.client import attach_files, experiment_names
from rnnbench.tracking.store import DATABASE, Store, find_store
from rnnbench.tracking.taken import take_runs
from rnnbench.tuning.record import read_records

REPORTS = "reports"
_RULE = {
    "margin_points": ("practical margin", " points"),
    "contrast": ("contrast", ""),
    "pairing": ("pairing", ""),
    "metric": ("metric", ""),
}


def report_study(
    study: str | None,
    view: Screen,
    root: Path,
    *,
    out: Path | None = None,
    formats: Sequence[str] = FORMATS,
    claims: Path | None = None,
    latex: bool = False,
    open_page: bool = False,
) -> Path:
    """Write a study's report, say what it found; the page's path.

    Args:
        study: its name; None takes the one that was worked on last.
        out: the folder for the page; None takes `reports/<study>`.
        claims: a file with claims of the user's own.
        latex: write tables for a paper too.
        open_page: show the page in the browser.

    Raises:
        UsageError: no such study, no runs at all, an unknown format, a mistake in the claims.
        StoreError: the folder cannot be written.
    """
    if not formats:
        raise UsageError(f"name a format; choose from {', '.join(FORMATS)}")
    for name in formats:
        if name not in FORMATS:
            raise UsageError(unknown_name("format", name, FORMATS))
    store, problem = find_store(root), ""
    if store.is_local and not ((root / FOLDER).exists() or (root / DATABASE).exists()):
        raise UsageError(NO_RUNS)  # before a ledger is made: looking makes nothing
    if study is None:
        study = _latest_study(store, Ledger(root, writable=False))
        view.say(f"study {study}")
    if study != TIMING and _may_have_others(store, study):
        try:
            with Ledger(root).locked(_refuse_to_wait):
                problem = _take_others(study, view, store)
        except StoreError as err:
            problem = str(err)
    written = _write(store, study, problem, out=out, formats=formats, claims=claims, latex=latex)
    for sentence in written.answer:
        view.say(sentence)
    for warning in written.warnings:
        view.warn(warning)
    _attach(written, view)
    view.say(f"report: {written.page}")
    if latex:
        view.say(_tell_latex(written))
    if open_page:
        webbrowser.open(written.page.resolve().as_uri())
    return written.page


def report_after_run(study: str, view: Screen, store: Store) -> None:
    """Write the report of a study that has just been worked on; a problem is said, not raised.

    A process of its own draws it, so that the parent of a study stays small. The ledger's lock must
    be held.

    Args:
        store: with the deadline of the command.
    """
    problem = "" if store.is_local else _take_others(study, view, store)
    try:
        written = call_in_process(_write, store, study, problem)
    except RnnbenchError as err:
        view.warn(f"no report was written: {err}")
        return
    _attach(written, view)
    view.say(f"report: {written.page}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A report that was written, and what it says first.

    Args:
        store: with the deadline of reading it.
        files: the page first.
        can_attach: whether MLflow could be read.
    """

    study: str
    store: Store
    folder: Path
    files: tuple[Path, ...]
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    can_attach: bool

    @property
    def page(self) -> Path:
        """What to open."""
        return self.files[0]


def find_declaration(study: str, declared: Sequence[Mapping[str, Any]]) -> Declaration:
    """What the study declared: by the ledger, else as bundled."""
    if declared:
        return _declaration(declared[-1]["declaration"], notes=tuple(_changes(declared)))
    if study in bundled_studies():
        return _declaration(load_study(study).declaration)
    return Declaration()


def _write(
    store: Store,
    study: str,
    problem: str,
    *,
    out: Path | None = None,
    formats: Sequence[str] = FORMATS,
    claims: Path | None = None,
    latex: bool = False,
) -> _Written:
    # A mistake in them is told before anything is read.
    own_claims = load_claims(claims, with_notes=False)
    unread: list[str] = []
    ledger = Ledger(store.root, on_problem=unread.append)
    timing = compose_timing_part(read_sessions(ledger.folder, unread.append))
    if study != TIMING:
        compose = partial(_compose, study, ledger, own_claims, timing, problem, unread.append)
        report = _look(study, ledger, compose)
    elif timing is None:
        raise UsageError("nothing was timed in this folder; begin with `rnnbench timing`")
    else:
        report = compose_timing_report(timing, add_notes(own_claims))
    folder = out or store.root / REPORTS / study
    has_store = not store.is_local or (store.root / DATABASE).exists()
    return _Written(
        study=study,
        store=store,
        folder=folder,
        files=tuple(write_report(report, folder, formats, latex=latex)),
        answer=report.answer,
        warnings=(*report.warnings, *unread),
        can_attach=not problem and has_store and find_spec("mlflow") is not None,
    )


def _look(study: str, ledger: Ledger, compose: Callable[..., Report]) -> Report:
    """The report, its look kept before anybody sees it; without verdicts where that cannot be.

    Two reports at a time look one after the other.

    Args:
        compose: makes a report of the study's looks, or without verdicts where those are `unkept`.
    """
    record = ledger.looks(study)
    with ExitStack() as held:
        with suppress(StoreError):  # of a folder that can only be read: nothing is added there
            held.enter_context(ledger.locked(name=LOOKS_LOCK))
        try:
            looks = record.read()
            report = compose(looks)
            if report.look is not None:
                record.add([report.look])
            return report
        except StoreError as err:
            return compose((), unkept=str(err))


def _compose(
    study: str,
    ledger: Ledger,
    own_claims: Sequence[Claim],
    timing: TimingPart | None,
    problem: str,
    on_problem: Callable[[str], None],
    looks: Sequence[Look],
    unkept: str = "",
) -> Report:
    found = read_runs(ledger, whole=study)
    kept = [run for run in found if not run.is_deleted]
    runs = [run for run in kept if run.study == study]
    if not runs:
        raise UsageError(_no_runs(study, {run.study for run in found}))
    declared, searches = ledger.declarations(study), None
    declaration = find_declaration(study, declared)
    if declaration.tuned:
        reviews = runs[0].spec.data.fingerprint
        searches = read_records(ledger.folder, reviews, on_problem)
    with summaries_at_hand(ledger.summaries(run.spec.data.fingerprint for run in runs)):
        return compose_report(
            study,
            runs,
            declaration,
            claims=own_claims if is_of_own_texts(runs) else add_notes(own_claims),
            baselines=find_baselines,
            floor=find_floor,
            looks=looks,
            looks_elsewhere=ledger.looks_elsewhere(study),
            unkept=unkept,
            planned=declared[-1].get("sections") if declared else None,
            others=[run for run in kept if run.study != study],
            searches=searches,
            timing=timing,
            races=read_races(ledger.folder, runs[0].spec.data.fingerprint),
            command=_command(study, runs),
            problem=problem,
            n_deleted=sum(run.study == study and run.is_deleted for run in found),
        )


def _latest_study(store: Store, ledger: Ledger) -> str:
    """The study that was worked on last in this folder, else the only one that MLflow has.

    Raises:
        UsageError: there is none, or MLflow has several and this folder none.
        StoreError: MLflow does not answer.
    """
    entries = ledger.entries()
    if entries:
        return max(entries, key=changed_at).study
    known = experiment_names(store) if _may_have_others(store) else []
    if not known:
        raise UsageError(NO_RUNS)
    if len(known) > 1:
        raise UsageError(f"name one of the studies: {', '.join(known)}")
    return known[0]


def _may_have_others(store: Store, study: str = "") -> bool:
    """Whether MLflow may have runs of the study, or of any, that the ledger has not.

    A database here is asked only for what the ledger has nothing of: it may have been lost.
    """
    if not store.is_local:
        return True
    is_known = study in Ledger(store.root, writable=False).studies()
    return not is_known and (store.root / DATABASE).exists()


def _take_others(study: str, view: Screen, store: Store) -> str:
    """Take in what others have of the study in MLflow; why it could not be asked, else nothing.

    The ledger's lock must be held.
    """
    try:
        taken = take_runs(store, Ledger(store.root, on_problem=view.warn), study, view.warn)
    except UsageError:  # it has no such experiment, and the ledger perhaps has
        return ""
    except StoreError as err:
        return str(err)
    if taken.entries:
        view.say(f"taken in: {plural(len(taken.entries), 'run')} of others from {store}")
    return ""


def _refuse_to_wait() -> None:
    """A report does not wait for the command that trains."""
    raise StoreError("another command is at work in this folder")


def _no_runs(study: str, known: Collection[str]) -> str:
    if study in known:
        return (
            f"every run of '{study}' was deleted in MLflow; restore them in its page, or run anew"
        )
    return unknown_name("study", study, known) if known else NO_RUNS


def _declaration(values: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Declaration:
    known = {item.name for item in fields(Declaration)}
    given = {key: value for key, value in values.items() if key in known}
    return Declaration(**given, notes=notes, is_changed=bool(notes))


def _changes(declared: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was changed after runs had been made is no longer declared before them."""
    for earlier, later in itertools.pairwise(declared):
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(later["declared_at"]))
        for name, (words, unit) in _RULE.items():
            before, after = (declared_value(item["declaration"], name) for item in (earlier, later))
            if before != after and None not in (before, after):
                yield (
                    f"The {words} was changed from {plain(before)} to {plain(after)}{unit} on "
                    f"{day}, after runs had been planned."
                )


def _command(study: str, runs: Sequence[RecordedRun]) -> str:
    """The words of the last command that made a run of the study."""
    for run in reversed(runs):
        if run.result is not None and "command" in run.result.environment:
            return run.result.environment["command"]
    return f"rnnbench run --study {study}" if study in bundled_studies() else ""


def _tell_latex(written: _Written) -> str:
    folder = written.folder / LATEX
    if any(file.parent == folder for file in written.files):
        return f"LaTeX tables: {folder}"
    if written.study == TIMING:
        return "no LaTeX tables were written: they are made of a study, not of what was timed"
    return "no LaTeX tables were written: no run has finished"


def _attach(written: _Written, view: Screen) -> None:
    """Keep the report with the study's last command in MLflow."""
    if not written.can_attach:
        return
    try:
        attach_files(written.store, written.study, written.folder, written.files, "report")
    except StoreError as err:
        view.warn(f"{err}; the report is in {written.folder} all the same")
