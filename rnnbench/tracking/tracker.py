"""Publishes the ledger in the background, so that a slow or dead store never holds up training."""

import platform
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from rnnbench.architectures import display_name
from rnnbench.data.files import temporary_folder
from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError
from rnnbench.ledger import Ledger
from rnnbench.specs import EpochRow
from rnnbench.tracking.client import find_stages, import_mlflow, make_database, open_client
from rnnbench.tracking.deadline import DEADLINE_SECONDS
from rnnbench.tracking.groups import Group
from rnnbench.tracking.notes import is_settled, note_stages, read_notes
from rnnbench.tracking.publisher import Publisher
from rnnbench.tracking.relocate import relocate_artifacts
from rnnbench.tracking.store import DATABASE, Store, explain, folder_mark, is_busy

PAUSE_SECONDS = 3.0  # between two rounds: a row in MLflow is at most this old
RETRY_SECONDS = 30.0  # after a store did not answer
SILENT_SECONDS = 2.0  # at the end; then the wait is explained


class Tracker:
    """Keeps a folder's runs in MLflow up to date with the ledger.

    A thread of its own writes; the caller only says what has changed. What a store did not take
    stays marked in the ledger and is published by the next command of its kind.

    Args:
        study: whose experiment the command's own run goes to.
        draw: history and title → PNG bytes of the loss curve.
        on_problem: called with one sentence, once, when the store stops answering, or is not done
            at the store's deadline; of a database that another program uses, only if
            it still does at the end.
        on_wait: called with one sentence where a server keeps the command waiting.
    """

    def __init__(
        self,
        ledger: Ledger,
        study: str,
        store: Store,
        *,
        draw: Callable[[tuple[EpochRow, ...], str], bytes],
        on_problem: Callable[[str], None],
        on_wait: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._study = study
        self._store = store
        self._draw = draw
        self._on_problem = on_problem
        self._on_wait = on_wait
        self._changed: dict[tuple[str, str], LedgerEntry] = {}
        self._groups: dict[str, Group] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._imported = threading.Event()
        self._ending = False
        self._last: Callable[[Publisher], None] = lambda _: None
        self._thread: threading.Thread | None = None
        self._publishers: dict[str, Publisher] = {}
        self._told = False
        self._busy: Exception | None = None
        self._tags: dict[str, str] = {}
        self._name = ""

    @property
    def deleted(self) -> frozenset[str]:
        """Fingerprints of the study's runs that were deleted in MLflow, as it was last read."""
        return frozenset(
            entry.fingerprint
            for entry in self._ledger.entries(self._study)
            if read_notes(entry, self._store).get("deleted")
        )

    def has_unpublished(self, best: Iterable[LedgerEntry]) -> bool:
        """Whether the store lacks a finished run of this folder, or a model of the best ones."""
        if self._store.is_local and not (self._store.root / DATABASE).exists():
            return True
        if self._backlog():
            return True
        try:
            self._reconcile()
        except StoreError as err:  # what it has is not known then
            if self._store.deadline.is_over:
                self._on_problem(str(err))
        deleted = self.deleted
        return bool(self._backlog()) or any(
            "model_id" not in read_notes(entry, self._store)
            for entry in best
            if entry.fingerprint not in deleted
        )

    def begin(self, name: str, tags: Mapping[str, str], entries: Iterable[LedgerEntry]) -> None:
        """Start publishing a command's runs, and what earlier commands could not publish.

        Args:
            name: of the MLflow run that stands for this command.
            tags: put on that run and on every run that is made now.
        """
        self._name, self._tags = name, dict(tags)
        begun = (entry for entry in entries if entry.result() is not None or entry.history())
        for entry in [*begun, *self._backlog()]:
            self.notice(entry)  # a run that waits has no row in MLflow yet
        self._thread = threading.Thread(target=self._work, daemon=True, name="tracker")
        self._thread.start()

    def notice(self, entry: LedgerEntry) -> None:
        """The entry has changed in the ledger."""
        with self._lock:
            self._changed[entry.study, entry.fingerprint] = entry

    def notice_group(self, group: Group) -> None:
        """There is something to be said of a group of this command's runs."""
        with self._lock:
            self._groups[group.chain[-1].key] = group

    def end(
        self,
        status: str,
        metrics: Mapping[str, float],
        *,
        best: Iterable[LedgerEntry] = (),
        unfinished: Iterable[LedgerEntry] = (),
    ) -> None:
        """Publish the rest, close the command's run, and wait for it until the store's deadline.

        Args:
            best: the entries that become MLflow models, one an architecture.
            unfinished: the entries whose runs are marked as killed until they go on.
        """
        if self._thread is None:
            return
        self._last = partial(_finish, status, metrics, tuple(best), tuple(unfinished))
        self._ending = True
        self._wake.set()
        self._imported.wait()  # the server does not answer for how long that takes
        if self._store.deadline.is_over or not self._wait_for(self._thread):
            self._tell(f"did not take everything within {DEADLINE_SECONDS:g} s", "what is missing")
        elif self._busy is not None:
            self._tell(f"does not take runs ({explain(self._busy)})", "they")

    def _wait_for(self, thread: threading.Thread) -> bool:
        deadline = self._store.deadline
        if self._store.is_server and not deadline.wait(thread, SILENT_SECONDS):
            self._on_wait(
                f"waiting for the tracking store {self._store} to take the runs; "
                "Ctrl-C leaves what is missing to the next such command"
            )
        return deadline.wait(thread)

    def _backlog(self) -> list[LedgerEntry]:
        """Runs of any study that are over, and that the store has not wholly taken."""
        return [
            entry
            for entry in self._ledger.entries()
            if entry.result() is not None
            and not is_settled(read_notes(entry, self._store))
            and self._ledger.is_sound(entry)
        ]

    def _reconcile(self) -> None:
        """Learn what somebody did to the study's runs in MLflow; what is gone is published anew.

        Raises:
            StoreError: the store cannot be read.
        """
        stages = find_stages(self._store, self._study)
        note_stages(self._store, self._ledger.entries(self._study), stages)

    def _work(self) -> None:
        """The thread: publish until the end, then what comes last."""
        self._store.deadline.hold()
        try:
            import_mlflow()
        finally:
            self._imported.set()
        self._publish_until_end()
        if self._study in self._publishers:
            self._attempt(self._study, self._last)

    def _publish_until_end(self) -> None:
        """Publish, pause, again; at the end once more, or twice if that fails."""
        while True:
            healthy = self._publish_changed()
            if self._ending:
                # What changed while a round was under way needs a round of its own.
                if not (self._changed or self._groups) or not (healthy or self._publish_changed()):
                    return
                continue
            self._wake.wait(PAUSE_SECONDS if healthy else RETRY_SECONDS)

    def _publish_changed(self) -> bool:
        """Publish each changed entry once; whether the store took them all."""
        with self._lock:
            round_, groups = dict(self._changed), dict(self._groups)
        if not self._attempt(self._study):
            return False
        for key, entry in round_.items():
            with self._lock:
                self._changed.pop(key, None)
            if not self._attempt(entry.study, partial(Publisher.publish, entry=entry)):
                with self._lock:
                    self._changed.setdefault(key, entry)
                return False
            self._store.deadline.extend()
        for name, group in groups.items():
            if not self._attempt(self._study, partial(Publisher.say, group=group)):
                return False
            with self._lock:
                if self._groups.get(name) is group:
                    del self._groups[name]
            self._store.deadline.extend()
        return True

    def _attempt(self, study: str, action: Callable[[Publisher], None] | None = None) -> bool:
        """Do something with the store; a store that fails is reported once, never raised."""
        if self._store.deadline.is_over:
            return False
        try:
            publisher = self._publishers.get(study) or self._open(study)
            if action is not None:
                action(publisher)
            self._busy = None
            return True
        except Exception as err:  # whatever a store, its driver or the network raises
            if is_busy(err):
                self._busy = err
            elif not self._store.deadline.is_over:
                self._tell(f"does not take runs ({explain(err)})", "they")
            return False

    def _tell(self, problem: str, what: str) -> None:
        if self._told:
            return
        self._told = True
        verb, object_ = ("are", "them") if what == "they" else ("is", "it")
        self._on_problem(
            f"the tracking store {self._store} {problem}; {what} {verb} safe in the ledger, "
            f"and the next such command publishes {object_}"
        )

    def _open(self, study: str) -> Publisher:
        """Connect; makes the database and the experiment where they are missing."""
        make_database(self._store, self._ledger.folder)
        if self._store.is_local:
            relocate_artifacts(self._store, self._ledger.entries)
        publisher = Publisher(
            open_client(self._store),
            store=self._store,
            study=study,
            origin=f"{platform.node()}-{folder_mark(self._ledger.folder.parent)}",
            tags=self._tags if study == self._study else {},  # others' words are not ours
            attempt_of=partial(self._ledger.n_archived, study),
            draw=self._draw,
        )
        publisher.close_orphans()
        if study == self._study:
            self._reconcile()
            publisher.begin_invocation(self._name)
            for entry in self._backlog():
                self.notice(entry)
        self._publishers[study] = publisher
        return publisher


def _finish(
    status: str,
    metrics: Mapping[str, float],
    best: Iterable[LedgerEntry],
    unfinished: Iterable[LedgerEntry],
    publisher: Publisher,
) -> None:
    """What comes last."""
    for entry in unfinished:
        publisher.suspend(entry)
    publisher.suspend_groups()
    for entry in best:
        with temporary_folder() as folder:
            name = _model_name(display_name(entry.spec().form))
            publisher.publish_model(entry, folder / "model", name)
    publisher.end_invocation(status, metrics)


def _model_name(architecture: str) -> str:
    """MLflow refuses some characters in a model's name."""
    return re.sub(r"""[(),=. /:%"']""", "-", architecture).strip("-")
