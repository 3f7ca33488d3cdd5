"""What `rnnbench tune` is asked for."""

from __future__ import annotations

from rnnbench.workflows.datasets import DatasetRef
from rnnbench.workflows.tuning_plan import TuneChoices, compose_tuning


def test_texts_are_cut_and_known_as_the_study_that_follows_will_have_them() -> None:
    data = {"max_len": (60,), "num_words": (5000,)}
    tuning = compose_tuning(TuneChoices(architectures=("gru",), data=data))
    ref = DatasetRef(name="mine", fingerprint="ab", origin="here")
    found = {spec.data for spec in tuning.specs("gru", {"learning_rate": 0.01}, ref, "jax")}
    assert {(each.max_len, each.num_words) for each in found} == {(60, 5000)}
