"""The study in a few plain sentences, made from its rows; and what must not be overlooked."""

from collections.abc import Iterable, Mapping, Sequence

from rnnbench.compare.baseline import LINEAR_MODELS
from rnnbench.compare.comparison import Comparison
from rnnbench.compare.outcome import Outcome
from rnnbench.compare.reach import describe_reach
from rnnbench.compare.rows import ArmRow, PairRow
from rnnbench.compare.standing import tell_interim
from rnnbench.compare.unlearned import tell_unlearned
from rnnbench.output.amounts import listed, plural
from rnnbench.page.tables import by_section
from rnnbench.page.texts import per_cent, within
from rnnbench.stats.intervals import Interval

_SOUND = Outcome()
_MANY_SECTIONS = 4
_MANY_PAIRS = 4
_UNTIL = {
    "interim": "all planned seeds are there",
    "look not on record": "the look at it can be kept",
}


def write_answer(comparison: Comparison, outcome: Outcome = _SOUND) -> tuple[str, ...]:
    """What is best, what cannot be told apart, what it costs; a sentence each.

    Args:
        outcome: of the runs, which is told first.
    """
    arms = comparison.arms
    networks = [row for row in arms if row.n and not row.is_baseline]
    if not networks:
        no_score = [] if outcome.says("nothing learnt") else [_tell_no_score(arms)]
        return (*outcome.sentences, *no_score)
    sections = by_section(networks, ())
    interim = comparison.standing.interim
    told = interim and tell_interim(interim, comparison.n_needed, is_coarse=comparison.is_coarse)
    sentences = [*outcome.sentences, *([told] if told else [])]
    for section, own in sections[:_MANY_SECTIONS]:
        pairs = [pair for pair in comparison.pairs if pair.section == section]
        sentences += _answer_section(section, own, pairs, comparison)
    if len(sections) > _MANY_SECTIONS:
        rest = plural(len(sections) - _MANY_SECTIONS, "more section")
        sentences.append(f"{rest} below.")
    if len(sections) == 1:
        sentences += _cost(networks)
        if not outcome.says("linear model"):
            sentences += _against_baseline(arms, networks, comparison.declared.metric)
    sentences += tell_unlearned(arms, None if comparison.withheld else comparison.look)
    return tuple(sentences)


def _tell_no_score(arms: Sequence[ArmRow]) -> str:
    counts = {
        "failed": sum(row.n_failed for row in arms),
        "diverged": sum(row.n_diverged for row in arms),
        "did not learn": sum(row.n_unlearned for row in arms),
    }
    if any(row.n_missing for row in arms) or not any(counts.values()):
        return "No run has finished yet: there is nothing to say."
    told = listed([f"{count} {word}" for word, count in counts.items() if count])
    return f"No run has a score to compare: {told}."


def warn_of(
    comparison: Comparison,
    outcome: Outcome = _SOUND,
    *,
    notices: Iterable[str] = (),
    problem: str | None = None,
    n_deleted: int = 0,
) -> tuple[str, ...]:
    """Whatever keeps the data from carrying a conclusion.

    Args:
        outcome: of the runs; what it tells is not told twice.
        notices: of synthetic reviews, or of runs that were not made alike.
        problem: why MLflow could not be read.
        n_deleted: runs that somebody deleted in MLflow.
    """
    networks = [row for row in comparison.arms if not row.is_baseline]
    pairs, declared = comparison.pairs, comparison.declared
    warnings = list(dict.fromkeys(notices))
    if interim := comparison.standing.interim:
        warnings.append(tell_interim(interim, comparison.n_needed, is_coarse=comparison.is_coarse))
    of_arms, in_common = [row.n for row in networks], [min(row.n_a, row.n_b) for row in pairs]
    is_apart = min(filter(None, in_common), default=0) < min(filter(None, of_arms), default=0)
    reach = describe_reach(
        in_common if is_apart else of_arms,
        unit="pair" if is_apart else "arm",
        n_pairs=comparison.n_tests,
        is_paired=declared.is_paired,
        has_spread=not any(row.is_without_spread and not row.is_descriptive_only for row in pairs),
        n_test=comparison.n_test,
        metric=declared.metric,
        margin=declared.margin,
        look=comparison.look,
    )
    is_told = outcome.says("few texts") or (interim and not comparison.is_coarse)
    if reach and not is_told:
        warnings.append(reach)
    for count, words in (
        (sum(row.n_failed for row in networks), "failed and is left out of every mean"),
        (sum(row.n_diverged for row in networks), "diverged and is left out of every mean"),
        (
            sum(row.n_unlearned for row in networks) if any(row.n for row in networks) else 0,
            "did not learn and is left out of every mean",
        ),
        (sum(row.n_missing for row in networks), "is not over yet; this is what there is so far"),
    ):
        if count:
            some = words if count == 1 else words.replace("is ", "are ", 1)
            warnings.append(f"{plural(count, 'run')} {some}.")
    if n_deleted:
        warnings.append(f"Left out, because deleted in MLflow: {plural(n_deleted, 'run')}.")
    if problem:
        warnings.append(f"MLflow could not be read, so this rests on the ledger alone: {problem}.")
    return tuple(warnings)


