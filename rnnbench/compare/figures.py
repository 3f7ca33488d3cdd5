"""The figures of scores, of pairs, and of where the uncertainty comes from."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from rnnbench.compare.comparison import Comparison
from rnnbench.compare.rows import ArmRow, ArmUncertainty, PairRow, Score
from rnnbench.compare.verdicts import Verdict
from rnnbench.metrics import METRICS, USUAL_METRIC, points_of
from rnnbench.output.amounts import plural
from rnnbench.page.drawing import BLUE, GREEN, INK, MUTED, ORANGE, VERMILLION, Picture
from rnnbench.page.panels import Line, Panel, picture_panels
from rnnbench.page.tables import by_section
from rnnbench.page.texts import brief_per_cent, number, signed_points, with_interval, with_sd
from rnnbench.stats.intervals import Interval

_MAX_LINES = 40
_MAX_ERROR_LINES = 30
_FROM_0_TO_1 = Interval(-0.02, 1.02)  # with room for a dot on either end
_COLOURS: dict[Verdict, str] = {
    "better": BLUE,
    "worse": VERMILLION,
    "equivalent": GREEN,
    "undetermined": MUTED,
}


def find_scores(comparison: Comparison) -> tuple[Panel, ...]:
    """What the figure shows, in per cent; arms without a finished run have no line."""
    metric = comparison.declared.metric
    dots: dict[tuple[str, str], list[float]] = defaultdict(list)
    for seed in comparison.seeds:
        dots[seed.section, seed.arm].append(100 * seed.score(metric))
    scored = [row for row in comparison.arms if row.score(metric).mean is not None]
    panels = (
        Panel(
            heading=heading,
            lines=tuple(
                _score_line(row, row.score(metric), dots[row.section, row.arm])
                for row in rows
                if not row.is_baseline
            ),
            baselines=tuple(
                (row.arm, 100 * (row.score(metric).mean or 0.0))
                for row in rows
                # The majority class would stretch the axis; the table has it.
                if row.is_baseline and row.n_parameters
            ),
        )
        for heading, rows in by_section(scored, comparison.sections)
    )
    return tuple(panel for panel in panels if panel.lines)


def picture_scores(comparison: Comparison) -> Picture | None:
    """Every seed a dot, every arm a mean and an interval; None without a finished run."""
    found, words = find_scores(comparison), comparison.declared.words
    return picture_panels(
        found,
        name="scores",
        title=f"{words[0].upper()}{words[1:]} of every run",
        alt=_describe_scores(found, comparison.arms, words),
        caption=(
            "Each dot is one seed. Below the dots: the mean and its 95 % t interval (an arrow head:"
            " it goes on outside the picture; so do runs that lie far from the rest)."
            + _tell_unlearned(comparison.arms)
        ),
        noun="arm",
        n_lines=_MAX_LINES,
        xlabel=f"{words} (%)",
        bounds=Interval(0.0, 100.0),
    )


def find_pairs(rows: Sequence[PairRow], sections: Sequence[str]) -> tuple[Panel, ...]:
    """What the figure shows, in accuracy points; a pair without a difference has no line.

    Those are the typical differences, which verdicts are about, or of means where not every pair
    has an interval of it.
    """
    shown = _shown(rows)
    return tuple(
        Panel(heading=heading, lines=tuple(_pair_line(row, *shown[row]) for row in members))
        for heading, members in by_section([*shown], sections)
    )


def picture_pairs(
    rows: Sequence[PairRow],
    sections: Sequence[str],
    *,
    name: str = "pairs",
    minus: str = "first arm minus second",
    metric: str = USUAL_METRIC,
) -> Picture | None:
    """A forest plot with the margin and the verdicts; None without a pair."""
    margin = 100 * rows[0].margin if rows else 0.0
    kind = "Typical differences" if _are_typical(rows) else "Differences of the means"
    kind = f"{kind} of {METRICS[metric]}"
    return picture_panels(
        find_pairs(rows, sections),
        name=name,
        title=f"{kind}, {minus}",
        alt=_describe_pairs(rows, sections, kind),
        caption=(
            "Dot and bar: the difference and its 95 % interval (an arrow head: it goes on outside"
            f" the picture). Shaded: the practical margin of"
            f" ± {number(margin).rstrip('0').rstrip('.')} points."
        ),
        noun="pair",
        n_lines=_MAX_LINES,
        xlabel=f"difference ({points_of(metric)})",
        margin=margin,
    )


def find_improvements(rows: Sequence[PairRow], sections: Sequence[str]) -> tuple[Panel, ...]:
    """What the figure shows, from 0 to 1; a pair without a probability has no line."""
    return tuple(
        Panel(heading=heading, lines=tuple(_improvement_line(row) for row in members))
        for heading, members in by_section(_with_probability(rows), sections)
    )


def picture_improvements(rows: Sequence[PairRow], sections: Sequence[str]) -> Picture | None:
    """The chance that a run of the first arm beats one of the second; None without a pair."""
    found = find_improvements(rows, sections)
    return picture_panels(
        found,
        name="improvement",
        title="P(A > B), the chance that one run of A scores higher than one run of B",
        alt=_describe_improvements(found),
        caption=(
            "Dot and bar: the chance, a tie counting half, and its 95 % interval (Newcombe's method"
            " 5), which takes the runs of A and of B for independent and each pair by itself. The"
            " line at 0.5: a coin. The colours are those of the verdicts, which the test gives and"
            " not this interval."
        ),
        noun="pair",
        n_lines=_MAX_LINES,
        xlabel="P(A > B)",
        middle=0.5,
        limits=_FROM_0_TO_1,
    )


def find_errors(comparison: Comparison) -> tuple[Panel, ...]:
    """What the figure shows, in accuracy points; an arm without any error has no line."""
    known = [row for row in comparison.uncertainty.arms if {*_errors(row)} != {None}]
    sources = (("seeds", BLUE), (f"test {comparison.noun}", ORANGE), ("both", INK))
    return tuple(
        Panel(
            heading=heading,
            lines=tuple(
                Line(
                    name=row.arm,
                    bars=tuple(
                        (name, error, colour)
                        for (name, colour), error in zip(sources, _errors(row), strict=True)
                    ),
                )
                for row in rows
            ),
        )
        for heading, rows in by_section(known, comparison.sections)
    )


def picture_errors(comparison: Comparison) -> Picture | None:
    """Bars for seeds, test texts and both; None where nothing is known."""
    found, declared = find_errors(comparison), comparison.declared
    return picture_panels(
        found,
        name="uncertainty",
        title=f"Standard error of each mean {declared.words}, by where it comes from",
        alt=_describe_errors(found, declared.points),
        caption=(
            f"How much the mean would change if other seeds, other test {comparison.noun}, or both"
            " had been drawn (bootstrap)."
        ),
        noun="arm",
        n_lines=_MAX_ERROR_LINES,
        xlabel=f"standard error ({declared.points})",
        row_inches=0.62,
    )


def _score_line(row: ArmRow, score: Score, dots: Sequence[float]) -> Line:
    mean = 100 * (score.mean or 0.0)
    sd = None if score.sd is None else 100 * score.sd
    return Line(
        name=row.arm,
        words=f"{with_sd(mean, sd, number)} %",
        mean=mean,
        interval=_in_points(score.t),
        dots=tuple(dots),
    )


def _pair_line(row: PairRow, difference: float, interval: Interval | None) -> Line:
    return Line(
        name=row.a,
        minus=row.b,
        words=f"{signed_points(difference)}  {row.verdict_words}",
        mean=100 * difference,
        interval=_in_points(interval),
        colour=_COLOURS[row.verdict],
    )


def _improvement_line(row: PairRow) -> Line:
    return Line(
        name=row.a,
        over=row.b,
        words=with_interval(row.probability, row.probability_interval, number),
        mean=row.probability or 0.0,
        interval=row.probability_interval,
        colour=_COLOURS[row.verdict],
    )


def _in_points(interval: Interval | None) -> Interval | None:
    return None if interval is None else Interval(100 * interval.low, 100 * interval.high)


def _compared(rows: Sequence[PairRow]) -> list[PairRow]:
    return [row for row in rows if row.difference is not None]


def _are_typical(rows: Sequence[PairRow]) -> bool:
    return all(row.typical_interval is not None for row in _compared(rows))


def _shown(rows: Sequence[PairRow]) -> dict[PairRow, tuple[float, Interval | None]]:
    """The difference of each pair that has one, with its interval."""
    if _are_typical(rows):
        return {row: (row.typical or 0.0, row.typical_interval) for row in _compared(rows)}
    return {row: (row.difference or 0.0, row.difference_interval) for row in _compared(rows)}


def _with_probability(rows: Sequence[PairRow]) -> list[PairRow]:
    return [row for row in rows if row.probability is not None]


def _errors(row: ArmUncertainty) -> list[float | None]:
    """The standard error by source; one that is not finite is not known."""
    errors = (row.seed_se, row.review_se, row.both_se)
    return [None if se is None or not math.isfinite(se) else 100 * se for se in errors]


def _tell_unlearned(arms: Sequence[ArmRow]) -> str:
    n = sum(row.n_unlearned for row in arms)
    return f" {plural(n, 'run')} that did not learn: a dot each, outside the means." if n else ""


def _describe_scores(panels: Sequence[Panel], arms: Sequence[ArmRow], words: str) -> str:
    n_runs = {(row.section, row.arm): row.n for row in arms}
    lines = [(panel.heading, line) for panel in panels for line in panel.lines]
    start = f"Mean {words}: "
    if len(lines) > 8:
        start = f"Mean {words} of {len(lines):,} arms, from "
        lines.sort(key=lambda item: item[1].mean)
        lines = [lines[0], lines[-1]]
    texts = [
        f"{f'{heading}, ' if heading else ''}{line.name} {brief_per_cent(line.mean)} %"
        f" ({plural(n_runs[heading, line.name], 'seed')})"
        for heading, line in lines
    ]
    baselines = dict.fromkeys(baseline for panel in panels for baseline in panel.baselines)
    texts += [f"baseline {name} {brief_per_cent(value)} %" for name, value in baselines]
    return f"{start}{', '.join(texts)}."


def _describe_pairs(rows: Sequence[PairRow], sections: Sequence[str], kind: str) -> str:
    shown = _shown(rows)
    grouped = by_section([*shown], sections)
    found = [(heading, row) for heading, members in grouped for row in members]
    if len(found) > 8:
        counts = Counter(row.verdict_words for _, row in found)
        texts = [f"{n} {words}" for words, n in counts.most_common()]
        return f"{kind}, of {plural(len(found), 'pair')}: {'; '.join(texts)}."
    texts = [
        f"{f'{heading}: ' if heading else ''}{row.a} minus {row.b}"
        f" {signed_points(shown[row][0])} points, {row.verdict_words}"
        for heading, row in found
    ]
    return f"{kind}: {'; '.join(texts)}."


def _describe_improvements(panels: Sequence[Panel]) -> str:
    lines = [(panel.heading, line) for panel in panels for line in panel.lines]
    start = "Chance that one run scores higher than one of another arm"
    if len(lines) > 8:
        values = [line.mean for _, line in lines]
        intervals = [line.interval for _, line in lines if line.interval is not None]
        n_above = sum(interval.low > 0.5 for interval in intervals)
        n_below = sum(interval.high < 0.5 for interval in intervals)
        return (
            f"{start}, {len(lines):,} pairs: from {number(min(values))} to {number(max(values))};"
            f" {n_above:,} intervals lie above 0.5, {n_below:,} below."
        )
    texts = [
        f"{f'{heading}, ' if heading else ''}{line.name} above {line.over} {line.words}"
        for heading, line in lines
    ]
    return f"{start}: {'; '.join(texts)}."


def _describe_errors(panels: Sequence[Panel], points: str) -> str:
    lines = [(panel.heading, line) for panel in panels for line in panel.lines]
    texts = []
    for heading, line in lines[:6]:
        errors = [f"{name} {number(error)}" for name, error, _ in line.bars if error is not None]
        texts.append(f"{f'{heading}, ' if heading else ''}{line.name}: {', '.join(errors)}")
    more = f"; and {len(lines) - 6:,} more arms" if len(lines) > 6 else ""
    return f"Standard errors in {points}. {'; '.join(texts)}{more}."
