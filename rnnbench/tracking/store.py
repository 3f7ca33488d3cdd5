"""Which MLflow store is meant, and whether it can be used; answers without importing MLflow."""

import contextlib
import hashlib
import math
import os
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote

from rnnbench.errors import StoreError
from rnnbench.tracking.addresses import mask, reason, show_address
from rnnbench.tracking.deadline import DEADLINE_SECONDS, Deadline

DATABASE = "mlflow.db"
ARTIFACTS = "mlruns"
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_LOOK_SECONDS = 0.5  # training does not wait for another program


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A tracking store.

    Args:
        root: the project's folder.
        named: the address of a server or of another database, with a password perhaps, so that
            only `str` of a store is for people and files; None for MLflow's stock place, the
            SQLite file in `root`.
        deadline: of the command that uses the store.
    """

    root: Path
    named: str | None = field(default=None, repr=False)
    deadline: Deadline = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        seconds = DEADLINE_SECONDS if self.is_server else math.inf
        object.__setattr__(self, "deadline", Deadline(seconds))

    @property
    def is_local(self) -> bool:
        """Whether it is the SQLite file in MLflow's stock place."""
        return self.named is None

    @property
    def is_server(self) -> bool:
        """Whether a server keeps it, who knows where artifacts go; else a database does."""
        return self.named is not None and self.named.startswith("http")

    @property
    def address(self) -> str:
        """What MLflow's client finds it by, whatever the folder is called."""
        return self.named or sqlite_address(self.root / DATABASE)

    @property
    def artifacts(self) -> str:
        """The folder of artifacts as MLflow reads an address: a path that is unquoted."""
        return artifact_address(self.root / ARTIFACTS)

    def __str__(self) -> str:
        return show_address(self.named) if self.named else DATABASE


def find_store(root: Path, environ: Mapping[str, str] = os.environ) -> Store:
    """The store that `MLFLOW_TRACKING_URI` names, else `mlflow.db` in `root`, checked.

    Raises:
        StoreError: a file store, a database that this MLflow cannot read, or an unwritable folder.
    """
    address = environ.get("MLFLOW_TRACKING_URI", "").strip()
    if address and not re.match(r"(https?|sqlite|postgresql|mysql|mssql)\b", address):
        raise StoreError(
            f"MLFLOW_TRACKING_URI is '{mask(address)}', which is not a server or database; "
            "use http://host:port or sqlite:///file.db, or unset it"
        )
    if address and root / unquote(address.removeprefix("sqlite:///")) != root / DATABASE:
        return Store(root=root, named=address)
    _refuse_file_store(root)
    _check_schema(root / DATABASE)
    return Store(root=root)


def sqlite_address(database: Path) -> str:
    """The file as SQLAlchemy reads it back, whatever its folder is called.

    Raises:
        StoreError: the name is no text.
    """
    from sqlalchemy.engine import URL

    try:
        # With the driver's name: for `sqlite:///` MLflow makes the folder, and does not unquote it.
        return URL.create("sqlite+pysqlite", database=str(database)).render_as_string()
    except UnicodeEncodeError as err:
        raise StoreError(
            "MLflow cannot open a folder whose name is not UTF-8; rename the folder"
        ) from err


def artifact_address(folder: Path) -> str:
    """The folder as MLflow notes it: a path of which it unquotes what reads like `%20`."""
    return re.sub(r"[^\w /.-]", lambda found: quote(found[0]), str(folder))


def is_busy(err: BaseException | None) -> bool:
    """Whether another program holds the database, which MLflow says in an error of its own."""
    while err is not None and not isinstance(err, sqlite3.OperationalError):
        err = err.__cause__ or err.__context__
    return err is not None and getattr(err, "sqlite_errorcode", 0) & 0xFF in _BUSY


def explain(err: BaseException) -> str:
    """The first line of what a store, its driver or the network says went wrong."""
    if is_busy(err):
        return "another program is using it"
    return reason(err)


def folder_mark(folder: Path) -> str:
    """Tells folders apart; hashed, because a path may hold what a search cannot quote."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def quiet_mlflow(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables under which MLflow neither phones home nor blocks for minutes on a dead server."""
    defaults = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    return {key: value for key, value in defaults.items() if key not in environ}


def _refuse_file_store(root: Path) -> None:
    for meta in (root / ARTIFACTS).glob("*/meta.yaml"):
        if meta.parent.name.isdigit():
            raise StoreError(
                f"{ARTIFACTS}/ holds a file store of an older MLflow "
                f"({meta.parent.name}/meta.yaml); move it into a database with "
                f"`mlflow migrate-filestore --source ./{ARTIFACTS} --target sqlite:///{DATABASE}`, "
                "or work in another folder"
            )


def _check_schema(database: Path) -> None:
    found = _schema_of(database)
    if found is None:
        return
    known = _known_schemas()
    if known and found not in known:
        raise StoreError(
            f"{DATABASE} was written by a newer MLflow (schema {found}); install that version, "
            "or work in another folder"
        )
    if known and found != known[-1]:
        raise StoreError(
            f"{DATABASE} was written by an older MLflow (schema {found}); back it up, then run "
            f"`mlflow db upgrade sqlite:///{DATABASE}`"
        )


def _schema_of(database: Path) -> str | None:
    """The revision that a database says it has; None for one to be made, or in use just now."""
    if not database.exists() or database.stat().st_size == 0:
        return None
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=_LOOK_SECONDS)) as connection:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
            if "alembic_version" not in {row[0] for row in connection.execute(tables)}:
                raise StoreError(f"{DATABASE} is a database, but not MLflow's; move it away")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as err:
        if is_busy(err):
            return None
        raise StoreError(f"{DATABASE} is damaged or not a database ({err}); move it away") from err
    if row is not None and row[0] is None:  # a file that was cut short may read like that
        raise StoreError(f"{DATABASE} is damaged (it names no schema); move it away")
    return str(row[0]) if row else None


def _known_schemas() -> list[str]:
    """The revisions that the installed MLflow knows, the newest last."""
    spec = find_spec("mlflow")
    if spec is None or not spec.submodule_search_locations:
        return []
    versions = Path(spec.submodule_search_locations[0]) / "store" / "db_migrations" / "versions"
    follows: dict[str, str | None] = {}
    for path in versions.glob("*.py"):
        text = path.read_text("utf-8")
        name = re.search(r"^revision\s*=\s*[\"'](\w+)[\"']", text, re.MULTILINE)
        before = re.search(r"^down_revision\s*=\s*[\"'](\w+)[\"']", text, re.MULTILINE)
        if name:
            follows[name[1]] = before[1] if before else None
    newest = [name for name in follows if name not in follows.values()]
    return [name for name in follows if name not in newest] + newest
