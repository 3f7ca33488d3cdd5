"""What is said before a cluster is joined: no address, no answer, no Ray; and a task of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from project import free_port

from rnnbench.data.corpus import PartName
from rnnbench.data.dataset import load_part
from rnnbench.errors import UnavailableError, UsageError
from rnnbench.execution import cluster
from rnnbench.execution.cluster import connect
from rnnbench.execution.executor import Task
from rnnbench.specs import Finished


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


def test_a_worker_that_has_tuned_gets_the_test_half_for_a_report(
    make_spec: Any, keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda part: part))
    monkeypatch.setattr(cluster, "_prepare", lambda _: None)
    monkeypatch.setattr(cluster, "_workers", {})
    monkeypatch.setattr(cluster, "_stored", {})
    spec = make_spec()
    names: list[PartName] = ["train", "validation"]
    for purpose, more in (("tuning", []), ("report", ["test"])):
        names += more
        parts = {name: load_part(spec.data, name) for name in names}
        task = Task(spec=replace(spec, purpose=purpose))
        *_, end, _ = cluster._carry_out({}, (task,), parts, False, 1)
        assert isinstance(end, Finished), end
