"""A race travels with the runs whose settings it chose, and replaces none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import Answer
from made_archives import change_archive, make_archive
from made_up import spec_of

from rnnbench.archives import Beside, read_archive, write_archive
from rnnbench.errors import ArchiveError
from rnnbench.ledger import Ledger
from rnnbench.racing.archived import check_races, keep_races, pack_races
from rnnbench.racing.record import Entrant, Race, Setting, read_races, write_race
from rnnbench.specs import RunSpec

RUN = spec_of()
RATE = RUN.recipe.learning_rate


def made(**changes: Any) -> Race:
    entrant = Entrant(
        setting=Setting(units=8, embedding_size=RUN.embedding_size, learning_rate=RATE),
        losses={"lstm": 0.5, "gru": 0.4},
        epochs={"lstm": 1, "gru": 2},
        is_over=True,
    )
    race = Race(
        data=RUN.data,
        held={"learning_rate": RATE},
        recipe=RUN.recipe,
        seed=1000,
        limit_seconds=180.0,
        seconds=12.5,
        entrants=(entrant,),
    )
    return replace(race, **changes)


def packed(folder: Path, race: Race) -> Path:
    """The archive of a run, and of a race that chose its settings."""
    write_race(folder, race)
    path = make_archive(folder / "study.zip")
    ledger = Ledger(folder / "study-ledger")
    races = pack_races(folder, [RUN])
    path.unlink()
    write_archive(path, "made-up", ledger.entries("made-up"), [], Beside(races=races))
    return path


def arrived(path: Path) -> tuple[list[RunSpec], list[Race]]:
    into = path.with_suffix("")
    into.mkdir(exist_ok=True)
    archive = read_archive(path, into)
    specs = [run.spec() for run in archive.runs]
    return specs, check_races(archive.races, specs)


def test_race_arrives_with_the_runs_that_it_chose_settings_for(tmp_path: Path) -> None:
    _, races = arrived(packed(tmp_path, made()))
    keep_races(tmp_path / "there", races)
    assert races == [made()]
    assert read_races(tmp_path / "there", RUN.data.fingerprint) == races


def test_race_of_other_settings_stays_behind(tmp_path: Path) -> None:
    write_race(tmp_path, made(data=replace(RUN.data, max_len=7)))
    assert pack_races(tmp_path, [RUN]) == {}


def test_race_that_is_there_stays(tmp_path: Path) -> None:
    write_race(tmp_path, made(seconds=1.0))
    keep_races(tmp_path, [made()])
    assert read_races(tmp_path, RUN.data.fingerprint) == [made(seconds=1.0)]


def text_for_seconds(race: dict[str, Any]) -> None:
    race["seconds"] = "12"


def endless(race: dict[str, Any]) -> None:
    race["seconds"] = 10**400


def of_another_network(race: dict[str, Any]) -> None:
    race["entrants"][0]["losses"]["<b>"] = 0.1


def text_for_a_loss(race: dict[str, Any]) -> None:
    race["entrants"][0]["losses"]["gru"] = "0.4"


def without_entrants(race: dict[str, Any]) -> None:
    race["entrants"] = []


def of_ten_billion_units(race: dict[str, Any]) -> None:
    race["entrants"][0]["setting"]["units"] = 10**10


def of_no_name(race: dict[str, Any]) -> None:
    race["data"]["dataset"] = "\x1b[2J"


def of_another_place(race: dict[str, Any]) -> None:
    race["recipe"]["batch_size"] = 7


def of_other_texts(race: dict[str, Any]) -> None:
    race["data"]["fingerprint"] = race["data"]["fingerprint"][:16]


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (text_for_seconds, "seconds must be a number"),
        (endless, "more than 19 digits"),
        (of_another_network, "a race is between"),
        (text_for_a_loss, "loss must be a number"),
        (without_entrants, "one entrant at least"),
        (of_ten_billion_units, "units must be"),
        (of_no_name, "the data's name is not a printable text"),
        (of_another_place, "chose the settings of no run"),
        (of_other_texts, "chose the settings of no run"),
    ],
)
def test_race_that_is_damaged_or_hostile_is_refused(
    alter: Callable[[dict[str, Any]], None], words: str, tmp_path: Path
) -> None:
    path = packed(tmp_path, made())

    def change(contents: dict[str, bytes], _: Any) -> None:
        race = json.loads(contents[made().place])
        alter(race)
        contents[made().place] = json.dumps(race).encode()

    change_archive(path, change)
    with pytest.raises(ArchiveError, match=words):
        arrived(path)


@pytest.mark.parametrize("name", ["races/../../evil.json", "races/0123456789abcdef/evil.py"])
def test_race_under_another_name_is_refused(name: str, tmp_path: Path) -> None:
    path = packed(tmp_path, made())
    change_archive(path, lambda contents, _: contents.update({name: b"{}"}))
    with pytest.raises(ArchiveError, match="does not belong"):
        arrived(path)


def test_command_puts_the_race_in_its_place_and_refuses_a_damaged_one(
    tmp_path: Path, rnnbench: Callable[..., Answer]
) -> None:
    path = packed(tmp_path / "elsewhere", made())
    done = rnnbench("import", str(path))
    assert done.code == 0
    assert (
        f"the texts of {RUN.data.dataset} are not on this machine" in done.err
    ) == RUN.data.is_own
    assert (tmp_path / ".rnnbench" / made().place).exists()
    change_archive(path, lambda contents, _: contents.update({made().place: b"{"}))
    refused = rnnbench("import", str(path))
    assert f"{path} is refused: the race" in refused.err
