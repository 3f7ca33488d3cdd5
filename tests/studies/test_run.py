"""From options to the study that they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnbench.architectures import ALL
from rnnbench.errors import StudyError, UsageError
from rnnbench.own_options import OwnFileChoices
from rnnbench.run_options import RunChoices
from rnnbench.studies.compose import compose_study
from rnnbench.study import Study
from rnnbench.study_files import load_study


def compose(**values: Any) -> Study:
    return compose_study(RunChoices(**values))


def test_all_is_the_textbook_study() -> None:
    assert compose(all_=True) == load_study("textbook")


def test_named_architectures_take_the_textbooks_recipe_and_name() -> None:
    study = compose(architectures=("gru", "simple-rnn"))
    assert study.architectures == ("gru", "simple-rnn")
    assert (study.name, study.recipe) == ("textbook", load_study("textbook").recipe)


def test_quick_is_a_study_of_its_own() -> None:
    study = compose(quick=True)
    assert (study.name, study.dataset, study.architectures) == ("quick", "synthetic", ALL)


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 5},
        {"units": (4, 8)},
        {"max_len": (50,)},
        {"embedding_size": (8,)},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_changed_study_has_another_name(values: dict[str, Any]) -> None:
    changed = compose(all_=True, **values)
    assert changed.name == "textbook-custom"
    assert changed.description == "Changed on the command line from the study textbook"
    assert compose(all_=True, name="mine", **values).name == "mine"


def test_more_seeds_or_other_data_are_the_same_study() -> None:
    study = compose(all_=True, seeds=(0, 1, 2, 3), dataset="synthetic")
    assert (study.name, study.seeds, study.dataset) == ("textbook", (0, 1, 2, 3), "synthetic")


def test_a_study_on_texts_of_its_own_keeps_its_name_and_description(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "name = 'mine'\ndescription = 'My question'\narchitectures = ['lstm']\nseeds = 2\n"
        "[data]\ndataset = 'reviews.csv'\n"
    )
    study = compose(study=str(path))
    assert (study.name, study.description) == ("mine", "My question")
    other = compose(study=str(path), dataset="newer.csv")
    assert other.name == "mine-newer"


def test_options_win_over_what_a_study_says_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "name = 'mine'\narchitectures = ['lstm']\nseeds = 2\n"
        "[data]\ndataset = 'reviews.tsv'\nquoting = 'none'\ntext_column = 'review'\n"
    )
    own: dict[str, Any] = {"quoting": "minimal", "encoding": "cp949"}
    study = compose(study=str(path), own=OwnFileChoices(**own))
    assert study.own == {**own, "text_column": "review"}
    assert compose(study=str(path), dataset="newer.csv", own=OwnFileChoices(**own)).own == own


def test_nothing_asked_for_is_told_with_what_may_be() -> None:
    with pytest.raises(UsageError, match="name architectures, or use --all, --quick or --study"):
        compose()


def test_a_bad_value_is_refused_before_any_data_are_looked_for() -> None:
    with pytest.raises(StudyError, match="dropout"):
        compose(all_=True, dropout=(1.5,))
