"""Which store is meant, and stores that cannot be used: told before anything is trained."""

from __future__ import annotations

import contextlib
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import pytest

from rnnbench.errors import StoreError
from rnnbench.tracking import store
from rnnbench.tracking.store import find_store, quiet_mlflow

MIGRATIONS = "store/db_migrations"


def write_database(folder: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def write_schema(folder: Path, revision: str) -> None:
    write_database(
        folder,
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        f"INSERT INTO alembic_version VALUES ('{revision}')",
    )


def newest_schema() -> str:
    """As alembic finds it, not as we do."""
    from alembic.script import ScriptDirectory

    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.origin is not None
    (head,) = ScriptDirectory(str(Path(spec.origin).parent / MIGRATIONS)).get_heads()
    return head


def test_a_fresh_folder_gets_mlflows_stock_database(tmp_path: Path) -> None:
    found = find_store(tmp_path, {})
    assert found.address == f"sqlite+pysqlite:///{tmp_path}/mlflow.db"
    assert found.is_local
    assert str(found) == "mlflow.db"
    assert list(tmp_path.iterdir()) == []  # asking makes nothing


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "without a table"])
def test_a_database_that_is_still_to_be_filled_is_fine(
    tmp_path: Path, content: bytes | None
) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"")
    if content is None:
        write_database(tmp_path, "CREATE TABLE alembic_version (version_num VARCHAR(32))")
    assert find_store(tmp_path, {}).is_local


def test_a_database_of_the_installed_mlflow_is_fine(tmp_path: Path) -> None:
    write_schema(tmp_path, newest_schema())
    assert find_store(tmp_path, {}).is_local


def test_a_database_of_a_newer_mlflow_is_refused(tmp_path: Path) -> None:
    write_schema(tmp_path, "0123456789ab")
    with pytest.raises(StoreError, match=r"newer MLflow \(schema 0123456789ab\); install that"):
        find_store(tmp_path, {})


def test_a_database_of_an_older_mlflow_names_the_upgrade(tmp_path: Path) -> None:
    write_schema(tmp_path, store._known_schemas()[0])
    with pytest.raises(
        StoreError, match=r"older MLflow .* `mlflow db upgrade sqlite:///mlflow.db`"
    ):
        find_store(tmp_path, {})


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database" * 100)
    with pytest.raises(StoreError, match="damaged or not a database"):
        find_store(tmp_path, {})


def test_a_truncated_database_is_refused(tmp_path: Path) -> None:
    write_schema(tmp_path, newest_schema())
    path = tmp_path / "mlflow.db"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match=r"mlflow\.db is damaged"):
        find_store(tmp_path, {})


def test_a_folder_in_the_databases_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(StoreError, match="damaged or not a database"):
        find_store(tmp_path, {})


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    write_database(tmp_path, "CREATE TABLE recipes (name TEXT)")
    before = (tmp_path / "mlflow.db").read_bytes()
    with pytest.raises(StoreError, match="a database, but not MLflow's"):
        find_store(tmp_path, {})
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_a_file_store_is_refused_with_the_command_that_moves_it(tmp_path: Path) -> None:
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
    with pytest.raises(
        StoreError,
        match=r"`mlflow migrate-filestore --source ./mlruns --target sqlite:///mlflow.db`",
    ):
        find_store(tmp_path, {})


def test_artifacts_in_mlruns_are_no_file_store(tmp_path: Path) -> None:
    (tmp_path / "mlruns" / "1" / "models" / "m-1").mkdir(parents=True)
    (tmp_path / "mlruns" / "1" / "models" / "m-1" / "meta.yaml").write_text("a model")
    assert find_store(tmp_path, {}).is_local


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:5000",
        "https://mlflow.example",
        "postgresql://host/db",
        "sqlite:///other.db",
    ],
)
def test_a_named_server_or_database_is_taken(tmp_path: Path, address: str) -> None:
    found = find_store(tmp_path, {"MLFLOW_TRACKING_URI": f" {address} "})
    assert (found.address, found.is_local, str(found)) == (address, False, address)


@pytest.mark.parametrize("address", ["./mlruns", "file:///srv/mlruns", "mlruns", "ftp://host"])
def test_a_named_file_store_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(StoreError, match=r"MLFLOW_TRACKING_URI is .* not a server or database"):
        find_store(tmp_path, {"MLFLOW_TRACKING_URI": address})


def test_schemas_are_those_that_alembic_knows() -> None:
    from alembic.script import ScriptDirectory

    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.origin is not None
    scripts = ScriptDirectory(str(Path(spec.origin).parent / MIGRATIONS)).walk_revisions()
    found = store._known_schemas()
    assert set(found) == {script.revision for script in scripts}
    assert found[-1] == newest_schema()


def test_mlflow_is_kept_quiet_unless_somebody_says_otherwise() -> None:
    assert quiet_mlflow({})["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert "MLFLOW_DISABLE_TELEMETRY" not in quiet_mlflow({"MLFLOW_DISABLE_TELEMETRY": "false"})
