"""`rnnbench export` and `rnnbench import`: a study as one file, from machine to machine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rnnbench.archived_runs import check_run
from rnnbench.archives import CARD, Beside, read_archive, write_archive
from rnnbench.compare.baseline import fit_baselines, pack_baselines
from rnnbench.data.cache import list_corpora
from rnnbench.data.text_summaries import (
    TextSummary,
    find_summary,
    parse_summary,
    summaries_at_hand,
    summarise_texts,
)
from rnnbench.data.tokenizer import TOKENIZER
from rnnbench.entries import LedgerEntry
from rnnbench.errors import ArchiveError, DataError, StoreError, UsageError
from rnnbench.formats import FormatError, is_there, why_failed
from rnnbench.ledger import LOOKS_LOCK, Ledger
from rnnbench.output.amounts import plural, size
from rnnbench.page.drawing import draw_loss_curve
from rnnbench.page.screen import Screen
from rnnbench.racing.archived import check_races, keep_races, pack_races
from rnnbench.recorded_runs import MODEL, RecordedRun, find_runs
from rnnbench.recording import pack_tokenizer
from rnnbench.reports.report import find_declaration
from rnnbench.runs.card import write_card
from rnnbench.specs import SYNTHETIC, DataSpec, RunSpec
from rnnbench.tracking.provenance import tag_command
from rnnbench.tracking.relocate import relocate_artifacts
from rnnbench.tracking.store import DATABASE, find_store
from rnnbench.tracking.taken import Taken, take_runs
from rnnbench.tracking.tracker import Tracker

MLFLOW = "mlflow:"


def export_study(study: str, path: Path, view: Screen, root: Path) -> None:
    """Write the study's runs that are over, and not deleted in MLflow, into one file.

    Raises:
        UsageError: no such study, or none of its runs can be exported.
        StoreError: the file cannot be written.
    """
    if is_there(path):
        raise UsageError(f"{path} already exists; name another file, or remove it")
    ledger = Ledger(root, writable=False, on_problem=view.warn)
    looks = ledger.looks(study).read()  # a record that is damaged ends the command before the work
    found = [run for run in find_runs(ledger, study) if ledger.is_sound(run.entry)]
    kept = [run for run in found if not run.is_deleted]
    if len(kept) < len(found):
        view.warn(f"left out, because deleted in MLflow: {plural(len(found) - len(kept), 'run')}")
    over = [
        run.entry for run in kept if run.result is not None and _can_be_imported(run.entry, view)
    ]
    if not over and any(run.result is not None for run in found):
        raise UsageError(f"no run of '{study}' is left to export; see the warnings")
    if not over:
        raise UsageError(
            f"no run of '{study}' is over and complete; the command that began it goes on"
        )
    names = {entry.fingerprint for entry in over}
    exported = [run for run in kept if run.spec.fingerprint in names]
    beside = replace(_pack(ledger, study, exported, path.name, view), looks=looks)
    try:
        write_archive(path, study, over, ledger.declarations(study), beside)
    except OSError as err:
        raise StoreError(f"cannot write {path}: {why_failed(err)}") from err
    left = sum(run.result is None for run in kept)
    n_runs, n_bytes = plural(len(over), "run"), size(path.stat().st_size)
    view.say(f"exported: {n_runs} of '{study}' to {path} ({n_bytes}), with a model card, {CARD}")
    if left:
        view.warn(f"left out, because not over: {plural(left, 'run')}")
    view.say(f"On the other machine: rnnbench import {path.name}")


def _pack(
    ledger: Ledger, study: str, runs: Sequence[RecordedRun], archive: str, view: Screen
) -> Beside:
    """What goes along with the runs."""
    specs = [run.spec for run in runs]
    summaries = _summarise(ledger, specs, view)
    with summaries_at_hand(summaries):
        declared = find_declaration(study, ledger.declarations(study))
        card = write_card(study, runs, declared, archive)
    folders = {run.spec: run.entry.folder for run in runs}
    return Beside(
        races=pack_races(ledger.folder, specs),
        summaries=summaries,
        card=card,
        tokenizers={
            spec.fingerprint: pack_tokenizer(spec.data)
            for spec, folder in folders.items()
            if (folder / MODEL).exists() and not (folder / TOKENIZER).exists()
        },
    )


def _summarise(ledger: Ledger, specs: Sequence[RunSpec], view: Screen) -> dict[str, TextSummary]:
    """What a report elsewhere needs to know of the texts, which stay here.

    From the cache, its baselines fitted now where it has none; else as it came with the study.
    """
    found = ledger.summaries(spec.data.fingerprint for spec in specs)
    for fingerprint in {spec.data.fingerprint for spec in specs}:
        ours = [spec for spec in specs if spec.data.fingerprint == fingerprint]
        try:
            find_summary(ours[0].data)
            fit_baselines(ours, view.say)
            data = [*dict.fromkeys(spec.data for spec in ours)]
            packed = summarise_texts(data, pack_baselines(ours))
            found[fingerprint] = parse_summary(packed.to_json())  # as it is read elsewhere
        except (DataError, FormatError) as err:
            if fingerprint not in found:
                view.warn(
                    f"nothing of the texts of {ours[0].data.dataset} goes along, so that a report "
                    f"elsewhere leaves baselines and classes out: {err}"
                )
    return found


def _can_be_imported(entry: LedgerEntry, view: Screen) -> bool:
    """Whether the other machine would take the run; one that it would not is told."""
    try:
        check_run(entry.study, entry.folder)
    except ArchiveError as err:
        view.warn(f"{err}; it is not in the archive")
        return False
    return True


def import_study(source: str, address: str | None, view: Screen, root: Path) -> None:
    """Take in the runs of an archive or an experiment that are not here yet, and publish them.

    Args:
        source: a file, or `mlflow:` and the experiment's name.
        address: of the MLflow store that has it; None takes the one that this folder publishes to.

    Raises:
        ArchiveError: the archive is refused; nothing was taken in.
        UsageError: there is no such experiment, or a file is named and a store.
        StoreError: the experiment's store does not answer, or the ledger cannot be written.
    """
    if address and not source.startswith(MLFLOW):
        raise UsageError(f"--tracking-uri says where {MLFLOW}EXPERIMENT is; a file needs none")
    store, maker = find_store(root), {"command": f"rnnbench import {Path(source).name}"}
    ledger = Ledger(root, made_by=maker, on_problem=view.warn)
    with ledger.locked(view.say_waiting):
        if source.startswith(MLFLOW):
            there = find_store(root, {"MLFLOW_TRACKING_URI": address}) if address else store
            taken = take_runs(there, ledger, source.removeprefix(MLFLOW), view.warn)
        else:
            taken = _take_archive(Path(source), ledger, view)
        study, entries, n_runs = taken.study, taken.entries, plural(len(taken.entries), "run")
        tracker = Tracker(
            ledger, study, store, draw=draw_loss_curve, on_problem=view.warn, on_wait=view.say
        )
        if entries or tracker.has_unpublished([]):
            tags = tag_command(study, None, ledger.made_by)
            tracker.begin(f"{study} · {n_runs} from {taken.origin}", tags, entries)
        tracker.end("FINISHED", {})
    counts = Counter(entry.spec().backend for entry in entries)
    view.say(
        f"imported: {n_runs} of '{study}' from {taken.origin}"
        + (f" ({', '.join(f'{n} on {name}' for name, n in counts.items())})" if counts else "")
        + (f"; {taken.n_known} were here already" if taken.n_known else "")
    )
    for data in _without_texts(ledger, entries):
        view.warn(
            f"of the texts of {data.dataset} nothing is on this machine: the report leaves "
            f"baselines and classes out; {_RESTORE[data.is_own]} restores them"
        )
    view.say(f"To see them: rnnbench report {study}")


_RESTORE = {
    True: "`rnnbench data describe FILE`, with the options of there,",
    False: "`rnnbench data fetch`",
}


def _without_texts(ledger: Ledger, entries: Sequence[LedgerEntry]) -> list[DataSpec]:
    """What the runs learnt from and neither the cache nor the ledger knows anything of.

    Synthetic reviews are left out: they can be made again, and decide nothing.
    """
    data = {spec.data.fingerprint: spec.data for spec in map(LedgerEntry.spec, entries)}
    known = {corpus.fingerprint for corpus in list_corpora()} | ledger.summaries(data).keys()
    unknown = (each for key, each in data.items() if key not in known)
    return [each for each in unknown if each.dataset != SYNTHETIC]


def _take_archive(path: Path, ledger: Ledger, view: Screen) -> Taken:
    with ledger.open_incoming() as folder:
        archive = read_archive(path, folder)
        study = archive.study
        try:
            races = check_races(archive.races, [run.spec() for run in archive.runs])
        except ArchiveError as err:
            raise ArchiveError(f"{path} is refused: {err}") from err
        origin = {"imported_from": archive.origin, "imported_archive": archive.digest[:16]}
        if not ledger.take_declarations(study, archive.declarations):
            view.warn(f"'{study}' was declared differently there; this folder's declaration stays")
        with ledger.locked(name=LOOKS_LOCK):  # no report sees the runs without their looks
            ledger.looks(study).add(archive.looks)
            keep_races(ledger.folder, races)
            for fingerprint, summary in archive.summaries.items():
                ledger.keep_summary(fingerprint, summary)
            taken = [ledger.take_in(run, origin) for run in archive.runs]
    entries = tuple(entry for entry in taken if entry is not None)
    n_known = len(archive.runs) - len(entries)
    return Taken(study=study, origin=archive.origin, entries=entries, n_known=n_known)


def relocate_store(view: Screen, root: Path) -> None:
    """Make MLflow's addresses of artifacts those of this folder.

    Raises:
        StoreError: there is no local store here, or it is in use.
    """
    store = find_store(root)
    if not (root / DATABASE).exists():
        raise StoreError(f"there is no {DATABASE} here, so there are no addresses to fix")
    ledger, searches = (Ledger(root, part, on_problem=view.warn) for part in ("runs", "searches"))
    with ledger.locked(view.say_waiting):
        fixed, left = relocate_artifacts(store, lambda: [*ledger.entries(), *searches.entries()])
    for folder, n_addresses in fixed.items():
        view.say(f"fixed: {n_addresses} addresses that named {folder}")
    for folder, n_addresses in left.items():
        view.warn(f"left alone: {n_addresses} addresses in {folder}, whose files are not here")
    if not fixed and not left:
        view.say("every address names this folder already; nothing to fix")
