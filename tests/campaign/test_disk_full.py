"""A disk that is really full: a run fails in one sentence, and goes on once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Count, write_project

pytestmark = pytest.mark.campaign
KIB = 1024
EPOCHS = 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount(disk, "size=1m"):
        pytest.skip("this user may not mount a tmpfs")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True, timeout=30)


def test_a_project_on_a_full_disk_is_refused_in_one_sentence(
    small_disk: Path, shared: Path
) -> None:
    project = write_project(small_disk, shared, architectures=["lstm"], epochs=EPOCHS)
    leave_room(small_disk / "ballast", 0)
    refused = project.run()
    assert refused.returncode == 3
    assert refused.stderr == f"error: cannot write to {small_disk}: No space left on device\n"


@pytest.mark.parametrize("room_kib", [32, 96, 192, 384])
def test_a_full_disk_fails_the_run_and_a_resume_goes_on_when_there_is_room(
    room_kib: int, small_disk: Path, shared: Path, count: Count
) -> None:
    project = write_project(small_disk, shared, architectures=["lstm"], epochs=EPOCHS)
    leave_room(small_disk / "ballast", room_kib * KIB)
    count("a full disk")

    failed = project.run()
    said = failed.stdout + failed.stderr
    assert failed.returncode == 1, said
    assert "Traceback" not in said
    assert "defect" not in said
    assert any("No space left on device" in line for line in failed.stderr.splitlines()), said
    listed = project.command("list", "runs")
    assert listed.returncode == 0
    assert "lstm(units=2)" in listed.stdout, listed.stdout

    (small_disk / "ballast").unlink()
    assert mount(small_disk, "remount,size=16m")
    resumed = project.run()
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    (history,) = project.histories().values()
    assert len(history) == EPOCHS
    assert [run.info.status for run in project.tracked()] == ["FINISHED"]


def mount(folder: Path, options: str) -> bool:
    if os.name != "posix" or os.geteuid() != 0:
        return False
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(words, capture_output=True, timeout=30).returncode == 0


def leave_room(ballast: Path, n_bytes: int) -> None:
    """Fill the disk but for `n_bytes`."""
    space = os.statvfs(ballast.parent)
    ballast.write_bytes(b"\0" * (space.f_bavail * space.f_bsize - n_bytes))
