"""How a study was run, in names and values at the end of its report; and what spoils its texts."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.arms import hardware_of
from rnnbench.compare.comparison import Declaration
from rnnbench.data.corpus import tell_shares
from rnnbench.data.describe import tell_texts
from rnnbench.data.text_summaries import count_split, find_findings, find_summary
from rnnbench.errors import DataError
from rnnbench.page.blocks import Fact
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import SPLIT_KEYS, Recipe, noun_of

_DATA_SETTINGS = ("num_words", "max_len", *SPLIT_KEYS)


def describe_study(
    runs: Sequence[RecordedRun], declared: Declaration, command: str
) -> tuple[Fact, ...]:
    """Data and its classes, recipe, versions, hardware, back end, engine, commit and command."""
    settings = [run.spec.settings for run in runs]
    texts = {f"{run.spec.data.dataset} ({run.spec.data.fingerprint})" for run in runs}
    is_own = any(run.spec.data.is_own for run in runs)
    hidden = SPLIT_KEYS if is_own else ("split_seed",) if declared.vary_split else ()
    seen = [name for name in _DATA_SETTINGS if name not in hidden]
    paired = "by seed" if declared.is_paired else "none: seeds are not compared with each other"
    facts = [
        (
            f"{noun_of(run.spec.data for run in runs)} (content fingerprint, SHA-256)",
            _listed(texts),
        ),
        ("classes", _classes(runs)),
        ("seen by the networks", _describe(settings, seen)),
        ("split", _split(runs, is_own=is_own, vary_split=declared.vary_split)),
        ("recipe", _describe([asdict(run.spec.recipe) for run in runs], _recipe_names(runs))),
        ("embedding size", _listed({str(run.spec.embedding_size) for run in runs})),
        ("pairing", paired),
        ("practical margin", f"{declared.margin_points:g} points of {declared.words}"),
        ("back end and engine", _listed({f"{r.spec.backend}, {r.spec.engine}" for r in runs})),
        ("hardware", _hardware(runs)),
        ("cores", _environment(runs, "cores")),
        ("platform", _environment(runs, "platform")),
        ("versions", _versions(runs)),
        ("git commit", _environment(runs, "commit")),
        ("runs in MLflow", f"{sum(run.run_id is not None for run in runs)} of {len(runs)}"),
        ("repeat with", command),
    ]
    return tuple((name, value or "not known") for name, value in facts)


def warn_of_texts(runs: Sequence[RecordedRun]) -> list[str]:
    """What may spoil results on texts of the user's, as it was found when they were read."""
    data = {run.spec.data.fingerprint: run.spec.data for run in runs}
    found = (find_findings(each) for each in data.values())
    told = [sentence for each in found if each for sentence in tell_texts(each)]
    return [f"{sentence[0].upper()}{sentence[1:]}." for sentence in told]


def _classes(runs: Sequence[RecordedRun]) -> str:
    """`negative 50.0 %, positive 50.0 %` of all texts; empty where they are not cached here."""
    return _listed(
        {
            tell_shares(dict(zip(names, counts.sum(axis=0).tolist(), strict=True)))
            for names, counts in _count_labels(runs)
        }
    )


def _split(runs: Sequence[RecordedRun], *, is_own: bool, vary_split: bool) -> str:
    """How texts were divided; of a file of the user's, how many came into each part."""
    if not is_own:
        split = "drawn anew with each seed" if vary_split else "one split for all seeds"
        return f"{split}; the test half is fixed"
    sizes = set()
    for _, counts in _count_labels(runs):
        sizes.add("{:,} train, {:,} validation, {:,} test".format(*counts.sum(axis=1).tolist()))
    return "; ".join(("one for all seeds, made when the file was read", *sorted(sizes)))


def _count_labels(
    runs: Sequence[RecordedRun],
) -> Iterator[tuple[tuple[str, ...], NDArray[np.int64]]]:
    """Of what the runs learnt from, where it is known here: classes, and how often each stands.

    The counts are int64 `(3, n_classes)`: of training, validation and test texts.
    """
    for data in {run.spec.data.fingerprint: run.spec.data for run in runs}.values():
        with suppress(DataError):
            summary, split = find_summary(data), count_split(data)
            test = np.bincount(summary.test_labels, minlength=len(summary.classes))
            yield summary.classes, np.array([split.train, split.validation, test])


def _describe(
    settings: Sequence[Mapping[str, Any]],  # Any: values of several types
    names: Sequence[str],
) -> str:
    """`batch_size 64, order reshuffled or frozen`."""
    seen = {name: sorted({values[name] for values in settings}) for name in names}
    return ", ".join(f"{name} {' or '.join(map(str, seen[name]))}" for name in names)


def _recipe_names(runs: Sequence[RecordedRun]) -> list[str]:
    """What there is to say of the recipe: of class weights nothing where no run has them."""
    has_weights = any(run.spec.recipe.class_weight != "none" for run in runs)
    names = [item.name for item in fields(Recipe)]
    return [name for name in names if has_weights or name != "class_weight"]


def _hardware(runs: Sequence[RecordedRun]) -> str:
    """The hardware that the runs' workers named."""
    results = [run.result for run in runs if run.result is not None]
    return _listed({hardware_of(result) for result in results if "device" in result.environment})


def _environment(runs: Sequence[RecordedRun], key: str) -> str:
    return _listed({run.result.environment.get(key, "") for run in runs if run.result is not None})


def _versions(runs: Sequence[RecordedRun]) -> str:
    seen: dict[str, set[str]] = {}
    for run in runs:
        if run.result is not None:
            for key, value in run.result.environment.items():
                if key.startswith("version."):
                    seen.setdefault(key.removeprefix("version."), set()).add(value)
    return ", ".join(f"{name} {' or '.join(sorted(seen[name]))}" for name in sorted(seen))


def _listed(values: set[str]) -> str:
    return "; ".join(sorted(values - {""}))
