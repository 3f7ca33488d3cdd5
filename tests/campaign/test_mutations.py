"""Damaged inputs by the hundred: each is taken, or refused in a sentence, at once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from made_archives import make_archive
from mutations import FAULTS, damage_archive, run_mutations
from project import Count, write_project

pytestmark = pytest.mark.campaign


def test_a_damaged_input_is_taken_or_refused_in_a_sentence(tmp_path: Path, count: Count) -> None:
    faults = []
    for outcome in run_mutations(450, tmp_path):
        count(f"a damaged {outcome.kind} {outcome.what}")
        if outcome.what in FAULTS:
            faults.append(outcome)
    assert not faults


def test_an_archive_that_is_taken_breaks_no_later_command(
    shared: Path, tmp_path: Path, count: Count
) -> None:
    good = make_archive(tmp_path / "good.zip").read_bytes()
    for seed in range(60):
        path = tmp_path / "study.zip"
        path.write_bytes(damage_archive(good, random.Random(seed)))
        project = write_project(tmp_path / f"project-{seed}", shared, has_database=True)
        if project.here("import", str(path)).returncode:
            continue
        (run,) = (project.folder / ".rnnbench" / "runs").glob("*/*/spec.json")
        study, fingerprint = run.parts[-3:-1]
        for words in (
            ("import", str(path)),
            ("list", "runs"),
            ("show", fingerprint),
            ("report", study),
            ("export", study, "again.zip"),
            ("import", "again.zip"),
        ):
            done = project.here(*words)
            said = f"seed {seed}, {' '.join(words)}: {done.stdout}{done.stderr}"
            assert done.returncode == 0, said
            assert "warning: " not in done.stderr, said
        count("a damaged archive taken in, and read by every command")
