"""A disk that is really full: a command fails in one sentence, and goes on once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import STUDY, Project, write_project
from tally import Tally
from trials import watch

pytestmark = pytest.mark.campaign
KIB = 1024
EPOCHS = 20
FULL = "a full disk"
_SEARCH = ("--trials", "2", "--tuning-seeds", "1", "--workers", "1")
_SEARCH += ("--epochs", "4", "--max-len", "12", "--num-words", "60")
OTHERS = {
    "report": ("report", STUDY),
    "export": ("export", STUDY, "study.zip"),
    "import": ("import", "../study.zip"),
    "tune": ("tune", "lstm", "--dataset", "../imdb.npz", *_SEARCH),
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, timeout=30).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


def test_a_project_on_a_full_disk_is_refused_in_one_sentence(disk: Path, shared: Path) -> None:
    project = write_project(disk, shared, architectures=["lstm"], epochs=EPOCHS)
    leave_room(disk, 0)
    refused = project.run()
    assert refused.returncode == 3
    assert refused.stderr == f"error: cannot write to {disk}: No space left on device\n"


@pytest.mark.parametrize(
    "room_kib", [8, 16, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640]
)
def test_a_full_disk_fails_the_run_and_a_resume_goes_on_when_there_is_room(
    room_kib: int, disk: Path, shared: Path, tally: Tally
) -> None:
    project = write_project(disk, shared, architectures=["lstm"], epochs=EPOCHS)
    leave_room(disk, room_kib * KIB)
    failed = watch(project, "run", *project.options)
    tally(FULL, **failed.counted())
    assert failed.code in (0, 1, 3), failed.said  # 0: MLflow's copy alone found no room
    assert "No space left on device" in failed.said or "disk is full" in failed.said
    assert not failed.is_crash, failed.said
    listed = project.here("list", "runs")
    assert listed.returncode in (0, 2), listed.stderr

    (disk / "ballast").unlink()
    resumed = project.here("run", *project.options)
    assert resumed.returncode == 0, resumed.stderr
    histories = list(project.histories().values())
    shown = [run.info.status for run in project.tracked()]
    tally(FULL, lost=int([len(rows) for rows in histories] != [EPOCHS]), doubled=len(shown) - 1)
    assert [len(rows) for rows in histories] == [EPOCHS]
    assert shown == ["FINISHED"]


@pytest.mark.parametrize("command", OTHERS)
@pytest.mark.parametrize("room_kib", [0, 16, 128])
def test_a_command_on_a_full_disk_fails_in_a_sentence_and_works_when_there_is_room(
    command: str, room_kib: int, disk: Path, finished: Project, shared: Path, tally: Tally
) -> None:
    assert finished.here("export", STUDY, str(disk.parent / "study.zip")).returncode == 0
    shutil.copyfile(shared / "imdb.npz", disk.parent / "imdb.npz")
    if command != "import":
        shutil.copytree(finished.folder, disk, dirs_exist_ok=True)
    project = write_project(disk, shared)
    before = project.scores()
    leave_room(disk, room_kib * KIB)
    failed = watch(project, *OTHERS[command])
    tally(FULL, **failed.counted())
    assert failed.code in (0, 1, 3), failed.said
    assert not failed.is_crash, failed.said

    (disk / "ballast").unlink()
    (disk / "study.zip").unlink(missing_ok=True)  # there was room for it
    again = project.here(*OTHERS[command])
    tally(FULL, lost=int(any(project.scores()[key] != score for key, score in before.items())))
    assert again.returncode == 0, again.stderr


def leave_room(disk: Path, n_bytes: int) -> None:
    """Fill the disk but for `n_bytes`."""
    space = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * (space.f_bavail * space.f_bsize - n_bytes))
