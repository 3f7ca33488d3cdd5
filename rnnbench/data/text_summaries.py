"""What reports need to know of texts, be these here or on the machine that a study came from.

The cache tells it of texts that it has. Of others a ledger keeps what came with their study; a
command says where (`summaries_at_hand`), because the functions that ask know the data alone.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.cache import open_corpus, split_indices
from rnnbench.data.corpus import FIRST_WORD
from rnnbench.data.describe import Findings, parse_findings, read_findings
from rnnbench.data.linear_scores import LinearScores
from rnnbench.data.sight import Sight, choose_sight
from rnnbench.data.tokenizer import check_word
from rnnbench.errors import DataError
from rnnbench.formats import FormatError, check_text, parse_json
from rnnbench.limits import MOST
from rnnbench.specs import DataSpec

MOST_SUMMARY_BYTES = 2**26
BASELINE_HARDWARE = "hardware"  # the processor on which one was fitted
_FORMAT, _VERSION = "rnnbench texts", 1
_MOST_TEXTS = 20_000_000
_MOST_BASELINES = 1000
_DIGEST = re.compile("[0-9a-f]{16}")
_MOST_VALUES = 1_000_000  # of JSON; labels are one


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitCounts:
    """How many texts of each class train and how many validate."""

    train: tuple[int, ...]
    validation: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextSummary:
    """What reports need to know of texts.

    Args:
        test_labels: int8 `(n_test,)`.
        is_own: whether they are the user's, whose words are known.
        splits: by validation fraction and seed; as the rest, of a summary that came with a study.
        sight, findings: of the user's own; see `choose_sight` and `find_out`.
        baselines: what was fitted on them, by the digest of its settings.
    """

    classes: tuple[str, ...]
    test_labels: NDArray[np.int8]
    is_own: bool
    splits: Mapping[tuple[float, int], SplitCounts] = field(default_factory=dict)
    sight: Sight | None = None
    findings: Findings | None = None
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # Any: JSON values

    def to_json(self) -> bytes:
        """The content of a file that `parse_summary` reads."""
        values = {
            "format": _FORMAT,
            "version": _VERSION,
            "classes": self.classes,
            "test_labels": base64.b64encode(self.test_labels.tobytes()).decode(),
            "is_own": self.is_own,
            "splits": [
                {"validation_fraction": fraction, "split_seed": seed, **asdict(counts)}
                for (fraction, seed), counts in self.splits.items()
            ],
            "sight": self.sight and asdict(self.sight),
            "findings": self.findings and asdict(self.findings),
            "baselines": self.baselines,
        }
        return json.dumps(values).encode()


_AT_HAND: ContextVar[Mapping[str, TextSummary] | None] = ContextVar("summaries", default=None)


@contextmanager
def summaries_at_hand(summaries: Mapping[str, TextSummary]) -> Iterator[None]:
    """A block in which these tell what the cache cannot, by the fingerprint of the texts."""
    token = _AT_HAND.set(summaries)
    try:
        yield
    finally:
        _AT_HAND.reset(token)


def find_summary(data: DataSpec) -> TextSummary:
    """What is to be known of texts at once: whose they are, their classes, labels of the test half.

    Raises:
        DataError: they are not in the cache, and did not come with a study either.
    """
    try:
        return _read_cache(data)
    except DataError:
        kept = kept_summary(data)
        if kept is None:
            raise
        return kept


def kept_summary(data: DataSpec) -> TextSummary | None:
    """What came with a study from elsewhere."""
    return (_AT_HAND.get() or {}).get(data.fingerprint)


def count_split(data: DataSpec) -> SplitCounts:
    """How many texts of each class train and validate.

    Raises:
        DataError: nothing here tells.
    """
    try:
        corpus = open_corpus(data.fingerprint)
        split = split_indices(
            data.fingerprint, test_size=data.validation_fraction, random_state=data.split_seed
        )
    except DataError:
        kept = kept_summary(data)
        if kept is None or _key(data) not in kept.splits:
            raise
        return kept.splits[_key(data)]
    labels, n_classes = corpus.train.labels, len(corpus.classes)
    train, validation = (
        tuple(np.bincount(labels[rows], minlength=n_classes).tolist())
        for rows in (split.train, split.validation)
    )
    return SplitCounts(train=train, validation=validation)


def find_sight(data: DataSpec) -> Sight | None:
    """How much of texts of the user's own a network should see; None where nothing here tells."""
    try:
        return choose_sight(open_corpus(data.fingerprint))
    except DataError:
        kept = kept_summary(data)
        return None if kept is None else kept.sight


def find_findings(data: DataSpec) -> Findings | None:
    """What was found in texts of the user's own; None where nothing here tells."""
    kept = kept_summary(data)
    known = read_findings(data.fingerprint)
    return kept.findings if known is None and kept is not None else known


def summarise_texts(
    data: Sequence[DataSpec],
    baselines: Mapping[str, Mapping[str, Any]],  # Any: JSON values
) -> TextSummary:
    """All of it, for an archive.

    Args:
        data: ways to see and to split texts of one fingerprint.

    Raises:
        DataError: they are not in the cache.
    """
    known = _read_cache(data[0])
    return replace(
        known,
        splits={_key(each): count_split(each) for each in data},
        sight=find_sight(data[0]) if known.is_own else None,
        findings=read_findings(data[0].fingerprint),
        baselines=baselines,
    )


