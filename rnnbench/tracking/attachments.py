"""Files that belong to a whole study, kept with the last command that worked on it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from rnnbench.tracking.client import ask, open_client
from rnnbench.tracking.published import KIND_TAG, find_experiment
from rnnbench.tracking.store import Store


def attach_files(store: Store, study: str, folder: Path, files: Iterable[Path], name: str) -> bool:
    """Put files into MLflow as artifact `name`; whether there was a command to hold them.

    Args:
        files: in `folder`, below which their places stay what they are.

    Raises:
        StoreError: the store does not take them.
    """

    def attach() -> bool:
        client = open_client(store)
        experiment = find_experiment(client, study)
        if experiment is None:
            return False
        commands = client.search_runs(
            [experiment.experiment_id],
            f"tags.`{KIND_TAG}` = 'invocation'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        for command in commands:
            for file in files:
                place = PurePosixPath(name, file.relative_to(folder).parent.as_posix())
                client.log_artifact(command.info.run_id, str(file), str(place))
        return bool(commands)

    return ask(store, attach)
