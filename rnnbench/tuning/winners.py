"""`rnnbench run --tuned`: the values that tuning found best, put into a study."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from rnnbench.datasets import DatasetRef
from rnnbench.errors import UsageError
from rnnbench.specs import USUAL_SETTINGS, Backend
from rnnbench.study import Study, expand_study
from rnnbench.tuning.plan import TUNING, refuse_overlap
from rnnbench.tuning.record import FOLDER, TuningRecord, read_records
from rnnbench.tuning.trials import count_trials


def refuse_untuned(ledger_folder: Path, study: Study) -> None:
    """Say at once, before any data is looked for, that nothing was tuned here.

    Raises:
        UsageError: so it is.
    """
    if not (ledger_folder / FOLDER / TUNING).is_dir():
        names = " ".join(study.architectures)
        raise UsageError(f"nothing was tuned in this folder yet; `rnnbench tune {names}` does that")


def with_winners(
    study: Study,
    ledger_folder: Path,
    dataset: DatasetRef,
    backend: Backend,
    given: Collection[str],
    warn: Callable[[str], None],
) -> Study:
    """The study with each architecture's best values; it says how it trains otherwise than tuned.

    Args:
        given: hyperparameters that were asked for beside.
        warn: called with a sentence on each search that is damaged or has learnt nothing, and on
            each difference.

    Raises:
        UsageError: an architecture was not tuned on these reviews, or not to the end; values that
            tuning brings were given as well; or a seed served tuning already.
    """
    found = read_records(ledger_folder, dataset.fingerprint, warn)
    _refuse_missing(study, found, dataset)
    records = {name: found[name] for name in study.architectures}
    tuned = {}
    for name, record in records.items():
        refuse_overlap(record.seeds, study.seeds, f"study {study.name}")
        assert record.winner is not None
        tuned[name] = record.winner.params
        if record.caveat is not None:
            warn(record.caveat)
    twice = sorted({key for values in tuned.values() for key in values} & set(given))
    if twice:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in twice)
        raise UsageError(f"--tuned brings values of its own for {options}; leave that out")
    study = study.with_choices(tuned=tuned)
    differences = _find_differences(study, records, dataset, backend)
    for sentence in differences:
        warn(sentence)
    trials = " or ".join(dict.fromkeys(count_trials(record.trials) for record in records.values()))
    but = f" But {'; '.join(differences)}." if differences else ""
    return study.with_choices(
        description=f"Each architecture with the values that {trials} found best for it.{but}"
    )


def _find_differences(
    study: Study, records: Mapping[str, TuningRecord], dataset: DatasetRef, backend: Backend
) -> list[str]:
    """Sentences on how the study trains otherwise than the searches did."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, record in records.items():
        specs = expand_study(
            study.with_values(name, study.tuned[name]), dataset.spec, backend=backend
        )
        values = [{**USUAL_SETTINGS, **spec.form.to_json(), **spec.settings} for spec in specs]
        tuned_with = record.declaration["architecture"] | record.declaration["settings"]
        for key, before in {**USUAL_SETTINGS, **tuned_with}.items():
            if study.vary_split and key == "split_seed":
                continue
            now = dict.fromkeys(_shown(each.get(key)) for each in values)
            if set(now) != {_shown(before)}:
                difference = (f"{key} {_shown(before)}", ", ".join(now))
                found.setdefault(difference, []).append(name)
    return [
        f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'} tuned with {before}, "
        f"and {'runs' if len(names) == 1 else 'run'} with {now}"
        for (before, now), names in found.items()
    ]


def _shown(value: Any) -> str:  # Any: JSON values, or what becomes such
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_missing(study: Study, records: Mapping[str, TuningRecord], dataset: DatasetRef) -> None:
    missing = [name for name in study.architectures if name not in records]
    if missing:
        raise UsageError(
            f"no best values for {', '.join(missing)} on these texts ({dataset.name}, content "
            f"{dataset.fingerprint[:12]}); `rnnbench tune {' '.join(missing)}` finds them, with "
            "the options that the others were tuned with"
        )
    for name in study.architectures:
        record = records[name]
        if not record.is_over:
            raise UsageError(
                f"{name}: {len(record.trials)} of {record.n_trials} trials are done; "
                f"`{record.command}` goes on"
            )
        if record.winner is None:
            raise UsageError(
                f"{name}: none of {len(record.trials)} trials was complete; add --trials to "
                f"`{record.command}`, or choose another --space with --fresh"
            )
