"""The report before it is drawn: every row and sentence that the page shows."""

from __future__ import annotations

from dataclasses import dataclass

from rnnbench.compare.rows import (
    ArmRow,
    ArmUncertainty,
    Curve,
    PairRow,
    PairUncertainty,
    PublishedRow,
    ResponseRow,
    SeedRow,
)
from rnnbench.page.blocks import ClaimRow, Fact
from rnnbench.timing.rows import TimingPart
from rnnbench.tuning.tuned import TuningPart

__all__ = ["Document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A study's report; plain text everywhere, nothing escaped yet.

    Args:
        description: what the study says of itself; may be empty.
        contrast: the factor that the arms of a section differ in.
        answer: three or four sentences.
        warnings: what must not be overlooked: few seeds, synthetic reviews, failed runs.
        margin: the practical margin, as a fraction of accuracy.
        sections: headings in order; rows name theirs. One empty heading: a single section.
        published_curves: the notes' published epochs; `section` says which source,
            `arm` the architecture; loss and accuracy there are running averages.
        made_at: local date and time.
        tuning: of a study whose architectures were tuned; None for any other.
        timing: what was timed in the folder; None if nothing was.
        is_split_varied: whether each seed has a split of its own (`vary_split`).
    """

    study: str
    description: str
    contrast: str
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    margin: float
    sections: tuple[str, ...]
    arms: tuple[ArmRow, ...]
    seeds: tuple[SeedRow, ...]
    responses: tuple[ResponseRow, ...]
    pairs: tuple[PairRow, ...]
    arm_uncertainty: tuple[ArmUncertainty, ...]
    pair_uncertainty: tuple[PairUncertainty, ...]
    curves: tuple[Curve, ...]
    published_curves: tuple[Curve, ...]
    published: tuple[PublishedRow, ...]
    claims: tuple[ClaimRow, ...]
    facts: tuple[Fact, ...]
    made_at: str
    tuning: TuningPart | None = None
    timing: TimingPart | None = None
    is_split_varied: bool = False
