"""`rnnbench data fetch` and `describe`: have the reviews in the cache, and say what is in them."""

from __future__ import annotations

from rnnbench.data.tables import OwnChoices
from rnnbench.datasets import DatasetRef, find_table, resolve_dataset
from rnnbench.page.screen import Screen

__all__ = ["describe_file", "fetch_dataset"]


def fetch_dataset(choice: str, view: Screen) -> None:
    """Download or generate the reviews, prepare them, and say where they came from.

    Raises:
        DataError: they cannot be had.
    """
    dataset = resolve_dataset(choice, view.downloaded)
    if dataset.notice:
        view.warn(dataset.notice)
    view.say(f"{dataset.name} ({dataset.origin}) is ready, content {dataset.fingerprint}")


def describe_file(file: str, own: OwnChoices) -> DatasetRef:
    """Read and prepare a file of the user's; its notes say what is in it.

    Raises:
        UsageError, DataError: it cannot be read, or nothing can be learnt from it.
    """
    return resolve_dataset(str(find_table(file)), own=own)
