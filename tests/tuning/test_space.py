"""Search spaces: bundled ones, files with mistakes, and the points of a grid."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import pytest

from rnnbench.errors import StudyError
from rnnbench.tuning.space import Range, Space, bundled_spaces, load_space

RATE = Range(low=1e-5, high=1e-1, log=True)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_learning_rate_is_searched_over_four_orders_of_magnitude() -> None:
    assert load_space("learning-rate").domains == {"learning_rate": RATE}


def test_the_full_space_adds_units_and_dropout() -> None:
    assert load_space("full").domains == {
        "learning_rate": RATE,
        "units": Range(low=4, high=64, log=True),
        "dropout": Range(low=0.0, high=0.6),
    }


def test_those_are_all_bundled_spaces_and_each_says_what_it_is() -> None:
    assert bundled_spaces().keys() == {"learning-rate", "full"}
    assert all(load_space(path).description for path in bundled_spaces().values())


def test_a_file_is_read_with_its_ranges_and_choices(tmp_path: Path) -> None:
    text = 'description = "mine"\nunits = [8, 16]\n[dropout]\nlow = 0\nhigh = 0.5\n'
    space = load_space(write(tmp_path, text))
    assert space.description == "mine"
    assert space.domains == {
        "units": (8, 16),
        "dropout": Range(low=0.0, high=0.5),
    }


# By what is wrong: the line of the file, and the words of the answer.
MISTAKES = {
    "an unknown parameter": (
        "learning_rat = { low = 1e-5, high = 1e-1 }",
        "unknown parameter 'learning_rat' (did you mean 'learning_rate'?)",
    ),
    "an empty range": (
        "learning_rate = { low = 0.01, high = 0.01 }",
        "the range of 'learning_rate' is empty: low 0.01, high 0.01",
    ),
    "an inverted range": (
        "units = { low = 16, high = 4 }",
        "the range of 'units' is inverted: low 16, high 4",
    ),
    "a logarithm of 0": (
        "learning_rate = { low = 0.0, high = 0.1, log = true }",
        "the range of 'learning_rate' is logarithmic and starts at 0",
    ),
    "a learning rate of 0": (
        "learning_rate = { low = 0, high = 0.1 }",
        "'learning_rate' must be above 0, got 0",
    ),
    "a dropout of 1": (
        "dropout = { low = 0.0, high = 1.0 }",
        "'dropout' must be below 1, got 1",
    ),
    "a negative dropout": (
        "recurrent_dropout = [-0.1, 0.2]",
        "'recurrent_dropout' must be at least 0, got -0.1",
    ),
    "no units": ("units = { low = 0, high = 8 }", "'units' must be at least 1, got 0"),
    "half a unit": (
        "units = { low = 4.5, high = 8 }",
        "'units' takes whole numbers, got 4.5",
    ),
    "a missing end": ("dropout = { low = 0.1 }", "'dropout' lacks 'high'"),
    "a missing start": ("dropout = { high = 0.1 }", "'dropout' lacks 'low'"),
    "an unknown key": (
        "dropout = { low = 0.1, high = 0.2, logs = true }",
        "unknown key of 'dropout' 'logs' (did you mean 'log'?)",
    ),
    "a log that is none": (
        "dropout = { low = 0.1, high = 0.2, log = 1 }",
        "'log' of 'dropout' must be true or false, got 1",
    ),
    "a number where a table belongs": (
        "dropout = 0.3",
        "'dropout' must be a range ({ low = …, high = … }) or a list of values, got 0.3",
    ),
    "a text where a number belongs": (
        "dropout = { low = 'a', high = 0.2 }",
        "'dropout' takes numbers, got 'a'",
    ),
    "a truth where a number belongs": ("units = [true, 8]", "'units' takes numbers, got True"),
    "a value twice": ("units = [8, 16, 8]", "'units' needs values, each once, got [8, 16, 8]"),
    "no values": ("units = []", "'units' needs values, each once, got []"),
    "an infinite end": (
        "learning_rate = { low = 1e-5, high = inf }",
        "'learning_rate' takes finite numbers, got inf",
    ),
    "a choice that is no number": (
        "dropout = [0.1, nan]",
        "'dropout' takes finite numbers, got nan",
    ),
    "an end that is no number": ("dropout = { low = 0.1, high = nan }", "'dropout'"),
    "a description that is none": ("description = 3", "'description' must be text, got 3"),
    "nothing": ("", "a space needs a parameter; choose from dropout, learning_rate"),
}


@pytest.mark.parametrize(("line", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_its_file(tmp_path: Path, line: str, words: str) -> None:
    path = write(tmp_path, line)
    with pytest.raises(StudyError, match=re.escape(f"{path}: ") + ".*" + re.escape(words)):
        load_space(path)


def test_a_syntax_error_is_named_with_its_place(tmp_path: Path) -> None:
    path = write(tmp_path, "[dropout]\nlow = 0.1\nhigh = = 0.2\n")
    with pytest.raises(StudyError, match=re.escape(f"{path}:3:8: not valid TOML")):
        load_space(path)


@pytest.mark.parametrize("source", ["learning-rat", "no-such.toml"])
def test_a_file_that_is_not_there_is_named_with_the_bundled_ones(source: str) -> None:
    words = rf"unknown space '{source}'.*choose from full, learning-rate, or name a TOML file"
    with pytest.raises(StudyError, match=words):
        load_space(source)


def test_a_grid_is_even_in_the_exponent_of_a_logarithmic_range() -> None:
    points = Space(domains={"learning_rate": RATE}).grid(5)
    assert [point["learning_rate"] for point in points] == pytest.approx(
        [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    )


def test_a_grid_is_even_in_the_values_of_another_range() -> None:
    points = Space(domains={"dropout": Range(low=0.0, high=0.6)}).grid(4)
    assert [point["dropout"] for point in points] == pytest.approx([0.0, 0.2, 0.4, 0.6])


def test_whole_numbers_of_a_grid_are_each_there_once() -> None:
    points = Space(domains={"units": Range(low=4, high=6)}).grid(9)
    assert points == [{"units": 4}, {"units": 5}, {"units": 6}]
    assert all(isinstance(point["units"], int) for point in points)


def test_a_grid_holds_each_combination_and_no_more_than_was_asked_for() -> None:
    space = Space(domains={"dropout": Range(low=0.0, high=0.5), "units": Range(low=4, high=8)})
    points = space.grid(8)  # 2 by 2: 3 by 3 would be 9
    assert points == [
        {"dropout": dropout, "units": units} for dropout in (0.0, 0.5) for units in (4, 8)
    ]
    assert len(space.grid(9)) == 9


def test_a_grid_holds_every_choice() -> None:
    space = Space(domains={"units": (8, 32), "dropout": Range(low=0.0, high=0.5)})
    points = space.grid(7)  # 3 of the range: 4 would make 8
    assert len(points) == 6
    assert {(point["units"], point["dropout"]) for point in points} == {
        (units, dropout) for units in (8, 32) for dropout in (0.0, 0.25, 0.5)
    }


def test_a_grid_of_more_choices_than_trials_is_refused() -> None:
    space = Space(domains={"units": (4, 8, 16), "dropout": (0.0, 0.3)})
    assert len(space.grid(6)) == 6
    with pytest.raises(StudyError, match="the grid has 6 points or more; ask for as many --trials"):
        space.grid(5)


@pytest.mark.parametrize(
    ("rate", "units", "is_inside"),
    [
        (1e-5, 8, True),  # both ends belong to a range
        (1e-1, 16, True),
        (1e-3, 12, False),  # between two choices
        (0.11, 8, False),
        (9e-6, 8, False),
    ],
)
def test_a_space_contains_its_ranges_with_their_ends_and_its_choices(
    rate: float, units: int, is_inside: bool
) -> None:
    space = Space(domains={"learning_rate": RATE, "units": (8, 16)})
    assert space.contains({"learning_rate": rate, "units": units}) is is_inside


def test_what_a_space_does_not_search_may_be_anything() -> None:
    assert Space(domains={"learning_rate": RATE}).contains({"learning_rate": 1e-3, "units": 999})


def test_the_ends_are_the_lowest_and_the_highest_values_together() -> None:
    space = Space(domains={"learning_rate": RATE, "units": (16, 4, 8)})
    assert list(space.corners()) == [
        {"learning_rate": 1e-5, "units": 4},
        {"learning_rate": 1e-1, "units": 16},
    ]


def test_a_declaration_tells_two_spaces_apart() -> None:
    one = Space(domains={"learning_rate": RATE}, description="words do not count")
    other = Space(domains={"learning_rate": Range(low=1e-5, high=1e-1)})
    assert one.declaration() == Space(domains={"learning_rate": RATE}).declaration()
    assert one.declaration() != other.declaration()


def test_a_file_whose_lines_are_moved_is_the_same_space(tmp_path: Path) -> None:
    rate, units = "learning_rate = { low = 1e-4, high = 1e-2 }", "units = [4, 8]"
    one, other = (load_space(write(tmp_path, f"{a}\n{b}")) for a, b in permutations((rate, units)))
    assert one.grid(4) == other.grid(4)
    assert list(one.domains) == list(other.domains)
