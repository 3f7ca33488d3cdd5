"""The local, durable record of every run: written first, each file whole or not at all.

.rnnbench/
    lock                       held while a command works in this folder
    looks.lock                 held while a report looks at verdicts and keeps that it did
    workers.log                the workers' standard error
    runs/<study>/study.json    what the study declared, and when: contrast, margin, pairing, plan
    runs/<study>/looks.json    the looks at which its reports gave verdicts
    runs/<study>/<fingerprint>/
        spec.json              what was asked
        network.json           the code of a network of the user's own
        state.npz              after the last whole epoch: all that a resume needs; goes at the end
        best.keras, predictions.npz, history.csv
        tokenizer.json         what turns texts into what the model reads
        result.json            written last: the run is over
        published.json         what the tracker has done with it
    searches/<tuning>/<fingerprint>/
        parents.json           the search and the trial that the run belongs to
        …                      else like a study's runs
    tuning/<name>/<data>/      what each search found, a file an architecture
    races/<data>/              races that chose settings, a file for each way of seeing the texts
    race.lock                  held while one is run
    texts/<data>.json          what reports need of texts that were never here, of studies from
                               elsewhere
    archive/                   runs that --fresh started over
"""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from rnnbench.data.files import remove_abandoned, write_whole
from rnnbench.data.text_summaries import TextSummary, merge_summaries, parse_summary
from rnnbench.entries import (
    LedgerEntry,
    Parent,
    parse_declarations,
    parse_file,
    refuse_link,
    write_json,
)
from rnnbench.errors import DamagedError, StoreError
from rnnbench.formats import FormatError, why_failed
from rnnbench.looks import Look, LookRecord
from rnnbench.networks.names import NetworkNames
from rnnbench.recording import record_event, short_texts
from rnnbench.sources import NETWORK_FILE
from rnnbench.specs import Event, PluginForm, RunSpec

FOLDER = ".rnnbench"
TEXTS = "texts"
LOOKS_LOCK = "looks.lock"
LEFT_OUT = "that run is left out"
AGAIN = "that run is put aside and trained again"
ANEW = "it is written anew"
T = TypeVar("T")


