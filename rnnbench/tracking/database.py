"""The project's own `mlflow.db`, made whole or not at all."""

from __future__ import annotations

from pathlib import Path

from rnnbench.tracking.store import DATABASE, Store

__all__ = ["make_database"]


def make_database(store: Store, folder: Path) -> None:
    """Make the database of a local store where there is none yet.

    MLflow builds it in two seconds of migrations, each on disk as it is done, and neither it nor
    `mlflow db upgrade` can go on from the middle of them. So it is built aside and renamed.

    Args:
        folder: on the same disk, for the database while it is being built.
    """
    target = store.root / DATABASE
    if not store.is_local or (target.exists() and target.stat().st_size > 0):
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    partial = folder / f"new-{DATABASE}"
    _remove(partial)
    try:
        # The root for artifacts is that of a plain client.
        made = SqlAlchemyStore(f"sqlite:///{partial}", str(store.root / "mlruns"))  # type: ignore[no-untyped-call]  # MLflow's
        made.engine.dispose()
        partial.replace(target)
    finally:
        _remove(partial)  # on a full disk the ledger needs the room


def _remove(database: Path) -> None:
    for leftover in database.parent.glob(f"{database.name}*"):
        leftover.unlink()
