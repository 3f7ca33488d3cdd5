"""Addresses and answers of stores, as they may be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnbench.options import this_command
from rnnbench.tracking.addresses import mask, reason, show_address
from rnnbench.tracking.store import Store, find_store


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("http://me:pw@host:5000/a", "http://***@host:5000/a"),
        ("https://token-of-mine@host", "https://***@host"),
        ("at mssql://me:p@w/1@db/runs?driver=x twice", "at mssql://***@db/runs?driver=*** twice"),
        ("mysql://db/runs?user=me&password=pw;x=1", "mysql://db/runs?user=***&password=***;x=***"),
        ("invalid dsn: host=db password=pw user=me", "invalid dsn: host=db password=*** user=me"),
        ("API_TOKEN=abc, and so on", "API_TOKEN=***, and so on"),
        ("http://host:5000 and me@home", "http://host:5000 and me@home"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
    ],
)
def test_what_is_secret_in_an_address_is_masked(text: str, masked: str) -> None:
    assert mask(text, {}) == masked


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"MLFLOW_TRACKING_URI": "http://me:top/secret@host"}, "invalid port 'top', no 'secret'"),
        ({"MLFLOW_TRACKING_URI": "http://me:a%20secret@host"}, "a secret or a%20secret"),
        ({"MLFLOW_TRACKING_URI": "http://a-token@host"}, "cannot resolve a-token"),
        ({"MLFLOW_TRACKING_TOKEN": "a-token\n"}, "no header: 'Bearer a-token'"),
        ({"MLFLOW_TRACKING_PASSWORD": "hush-hush"}, "not hush-hush"),
    ],
)
def test_what_the_environment_keeps_secret_is_masked_in_pieces_too(
    variables: dict[str, str], text: str
) -> None:
    shown = mask(text, variables)
    assert "***" in shown
    assert "secret" not in shown
    assert "a-token" not in shown
    assert "hush" not in shown


def test_a_store_shows_its_address_without_the_password(tmp_path: Path) -> None:
    address = "http://me:pw@host:5000"
    store = find_store(tmp_path, {"MLFLOW_TRACKING_URI": address})
    assert store.address == address
    assert str(store) == "http://***@host:5000"
    assert "pw" not in repr(store)


def test_a_database_of_this_machine_is_shown_as_it_is() -> None:
    address = "sqlite:////a/folder?x=1/mlflow.db"
    assert show_address(address) == address


def test_an_error_is_told_in_a_short_line_that_a_terminal_shows_as_it_is() -> None:
    said = reason(ValueError("\n\x1b[2J\x00wrong\x07 here\u202e\nand there"))
    assert said == r"\x1b[2J\x00wrong\x07 here\u202e"
    assert reason(ValueError("x" * 10**6)) == "x" * 199 + "…"
    assert reason(ValueError(" \n")) == "ValueError"


def test_of_a_network_error_the_systems_words_are_told() -> None:
    err = RuntimeError("Max retries exceeded with url: /api")
    err.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert reason(err) == "Connection refused"


def test_masking_a_hostile_answer_takes_no_time() -> None:
    assert len(reason(ValueError("://" * 10**6))) == 200


def test_only_a_server_wears_the_patience_out(tmp_path: Path) -> None:
    assert Store(named="https://host", root=tmp_path).is_server
    assert not Store(named="postgresql://host/db", root=tmp_path).is_server


def test_a_command_is_shown_without_the_password_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["tune", "lstm", "--name", "a?b=c", "--storage", "postgresql://me:p@w@db/x?password=y"]
    monkeypatch.setattr("sys.argv", ["rnnbench", *words])
    shown = "rnnbench tune lstm --name 'a?b=c' --storage 'postgresql://***@db/x?password=***'"
    assert this_command() == shown
