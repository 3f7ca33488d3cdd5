"""What is said before a cluster is joined: no address, no answer, no Ray."""

from __future__ import annotations

import pytest
from project import free_port

from rnnbench.errors import UnavailableError, UsageError
from rnnbench.execution import cluster
from rnnbench.execution.cluster import connect


def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: object())
    with pytest.raises(UsageError, match="takes local or HOST:PORT, got 'elsewhere'"):
        connect("elsewhere", "jax")


def test_an_address_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: object())
    with pytest.raises(UnavailableError, match=r"no Ray cluster answers at 127\.0\.0\.1:"):
        connect(f"127.0.0.1:{free_port()}", "jax")


def test_without_ray_the_command_that_installs_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'rnnbench\[ray\]'"):
        connect("local", "jax")
