"""The rows to beat: a bag of words and TF-IDF, fitted once for the same texts; the majority."""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnbench.compare.rows import BaselineRow
from rnnbench.data.cache import cache_folder, open_corpus
from rnnbench.data.dataset import load_grades, score_grades
from rnnbench.data.files import read_json, write_json
from rnnbench.data.linear import score_bag_of_words, score_tf_idf
from rnnbench.data.linear_scores import LinearScores
from rnnbench.data.text_summaries import (
    BASELINE_HARDWARE,
    count_split,
    find_summary,
    kept_summary,
)
from rnnbench.errors import DataError, RnnbenchError
from rnnbench.execution.environment import processor_name
from rnnbench.execution.process import call_in_process
from rnnbench.specs import DataSpec, RunSpec
from rnnbench.stats.confusions import count_confusions, mean_f1

BAG_OF_WORDS = "bag of words"
TF_IDF = "TF-IDF"
MAJORITY = "majority class"
LINEAR_MODELS = {
    BAG_OF_WORDS: "A bag of words, without any order,",
    TF_IDF: "TF-IDF with logistic regression",
}
"""What each is called at the beginning of a sentence."""

_OF_SIGHT = ("num_words", "max_len")
_WHY_NOT = "why_not"  # in the cache in place of scores


def find_baselines(specs: Collection[RunSpec], *, fits: bool = True) -> list[BaselineRow]:
    """What networks that are trained like this have to beat, as far as it is known.

    On texts of the user's own that is also TF-IDF and the majority class; where the networks see
    parts of the same texts, these alone. What is fitted has class weights where all networks have.

    Args:
        specs: of one table.
        fits: whether what is not in the cache is computed, in seconds.
    """
    found = [each.find(fits=fits) for each in _list_fits(specs)]
    if _is_of_one_split(specs):
        found.append(_find_majority(next(iter(specs)).data))
    return [row for row in found if row is not None]


def fit_baselines(specs: Iterable[RunSpec], say: Callable[[str], None]) -> None:
    """Have the cache hold those of each run, by a process of its own that imports scikit-learn.

    Args:
        say: called with a sentence on the wait, if there is any.
    """
    seen = {(spec.data, spec.recipe.class_weight): spec for spec in specs}
    missing = {spec: names for spec in seen.values() if (names := list_unfitted([spec]))}
    if not missing:
        return
    say(tell_fitting(list(dict.fromkeys(name for each in missing.values() for name in each))))
    with suppress(RnnbenchError):  # who asks does without
        for spec in missing:
            call_in_process(find_baselines, [spec])


def pack_baselines(specs: Collection[RunSpec]) -> dict[str, Any]:  # Any: JSON values
    """What the cache has of the baselines of these runs, as `TextSummary` keeps it."""
    return {
        key: each
        for spec in specs
        for fit in _list_fits([spec])
        for key, each in fit.pack().items()
    }


def with_article(name: str) -> str:
    """`a bag of words`, `TF-IDF`."""
    return f"a {name}" if name == BAG_OF_WORDS else name


def list_unfitted(specs: Collection[RunSpec]) -> list[str]:
    """The baselines of this table that are to be fitted: the cache has not all of them."""
    return [each.name for each in _list_fits(specs) if not each.is_known]