class Ledger:
    """All runs that were started in a folder.

    Args:
        root: the project's folder; the ledger lives in `.rnnbench` below it.
        part: `runs` of studies, or those that `searches` make: kept apart.
        writable: False makes no folder where there is none.
        made_by: `command` and `commit`, noted with each run that ends or comes in.
        on_problem: called with a sentence, once, for each file that cannot be read; what hangs on
            it is left out, or made again.

    Raises:
        StoreError: the folder cannot be written.
    """

    def __init__(
        self,
        root: Path,
        part: str = "runs",
        *,
        writable: bool = True,
        made_by: Mapping[str, str] | None = None,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = root / FOLDER
        self.made_by = short_texts(made_by or {})
        self._runs = self.folder / part
        self._on_problem = on_problem
        self._told: set[str] = set()
        self._sound: dict[Path, object] = {}
        self._names: NetworkNames | None = None  # while runs come in
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            raise StoreError(f"cannot write to {self.folder}, which is not a folder; move it away")
        if not writable:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / ".gitignore").exists():  # a full disk can still be read
                write_whole(self.folder / ".gitignore", b"*\n")
        except OSError as err:
            raise StoreError(f"cannot write to {root}: {why_failed(err)}") from err

    @contextmanager
    def locked(
        self, on_wait: Callable[[], object] = lambda: None, name: str = "lock"
    ) -> Iterator[None]:
        """Hold the folder's lock; calls `on_wait()` once if another command holds it.

        Args:
            name: another of its locks: `LOOKS_LOCK`, that of the records of looks, is held for as
                long as one report takes, and taken after this one where both are.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / name)
        if os.path.lexists(lock.lock_file) and not _is_plain(Path(lock.lock_file)):
            raise StoreError(f"{lock.lock_file} is not a regular file; remove it")
        with self._writing():
            try:
                lock.acquire(timeout=0)
            except Timeout:
                on_wait()
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def entry(self, study: str, spec: RunSpec) -> LedgerEntry:
        """The run's entry, which need not be there yet."""
        return LedgerEntry(study, self._runs / study / spec.fingerprint, spec)

    def find(self, study: str, spec: RunSpec) -> LedgerEntry | None:
        """The run's entry in this study, else in another that has finished it, else None.

        One that cannot be read is as good as none: `open_run` puts it aside.
        """
        entry = self.entry(study, spec)
        if (entry.folder / "spec.json").exists():
            self._has_spec(entry)  # a torn one is told; what was asked is known here all the same
            return entry if self.is_sound(entry, AGAIN) else None
        return self._finished_elsewhere(study, spec)

    def entries(self, study: str | None = None) -> list[LedgerEntry]:
        """Every run of a study, or of all, whose question and answer can be read."""
        return self.read_all(study, _readable)

    def studies(self) -> set[str]:
        """Names of the studies that were begun or taken in here."""
        return {path.name for path in self._runs.glob("*") if path.is_dir()}

    def read_all(self, study: str | None, read: Callable[[LedgerEntry], T]) -> list[T]:
        """What `read` makes of every run of a study, or of all.

        One of which it raises `DamagedError` is told and left out.
        """
        folders = (folder for folder in self._runs.glob("*") if study in (None, folder.name))
        found: list[T] = []
        # A dot: a copy that was cut short.
        for path in sorted(path for folder in folders for path in folder.glob("[!.]*/spec.json")):
            try:
                refuse_link(path.parent)
                found.append(read(LedgerEntry(path.parent.parent.name, path.parent)))
            except DamagedError as err:
                self._tell(err, LEFT_OUT)
        return found

    def is_sound(self, entry: LedgerEntry, consequence: str = LEFT_OUT) -> bool:
        """Whether every file of the run can be read; one that cannot is told.

        They are read again only if one was changed since.
        """
        marks = _marks(entry.folder)
        if marks and self._sound.get(entry.folder) == marks:
            return True
        try:
            entry.check()
        except DamagedError as err:
            self._tell(err, consequence)
            return False
        self._sound[entry.folder] = marks
        return True

    def open_run(
        self, study: str, spec: RunSpec, *, adopt: bool = True, parents: Sequence[Parent] = ()
    ) -> LedgerEntry:
        """The run's entry, made if it is not there; taken over from another study if it is done.

        Args:
            adopt: False makes a new entry whatever other studies have.
            parents: what the run belongs to, if it belongs to more than its study.

        A failed run loses its result, so that it is tried again; one that cannot be read is put
        aside.
        """
        entry = self.entry(study, spec)
        if os.path.lexists(entry.folder) and not self.is_sound(entry, AGAIN):
            self.archive(study, spec)
        remove_abandoned(entry.folder.glob(".*.*"))
        with self._writing():
            if not (entry.folder / "spec.json").exists():
                if adopt:
                    self._adopt(entry, spec)
                if parents:
                    write_json(entry.folder / "parents.json", [asdict(item) for item in parents])
            source = spec.form.source if isinstance(spec.form, PluginForm) else None
            # Code that came with a run from elsewhere may hold more than its digest sees.
            if source is not None and source != entry.network():
                write_whole(entry.folder / NETWORK_FILE, source.to_json())
            if not self._has_spec(entry):
                write_json(entry.folder / "spec.json", spec.to_json())
            result = entry.result()
            if result is not None and result.status == "failed":
                entry.note_published(
                    {
                        name: {**notes, "done": False, "invocation": ""}
                        for name, notes in entry.published().items()
                    }
                )
                (entry.folder / "result.json").unlink()
        return entry

    def declare(
        self,
        study: str,
        declaration: Mapping[str, Any],  # Any: JSON values
        sections: Sequence[str] | None = None,
    ) -> None:
        """Note what a study lays down before it is run; a change is added, never written over.

        Args:
            sections: a run, by its fingerprint, of each section that is planned.
        """
        known = self.declarations(study)
        *before, last = known or [{}]
        item = {"declared_at": time.time(), "declaration": dict(declaration)}
        if last.get("declaration") == item["declaration"]:
            known, item = before, last
        if sections:
            item = {**item, "sections": list(sections)}
        if item != last:
            self._write_declarations(study, [*known, item])

    def declarations(self, study: str) -> list[dict[str, Any]]:  # Any: JSON values
        """What the study laid down, the latest last: `declared_at` and `declaration`.

        Empty also where that cannot be read, which is told.
        """
        try:
            return parse_file(self._declarations(study), parse_declarations) or []
        except DamagedError as err:
            self._tell(err, "what the study declared there is left out")
            return []

    def looks(self, study: str) -> LookRecord:
        """The record of the looks at which the study gave verdicts."""
        return LookRecord(self._runs / study / "looks.json")

    def looks_elsewhere(self, study: str) -> list[Look]:
        """The looks at all other studies; those that cannot be read are told and left out."""
        found: list[Look] = []
        for name in sorted(self.studies() - {study}):
            try:
                found += self.looks(name).read()
            except StoreError as err:
                self._tell(err, "those looks do not count here")
        return found

    def summaries(self, fingerprints: Iterable[str]) -> dict[str, TextSummary]:
        """What is kept of texts that are not here, by their fingerprint.

        A file that cannot be read is told, and left out.
        """
        found = {}
        for fingerprint in {*fingerprints}:
            try:
                summary = parse_file(self.summary_file(fingerprint), parse_summary)
            except DamagedError as err:
                self._tell(err, "what it says of texts is left out")
                continue
            if summary is not None:
                found[fingerprint] = summary
        return found

    def summary_file(self, fingerprint: str) -> Path:
        """Where the summary of texts that came with a study is kept."""
        return self.folder / TEXTS / f"{fingerprint}.json"

    def keep_summary(self, fingerprint: str, summary: TextSummary) -> None:
        """Keep it together with what another study brought; the first stays if they differ."""
        known = self.summaries([fingerprint]).get(fingerprint)
        try:
            merged = summary if known is None else merge_summaries(known, summary)
        except FormatError as err:
            self._on_problem(
                f"what came along of the texts {fingerprint[:12]} does not go with what is here, "
                f"which stays: {err}"
            )
            return
        with self._writing():
            write_whole(self.summary_file(fingerprint), merged.to_json())

    def record(self, entry: LedgerEntry, event: Event) -> None:
        """Make an event durable.

        Raises:
            OSError: the disk is full or gone; what was there before stays readable.
        """
        record_event(entry, event, self.made_by)

    @contextmanager
    def open_incoming(self) -> Iterator[Path]:
        """An empty folder on the ledger's disk; the lock must be held. It is gone at the end."""
        folder = self.folder / "incoming"
        with self._writing():
            shutil.rmtree(folder, ignore_errors=True)  # of a command that was killed
            folder.mkdir()
        self._names = None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def take_in(self, arrived: LedgerEntry, origin: Mapping[str, str]) -> LedgerEntry | None:
        """A run from elsewhere; None if its study has it already, also unfinished.

        Args:
            arrived: its files, checked, in a folder of `incoming`; they are moved.
            origin: where it comes from: noted in its environment, unless it came there from
                elsewhere too; likewise which command made it.
        """
        entry = self.entry(arrived.study, self._name_alike(arrived))
        if (entry.folder / "spec.json").exists():
            return None
        with self._writing():
            _change_environment(arrived.folder, lambda known: {**self.made_by, **origin, **known})
            shutil.rmtree(entry.folder, ignore_errors=True)  # without a spec.json it holds nothing
            entry.folder.parent.mkdir(parents=True, exist_ok=True)
            arrived.folder.rename(entry.folder)
        return entry

    def network_names(self) -> NetworkNames:
        """What the networks of the user's own are called, whose runs are here."""
        forms = (entry.spec().form for entry in self.entries())
        return NetworkNames(form for form in forms if isinstance(form, PluginForm))

    def _name_alike(self, arrived: LedgerEntry) -> RunSpec:
        """What was asked of a run from elsewhere, its network called as here.

        Other code under a name that is known here is not the same network.
        """
        spec = arrived.spec()
        if not (isinstance(spec.form, PluginForm) and spec.form.is_of_file):
            return spec
        self._names = self._names or self.network_names()
        name = self._names.name(spec.form.name, spec.form.code)
        if name == spec.form.name:
            return spec
        spec = replace(spec, form=replace(spec.form, name=name))
        with self._writing():
            write_json(arrived.folder / "spec.json", spec.to_json())
        return spec

    def take_declarations(self, study: str, declarations: Sequence[Mapping[str, Any]]) -> bool:
        """What a study declared elsewhere; False if another declaration is here, which stays."""
        known = self.declarations(study)
        if not known:
            self._write_declarations(study, declarations)
            return True
        return not declarations or known[-1]["declaration"] == declarations[-1]["declaration"]

    def archive(self, study: str, spec: RunSpec) -> bool:
        """Put a run aside, so that the next one starts over; whether there was one."""
        return self._put_aside(study, self.entry(study, spec).folder)

    def n_archived(self, study: str, fingerprint: str) -> int:
        """How often a run was started over."""
        return len(list((self.folder / "archive" / study).glob(f"{fingerprint}-*")))

    def attempts(self, study: str) -> dict[str, int]:
        """By fingerprint, which attempt the present one is; only of runs started over."""
        folders = (self.folder / "archive" / study).glob("*-*")
        counts = Counter(path.name.split("-")[0] for path in folders)
        return {fingerprint: n + 1 for fingerprint, n in counts.items()}

    def _put_aside(self, study: str, path: Path) -> bool:
        """Move something of a study's into the archive; whether it was there."""
        if not os.path.lexists(path):
            return False
        stamp = time.strftime("%Y%m%dT%H%M%S")
        target = self.folder / "archive" / study / f"{path.name}-{stamp}-{time.time_ns()}"
        with self._writing():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        return True

    def _has_spec(self, entry: LedgerEntry) -> bool:
        """Whether what was asked can be read; the folder's name says it as well."""
        try:
            LedgerEntry(entry.study, entry.folder).spec()
        except DamagedError as err:
            if os.path.lexists(entry.folder / "spec.json"):
                self._tell(err, ANEW)
            return False
        return True

    def _tell(self, problem: StoreError, consequence: str) -> None:
        """Once: what is read again later has the consequence that was told first."""
        if str(problem) not in self._told:
            self._told.add(str(problem))
            self._on_problem(f"{problem}; {consequence}")

    def _write_declarations(
        self,
        study: str,
        declarations: Sequence[Mapping[str, Any]],  # Any: JSON values
    ) -> None:
        path = self._declarations(study)
        if not self.declarations(study):
            self._put_aside(study, path)  # it cannot be read
        with self._writing():
            write_json(path, [dict(item) for item in declarations])

    def _declarations(self, study: str) -> Path:
        return self._runs / study / "study.json"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise StoreError(f"cannot write to {self.folder}: {why_failed(err)}") from err

    def _finished_elsewhere(self, study: str, spec: RunSpec) -> LedgerEntry | None:
        for path in sorted(self._runs.glob(f"*/{spec.fingerprint}/result.json")):
            entry = LedgerEntry(path.parent.parent.name, path.parent, spec)
            if entry.study == study or not self.is_sound(entry):
                continue
            result = entry.result()
            if result is not None and result.status in ("finished", "diverged"):
                return entry
        return None

    def _adopt(self, entry: LedgerEntry, spec: RunSpec) -> None:
        """Copy the run from another study that has finished it; its numbers are the same."""
        source = self._finished_elsewhere(entry.study, spec)
        if source is None:
            return
        entry.folder.parent.mkdir(parents=True, exist_ok=True)
        partial = entry.folder.with_name(f".{entry.fingerprint}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(
            source.folder,
            partial,
            symlinks=True,
            ignore=shutil.ignore_patterns("published.json", "parents.json"),
            copy_function=shutil.copy,  # of now: the study worked on last is known by its files
        )
        _change_environment(partial, lambda known: {**known, **self.made_by})
        shutil.rmtree(entry.folder, ignore_errors=True)  # without a spec.json it holds nothing
        partial.rename(entry.folder)


def _readable(entry: LedgerEntry) -> LedgerEntry:
    """The entry, once what was asked and what came out of it have been read."""
    entry = replace(entry, known_spec=entry.spec())
    if entry.result() is None:
        entry.history()
    return entry


def _change_environment(folder: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Change what the result of a run says of where it was made."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    write_json(folder / "result.json", {**result, "environment": change(result["environment"])})


def _marks(folder: Path) -> set[tuple[object, ...]]:
    """Others for each state of the files in a run's folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as found:
            stats = [(item.name, item.stat(follow_symlinks=False)) for item in found]
    except OSError:  # for whoever reads it to say
        return set()
    return {(name, now.st_ino, now.st_size, now.st_mtime_ns) for name, now in stats}


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
