"""How a study was run, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from made_up import ENVIRONMENT, finished, made_up

from rnnbench.compare.comparison import Declaration
from rnnbench.data.corpus import tell_shares
from rnnbench.published.notes import REVIEWS
from rnnbench.recorded_runs import RecordedRun
from rnnbench.reports.facts import describe_study
from rnnbench.specs import RunResult


def describe(
    *runs: RecordedRun, command: str = "rnnbench run --all", **values: Any
) -> dict[str, str]:
    return dict(describe_study(runs, Declaration(**values), command))


def test_a_class_of_few_texts_is_not_none_of_them() -> None:
    assert tell_shares({"ham": 3_999, "spam": 1}) == "ham > 99.9 %, spam < 0.1 %"


def test_a_study_is_described_so_that_it_can_be_repeated() -> None:
    facts = describe(made_up("lstm", 0, 0.8), made_up("gru", 1, 0.8))
    assert facts["reviews (content fingerprint, SHA-256)"] == f"imdb ({REVIEWS})"
    assert "batch_size 64" in facts["recipe"]
    assert "learning_rate 0.0001" in facts["recipe"]
    assert facts["back end and engine"] == "jax, keras"
    assert facts["practical margin"] == "0.5 points of test accuracy"
    assert facts["classes"] == "not known"  # the reviews are not in this cache
    assert facts["pairing"] == "by seed"
    assert facts["versions"] == "keras 3.15.1"
    assert facts["hardware"] == "cpu (AMD EPYC)"
    assert facts["repeat with"] == "rnnbench run --all"


def test_what_varies_shows_all_its_values_by_size() -> None:
    runs = [made_up("lstm", 0, 0.8, max_len=length) for length in (50, 200, 100)]
    assert "max_len 50 or 100 or 200" in describe(*runs)["seen by the networks"]


def test_machines_and_versions_are_all_named() -> None:
    other = {**ENVIRONMENT, "processor": "Intel Xeon", "version.keras": "3.16.0"}
    facts = describe(made_up("lstm", 0, 0.8), made_up("lstm", 1, finished(environment=other)))
    assert facts["hardware"] == "cpu (AMD EPYC); cpu (Intel Xeon)"
    assert facts["versions"] == "keras 3.15.1 or 3.16.0"


def test_a_worker_that_died_names_no_hardware() -> None:
    died = RunResult(status="failed", epochs=0)
    assert describe(made_up("lstm", 0, 0.8), made_up("lstm", 1, died))["hardware"] == (
        "cpu (AMD EPYC)"
    )


@pytest.mark.parametrize("vary", [False, True])
def test_the_split_is_told(vary: bool) -> None:
    facts = describe(made_up("lstm", 0, 0.8, split_seed=0), vary_split=vary)
    assert facts["split"].startswith("drawn anew" if vary else "one split for all")
    assert ("split_seed" in facts["seen by the networks"]) is not vary


def test_runs_in_mlflow_are_counted_with_their_commit() -> None:
    committed = finished(environment={**ENVIRONMENT, "commit": "abc"})
    tracked = replace(made_up("lstm", 0, committed), run_id="1")
    facts = describe(tracked, made_up("lstm", 1, 0.8))
    assert (facts["runs in MLflow"], facts["git commit"]) == ("1 of 2", "abc")


def test_what_nobody_noted_is_not_known() -> None:
    facts = describe(made_up("lstm", 0, None), command="")
    assert facts["repeat with"] == facts["hardware"] == facts["git commit"] == "not known"


def test_seeds_that_are_not_paired_are_said_to_be() -> None:
    facts = describe(made_up("lstm", 0, 0.8), pairing="none")
    assert facts["pairing"].startswith("none")
