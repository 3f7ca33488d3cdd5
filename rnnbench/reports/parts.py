"""The parts of the page in their order: tables, figures and the sentences between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from rnnbench.claims.judge import CLAIMS_NOTE
from rnnbench.compare.error_figure import picture_errors
from rnnbench.compare.forest import picture_pairs
from rnnbench.compare.learning import picture_learning
from rnnbench.compare.responses import picture_responses
from rnnbench.compare.scores import picture_scores
from rnnbench.compare.tables import (
    tabulate_arm_uncertainty,
    tabulate_costs,
    tabulate_pair_uncertainty,
    tabulate_pairs,
    tabulate_published,
    tabulate_responses,
    tabulate_scores,
    tabulate_seeds,
)
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import (
    Block,
    Claims,
    Drawn,
    Facts,
    Folded,
    Paragraph,
    Part,
    Subheading,
    Tone,
    Warnings,
)
from rnnbench.page.drawing import Picture
from rnnbench.page.texts import number
from rnnbench.published.figure import picture_comparisons
from rnnbench.published.notes import SCORED_WITH_DROPOUT, SOURCE
from rnnbench.published.rows import explain_by_order
from rnnbench.study import TIMING
from rnnbench.timing.page import build_timing
from rnnbench.tuning.page import build_tuning

if TYPE_CHECKING:
    from rnnbench.compare.rows import PairRow
    from rnnbench.page.blocks import ClaimVerdict
    from rnnbench.reports.document import Document

__all__ = ["build_parts"]

_CLAIM_TONES: dict[ClaimVerdict, Tone] = {
    "supported": "good",
    "contradicted": "bad",
    "undetermined": "open",
    "not measured": "",
}


def build_parts(document: Document) -> tuple[Part, ...]:
    """Everything the page shows, figures drawn and numbered; an empty part says why it is empty."""
    contents = _timing_contents() if document.study == TIMING else _study_contents(document)
    return _number_figures(
        Part(number=place, anchor=anchor, heading=heading, blocks=tuple(find(document)))
        for place, (anchor, heading, find) in enumerate(contents, start=1)
    )


_Contents: TypeAlias = Sequence[tuple[str, str, Callable[["Document"], Iterable[Block]]]]


def _timing_contents() -> _Contents:
    return [
        ("answer", "The answer", _answer),
        ("timing", "Time", _timing),
        ("claims", "Claims", _claims),
        ("how", "How it was run", _how),
    ]


def _study_contents(document: Document) -> _Contents:
    contrast = document.contrast
    arms_heading = "Architectures" if contrast == "architecture" else f"Arms: {contrast}"
    return [
        ("answer", "The answer", _answer),
        ("architectures", arms_heading, _architectures),
        ("pairs", "Pairs", _pairs),
        ("uncertainty", "Where the uncertainty comes from", _uncertainty),
        ("curves", "Learning curves", _curves),
        *([("tuning", "Tuning", build_tuning)] if document.tuning else []),
        ("published", "Published and measured", _published),
        *([("timing", "Time", _timing)] if document.timing else []),
        ("claims", "Claims", _claims),
        ("how", "How it was run", _how),
    ]


def _answer(document: Document) -> Iterable[Block]:
    if document.warnings:
        yield Warnings(document.warnings)
    for sentence in document.answer:
        yield Paragraph(sentence, is_lead=True)
    if not document.answer:
        yield Paragraph("There is no answer yet: no run has finished.", is_lead=True)


def _architectures(document: Document) -> Iterable[Block]:
    if not document.arms:
        yield Paragraph("No run has finished.")
        return
    yield tabulate_scores(document)
    yield from _figure(picture_scores(document))
    if document.seeds:
        title = f"Every seed's values ({plural(len(document.seeds), 'run')})"
        yield Folded(title, tabulate_seeds(document))
    yield tabulate_costs(document)
    yield Paragraph(_reading_of_costs(document))
    if document.responses:
        yield Subheading("Response to the hyperparameters")
        yield tabulate_responses(document)
        yield from _figure(picture_responses(document))


def _reading_of_costs(document: Document) -> str:
    text = (
        "Values are means over the finished runs ± their standard deviation. Gap: validation loss"
        " minus the training loss evaluated without dropout, both of the best model. A dash: not"
        " measured, too few runs (the interquartile mean needs five), runs that do not differ (for"
        " the bootstrap), or, for times, runs on different hardware."
    )
    hardware = {row.hardware for row in document.arms if row.hardware}
    return f"{text} Times: {hardware.pop()}." if len(hardware) == 1 else text


def _pairs(document: Document) -> Iterable[Block]:
    if not document.pairs:
        yield Paragraph(_why_no_pairs(document))
        return
    yield Paragraph(_reading_of_pairs(document))
    yield tabulate_pairs(document)
    disagreeing = [row for row in document.pairs if _disagrees(row)]
    if disagreeing:
        yield Paragraph(_disagreement(disagreeing))
    yield from _figure(picture_pairs(document))


def _disagrees(row: PairRow) -> bool:
    """Whether a verdict of better or worse stands beside an interval that holds 0."""
    interval = row.difference_interval
    return row.verdict in ("better", "worse") and interval is not None and interval.contains(0)


def _disagreement(rows: Sequence[PairRow]) -> str:
    names = "; ".join(f"{row.a} − {row.b}" for row in rows)
    return (
        f"Test and interval disagree on {names}: a run far from the others widens the t interval,"
        " which takes the differences for bell-shaped, while the exact test takes nothing for"
        " granted. The verdict is the test's; how large the difference is remains open. Look at"
        " the dots."
    )


def _why_no_pairs(document: Document) -> str:
    trained = [row for row in document.arms if not row.is_baseline]
    noun = "architecture" if document.contrast == "architecture" else "arm"
    if not any(row.n for row in trained):
        return "No pair to compare: no run has finished."
    if len(document.sections) <= 1 and len(trained) == 1:
        return f"No pair to compare: one {noun}."
    return "No pair to compare: nowhere have two arms of one section finished runs."


def _reading_of_pairs(document: Document) -> str:
    margin = number(100 * document.margin).rstrip("0").rstrip(".")
    sentences = [
        f"Verdicts are on the first arm of a pair. Better or worse: the Holm-adjusted p is at most"
        f" 0.05; beside it stands whether the difference goes beyond the practical margin of"
        f" {margin} points, which the study declared before it was run. Equivalent: the 95 %"
        f" interval lies inside ± {margin} points. Else undetermined.",
        _family(document.pairs),
        _pairing(document.pairs),
        "P(A > B) is the chance that one run of A scores higher than one run of B.",
    ]
    descriptive = [row for row in document.pairs if row.is_descriptive_only]
    if any(row.is_too_coarse for row in descriptive):
        sentences.append(
            "Descriptive only: no verdict where one test text weighs more than the margin."
        )
    if not all(row.is_too_coarse for row in descriptive):
        sentences.append("Descriptive only: fewer than 6 runs an arm can carry no verdict.")
    if any(row.is_without_spread for row in document.pairs):
        sentences.append(
            "No spread: no verdict where every run of an arm scored the same, in both arms; its"
            " seeds are no more than one, and nothing shows how far another would lie."
        )
    if document.is_split_varied:
        sentences.append("The split varies from seed to seed; the test set is one and the same.")
    else:
        sentences.append("All of this holds for this one split of the reviews and this test set.")
    return " ".join(sentence for sentence in sentences if sentence)


def _family(pairs: Sequence[PairRow]) -> str:
    sizes = sorted({row.n_family for row in pairs if row.n_family})
    if not sizes:
        return ""
    tests = " or ".join(f"{size:,}" for size in sizes)
    return f"Holm's adjustment is over a family of {tests} {'test' if sizes == [1] else 'tests'}."


def _pairing(pairs: Sequence[PairRow]) -> str:
    paired = "runs of the same seed are compared with each other (exact sign-flip permutation test"
    paired += "; the correlation of their scores is in the table)"
    unpaired = "runs share nothing from arm to arm (Mann and Whitney's test, Welch's interval)"
    if all(row.is_paired for row in pairs):
        return f"The pairs are paired: {paired}."
    if not any(row.is_paired for row in pairs):
        return f"The pairs are not paired: {unpaired}."
    return f"Some pairs are paired: {paired}; of the others {unpaired}."


def _uncertainty(document: Document) -> Iterable[Block]:
    if not document.arm_uncertainty and not document.pair_uncertainty:
        yield Paragraph("Not measured: there are no finished runs to resample.")
        return
    yield Paragraph(_reading_of_uncertainty(document))
    if document.arm_uncertainty:
        yield tabulate_arm_uncertainty(document)
        yield from _figure(picture_errors(document))
    if document.pair_uncertainty:
        margin = number(100 * document.margin).rstrip("0").rstrip(".")
        yield tabulate_pair_uncertainty(document)
        yield Paragraph(
            "One run of each tells the opposite: the chance that a comparison of single runs would"
            f" have ranked the two the other way round. Seeds needed: to find a difference of"
            f" {margin} points with about 80 % power at the observed spread."
        )


def _reading_of_uncertainty(document: Document) -> str:
    counts = sorted({row.n_reviews for row in document.arm_uncertainty if row.n_reviews})
    text = (
        "A mean over seeds would come out differently with other seeds, and with other test"
        " reviews. SE is its standard error for each of the two and for both together, by"
        " bootstrap"
    )
    if not counts:
        return f"{text}; not measured where no predictions were kept."
    reviews = " or ".join(f"{n:,}" for n in counts)
    return f"{text} over the runs and the {reviews} test reviews; all in accuracy points."


def _curves(document: Document) -> Iterable[Block]:
    picture = picture_learning(document)
    if picture is None:
        yield Paragraph("Not measured: no run has a finished epoch.")
    yield from _figure(picture)


def _published(document: Document) -> Iterable[Block]:
    if not document.published:
        yield Paragraph("The notes published nothing that these runs can be compared with.")
        return
    yield Paragraph(
        "Each published number is one run. It is compared with the 95 % prediction interval of one"
        " new run of ours, not with our mean. Only the validation columns compare: the training"
        " loss and accuracy in the notes are the progress bar's running averages."
    )
    if any(row.architecture in SCORED_WITH_DROPOUT for row in document.published):
        yield Paragraph(
            f"What {SOURCE} prints of {' and '.join(SCORED_WITH_DROPOUT)} was scored with dropout"
            " left on (a fault of Keras up to 3.8 on cuDNN, mended in 3.9), so it lies lower for"
            " that reason too. `rnnbench reproduce notes-2025` shows it, and gives every published"
            " epoch to the fourth decimal."
        )
    for sentence in explain_by_order(document.published):
        yield Paragraph(sentence)
    yield tabulate_published(document)
    yield from _figure(picture_comparisons(document))


def _claims(document: Document) -> Iterable[Block]:
    if not document.claims:
        yield Paragraph("No claim was tested.")
        return
    yield Paragraph(CLAIMS_NOTE)
    yield Claims(tuple((row, _CLAIM_TONES[row.verdict]) for row in document.claims))


def _timing(document: Document) -> Iterable[Block]:
    assert document.timing is not None
    return build_timing(document.timing)


def _how(document: Document) -> Iterable[Block]:
    yield Facts(document.facts) if document.facts else Paragraph("Not recorded.")


def _figure(picture: Picture | None) -> Iterable[Block]:
    if picture is not None:
        yield Drawn(0, picture)


def _number_figures(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Figures are counted from 1 through all parts."""
    numbered, n_figures = [], 0
    for part in parts:
        blocks: list[Block] = []
        for block in part.blocks:
            if isinstance(block, Drawn):
                n_figures += 1
                block = Drawn(n_figures, block.picture)
            blocks.append(block)
        numbered.append(replace(part, blocks=tuple(blocks)))
    return tuple(numbered)
