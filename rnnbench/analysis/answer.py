"""The study in a few plain sentences, made from its rows; and what must not be overlooked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnnbench.analysis.pairs import FEWEST_RUNS
from rnnbench.analysis.rows import ArmRow, PairRow
from rnnbench.stats.intervals import Interval

__all__ = ["warn_of", "write_answer"]

_MANY_SECTIONS = 4
_MANY_PAIRS = 4


def write_answer(
    arms: Sequence[ArmRow], pairs: Sequence[PairRow], *, margin: float
) -> tuple[str, ...]:
    """What is best, what cannot be told apart, what it costs; a sentence each.

    Args:
        arms: of all sections, a bag-of-words row among them.
        margin: the practical margin, as a fraction.
    """
    networks = [row for row in arms if row.n and not row.is_baseline]
    if not networks:
        return ("No run has finished yet: there is nothing to say.",)
    sections = list(dict.fromkeys(row.section for row in networks))
    sentences = []
    for section in sections[:_MANY_SECTIONS]:
        own = [row for row in networks if row.section == section]
        sentences += _answer_section(
            section, own, [pair for pair in pairs if pair.section == section], margin
        )
    if len(sections) > _MANY_SECTIONS:
        rest = len(sections) - _MANY_SECTIONS
        sentences.append(f"{rest} more {'section' if rest == 1 else 'sections'} below.")
    if len(sections) == 1:
        sentences += [*_cost(networks), *_against_baseline(arms, networks)]
    return tuple(sentences)


def warn_of(
    arms: Sequence[ArmRow], *, notices: Iterable[str] = (), problem: str | None = None
) -> tuple[str, ...]:
    """Whatever keeps the data from carrying a conclusion.

    Args:
        notices: of synthetic reviews.
        problem: why MLflow could not be read.
    """
    networks = [row for row in arms if not row.is_baseline]
    warnings = list(dict.fromkeys(notices))
    fewest = min((row.n for row in networks), default=0)
    if len(networks) > 1 and fewest < FEWEST_RUNS:
        warnings.append(
            f"Descriptive only: {_plural(fewest, 'seed')} in the smallest arm. No verdict is "
            f"given below {FEWEST_RUNS} seeds, because no test could reach 5 % there."
        )
    for count, words in (
        (sum(row.n_failed for row in networks), "failed and is left out of every mean"),
        (sum(row.n_diverged for row in networks), "diverged and is left out of every mean"),
        (sum(row.n_missing for row in networks), "is not over yet; this is what there is so far"),
    ):
        if count:
            some = words if count == 1 else words.replace("is ", "are ", 1)
            warnings.append(f"{_plural(count, 'run')} {some}.")
    if problem:
        warnings.append(f"MLflow could not be read, so this rests on the ledger alone: {problem}.")
    return tuple(warnings)


def _answer_section(
    section: str, arms: Sequence[ArmRow], pairs: Sequence[PairRow], margin: float
) -> list[str]:
    lead = f"{section}: " if section else ""
    best = max(arms, key=lambda row: row.test_accuracy or 0.0)
    where = _interval(best.test_accuracy_t, 100, 2)
    seeds = _plural(best.n, "seed")
    sentence = (
        f"{lead}{best.arm} has the highest mean test accuracy, "
        f"{100 * (best.test_accuracy or 0.0):.2f} %{where} over {seeds}"
    )
    if not pairs:
        return [f"{sentence}; there is nothing to compare it with."]
    if all(pair.is_descriptive_only for pair in pairs if best.arm in (pair.a, pair.b)):
        return [f"{sentence}; too few seeds to say whether that is luck."]
    return [f"{sentence}.", *_told_apart(best.arm, pairs, margin)]


def _told_apart(best: str, pairs: Sequence[PairRow], margin: float) -> list[str]:
    """How the best compares with each other arm, and which others cannot be told apart."""
    found: dict[str, list[str]] = {relation: [] for relation in _RELATIONS}
    for pair in pairs:
        if best in (pair.a, pair.b):
            relation, other = _relate(best, pair)
            found[relation].append(other)
    parts = [f"{relation} {_listed(others)}" for relation, others in found.items() if others]
    sentences = [f"It is {'; '.join(parts)}; the margin is {100 * margin:g} points."]
    unknown = [
        f"{pair.a} and {pair.b}"
        for pair in pairs
        if best not in (pair.a, pair.b) and pair.verdict == "undetermined"
    ]
    if unknown:
        sentences.append(f"Not told apart among the others: {_some(unknown)}.")
    return sentences


_RELATIONS = (
    "better than",
    "equivalent to",
    "not distinguishable from",
    "on too few seeds to be compared with",
    "on the seeds that both have worse than",
)


def _relate(best: str, pair: PairRow) -> tuple[str, str]:
    """What the arm with the highest mean is to the other of a pair."""
    other = pair.b if pair.a == best else pair.a
    if pair.is_descriptive_only:
        return "on too few seeds to be compared with", other
    if pair.verdict == "equivalent":
        return "equivalent to", other
    if pair.verdict == "undetermined":
        return "not distinguishable from", other
    lead = 100 * (pair.difference or 0.0) * (1 if pair.a == best else -1)
    side = "beyond" if pair.is_beyond_margin else "within"
    # Of arms with unequal seeds, the one with the higher mean may lose where both have run.
    relation = "better than" if lead > 0 else "on the seeds that both have worse than"
    return relation, f"{other} (by {abs(lead):.2f} points, {side} the margin)"


def _some(pairs: Sequence[str]) -> str:
    more = len(pairs) - _MANY_PAIRS
    listed = "; ".join(pairs[:_MANY_PAIRS])
    return f"{listed}; and {_plural(more, 'more pair')}" if more > 0 else listed


def _cost(arms: Sequence[ArmRow]) -> list[str]:
    timed = [row for row in arms if row.epoch_seconds and row.fit_seconds]
    if len(timed) < 2 or len({row.hardware for row in timed}) > 1:
        return []
    cheap = min(timed, key=lambda row: row.epoch_seconds or 0.0)
    dear = max(timed, key=lambda row: row.epoch_seconds or 0.0)
    quick = min(timed, key=lambda row: row.fit_seconds or 0.0)
    sentence = (
        f"An epoch costs least with {cheap.arm} ({cheap.epoch_seconds:.2f} s) and most with "
        f"{dear.arm} ({dear.epoch_seconds:.2f} s)"
    )
    return [
        f"{sentence}; trained to its early stop, {quick.arm} is done first "
        f"({quick.fit_seconds:.1f} s)."
    ]


def _against_baseline(arms: Sequence[ArmRow], networks: Sequence[ArmRow]) -> list[str]:
    baseline = next((row for row in arms if row.is_baseline and row.test_accuracy), None)
    if baseline is None or baseline.test_accuracy is None:
        return []
    scores = [row.test_accuracy - baseline.test_accuracy for row in networks if row.test_accuracy]
    if not scores:
        return []
    low, high = 100 * min(scores), 100 * max(scores)
    return [
        f"A bag of words, without any order, scores {100 * baseline.test_accuracy:.2f} %: "
        f"the networks' means lie {low:+.2f} to {high:+.2f} points from it."
    ]


def _interval(interval: Interval | None, factor: float, digits: int) -> str:
    if interval is None:
        return ""
    return f" [{factor * interval.low:.{digits}f}, {factor * interval.high:.{digits}f}]"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
