"""A model that learnt words of ICU's dictionary, asked where ICU is of another version."""

from __future__ import annotations

import json
from pathlib import Path

from project import Project, environment_with

CHOSEN = ("--epochs", "1", "--seeds", "1", "--units", "2", "--race", "none", "--no-report")


def test_another_version_of_icu_is_told_of_texts_that_it_cuts(tmp_path: Path) -> None:
    project = Project(folder=tmp_path, options=(), environment=environment_with(tmp_path / "cache"))
    reviews = [("我喜欢这部电影", "good"), ("房间很脏", "bad")] * 30
    rows = [f"{text}{n},{label}" for n, (text, label) in enumerate(reviews)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]), "utf-8")
    run = project.here("run", "gru", "--dataset", "reviews.csv", *CHOSEN)
    assert run.returncode == 0, run.stderr
    (found,) = json.loads(project.here("predict", "gru(units=2)", "我喜欢鱼", "--json").stdout)
    assert found["seen"] == ["我", "喜欢", None]
    assert "ICU" not in " ".join(found["notes"])
    (kept,) = tmp_path.glob(".rnnbench/runs/*/*/tokenizer.json")
    kept.write_text(kept.read_text("utf-8").replace('"icu": "', '"icu": "1.'), "utf-8")
    told = project.here("evaluate", "gru(units=2)", "--dataset", "reviews.csv").stdout
    assert "ICU 1." in told
    assert "its dictionary may have other words" in told