def _answer_section(
    section: str,
    arms: Sequence[ArmRow],
    pairs: Sequence[PairRow],
    comparison: Comparison,
) -> list[str]:
    metric, words = comparison.declared.metric, comparison.declared.words
    means = {row.arm: _mean(row, metric) for row in arms}
    best = max(arms, key=lambda row: means[row.arm])
    highest = means[best.arm]
    level = [row for row in arms if means[row.arm] > highest - 1e-12]
    sentence = f"{section}: " if section else ""
    if len(level) > 1:
        counts = " and ".join(map(str, sorted({row.n for row in level})))
        sentence += (
            f"{listed([row.arm for row in level])} have the same highest mean {words}, "
            f"{100 * highest:.2f} % over {counts} {'seed' if counts == '1' else 'seeds'} each"
        )
    else:
        sentence += (
            f"{best.arm} has the highest mean {words}, {100 * highest:.2f} %"
            f"{_interval(best.score(metric).t)} over {plural(best.n, 'seed')}"
        )
    if not pairs:
        return [f"{sentence}; there is nothing to compare it with."]
    own = [pair for pair in pairs if best.arm in (pair.a, pair.b)]
    if own[0].withheld:
        return [f"{sentence}; whether that is luck is open until {_UNTIL[own[0].withheld]}."]
    if all(min(pair.n_a, pair.n_b) == 0 for pair in own):
        return [f"{sentence}; nothing else there has a score."]
    if all(pair.is_descriptive_only for pair in own):
        what = "test texts" if any(pair.is_too_coarse for pair in own) else "seeds"
        return [f"{sentence}; too few {what} to say whether that is luck."]
    subject = best.arm if len(level) > 1 else "It"
    return [
        f"{sentence}.",
        *_told_apart(subject, best.arm, pairs),
        *_on_other_texts(own, comparison),
    ]


def _mean(row: ArmRow, metric: str) -> float:
    return row.score(metric).mean or 0.0


def _told_apart(subject: str, best: str, pairs: Sequence[PairRow]) -> list[str]:
    """How the best compares with each other arm, and which others cannot be told apart."""
    found: dict[str, list[str]] = {relation: [] for relation in _RELATIONS}
    for pair in pairs:
        if best in (pair.a, pair.b):
            relation, other = _relate(best, pair)
            found[relation].append(other)
    parts = [f"{relation} {listed(others)}" for relation, others in found.items() if others]
    sentences = [
        f"{subject} is {'; '.join(parts)}; the margin is {100 * pairs[0].margin:g} points."
    ]
    unknown = [
        f"{pair.a} and {pair.b}"
        for pair in pairs
        if best not in (pair.a, pair.b) and pair.verdict == "undetermined"
    ]
    if unknown:
        sentences.append(f"Not told apart among the others: {_some(unknown)}.")
    return sentences


def _on_other_texts(pairs: Sequence[PairRow], comparison: Comparison) -> list[str]:
    """Of which verdicts the same is shown for test texts that nobody has drawn yet."""
    noun, uncertainty = comparison.noun, comparison.uncertainty.pairs
    told = [pair for pair in pairs if pair.verdict != "undetermined"]
    if not told:
        return []
    measured = {(row.section, row.a, row.b): row for row in uncertainty if row.both_se is not None}
    rows = [measured.get((pair.section, pair.a, pair.b)) for pair in told]
    held = [
        f"{pair.a} and {pair.b}"
        for pair, row in zip(told, rows, strict=True)
        if row is not None and row.holds(pair)
    ]
    if len(held) == len(told):
        return [f"That holds for other test {noun} as well."]
    if not any(rows):
        return [f"That holds on these test {noun}; for others it was not measured."]
    if not held:
        return [f"That holds on these test {noun}; for others none of it is shown."]
    return [f"That holds on these test {noun}; for others it is shown of {_some(held)}."]


