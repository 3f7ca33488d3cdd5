"""How to write a study up: the sentences that its runs allow, and no stronger ones."""

from collections.abc import Iterator, Mapping, Sequence

from rnnbench.compare.comparison import Comparison
from rnnbench.compare.rows import LATE, ArmRow, PairRow, PairUncertainty
from rnnbench.compare.verdicts import CAUTION, level_of_look
from rnnbench.looks import Look
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import Block, Paragraph, Subheading
from rnnbench.page.texts import number, p_value, signed_points, with_interval

_MOST_PAIRS = 10
_PLURALS = {"test_accuracy": "Test accuracies", "test_macro_f1": "Test macro-F1 scores"}


def write_up(comparison: Comparison) -> Iterator[Block]:
    """The method in a paragraph, then a sentence for each pair."""
    if not comparison.pairs:
        return
    yield Subheading("How to write this up")
    silent = [row for row in comparison.pairs if _is_silent(row)]
    telling = [row for row in comparison.pairs if not _is_silent(row)]
    if telling:
        yield Paragraph(_method(comparison))
    measured = {(row.section, row.a, row.b): row for row in comparison.uncertainty.pairs}
    for row in telling[:_MOST_PAIRS]:
        yield Paragraph(_sentence(row, measured, comparison))
    if len(telling) > _MOST_PAIRS:
        more = plural(len(telling) - _MOST_PAIRS, "more pair")
        yield Paragraph(f"So on for {more}, in the words of their verdicts.")
    if silent:
        which = f"Of {plural(len(silent), 'pair')} the" if telling else "The"
        yield Paragraph(
            f"{which} runs allow no sentence on which is better: give the means, their spread and"
            " the number of seeds."
        )


def _method(comparison: Comparison) -> str:
    pairs, margin = comparison.pairs, _points(comparison.declared.margin)
    scores = _PLURALS[comparison.declared.metric]
    networks = [row for row in comparison.arms if not row.is_baseline]
    n_runs = sorted(row.n_trained + row.n_failed for row in networks)
    seeds = " to ".join(map(str, dict.fromkeys((n_runs[0], n_runs[-1]))))
    tests = []
    if any(row.is_paired for row in pairs):
        tests.append(
            "seed by seed with Wilcoxon's signed-rank test, differences being Hodges–Lehmann"
            " estimates"
        )
    if not all(row.is_paired for row in pairs):
        tests.append("with Welch's and Brunner and Munzel's tests, both of which had to reject")
    n_tests = comparison.n_tests
    holm = f" p values are Holm-adjusted over {n_tests:,} pairs." if n_tests > 1 else ""
    look = "" if comparison.look == 1 else f" (look {comparison.look} of the study)"
    level = f"The level of p is {level_of_look(comparison.look):.3g}{look}; a"
    return (
        f"Method: each network was trained with {seeds} seeds and scored on the test half at its"
        f" best validation loss.{_left_out(networks)} {scores} were compared"
        f" {'; or '.join(tests)}.{holm} {'A' if comparison.withheld else level} difference of"
        f" {margin} points was taken as the smallest that matters, and equivalence was tested by"
        f" two one-sided tests, whose p was multiplied by {CAUTION} (rnnbench)."
    )


def _left_out(networks: Sequence[ArmRow]) -> str:
    counts = {
        "did not learn": sum(row.n_unlearned for row in networks),
        "diverged": sum(row.n_diverged for row in networks),
        "failed": sum(row.n_failed for row in networks),
    }
    told = [f"{plural(n, 'run')} that {words}" for words, n in counts.items() if n]
    return f" Left out: {', '.join(told)}." if told else ""


def _is_silent(row: PairRow) -> bool:
    return row.is_descriptive_only or row.is_without_spread or row.typical is None


def _sentence(
    row: PairRow,
    measured: Mapping[tuple[str, str, str], PairUncertainty],
    comparison: Comparison,
) -> str:
    """What the runs of a pair allow to be said."""
    place = f"{row.section}: " if row.section else ""
    numbers = _numbers(row, comparison.standing.looks)
    texts = _texts(row, measured.get((row.section, row.a, row.b)), comparison.noun)
    margin = _points(row.margin)
    if row.verdict == "undetermined":
        return (
            f"{place}“Whether {row.a} or {row.b} scores higher was not determined ({numbers}).”"
            " Not: “they perform equally”."
        )
    if row.verdict == "equivalent":
        return (
            f"{place}“{row.a} and {row.b} were equivalent within {margin} points ({numbers})"
            f"{texts}.”"
        )
    winner, loser = (row.a, row.b) if row.verdict == "better" else (row.b, row.a)
    size = {
        "beyond": f"more than {margin} points",
        "within": f"less than {margin} points",
        "about": f"by an amount that may be less or more than {margin} points",
    }[row.size or "about"]
    how = "" if row.size == "about" else "by "
    return (
        f"{place}“{winner} typically scored higher than {loser}, {how}{size} ({numbers}){texts}.”"
    )


def _texts(row: PairRow, measured: PairUncertainty | None, noun: str) -> str:
    if measured is not None and measured.holds(row):
        return f", on these test {noun} and on others like them"
    return ", on this test set"


def _numbers(row: PairRow, looks: Sequence[Look]) -> str:
    """The difference as the sentence has it: of the better arm less the other, else of a less b.

    A verdict found at an earlier look, or declared after one, says so.
    """
    difference, interval = row.typical or 0.0, row.typical_interval
    if row.verdict == "worse":
        difference = -difference
        interval = interval and interval.mirrored()
    n_runs = plural(row.n_a, "seed") if row.is_paired else f"{row.n_a} and {row.n_b} runs"
    size = with_interval(difference, interval, signed_points)
    p = f"{'Holm p' if row.n_family > 1 else 'p'} {_p(row)}"
    if row.is_carried and row.look is not None:
        n_seeds, level = looks[row.look - 1].n_seeds, level_of_look(row.look)
        p += f" by now; found at look {row.look}, of {n_seeds} seeds, at level {level:.3g}"
    late = "" if row.verdict == "undetermined" or not row.is_declared_late else LATE
    return f"typical difference {size} points, {n_runs}, {p}{late}"


def _p(row: PairRow) -> str:
    text = p_value(row.p_within if row.verdict == "equivalent" else row.p_holm)
    return text if text.startswith("<") else f"= {text}"


def _points(fraction: float) -> str:
    return number(100 * fraction).rstrip("0").rstrip(".")
