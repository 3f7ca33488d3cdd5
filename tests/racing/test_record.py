"""A race that was kept comes back as it was, or is said to be damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rnnbench.architectures import make_form
from rnnbench.racing.record import Entrant, Race, Setting, find_race, read_races, write_race
from rnnbench.specs import DataSpec, Recipe, RunSpec
from rnnbench.study import OTHER_CELLS

DATA = DataSpec(dataset="texts", fingerprint="f" * 64, max_len=20, num_words=300)
RUN = RunSpec(form=make_form("gru"), data=DATA, seed=0, recipe=Recipe(batch_size=8))


def entrant(
    units: int, lstm: float | None, gru: float | None, is_over: bool = True, rate: float = 0.01
) -> Entrant:
    losses = {"lstm": lstm, "gru": gru}
    return Entrant(
        setting=Setting(units=units, embedding_size=16, learning_rate=rate),
        losses={name: loss for name, loss in losses.items() if loss is not None},
        epochs={"lstm": 1, "gru": 2},
        is_over=is_over,
    )


def made(*entrants: Entrant, held: dict[str, float | int] | None = None) -> Race:
    return Race(
        data=DATA,
        held=held or {},
        recipe=Recipe(batch_size=8, learning_rate=0.5),
        seed=1000,
        limit_seconds=180.0,
        seconds=12.5,
        entrants=entrants,
    )


def test_size_has_the_lowest_mean_loss_of_both_networks() -> None:
    race = made(entrant(8, 0.2, 0.9), entrant(32, 0.5, 0.5), entrant(64, 0.1, None))
    assert race.size == (32, 16)
    assert not race.was_cut


def test_each_network_has_the_rate_that_was_best_for_it_at_the_size_that_won() -> None:
    race = made(
        entrant(32, 0.3, 0.5, rate=0.001),
        entrant(32, 0.9, 0.4, rate=0.01),
        entrant(8, 0.2, 0.6, rate=0.003),
    )
    assert race.size == (32, 16)
    assert race.rates == {"lstm": 0.001, "gru": 0.01, OTHER_CELLS: 0.001}


def test_first_setting_is_taken_where_none_has_a_loss() -> None:
    race = made(entrant(8, None, 0.9, is_over=False), entrant(32, None, None, is_over=False))
    assert race.size == (8, 16)
    assert race.was_cut
    assert not race.is_decided


def test_race_is_found_again_by_texts_sight_and_what_was_held(tmp_path: Path) -> None:
    race = made(entrant(8, 0.2, 0.3), held={"units": 8})
    write_race(tmp_path, race)
    assert find_race(tmp_path, RUN, {"units": 8}) == race
    assert find_race(tmp_path, RUN, {}) is None
    for change in ({"class_weight": "balanced"}, {"epochs": 2}, {"batch_size": 64}):
        other = replace(RUN, recipe=Recipe(**{"batch_size": 8} | change))
        assert find_race(tmp_path, other, {"units": 8}) is None
    assert read_races(tmp_path, DATA.fingerprint) == [race]


def test_damaged_race_is_told_and_left_out(tmp_path: Path) -> None:
    write_race(tmp_path, made(entrant(8, 0.2, 0.3)))
    (file,) = (tmp_path / "races").rglob("*.json")
    for content in ("", "{}", file.read_text().replace("0.2", '"a"'), "[1]"):
        file.write_text(content)
        told: list[str] = []
        assert find_race(tmp_path, RUN, {}, told.append) is None
        assert "run again" in told[0]
        assert read_races(tmp_path, DATA.fingerprint) == []
