"""Servers that are broken: a command ends in time, keeps its memory, and loses nothing."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from broken_servers import BROKEN, DEAD, Gateway, open_gateway, tracked_at
from interruption import ARTIFACTS, wait_for
from mlflow_folder import RESULT, SPEC, MlflowFolder, epochs
from project import PATIENCE_S, Project, free_port, serving, write_project
from tally import Tally
from trials import OVER_MIB, Watched, watch

from rnnbench.tracking.store import find_store
from rnnbench.tracking.tracker import Tracker

pytestmark = pytest.mark.campaign
EPOCHS = 2
SERVER = "a broken server"
PASSWORD = "pass-w0rd/zq9x#uvw7%40xyz8"
LONGEST_S = 15 + 45  # the deadline, and a command's own work on a machine that is busy


@pytest.fixture(scope="module")
def gateway(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """In front of one sound server, where each test has a study of its own."""
    folder = tmp_path_factory.mktemp("server")
    project, port = write_project(folder / "project", shared), free_port()
    stored = ("--backend-store-uri", f"sqlite:///{folder / 'server.db'}")
    stored += ("--artifacts-destination", str(folder / "artifacts"))
    with (
        serving(project, "server", *stored, port=port),
        open_gateway(("127.0.0.1", port)) as opened,
    ):
        yield opened


@pytest.fixture
def study(request: pytest.FixtureRequest) -> str:
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[-60:].strip("-")


@pytest.fixture
def project(study: str, shared: Path, tmp_path: Path) -> Project:
    project = write_project(tmp_path / "project", shared, epochs=EPOCHS)
    return replace(project, options=(*project.options, "--name", study, "--workers", "1"))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_server_holds_nothing_up_and_the_next_has_all(
    name: str, study: str, project: Project, gateway: Gateway, tally: Tally
) -> None:
    broken = tracked_at(project, gateway.break_as(name))
    run = ("run", *project.options)
    for words in (run, run, ("report", study)):  # the second has nothing to do but to publish
        done = watch(broken, *words)
        tally(SERVER, **done.counted())
        assert_sound(done)
        assert [result["status"] for result in project.results().values()] == ["finished"]
    kept = project.histories()
    sound = tracked_at(project, gateway.mend())
    for _ in range(2):
        repaired = sound.here(*run)
        assert repaired.returncode == 0, repaired.stderr
        assert "warning" not in repaired.stderr
    shown = len(sound.tracked(study=study))
    tally(SERVER, lost=int(shown < 1), doubled=int(shown > 1))
    assert_published_once(sound, study)
    assert project.histories() == kept


@pytest.mark.parametrize("name", ["401", DEAD, "500 that shouts", "a body that drips", ""])
def test_a_password_in_the_address_is_shown_and_written_nowhere(
    name: str, study: str, project: Project, gateway: Gateway, tally: Tally
) -> None:
    address = gateway.break_as(name) if name else gateway.mend()
    user = f"//someone:{PASSWORD if name else 'pass-w0rd'}@"  # of which a parser makes pieces
    remote = tracked_at(project, address.replace("//", user))
    commands = [["run", *project.options], ["report", study], ["doctor"], ["doctor", "--json"]]
    commands += [["show", "lstm"], ["ui"], ["export", study, "study.zip"]]
    for words in commands:
        done = watch(remote, *words)
        tally("a password in an address", **done.counted())
        assert not done.is_crash
        assert_hidden(done.said.encode(), words[0])
    for path in project.folder.rglob("*"):
        if path.is_file():
            assert_hidden(path.read_bytes(), str(path))
    if not name:
        assert_published_once(remote, study)


def test_the_wait_for_a_server_can_be_interrupted(project: Project, gateway: Gateway) -> None:
    assert watch(tracked_at(project, gateway.break_as(DEAD)), "run", *project.options)
    project = tracked_at(project, gateway.break_as("never answers"))
    command = project.start()
    wait_for(lambda: "waiting for the tracking store" in project.output.read_text(), command)
    os.kill(command.pid, signal.SIGINT)
    began = time.monotonic()
    assert command.wait(timeout=PATIENCE_S) == 130
    assert time.monotonic() - began < 5
    assert "Traceback" not in project.output.read_text()


def test_a_slow_server_that_goes_on_taking_runs_is_waited_for(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = MlflowFolder(tmp_path / "slow", None)
    specs = [replace(SPEC, seed=seed) for seed in range(12)]
    entries = [folder.record(spec, RESULT, epochs(3), study="slow") for spec in specs]
    store = find_store(folder.root, {"MLFLOW_TRACKING_URI": gateway.mend(pause_s=0.1)})
    said: list[str] = []
    tracker = Tracker(folder.ledger, "slow", store, draw=lambda *_: b"", on_problem=said.append)
    began = time.monotonic()
    tracker.begin("a command", {}, entries)
    tracker.end("FINISHED", {})
    assert said == []
    assert time.monotonic() - began > 15
    assert all(entry.published()[str(store)]["done"] for entry in entries)


def assert_sound(done: Watched) -> None:
    assert done.code == 0, done.said
    assert not done.is_crash, done.said
    assert "\x07" not in done.said
    assert max(map(len, done.said.splitlines())) < 700
    assert done.seconds < LONGEST_S
    assert done.peak_mib < OVER_MIB


def assert_published_once(project: Project, study: str) -> None:
    client, runs = project.client(), project.tracked(study=study)
    assert [run.data.tags["rnnbench.fingerprint"] for run in runs] == [*project.run_folders()]
    assert [run.info.status for run in runs] == ["FINISHED"]
    points = client.get_metric_history(runs[0].info.run_id, "val_loss")
    assert [point.step for point in points] == list(range(1, EPOCHS + 1))
    names = [item.path for item in client.list_artifacts(runs[0].info.run_id)]
    assert sorted(names) == ARTIFACTS
    assert len(client.search_logged_models([runs[0].info.experiment_id])) == 1


def assert_hidden(content: bytes, where: str) -> None:
    for piece in (PASSWORD, *re.split(r"[/#%]", PASSWORD)):
        assert piece.encode() not in content, f"{where} shows {piece}"
