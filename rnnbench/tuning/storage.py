"""Where Optuna keeps its trials: a journal beside `mlflow.db`, or a database."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.errors import StoreError
from rnnbench.formats import why_failed
from rnnbench.tracking.addresses import reason, show_address

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

JOURNAL = "optuna-journal.log"
CONNECT_SECONDS = 10
MOST_BYTES = 2**28  # it is read whole, and a trial takes a few KiB of it
_WITH_TIMEOUT = {"postgresql": "connect_timeout", "mysql": "connect_timeout"}


def open_storage(address: str | None, root: Path) -> BaseStorage:
    """The storage at an address, or the journal in `root`, whose torn last line is cut off.

    Call it under the folder's lock: nobody else may be writing the journal.

    Raises:
        StoreError: it does not answer, cannot be written, or is damaged.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if address is not None:
        return _open_database(address)
    path = root / JOURNAL
    try:
        _repair_journal(path)
        backend = JournalFileBackend(str(path), JournalFileOpenLock(str(path)))
        return optuna.storages.JournalStorage(backend)
    except OSError as err:
        raise StoreError(f"cannot write {path}: {why_failed(err)}") from err
    except StoreError:
        raise
    except Exception as err:  # whatever lines that were changed make Optuna raise
        raise StoreError(f"{path} is damaged ({reason(err)}); move it away to start over") from err


def _repair_journal(path: Path) -> None:
    """Cut off what a killed command wrote of its last line; a whole one ends with a newline."""
    if not path.exists():
        return
    if path.stat().st_size > MOST_BYTES:
        raise StoreError(
            f"{path} has more than {MOST_BYTES // 2**20} MiB; move it away to start over"
        )
    # What killed the writer left its lock behind, for which Optuna would wait half a minute.
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with open(path, "r+b") as file:
            file.truncate(len(whole))
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            is_entry = isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            is_entry = False
        if not is_entry:
            raise StoreError(
                f"{path}:{number}: not a line of Optuna's journal; "
                "restore the file, or move it away to start over"
            )


def _open_database(address: str) -> BaseStorage:
    import optuna

    scheme = re.match(r"([a-z]\w*)(\+\w+)?://", address)
    if scheme is None:
        raise StoreError(
            "--storage takes sqlite:///file.db, postgresql://… or mysql+pymysql://…, "
            f"got '{show_address(address)}'"
        )
    engine: dict[str, Any] = {}  # Any: what SQLAlchemy takes
    if scheme[1] in _WITH_TIMEOUT:
        engine["connect_args"] = {_WITH_TIMEOUT[scheme[1]]: CONNECT_SECONDS}
    try:
        return optuna.storages.RDBStorage(address, engine_kwargs=engine)
    except ImportError as err:
        known = {"postgresql": "psycopg2-binary", "mysql": "mysqlclient"}
        package = known.get(scheme[1], scheme[1])
        name = scheme[1] + (scheme[2] or "")
        advice = f"`pip install {scheme[2][1:] if scheme[2] else package}`"
        raise StoreError(f"no driver for {name} is installed; {advice} brings one") from err
    except Exception as err:  # whatever a database's driver raises, or its absence
        raise StoreError(
            f"the storage {show_address(address)} does not answer ({reason(err)})"
        ) from err