def tell_fitting(names: Sequence[str]) -> str:
    """A sentence on the wait for these."""
    told = " and ".join(map(with_article, names))
    are = "is" if len(names) == 1 else "are"
    return f"{told[0].upper()}{told[1:]} {are} fitted now, to stand beside the networks."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """A logistic regression that stands, or is to stand, in the cache."""

    name: str
    data: DataSpec
    is_balanced: bool

    @property
    def is_known(self) -> bool:
        """Whether the cache has all of it, or that it cannot be fitted."""
        known = self._recall()
        return self._is_in_vain() if known is None else self._is_whole(known)

    def find(self, *, fits: bool) -> BaselineRow | None:
        """The row, from the cache or computed; None where that cannot be."""
        found = self._recall()
        if fits and not self.is_known:
            with suppress(DataError):
                found = self._compute(found)
        if found is not None:
            return _write_row(self.name, found, processor_name())
        return self._find_kept()

    def _find_kept(self) -> BaselineRow | None:
        """The row that came with a study from elsewhere, with the processor of there."""
        kept = kept_summary(self.data)
        values = dict(kept.baselines.get(self.place.stem, {})) if kept else {}
        if not values:
            return None
        hardware = str(values.pop(BASELINE_HARDWARE))
        return _write_row(self.name, LinearScores(**values), hardware)

    def pack(self) -> dict[str, Any]:  # Any: JSON values
        """What is kept of it in an archive, by the digest of its settings; empty if nothing is."""
        found = self._recall()
        hardware = f"{processor_name()}, {platform.node()}"
        packed = found and {**asdict(found), BASELINE_HARDWARE: hardware}
        return {self.place.stem: packed} if packed else {}

    def _is_in_vain(self) -> bool:
        try:
            return _WHY_NOT in read_json(self.place)
        except DataError:
            return False

    def _is_whole(self, found: LinearScores) -> bool:
        """Whether it has what earlier versions did not keep."""
        if not found.test_right or found.test_absolute_error is not None:
            return bool(found.test_right)
        try:
            return self.data.n_classes == 2 or load_grades(self.data) is None
        except DataError:
            return True

    def _recall(self) -> LinearScores | None:
        try:
            return LinearScores(**read_json(self.place))
        except (DataError, TypeError, ValueError):  # no cache; no file, or another version's
            return None

    def _compute(self, known: LinearScores | None) -> LinearScores:
        """Anew; of what an earlier version knew only what it lacks."""
        score = score_bag_of_words if self.name == BAG_OF_WORDS else score_tf_idf
        open_corpus(self.data.fingerprint)  # texts that are not here may come back
        try:
            found = score(self.data, is_balanced=self.is_balanced)
        except DataError as err:
            self._keep({_WHY_NOT: str(err)})
            raise
        if known is not None:
            found = replace(
                known,
                test_right=found.test_right,
                test_absolute_error=found.test_absolute_error,
                test_quadratic_kappa=found.test_quadratic_kappa,
            )
        self._keep(asdict(found))
        return found

    def _keep(self, found: dict[str, Any]) -> None:
        """In the cache; one that takes nothing makes the next report slower, no more."""
        with suppress(DataError):
            write_json(self.place, found)

    @property
    def place(self) -> Path:
        """The file in the cache, named by what can change the numbers."""
        seen = {key: value for key, value in asdict(self.data).items() if key != "dataset"}
        if self.name == TF_IDF:
            seen = {key: seen[key] for key in seen if key not in _OF_SIGHT} | {"of": TF_IDF}
        if self.is_balanced:
            seen["class_weight"] = "balanced"
        digest = hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]
        return cache_folder() / "baselines" / f"{digest}.json"


def find_floor(data: DataSpec) -> float | None:
    """The validation accuracy that a run has to pass to count as one that learned.

    What naming the commonest class of the training part scores on the validation part, and 1.645
    standard errors: of runs that learned nothing one in twenty passes it. A run that judges every
    validation text right always does. None where the reviews are not here.
    """
    try:
        split = count_split(data)
    except DataError:
        return None
    n = sum(split.validation)
    share = split.validation[np.argmax(split.train)] / n
    return min(share + 1.645 * math.sqrt(share * (1 - share) / n), 1 - 1 / (2 * n))


def _list_fits(specs: Collection[RunSpec]) -> list[_Fit]:
    seen = {spec.data for spec in specs}
    if not _is_of_one_split(specs):
        return []
    data = next(iter(specs)).data
    names = [BAG_OF_WORDS] * (len(seen) == 1) + [TF_IDF] * data.is_own
    is_balanced = data.is_own and {spec.recipe.class_weight for spec in specs} == {"balanced"}
    return [_Fit(name=name, data=data, is_balanced=is_balanced) for name in names]


def _is_of_one_split(specs: Collection[RunSpec]) -> bool:
    """Whether all have the same texts to train, validate and test on."""
    usual = {name: getattr(DataSpec(dataset="", fingerprint=""), name) for name in _OF_SIGHT}
    return len({replace(spec.data, **usual) for spec in specs}) == 1


def _write_row(name: str, found: LinearScores, processor: str) -> BaselineRow:
    return BaselineRow(
        section="",
        arm=name,
        n=1,
        n_parameters=found.n_parameters,
        test_accuracy=found.test_accuracy,
        test_macro_f1=found.test_macro_f1,
        test_absolute_error=found.test_absolute_error,
        test_quadratic_kappa=found.test_quadratic_kappa,
        test_loss=found.test_loss,
        val_loss=found.val_loss,
        gap=found.val_loss - found.train_loss,
        fit_seconds=found.fit_seconds,
        total_seconds=found.fit_seconds,
        hardware=f"cpu ({processor})",
        is_baseline=True,
        right=np.array([*found.test_right]) == "1" if found.test_right else None,
    )


def _find_majority(data: DataSpec) -> BaselineRow | None:
    """What the commonest class of the training part scores, on data of the user's own."""
    try:
        summary = find_summary(data)
        if not summary.is_own:
            return None  # IMDB is balanced: a half
        commonest = np.argmax(count_split(data).train)
    except DataError:
        return None
    labels = summary.test_labels
    predicted = np.full_like(labels, commonest)
    confusions = count_confusions(labels, predicted, len(summary.classes))
    return BaselineRow(
        section="",
        arm=MAJORITY,
        n=1,
        n_parameters=0,
        test_accuracy=float(np.mean(predicted == labels)),
        test_macro_f1=mean_f1(confusions),
        **score_grades(data, confusions),
        is_baseline=True,
        is_majority=True,
        right=predicted == labels,
    )
