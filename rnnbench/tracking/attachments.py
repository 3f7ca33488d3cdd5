"""Files that belong to a whole study, kept with the last command that worked on it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from rnnbench.errors import StoreError
from rnnbench.tracking.addresses import reason
from rnnbench.tracking.client import open_client
from rnnbench.tracking.published import open_published
from rnnbench.tracking.store import Store

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

    def attach() -> None:
        client = open_client(store)
        for file in files:
            place = PurePosixPath(name, file.relative_to(folder).parent.as_posix())
            client.log_artifact(commands[0], str(file), str(place))

    try:
        store.patience.ask(attach)
    except Exception as err:  # whatever a store, its driver or the network raises
        raise StoreError(f"{store} does not take the report ({reason(err)})") from err
    return True
