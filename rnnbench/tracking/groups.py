"""Runs of MLflow that stand for several runs: a search, and each of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnbench.data.files import temporary_folder
from rnnbench.entries import Parent
from rnnbench.tracking.client import KIND_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient

GROUP_TAG = "rnnbench.group"
_PARENT = "mlflow.parentRunId"
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is to be said of a group.

    Args:
        chain: the group itself last, what it belongs to before it.
        params: they can be said once and not changed.
        metrics: the latest count.
        files: content by the artifact's name.
        status: how its run is closed, `FINISHED` or `KILLED`.
        is_final: a group that was closed as finished is left alone afterwards.
    """

    chain: tuple[Parent, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    status: str = "FINISHED"
    is_final: bool = True


class Groups:
    """The groups of one experiment, found by their key if an earlier command made them.

    Args:
        tags: put on each group that is made now.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, tags: Mapping[str, str]) -> None:
        self._client = client
        self._experiment_id = experiment_id
        self._tags = tags
        self._opened: set[str] = set()
        self._known: dict[str, tuple[str, bool]] | None = None  # key → run id, whether it is over

    def open(self, chain: Sequence[Parent]) -> str | None:
        """The id of the run that stands for the last of the chain, made with all before it."""
        above: str | None = None
        for parent in chain:
            above = self._open(parent, above)
        return above

    def say(self, group: Group) -> None:
        """Write what is to be said of a group; saying it twice changes nothing."""
        from mlflow.entities import Param

        run_id = self.open(group.chain)
        key = group.chain[-1].key
        assert run_id is not None
        if group.is_final and self._found()[key][1]:
            return
        self._client.log_batch(
            run_id, params=[Param(name, value) for name, value in group.params.items()]
        )
        for name, value in group.metrics.items():
            self._client.log_metric(run_id, name, value)
        for name, text in group.tags.items():
            self._client.set_tag(run_id, name, text)
        with temporary_folder() as folder:
            for name, content in group.files.items():
                (folder / name).write_bytes(content)
                self._client.log_artifact(run_id, str(folder / name))
        self._client.set_terminated(run_id, status=group.status)
        self._opened.discard(run_id)
        self._found()[key] = (run_id, group.status == "FINISHED")

    def suspend_open(self) -> None:
        """Mark as killed what was opened and never closed, until a later command goes on."""
        for run_id in self._opened:
            self._client.set_terminated(run_id, status="KILLED")
        self._opened.clear()

    def _open(self, parent: Parent, above: str | None) -> str:
        known = self._found()
        if parent.key not in known:
            tags = {**self._tags, KIND_TAG: "group", GROUP_TAG: parent.key}
            if above is not None:
                tags[_PARENT] = above
            run = self._client.create_run(self._experiment_id, run_name=parent.name, tags=tags)
            known[parent.key] = (str(run.info.run_id), False)
            self._opened.add(str(run.info.run_id))
        return known[parent.key][0]

    def _found(self) -> dict[str, tuple[str, bool]]:
        if self._known is None:
            self._known = {}
            token: str | None = None
            while token != "":
                page = self._client.search_runs(
                    [self._experiment_id],
                    f"tags.`{KIND_TAG}` = 'group'",
                    max_results=_PAGE,
                    page_token=token,
                )
                for run in page:
                    over = run.info.status == "FINISHED"
                    self._known[run.data.tags[GROUP_TAG]] = (str(run.info.run_id), over)
                token = page.token or ""
        return self._known