_RELATIONS = (
    "typically better than",
    "equivalent to",
    "not distinguishable from",
    "in every run level with",
    "without spread, so not to be called better than",
    "on too few seeds to be compared with",
    "typically worse than",
)


def _relate(best: str, pair: PairRow) -> tuple[str, str]:
    """What the arm with the highest mean is to the other of a pair."""
    other = pair.b if pair.a == best else pair.a
    if pair.is_descriptive_only:
        return "on too few seeds to be compared with", other
    if pair.verdict == "equivalent":
        return "equivalent to", f"{other} ({pair.remarks[2:]})" if pair.remarks else other
    if pair.verdict == "undetermined":
        return _relate_open(pair), other
    is_ahead = (pair.verdict == "better") == (pair.a == best)
    typical = 100 * abs(pair.typical or 0.0)
    # With unequal seeds, or a run that collapsed, the arm with the higher mean may lose.
    relation = "typically better than" if is_ahead else "typically worse than"
    remark = f"by {typical:.2f} points, {pair.size} the margin{pair.remarks}"
    return relation, f"{other} ({remark})"


def _relate_open(pair: PairRow) -> str:
    """What an undetermined pair is: without spread, or open."""
    if pair.is_without_spread:
        if pair.difference:
            return "without spread, so not to be called better than"
        return "in every run level with"
    return "not distinguishable from"


def _some(pairs: Sequence[str]) -> str:
    more = len(pairs) - _MANY_PAIRS
    listed = "; ".join(pairs[:_MANY_PAIRS])
    return f"{listed}; and {plural(more, 'more pair')}" if more > 0 else listed


def _cost(arms: Sequence[ArmRow]) -> list[str]:
    timed = [row for row in arms if row.epoch_seconds and row.fit_seconds]
    if len(timed) < 2 or len({row.hardware for row in timed}) > 1:
        return []
    epochs = {row.arm: f"{row.epoch_seconds:.2f} s" for row in timed}
    runs = {row.arm: f"{row.fit_seconds:.1f} s" for row in timed}
    least, most = (
        epochs[end(timed, key=lambda row: row.epoch_seconds or 0.0).arm] for end in (min, max)
    )
    soonest = runs[min(timed, key=lambda row: row.fit_seconds or 0.0).arm]
    sentence = (
        f"An epoch costs the same with each ({least})"
        if least == most
        else f"An epoch costs least with {_with(least, epochs)} ({least}) and most with "
        f"{_with(most, epochs)} ({most})"
    )
    are = "is" if [*runs.values()].count(soonest) == 1 else "are"
    first = f"{_with(soonest, runs)} {are} done first ({soonest})"
    return [f"{sentence}; trained to {_end(timed)}, {first}."]


def _with(shown: str, values: Mapping[str, str]) -> str:
    """The arms for which that is shown: equal ones are level."""
    return listed([name for name, value in values.items() if value == shown])


def _end(arms: Sequence[ArmRow]) -> str:
    """What ended the runs: their early stop, or the last epoch that they were allowed."""
    n_at_limit = sum(row.n_at_limit for row in arms)
    if not n_at_limit:
        return "its early stop"
    is_all = n_at_limit == sum(row.n for row in arms)
    return "the epoch limit" if is_all else "its early stop or the epoch limit"


def _against_baseline(arms: Sequence[ArmRow], networks: Sequence[ArmRow], metric: str) -> list[str]:
    """How far the networks are from the better of a bag of words and TF-IDF."""
    known = {
        row.arm: mean
        for row in arms
        if row.arm in LINEAR_MODELS and (mean := row.score(metric).mean) is not None
    }
    scores = [mean for row in networks if (mean := row.score(metric).mean) is not None]
    if not known or not scores:
        return []
    name = max(known, key=lambda name: known[name])
    model, baseline = LINEAR_MODELS[name], known[name]
    if max(scores) - 1e-12 <= baseline <= min(scores) + 1e-12:
        return [f"{model} scores the same: {100 * baseline:.2f} %."]
    ends = dict.fromkeys(f"{100 * (end - baseline):+.2f}" for end in (min(scores), max(scores)))
    return [
        f"{model} scores {100 * baseline:.2f} %: "
        f"the networks' means lie {' to '.join(ends)} points from it."
    ]


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f" {within(interval, per_cent)}"
