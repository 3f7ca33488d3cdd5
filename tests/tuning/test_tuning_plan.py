"""What `rnnbench tune` is asked for."""

from __future__ import annotations

from made_up import tuning_of

from rnnbench.tuning.plan import run_command


def test_texts_are_cut_and_known_as_the_study_that_follows_will_have_them() -> None:
    tuning = tuning_of(architectures=("gru",), max_len=60, num_words=5000)
    found = {spec.data for spec in tuning.specs("gru", {"learning_rate": 0.01})}
    assert {(each.max_len, each.num_words) for each in found} == {(60, 5000)}


def test_the_command_that_measures_the_winners_reads_the_texts_likewise() -> None:
    tune = "rnnbench tune lstm --trials 5 --space=full --max-len 60 --dataset 'my r.csv' --json"
    assert run_command(f"{tune} --separator ';' --epochs 30 --storage sqlite:///o.db") == (
        "rnnbench run lstm --max-len 60 --dataset 'my r.csv' --separator ';' --epochs 30 "
        "--tuned --seeds 10"
    )
