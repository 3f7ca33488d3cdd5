"""What the report says of a study's runs: architectures, pairs, uncertainty, learning curves."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rnnbench.compare.baseline import LINEAR_MODELS, TF_IDF
from rnnbench.compare.comparison import Comparison
from rnnbench.compare.figures import (
    picture_errors,
    picture_improvements,
    picture_pairs,
    picture_scores,
)
from rnnbench.compare.learning import FindCurves, picture_learning
from rnnbench.compare.profiles import picture_profiles
from rnnbench.compare.responses import picture_responses
from rnnbench.compare.rows import (
    OPTIONAL,
    RESPONSE_OPTIONAL,
    ArmRow,
    ArmUncertainty,
    Curve,
    PairRow,
    PairUncertainty,
    ResponseRow,
    SeedRow,
    in_section,
)
from rnnbench.compare.standing import tell_interim, tell_look
from rnnbench.compare.tables import (
    tabulate_arm_uncertainty,
    tabulate_costs,
    tabulate_grades,
    tabulate_pair_uncertainty,
    tabulate_pairs,
    tabulate_responses,
    tabulate_scores,
    tabulate_seeds,
)
from rnnbench.compare.unlearned import unlearned_blocks
from rnnbench.compare.verdicts import level_of_look
from rnnbench.compare.write_up import write_up
from rnnbench.output.characters import csv_text
from rnnbench.page.blocks import Block, Paragraph, Part, Subheading, make_part
from rnnbench.page.csv_files import write_lines, write_rows
from rnnbench.page.latex import PaperTable
from rnnbench.page.tables import Table
from rnnbench.page.texts import number
from rnnbench.recorded_runs import CURVES

_MEANS = "Values are means over the runs that learned ± their standard deviation."
_GAP = (
    "Gap: validation loss minus the training loss evaluated without dropout, both of the best"
    " model."
)
_TOO_FEW = "too few runs (the interquartile mean needs five)"
_ALIKE = "runs that do not differ (for the bootstrap)"
_ELSEWHERE = "for times, runs on different hardware"
_CAPTIONS = {
    "uncertainty_arms": "Where the uncertainty of each mean {} comes from",
    "uncertainty_pairs": "Where the uncertainty of each difference in {} comes from",
}
"""On paper, where no heading stands above the table."""


def comparison_parts(comparison: Comparison, curves_for: FindCurves) -> Iterator[Part]:
    """The parts in their order, each drawn when it is asked for; an empty one says why.

    Args:
        curves_for: the published curves to draw beside an arm's.
    """
    contrast = comparison.declared.contrast
    heading = "Architectures" if contrast == "architecture" else f"Arms: {contrast}"
    yield make_part("architectures", heading, _architectures(comparison))
    yield make_part("pairs", "Pairs", _pairs(comparison))
    yield make_part("uncertainty", "Where the uncertainty comes from", _uncertainty(comparison))
    yield make_part("curves", "Learning curves", _curves(comparison, curves_for))


def comparison_tables(comparison: Comparison) -> dict[str, str]:
    """The CSV text of every table, by the stem of its file."""
    return {
        "architectures": write_rows(ArmRow, comparison.arms, OPTIONAL),
        "seeds": write_rows(SeedRow, comparison.seeds, ("test_macro_f1",)),
        "responses": write_rows(ResponseRow, comparison.responses, RESPONSE_OPTIONAL),
        "pairs": write_rows(PairRow, comparison.pairs),
        "uncertainty_arms": write_rows(ArmUncertainty, comparison.uncertainty.arms),
        "uncertainty_pairs": write_rows(PairUncertainty, comparison.uncertainty.pairs),
        "curves": write_curves(comparison.curves),
    }


def paper_tables(comparison: Comparison) -> Iterator[PaperTable]:
    """The tables that a paper wants, none of them empty; none at all before a run has finished."""
    arms, uncertainty = comparison.arms, comparison.uncertainty
    if not any(row.n for row in arms if not row.is_baseline):
        return
    words = comparison.declared.words
    yield _on_paper("accuracy", words, tabulate_scores(comparison), _reading_of_scores())
    costs = _reading_of_costs(arms) + _tell_weights(comparison)
    yield _on_paper("costs", words, tabulate_costs(comparison), costs)
    if comparison.pairs:
        table = _tabulate_pairs(comparison)
        yield _on_paper("pairs", words, table, _reading_of_pairs(comparison))
    sources = _reading_of_uncertainty(comparison)
    if uncertainty.arms:
        yield _on_paper("uncertainty_arms", words, tabulate_arm_uncertainty(comparison), sources)
    if uncertainty.pairs:
        note = f"{sources} {_reading_of_opposites(comparison)}"
        yield _on_paper("uncertainty_pairs", words, tabulate_pair_uncertainty(comparison), note)


def write_curves(curves: Iterable[Curve]) -> str:
    """The curves as CSV, a line for each epoch."""
    return write_lines(
        ("section", "arm", "seed", "epoch", *CURVES),
        (
            [csv_text(curve.section), csv_text(curve.arm), curve.seed, epoch, *values]
            for curve in curves
            for epoch, values in enumerate(curve.history.tolist(), start=1)
        ),
    )


def _architectures(comparison: Comparison) -> Iterator[Block | None]:
    if not comparison.arms:
        yield Paragraph("No run has finished.")
        return
    yield tabulate_scores(comparison)
    yield tabulate_grades(comparison)
    yield picture_scores(comparison)
    yield picture_profiles(comparison)
    if comparison.seeds:
        yield tabulate_seeds(comparison)
    if comparison.is_learning_known:
        yield from unlearned_blocks(comparison.arms, comparison.sections, comparison.floors)
    else:
        yield Paragraph(
            f"Which runs learned is not known: their {comparison.noun} are not on this machine."
        )
    yield tabulate_costs(comparison)
    told = (_reading_of_arms(comparison.arms), _tell_models(comparison.arms))
    yield Paragraph("".join((*told, _tell_weights(comparison))))
    if comparison.responses:
        yield Subheading("Response to the hyperparameters")
        yield tabulate_responses(comparison)
        yield picture_responses(comparison.responses, comparison.declared.metric)


def _reading_of_arms(arms: Sequence[ArmRow]) -> str:
    text = f"{_MEANS} {_GAP} A dash: not measured, {_TOO_FEW}, {_ALIKE}, or, {_ELSEWHERE}."
    return text + _hardware(arms)


def _reading_of_scores() -> str:
    return f"{_MEANS} A dash: not measured, {_TOO_FEW}, or {_ALIKE}."


def _reading_of_costs(arms: Sequence[ArmRow]) -> str:
    return f"{_MEANS} {_GAP} A dash: not measured, or, {_ELSEWHERE}.{_hardware(arms)}"


def _tell_weights(comparison: Comparison) -> str:
    if "balanced" not in comparison.class_weights:
        return ""
    linear = {row.arm for row in comparison.arms} & LINEAR_MODELS.keys()
    others = " or of the bag of words" if linear and TF_IDF not in linear else ""
    also = " The linear models below them have the same weights." if TF_IDF in linear else ""
    return (
        " With class weights the validation loss and the gap are weighted too, and do not compare"
        f" with those of runs without weights{others}.{also}"
    )


def _tell_models(arms: Sequence[ArmRow]) -> str:
    """What the linear models are of, where there are two."""
    if all(row.arm != TF_IDF for row in arms):
        return ""
    return (
        " Bag of words and TF-IDF: logistic regression, fitted on the training part; the first on"
        " counts of the words that the networks see, the second on the whole texts, of words or,"
        " where there are no spaces between these, of some letters in a row."
    )


def _hardware(arms: Sequence[ArmRow]) -> str:
    found = {row.hardware for row in arms if row.hardware}
    return f" Times: {found.pop()}." if len(found) == 1 else ""


def _pairs(comparison: Comparison) -> Iterator[Block | None]:
    if not comparison.pairs:
        yield Paragraph(_why_no_pairs(comparison))
        return
    yield Paragraph(_reading_of_pairs(comparison))
    if told := _look(comparison):
        yield Paragraph(told)
    yield _tabulate_pairs(comparison)
    disagreeing = [row for row in comparison.pairs if _disagrees(row)]
    if disagreeing:
        yield Paragraph(_disagreement(disagreeing))
    yield picture_pairs(comparison.pairs, comparison.sections, metric=comparison.declared.metric)
    yield picture_improvements(comparison.pairs, comparison.sections)
    yield from write_up(comparison)


def _tabulate_pairs(comparison: Comparison) -> Table[PairRow]:
    return tabulate_pairs(
        comparison.pairs,
        comparison.sections,
        _on_new_reviews(comparison),
        noun=comparison.noun,
        caption=f"Pairs by {comparison.declared.words}",
    )


def _on_new_reviews(comparison: Comparison) -> dict[tuple[str, str, str], str]:
    """The verdict of each pair on other test texts; none where nothing was measured."""
    rows = comparison.uncertainty.pairs
    if all(row.both_se is None for row in rows):
        return {}
    return {(row.section, row.a, row.b): row.new_reviews_words for row in rows}


def _look(comparison: Comparison) -> str:
    """Which look this is; nothing where no verdict can be given."""
    standing = comparison.standing
    if standing.interim is not None:
        told = tell_interim(standing.interim, comparison.n_needed, is_coarse=comparison.is_coarse)
        return f"{told} Until then the numbers only describe, and no look is spent."
    if comparison.withheld:
        return ""
    return tell_look(standing, n_pairs=comparison.n_tests, is_paired=comparison.declared.is_paired)


def _disagrees(row: PairRow) -> bool:
    """Whether a verdict of better or worse stands beside an interval that holds 0."""
    interval = row.difference_interval
    return row.verdict in ("better", "worse") and interval is not None and interval.contains(0)


def _disagreement(rows: Sequence[PairRow]) -> str:
    names = "; ".join(in_section(row.section, f"{row.a} − {row.b}") for row in rows)
    return (
        f"The means and the typical difference disagree on {names}: a run far from the others moves"
        " the mean and widens its t interval, and counts as one run in the test. The verdict is of"
        " the typical difference, and says nothing of the means. Look at the dots."
    )


def _why_no_pairs(comparison: Comparison) -> str:
    trained = [row for row in comparison.arms if not row.is_baseline]
    noun = "architecture" if comparison.declared.contrast == "architecture" else "arm"
    if not any(row.n for row in trained):
        ended = "learned" if any(row.n_unlearned for row in trained) else "finished"
        return f"No pair to compare: no run has {ended}."
    if len(comparison.sections) <= 1 and len(trained) == 1:
        return f"No pair to compare: one {noun}."
    return "No pair to compare: nowhere have two arms of one section finished runs."


def _reading_of_pairs(comparison: Comparison) -> str:
    margin = _margin(comparison)
    sentences = [
        f"Verdicts are on the first arm of a pair, and on the typical difference of two runs that"
        f" learned. Better or worse: the Holm-adjusted p is at most {_level(comparison)}; beside it"
        f" stands whether the difference is shown to lie beyond the practical margin of {margin}"
        f" points, which the study declared {_when(comparison)}, or within, or about the margin,"
        f" where neither is shown. Equivalent: not better or worse, and shown to lie within the"
        f" margin. Else undetermined. Each interval is of its pair alone; the words are adjusted"
        f" for the number of pairs, so that one may lie beyond the margin and the word be about.",
        _carried(comparison.pairs),
        _family(comparison.pairs),
        _pairing(comparison.pairs),
        "P(A > B) is the chance that one run of A scores higher than one run of B.",
    ]
    descriptive = [row for row in comparison.pairs if row.is_descriptive_only and not row.withheld]
    if any(row.is_too_coarse for row in descriptive):
        sentences.append(
            "Descriptive only: no verdict where one test text weighs more than the margin."
        )
    if any(min(row.n_a, row.n_b) < row.n_needed for row in descriptive):
        needed = max(row.n_needed for row in descriptive)
        sentences.append(
            f"Descriptive only: fewer than {needed} runs an arm carry no verdict; of paired runs,"
            " fewer seeds in common."
        )
    if any(row.is_without_spread for row in comparison.pairs):
        sentences.append(
            "No spread: no verdict where every run of an arm scored the same, in both arms; its"
            " seeds are no more than one, and nothing shows how far another would lie."
        )
    if comparison.declared.vary_split:
        sentences.append("The split varies from seed to seed; the test set is one and the same.")
    else:
        sentences.append(
            f"All of this holds for this one split of the {comparison.noun} and this test set."
        )
    if any(row.both_se is not None for row in comparison.uncertainty.pairs):
        sentences.append(
            f"The last column decides by the same rule about other seeds and other test"
            f" {comparison.noun}, by Student's t of the means with the two-way standard error"
            " below, and says nothing that the verdict does not."
        )
    return " ".join(sentence for sentence in sentences if sentence)


def _level(comparison: Comparison) -> str:
    if comparison.withheld:
        return "the level of its look"
    return f"{level_of_look(comparison.look):.3g}"


def _carried(pairs: Sequence[PairRow]) -> str:
    if not any(row.is_carried for row in pairs):
        return ""
    return "What an earlier look found, at its own level, stands, whatever p is by now."


def _when(comparison: Comparison) -> str:
    return "after it was run" if comparison.declared.is_changed else "before it was run"


def _family(pairs: Sequence[PairRow]) -> str:
    sizes = sorted({row.n_family for row in pairs if row.n_family})
    if not sizes:
        return ""
    tests = " or ".join(f"{size:,}" for size in sizes)
    return f"Holm's adjustment is over a family of {tests} {'test' if sizes == [1] else 'tests'}."


def _pairing(pairs: Sequence[PairRow]) -> str:
    paired = "runs of the same seed are compared with each other (Wilcoxon's signed-rank test"
    paired += " and the estimate of Hodges and Lehmann)"
    unpaired = "runs share nothing from arm to arm (Welch's test and Brunner and Munzel's, both)"
    if all(row.is_paired for row in pairs):
        return f"The pairs are paired: {paired}."
    if not any(row.is_paired for row in pairs):
        return f"The pairs are not paired: {unpaired}."
    return f"Some pairs are paired: {paired}; of the others {unpaired}."


def _uncertainty(comparison: Comparison) -> Iterator[Block | None]:
    uncertainty = comparison.uncertainty
    if not uncertainty.arms and not uncertainty.pairs:
        yield Paragraph("Not measured: there are no finished runs to resample.")
        return
    yield Paragraph(_reading_of_uncertainty(comparison))
    if uncertainty.arms:
        yield tabulate_arm_uncertainty(comparison)
        yield picture_errors(comparison)
    if uncertainty.pairs:
        yield tabulate_pair_uncertainty(comparison)
        yield Paragraph(_reading_of_opposites(comparison))


def _reading_of_uncertainty(comparison: Comparison) -> str:
    noun, rows = comparison.noun, comparison.uncertainty.arms
    counts = sorted({row.n_reviews for row in rows if row.n_reviews})
    text = (
        f"A mean over seeds would come out differently with other seeds, and with other test"
        f" {noun}. SE is its standard error for each of the two and for both together"
    )
    if not counts:
        return f"{text}; not measured where no predictions were kept."
    n_texts = " or ".join(f"{n:,}" for n in counts)
    return (
        f"{text}, by bootstrap over the runs and the {n_texts} test {noun}; the interval is"
        f" Student's t with that of both. All in {comparison.declared.points}."
    )


def _reading_of_opposites(comparison: Comparison) -> str:
    return (
        "One run of each tells the opposite: the chance that a comparison of single runs would"
        f" have ranked the two the other way round. Seeds needed: to find a difference of"
        f" {_margin(comparison)} points with about 80 % power at the observed spread, judged at the"
        " next look; a dash: unknown, or a few runs far from the others make the spread."
    )


def _on_paper(name: str, words: str, table: Table[Any], note: str) -> PaperTable:
    caption = _CAPTIONS.get(name, table.caption).format(words)
    return PaperTable(name=name, caption=caption, table=table, note=note)


def _curves(comparison: Comparison, curves_for: FindCurves) -> Iterator[Block | None]:
    picture = picture_learning(comparison.curves, curves_for)
    yield picture or Paragraph("Not measured: no run has a finished epoch.")


def _margin(comparison: Comparison) -> str:
    """In points."""
    return number(100 * comparison.declared.margin).rstrip("0").rstrip(".")
