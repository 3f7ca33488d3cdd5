"""A dataclass of options becomes a command's parameters, and is made of their values."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
import typer

import rnnbench
from rnnbench.errors import StudyError, UsageError
from rnnbench.options import choose, flatten, numbers, option_names, switches, whole_numbers
from rnnbench.run_options import RunChoices


@dataclass(frozen=True, kw_only=True)
class Place:
    panel: ClassVar = "Where"

    workers: Annotated[int, typer.Option(help="How many.")] = 1


@dataclass(frozen=True, kw_only=True)
class Choices:
    names: Annotated[tuple[str, ...], typer.Argument(help="Names.")] = ()
    units: Annotated[tuple[int, ...], typer.Option(help="Units."), whole_numbers] = (8,)
    placing: Place = field(default_factory=Place)
    command: str = "no option"


@flatten
def command(choices: Choices, loud: Annotated[bool, typer.Option("--loud")] = False) -> str:
    """Say what was chosen."""
    return f"{choices} {loud}"


def test_each_field_that_is_an_option_is_a_parameter() -> None:
    assert list(inspect.signature(command).parameters) == ["names", "units", "workers", "loud"]
    assert option_names(Choices) == ["names", "units", "workers"]
    assert command.__doc__ == "Say what was chosen."


def test_values_find_their_place_and_texts_are_read() -> None:
    found = choose(Choices, {"names": ["a", "b"], "units": "4,16", "workers": 3})
    assert found == Choices(names=("a", "b"), units=(4, 16), placing=Place(workers=3))


def test_what_is_not_given_keeps_its_default() -> None:
    values = {"names": None, "units": None, "workers": 1}
    assert choose(Choices, values) == Choices()
    assert command(**values, loud=True) == f"{Choices()} True"


def test_one_value_is_a_list_of_one() -> None:
    assert choose(Choices, {"units": 4}).units == (4,)


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (whole_numbers, "4,x", "whole numbers like 4,8,16"),
        (whole_numbers, "", "whole numbers like 4,8,16"),
        (numbers, "some", "numbers like 0,0.3"),
        (switches, "on,of", "on, off or on,off"),
    ],
)
def test_a_text_that_cannot_be_read_says_what_is_taken(read: object, text: str, words: str) -> None:
    @dataclass(frozen=True, kw_only=True)
    class One:
        batch_size: tuple[int, ...] = ()

    One.__annotations__["batch_size"] = Annotated[tuple[int, ...], typer.Option(), read]
    with pytest.raises(UsageError, match=f"--batch-size takes {words}, got '{text}'"):
        choose(One, {"batch_size": text})


def test_python_takes_the_options_of_the_command(tmp_path: Path) -> None:
    assert {"units", "recurrent_dropout", "text_column", "engine"} <= {*option_names(RunChoices)}
    with pytest.raises(UsageError, match=r"unknown option 'sedes' \(did you mean 'seeds'\?\)"):
        rnnbench.run("lstm", sedes=3, folder=tmp_path)
    with pytest.raises(StudyError, match="dropout must be at least 0 and below 1"):
        rnnbench.run("lstm", dropout=[0.0, 1.5], folder=tmp_path)
    with pytest.raises(StudyError, match="seeds must be whole numbers"):
        rnnbench.run("lstm", seeds=[0.5], folder=tmp_path)
