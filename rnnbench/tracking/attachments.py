"""Files that belong to a whole study, kept with the last command that worked on it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from rnnbench.errors import StoreError
from rnnbench.tracking.published import open_published
from rnnbench.tracking.store import Store, quiet_mlflow

__all__ = ["attach_files"]


def attach_files(store: Store, study: str, folder: Path, files: Iterable[Path], name: str) -> bool:
    """Put files into MLflow as artifact `name`; whether there was a command to hold them.

    Args:
        files: in `folder`, below which their places stay what they are.

    Raises:
        StoreError: the store does not take them.
    """
    commands = open_published(store).commands(study)
    if not commands:
        return False
    os.environ.update(quiet_mlflow())
    from mlflow import MlflowClient

    try:
        client = MlflowClient(store.address)
        for file in files:
            place = PurePosixPath(name, file.relative_to(folder).parent.as_posix())
            client.log_artifact(commands[0], str(file), str(place))
    except Exception as err:  # whatever a store, its driver or the network raises
        first = (str(err).strip() or type(err).__name__).splitlines()[0]
        raise StoreError(f"{store} does not take the report ({first[:200]})") from err
    return True