def parse_summary(content: bytes) -> TextSummary:
    """What `TextSummary.to_json` wrote, be it here or by somebody who means harm.

    Raises:
        FormatError: it is nothing of the kind.
    """
    if len(content) > MOST_SUMMARY_BYTES:
        raise FormatError(f"it has {len(content):,} bytes, of at most {MOST_SUMMARY_BYTES:,}")
    values = parse_json(content, most_values=_MOST_VALUES)
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise FormatError("it is not a summary of texts that rnnbench wrote")
    if values.get("version") != _VERSION:
        raise FormatError(f"it is of version {str(values.get('version'))[:20]!a}, not {_VERSION}")
    try:
        return _parse(values)
    except FormatError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError) as err:
        raise FormatError(f"it is not what rnnbench writes there ({str(err)[:100]!a})") from err


def merge_summaries(known: TextSummary, arrived: TextSummary) -> TextSummary:
    """What two studies on the same texts tell of them; `known` counts where both tell something.

    Raises:
        FormatError: they are not of the same texts, or too large for one.
    """
    if (known.classes, known.is_own) != (arrived.classes, arrived.is_own):
        raise FormatError("the classes are others")
    if not np.array_equal(known.test_labels, arrived.test_labels):
        raise FormatError("the labels are others")
    if any(
        arrived.splits[key] != known.splits[key] for key in arrived.splits.keys() & known.splits
    ):
        raise FormatError("a split is another")
    merged = replace(
        known,
        splits={**known.splits, **arrived.splits},
        sight=known.sight or arrived.sight,
        findings=known.findings or arrived.findings,
        baselines={**arrived.baselines, **known.baselines},
    )
    return parse_summary(merged.to_json())


def _read_cache(data: DataSpec) -> TextSummary:
    corpus = open_corpus(data.fingerprint)
    return TextSummary(
        classes=corpus.classes, test_labels=corpus.test.labels, is_own=bool(corpus.vocabulary)
    )


def _key(data: DataSpec) -> tuple[float, int]:
    return data.validation_fraction, data.split_seed


def _parse(values: Mapping[str, Any]) -> TextSummary:  # Any: JSON values
    classes = tuple(values["classes"])
    for name in classes:
        check_word("classes", name, 200)
    if not 2 <= len(set(classes)) == len(classes) <= MOST["n_classes"]:
        raise FormatError("its classes are not two or more, each with a name of its own")
    labels = np.frombuffer(base64.b64decode(values["test_labels"], validate=True), dtype=np.int8)
    if not (0 < len(labels) <= _MOST_TEXTS and labels.min() >= 0 and labels.max() < len(classes)):
        raise FormatError("its labels are not numbers of its classes")
    if type(values["is_own"]) is not bool:
        raise FormatError("it does not say whose the texts are")
    sight, findings = values["sight"], values["findings"]
    baselines = dict(values["baselines"])
    if len(baselines) > _MOST_BASELINES:
        raise FormatError(f"it has {len(baselines):,} baselines, of at most {_MOST_BASELINES:,}")
    for digest, each in baselines.items():
        _check_baseline(digest, each, len(labels))
    found = TextSummary(
        classes=classes,
        test_labels=labels,
        is_own=values["is_own"],
        splits=dict(_parse_split(each, len(classes)) for each in values["splits"]),
        sight=None if sight is None else _parse_sight(sight),
        findings=None if findings is None else parse_findings(findings, classes),
        baselines=baselines,
    )
    _check_sizes(found)
    return found


def _check_sizes(summary: TextSummary) -> None:
    """See that all of it counts the same texts of each class."""
    sums = [np.add(each.train, each.validation) for each in summary.splits.values()]
    if summary.findings:
        *learnt, test = np.array([*summary.findings.class_counts.values()]).T
        sums.append(np.add(*learnt))
        if not np.array_equal(test, np.bincount(summary.test_labels, minlength=len(test))):
            raise FormatError("its test texts are not counted as they are labelled")
    if not all(np.array_equal(each, sums[0]) for each in sums):
        raise FormatError("its texts to train and validate on are not counted alike")


def _parse_split(
    values: Mapping[str, Any],  # Any: JSON values
    n_classes: int,
) -> tuple[tuple[float, int], SplitCounts]:
    counts = [tuple(values[part]) for part in ("train", "validation")]
    if any(len(each) != n_classes or not sum(map(_check_count, each)) for each in counts):
        raise FormatError("a split does not count the texts of each class")
    train, validation = counts
    key = float(values["validation_fraction"]), _check_count(values["split_seed"])
    return key, SplitCounts(train=train, validation=validation)


def _parse_sight(values: Mapping[str, Any]) -> Sight:  # Any: JSON values
    found = Sight(**{name: _check_count(values[name]) for name in ("max_len", "num_words")})
    if found.max_len < 2 or found.num_words <= FIRST_WORD:
        raise FormatError("a network would see nothing of the texts")
    return found


def _check_count(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**32:
        raise FormatError("a count is not a whole number")
    return value


def _check_baseline(digest: str, values: Mapping[str, object], n_test: int) -> None:
    """Scores that a fit on texts of which `n_test` test can give, and where it was made."""
    if not _DIGEST.fullmatch(digest):
        raise FormatError("a baseline is not called by the digest of its settings")
    check_text("hardware of a baseline", values[BASELINE_HARDWARE])
    scores = {name: value for name, value in values.items() if name != BASELINE_HARDWARE}
    if not LinearScores(**scores).is_of(n_test):  # type: ignore[arg-type]  # it checks itself
        raise FormatError("what a baseline got right is not what it scores")
