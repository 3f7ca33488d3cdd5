"""Races in an archive: those that chose a study's settings, and their checks when they arrive."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rnnbench.errors import ArchiveError, StoreError, StudyError
from rnnbench.formats import check_text, is_there, why_failed
from rnnbench.limits import MOST_OF_A_NAME
from rnnbench.racing.race import list_settings
from rnnbench.racing.record import Race, parse_race, read_races, write_race
from rnnbench.specs import RunSpec


def pack_races(ledger_folder: Path, specs: Sequence[RunSpec]) -> dict[str, bytes]:
    """The races that chose the settings of these runs, as files by their place in a ledger."""
    fingerprints = dict.fromkeys(spec.data.fingerprint for spec in specs)
    found = (race for texts in fingerprints for race in read_races(ledger_folder, texts))
    return {
        race.place: json.dumps(asdict(race)).encode()
        for race in found
        if any(map(race.chose, specs))
    }


def check_races(files: Sequence[Path], specs: Sequence[RunSpec]) -> list[Race]:
    """The races in these files.

    Args:
        files: each in the folder that it had in a ledger.
        specs: of the runs that came with them.

    Raises:
        ArchiveError: one is damaged, or chose the settings of no run.
    """
    return [_check_race(file, specs) for file in files]


def keep_races(ledger_folder: Path, races: Sequence[Race]) -> None:
    """Put each in its place; what is there stays.

    Raises:
        StoreError: the disk is full or gone.
    """
    try:
        for race in races:
            if not is_there(ledger_folder / race.place):
                write_race(ledger_folder, race)
    except OSError as err:
        raise StoreError(f"cannot write {ledger_folder} ({why_failed(err)})") from err


def _check_race(file: Path, specs: Sequence[RunSpec]) -> Race:
    name = f"{file.parent.name}/{file.name}"
    try:
        race = parse_race(file.read_bytes())
        check_text("the data's name", race.data.dataset, MOST_OF_A_NAME)
    except (StudyError, ValueError, TypeError, KeyError, AttributeError) as err:
        raise ArchiveError(f"the race {name} cannot be read ({str(err)[:200]!a})") from err
    known = {each for heat in list_settings(race.held) for each in heat}
    if not known.issuperset(each.setting for each in race.entrants):
        raise ArchiveError(f"the race {name} has settings that no race tries")
    if not race.place.endswith(name) or not any(map(race.chose, specs)):
        raise ArchiveError(f"the race {name} chose the settings of no run in it")
    return race
