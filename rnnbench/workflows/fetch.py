"""`rnnbench data fetch`: have the reviews in the cache."""

from __future__ import annotations

from rnnbench.workflows.datasets import resolve_dataset
from rnnbench.workflows.view import View

__all__ = ["fetch_dataset"]


def fetch_dataset(choice: str, view: View) -> None:
    """Download or generate the reviews, prepare them, and say where they came from.

    Raises:
        DataError: they cannot be had.
    """
    dataset = resolve_dataset(choice, view.downloaded)
    if dataset.notice:
        view.warn(dataset.notice)
    view.say(f"{dataset.name} ({dataset.origin}) is ready, content {dataset.fingerprint}")
