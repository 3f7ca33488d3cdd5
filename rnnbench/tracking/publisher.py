"""Brings MLflow up to date with one ledger entry; doing it twice changes nothing."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.architectures import display_name
from rnnbench.data.files import temporary_folder
from rnnbench.data.tokenizer import TOKENIZER
from rnnbench.entries import LedgerEntry
from rnnbench.errors import StoreError
from rnnbench.sources import NETWORK_FILE
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, DataSpec, EpochRow, RunResult, RunSpec
from rnnbench.tracking.client import KIND_TAG, make_experiment
from rnnbench.tracking.groups import Group, Groups
from rnnbench.tracking.measures import (
    class_tags,
    digest,
    epoch_metrics,
    parameters,
    result_metrics,
    score_metrics,
)
from rnnbench.tracking.model_folder import write_model_folder
from rnnbench.tracking.notes import experiment_mark, read_notes, write_notes
from rnnbench.tracking.store import Store
from rnnbench.tracking.views import write_kind, write_view

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, LoggedModel, Metric, Run

METRICS_A_CALL = 1000  # MLflow refuses more
FINGERPRINT_TAG = "rnnbench.fingerprint"
SPEC_TAG = "rnnbench.spec"
ORIGIN_TAG = "rnnbench.origin"
ATTEMPT_TAG = "rnnbench.attempt"
STATUS_TAG = "rnnbench.status"
DECLARATION_TAG = "rnnbench.declaration"
TRACEBACK = "traceback.txt"


def run_name(spec: RunSpec) -> str:
    """What a run is called in MLflow: `lstm · seed 3`, `gru · order=frozen · seed 0`."""
    same_reviews = DataSpec(dataset=spec.data.dataset, fingerprint=spec.data.fingerprint)
    usual = RunSpec(form=spec.form, data=same_reviews, seed=0).settings
    changed = [f"{key}={value}" for key, value in spec.settings.items() if value != usual.get(key)]
    return " · ".join([display_name(spec.form), *changed, f"seed {spec.seed}"])


class Publisher:
    """Writes runs of one study to one store.

    Args:
        origin: machine and folder; on a shared server, runs of other origins are left alone.
        tags: put on the command's own run, and on every run and group that is made now.
        attempt_of: how often the run of a fingerprint was started over before.
        draw: history → PNG bytes of its loss curve.
    """

    def __init__(
        self,
        client: MlflowClient,
        *,
        store: Store,
        study: str,
        origin: str,
        tags: Mapping[str, str],
        attempt_of: Callable[[str], int],
        draw: Callable[[tuple[EpochRow, ...], str], bytes],
    ) -> None:
        self._client = client
        self._store = store
        self._study = study
        self._origin = origin
        self._tags = {**_source_tags(), **tags}
        self._attempt_of = attempt_of
        self._draw = draw
        self._invocation: str | None = None
        experiment = self._open_experiment()
        self.experiment_id = _made(experiment.experiment_id)
        write_kind(client, experiment)
        self._without_view: Experiment | None = experiment
        self._groups = Groups(client, self.experiment_id, {**self._tags, ORIGIN_TAG: origin})
        self._experiment = experiment_mark(experiment)

    def begin_invocation(self, name: str) -> None:
        """Make the run that stands for this command; those that are published belong to it."""
        run = self._client.create_run(
            self.experiment_id,
            run_name=name,
            tags={**self._tags, ORIGIN_TAG: self._origin, KIND_TAG: "invocation"},
        )
        self._invocation = _made(run.info.run_id)

    def end_invocation(self, status: str, metrics: Mapping[str, float]) -> None:
        """Close the command's run as FINISHED, FAILED or KILLED."""
        assert self._invocation is not None
        for key, value in metrics.items():
            self._client.log_metric(self._invocation, key, value)
        self._client.set_terminated(self._invocation, status=status)

    def close_orphans(self) -> None:
        """Mark as killed what ended without a word (power loss, `kill -9`): commands and runs."""
        for run in self._client.search_runs(
            [self.experiment_id],
            f"attributes.status = 'RUNNING' AND tags.`{ORIGIN_TAG}` = '{self._origin}'",
        ):
            self._client.set_terminated(run.info.run_id, status="KILLED")

    def publish(self, entry: LedgerEntry) -> None:
        """Write all of the entry that the store does not have yet."""
        notes = self._notes(entry)
        result = entry.result()
        if (notes.get("done") and result is not None) or notes.get("deleted"):
            return
        found = self._find_run(entry, notes.get("run_id"))
        if found is not None and found.info.lifecycle_stage == "deleted":
            # By somebody, in MLflow's page, where it can be restored.
            given_up = {"run_id": str(found.info.run_id), "deleted": True}
            self._note(entry, {"n_epochs": 0} | notes | given_up)
            return
        self._add_view(entry.spec())
        parent = self._groups.open(entry.parents()) or self._invocation
        if found is None:
            run_id = self._create_run(entry.spec(), self._attempt(entry), parent)
        else:
            run_id = str(found.info.run_id)
        if notes.get("run_id") != run_id:
            notes = {"run_id": run_id, "n_epochs": 0}
            self._describe_run(run_id, entry.spec())
            self._note(entry, notes)
        if found is not None and notes.get("invocation", "") != self._invocation:
            self._reopen(found, parent)
        history = entry.history()
        self._log(run_id, epoch_metrics(history[notes["n_epochs"] :]))
        notes |= {"n_epochs": len(history), "invocation": self._invocation, "done": False}
        if result is not None:
            self._close_run(entry, run_id, result, history)
            notes["done"] = True
        self._note(entry, notes)

    def say(self, group: Group) -> None:
        """Write what is to be said of a group of runs; twice changes nothing."""
        self._groups.say(group)

    def suspend_groups(self) -> None:
        """Mark as killed the groups that are not over."""
        self._groups.suspend_open()

    def suspend(self, entry: LedgerEntry) -> None:
        """Mark a run that is not over as killed, until a later command goes on with it."""
        notes = self._notes(entry)
        if "run_id" in notes and not notes.get("deleted") and entry.result() is None:
            self._client.set_terminated(notes["run_id"], status="KILLED")

    def publish_model(self, entry: LedgerEntry, folder: Path, model_name: str) -> None:
        """Make an MLflow model of the entry's best file, its scores linked to it; once."""
        from mlflow.entities import LoggedModelOutput

        notes = self._notes(entry)
        if "model_id" in notes or "run_id" not in notes:
            return
        spec, result, run_id = entry.spec(), entry.result(), notes["run_id"]
        if result is None or result.status != "finished":
            return
        if self._client.get_run(run_id).info.lifecycle_stage == "deleted":
            return
        tokenizer = entry.tokenizer()
        model = self._open_model(spec, run_id, model_name, class_tags(tokenizer))
        knows_words = tokenizer is not None and tokenizer.words
        write_model_folder(folder, entry, tokenizer if knows_words else None, model, run_id)
        self._client.log_model_artifacts(model.model_id, str(folder))
        self._client.finalize_logged_model(model.model_id, "READY")
        outputs = self._client.get_run(run_id).outputs
        linked = outputs.model_outputs if outputs else []
        if model.model_id not in {output.model_id for output in linked}:
            self._client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        self._log(run_id, score_metrics(spec, result, entry.history(), model.model_id))
        self._note(entry, {**notes, "model_id": model.model_id})

    def _open_model(
        self, spec: RunSpec, run_id: str, name: str, tags: Mapping[str, str]
    ) -> LoggedModel:
        """The run's model, found if a lost command made it, else made now."""
        found = self._client.search_logged_models(
            [self.experiment_id], f"source_run_id = '{run_id}'", max_results=1
        )
        if found:
            return found[0]
        return self._client.create_logged_model(
            self.experiment_id,
            name=name,
            source_run_id=run_id,
            tags={FINGERPRINT_TAG: spec.fingerprint, **tags},
            params={key: str(value) for key, value in parameters(spec).items()},
            model_type="keras",
        )

    def _open_experiment(self) -> Experiment:
        found = self._client.get_experiment_by_name(self._study)
        if found is None:
            made = make_experiment(self._store, self._client, self._study)
            found = self._client.get_experiment(made)
        elif found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found

    def _add_view(self, spec: RunSpec) -> None:
        """Once, before the first run that has test scores: those of a search have none."""
        if self._without_view is not None and spec.purpose == "report":
            write_view(self._client, self._without_view)
            self._without_view = None

    def _find_run(self, entry: LedgerEntry, run_id: str | None) -> Run | None:
        """The run as noted, else by its fingerprint, deleted or not; None if it is to be made."""
        from mlflow.entities import ViewType
        from mlflow.exceptions import MlflowException

        if run_id is not None:
            try:
                return self._client.get_run(run_id)
            except MlflowException as err:
                if err.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                return None
        found = self._client.search_runs(
            [self.experiment_id],
            f"tags.`{FINGERPRINT_TAG}` = '{entry.fingerprint}' "
            f"AND tags.`{ATTEMPT_TAG}` = '{self._attempt(entry)}' "
            f"AND tags.`{ORIGIN_TAG}` = '{self._origin}'",
            run_view_type=ViewType.ALL,
            max_results=1,
        )
        return found[0] if found else None

    def _attempt(self, entry: LedgerEntry) -> str:
        return str(self._attempt_of(entry.fingerprint) + 1)

    def _create_run(self, spec: RunSpec, attempt: str, parent: str | None) -> str:
        identity = {
            FINGERPRINT_TAG: spec.fingerprint,
            SPEC_TAG: json.dumps(spec.to_json()),
            ORIGIN_TAG: self._origin,
            ATTEMPT_TAG: attempt,
            KIND_TAG: "run" if spec.purpose == "report" else spec.purpose,
            "rnnbench.engine": spec.engine,
            "rnnbench.backend": spec.backend,
            "rnnbench.dataset": spec.data.dataset,
            "rnnbench.study": self._study,
            "rnnbench.order": spec.recipe.order,
        }
        if spec.data.dataset == SYNTHETIC:
            identity |= {
                "rnnbench.notice": SYNTHETIC_NOTICE,
                "mlflow.note.content": SYNTHETIC_NOTICE,
            }
        if parent:
            identity["mlflow.parentRunId"] = parent
        run = self._client.create_run(
            self.experiment_id, run_name=run_name(spec), tags={**self._tags, **identity}
        )
        return _made(run.info.run_id)

    def _describe_run(self, run_id: str, spec: RunSpec) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag, Param

        said = [Param(key, str(value)) for key, value in parameters(spec).items()]
        self._client.log_batch(run_id, params=said)
        dataset = Dataset(
            name=spec.data.dataset,
            digest=digest(spec),
            source_type="rnnbench",
            source=f'{{"fingerprint": "{spec.data.fingerprint}"}}',
        )
        tag = InputTag("mlflow.data.context", "training")
        self._client.log_inputs(run_id, [DatasetInput(dataset, [tag])])

    def _reopen(self, run: Run, parent: str | None) -> None:
        run_id = str(run.info.run_id)
        if run.data.tags.get(STATUS_TAG) == "failed":
            self._remove(run, TRACEBACK)
        self._client.update_run(run_id, status="RUNNING")
        for tag in (STATUS_TAG, "rnnbench.reason"):
            self._client.set_tag(run_id, tag, "")
        if parent:
            self._client.set_tag(run_id, "mlflow.parentRunId", parent)

    def _remove(self, run: Run, name: str) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        if name in {item.path for item in self._client.list_artifacts(run.info.run_id)}:
            files = get_artifact_repository(run.info.artifact_uri, tracking_uri=self._store.address)
            files.delete_artifacts(name)  # type: ignore[no-untyped-call]  # MLflow's

    def _close_run(
        self, entry: LedgerEntry, run_id: str, result: RunResult, history: tuple[EpochRow, ...]
    ) -> None:
        from mlflow.entities import RunTag

        ended_ms = int((history[-1].ended_at if history else time.time()) * 1000)
        tags = {f"rnnbench.{key}": value for key, value in result.environment.items()}
        tags |= {STATUS_TAG: result.status, **class_tags(entry.tokenizer())}
        if result.reason:
            tags["rnnbench.reason"] = result.reason[:5000]
        self._client.log_batch(
            run_id,
            metrics=result_metrics(result, ended_ms),
            tags=[RunTag(key, str(value)) for key, value in tags.items()],
        )
        self._upload(entry, run_id, result, history)
        status = "FINISHED" if result.status in ("finished", "pruned") else "FAILED"
        self._client.set_terminated(run_id, status=status)

    def _upload(
        self, entry: LedgerEntry, run_id: str, result: RunResult, history: tuple[EpochRow, ...]
    ) -> None:
        for name in ("best.keras", NETWORK_FILE, "history.csv", "predictions.npz", TOKENIZER):
            if (entry.folder / name).exists():
                self._client.log_artifact(run_id, str(entry.folder / name))
        with temporary_folder() as folder:
            if history:
                figure = folder / "loss-curve.png"
                figure.write_bytes(self._draw(history, run_name(entry.spec())))
                self._client.log_artifact(run_id, str(figure))
            if result.traceback:
                text = folder / TRACEBACK
                text.write_text(result.traceback, encoding="utf-8")
                self._client.log_artifact(run_id, str(text))

    def _log(self, run_id: str, metrics: list[Metric]) -> None:
        for start in range(0, len(metrics), METRICS_A_CALL):
            self._client.log_batch(run_id, metrics=metrics[start : start + METRICS_A_CALL])

    def _notes(self, entry: LedgerEntry) -> dict[str, Any]:  # Any: JSON values
        notes = read_notes(entry, self._store)
        return notes if notes.get("experiment") == self._experiment else {}

    def _note(self, entry: LedgerEntry, notes: dict[str, Any]) -> None:  # Any: JSON values
        write_notes(entry, self._store, {**notes, "experiment": self._experiment})


def _made(id_: str) -> str:
    """The id that a store gave; what is no MLflow server answers without one."""
    if not id_:
        raise StoreError("its answer is not that of an MLflow server")
    return str(id_)


def _source_tags() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return {"mlflow.user": user, "mlflow.source.name": "rnnbench", "mlflow.source.type": "LOCAL"}
