"""What a claim is, and the kinds of test that can judge it; nothing is judged here.

A test's fields are the keys of `[claim.test]` in a claims file, with the same names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from rnnbench.claims.checks import (
    BadValueError,
    check_above_zero,
    check_architecture,
    check_choice,
    check_list,
    check_margin,
    check_metric,
    check_pair,
    check_settings,
    check_text,
    check_value,
    known_settings,
)
from rnnbench.claims.metrics import METRICS
from rnnbench.specs import Argument
from rnnbench.timing.arms import TIMED

__all__ = [
    "KINDS",
    "Claim",
    "ClaimTest",
    "CloseTest",
    "CompareTest",
    "Expectation",
    "LeadTest",
    "ParametersRatioTest",
    "ParametersTest",
    "RunsTest",
    "TimingTest",
]

Expectation: TypeAlias = Literal["higher", "lower", "equivalent", "not lower", "not higher"]
_EXPECTATIONS: tuple[str, ...] = get_args(Expectation)
_WITH_MARGIN = ("equivalent", "not lower", "not higher")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersRatioTest:
    """The recurrent part of `a` has exactly `ratio` times the parameters of `b`'s."""

    a: str
    b: str
    ratio: float

    def __post_init__(self) -> None:
        check_pair(self.a, self.b, {})
        check_above_zero("ratio", self.ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersTest:
    """The recurrent parts have so many parameters.

    Args:
        expect: the number by architecture.
    """

    expect: Mapping[str, int]

    def __post_init__(self) -> None:
        if not isinstance(self.expect, Mapping) or not self.expect:
            raise BadValueError(
                ("expect",),
                f"'expect' must be a table such as {{ gru = 624 }}, got {self.expect!r}",
            )
        for name, number in self.expect.items():
            check_architecture(("expect", name), name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise BadValueError(
                    ("expect", name), f"'{name}' must be a whole number from 1 up, got {number!r}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareTest:
    """The metric of `a` is higher than that of `b`, or lower, equivalent, not lower, not higher.

    Args:
        margin: the largest difference that does not matter in practice, in the unit that people
            see (points of accuracy, seconds, ...); None: the study's, for an accuracy.
        settings: what is changed in both architectures' runs from the notes' recipe.
    """

    metric: str
    a: str
    b: str
    expect: Expectation
    margin: float | None = None
    settings: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_metric("metric", self.metric)
        check_choice("expect", self.expect, _EXPECTATIONS)
        check_margin(self.margin, self.metric, is_needed=self.expect in _WITH_MARGIN)
        check_pair(self.a, self.b, self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTest:
    """Within a run, `metric` differs from `reference` by less than the margin, on average.

    Args:
        architectures: for each of which it holds.
        margin, settings: as in `CompareTest`.
    """

    metric: str
    reference: str
    architectures: Sequence[str]
    margin: float | None = None
    settings: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_metric("metric", self.metric)
        check_metric("reference", self.reference)
        if METRICS[self.metric].unit != METRICS[self.reference].unit or (
            self.metric == self.reference
        ):
            raise BadValueError(
                ("reference",),
                f"'{self.reference}' cannot be set against '{self.metric}'; "
                "take two metrics of one unit, such as test_accuracy and val_accuracy",
            )
        check_margin(self.margin, self.metric, is_needed=True)
        check_list("architectures", self.architectures)
        for name in self.architectures:
            check_architecture(("architectures",), name)
        check_settings(self.architectures, self.settings)
        object.__setattr__(self, "architectures", tuple(self.architectures))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTest:
    """`a` is ahead of `b` at every value of a factor.

    Args:
        factor, values: a setting, such as `max_len`, and what it is set to.
        expect: which side is ahead: `higher`, or `lower` where less is better.
        margin, settings: as in `CompareTest`.
    """

    metric: str
    a: str
    b: str
    factor: str
    values: Sequence[Argument]
    expect: Literal["higher", "lower"] = "higher"
    margin: float | None = None
    settings: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_metric("metric", self.metric)
        check_choice("expect", self.expect, ("higher", "lower"))
        check_margin(self.margin, self.metric, is_needed=False)
        check_pair(self.a, self.b, self.settings)
        check_choice("factor", self.factor, known_settings((self.a, self.b)))
        if self.factor in self.settings:
            raise BadValueError(
                ("settings", self.factor), f"'{self.factor}' is the factor; leave it out here"
            )
        check_list("values", self.values)
        for value in self.values:
            check_value(("values",), self.factor, value, (self.a, self.b))
        object.__setattr__(self, "values", tuple(self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTest:
    """A training step of `a`, which is `b` with recurrent dropout, for each back end.

    Args:
        expect: `cannot run`, or `slower` by `ratio` or more.
        ratio: from how many times the time of `b` on it counts.
        device: where, `gpu` or `cpu`.
        measured_by: what is measured, for the reader.
    """

    a: str
    b: str
    expect: Literal["cannot run", "slower"]
    measured_by: str
    ratio: float | None = None
    device: Literal["gpu", "cpu"] = "gpu"

    def __post_init__(self) -> None:
        check_pair(self.a, self.b, {})
        check_choice("expect", self.expect, ("cannot run", "slower"))
        check_choice("device", self.device, ("gpu", "cpu"))
        if self.b not in TIMED or self.a != f"{self.b}-recurrent-dropout":
            raise BadValueError(
                ("a",),
                "a timing test compares lstm-recurrent-dropout with lstm, or "
                f"gru-recurrent-dropout with gru, got '{self.a}' with '{self.b}'",
            )
        if self.expect == "slower" and self.ratio is None:
            raise BadValueError(("ratio",), "the key 'ratio' is missing: how much slower?")
        if self.ratio is not None:
            check_above_zero("ratio", self.ratio)
        check_text("measured_by", self.measured_by)
        object.__setattr__(self, "measured_by", " ".join(self.measured_by.split()))


RunsTest: TypeAlias = ParametersRatioTest | ParametersTest | CompareTest | CloseTest | LeadTest
"""What runs can judge."""

ClaimTest: TypeAlias = RunsTest | TimingTest

KINDS: Mapping[str, type[ClaimTest]] = {
    "parameters_ratio": ParametersRatioTest,
    "parameters": ParametersTest,
    "compare": CompareTest,
    "close": CloseTest,
    "lead": LeadTest,
    "timing": TimingTest,
}
"""Each kind's test, by the name that claims files use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A sentence that runs can support, contradict or leave open.

    Args:
        id: lower-case letters, digits and hyphens.
        claim: one English sentence.
        made_in: where it was made.
    """

    id: str
    claim: str
    made_in: str
    test: ClaimTest

    def __post_init__(self) -> None:
        for name in ("id", "claim", "made_in"):
            check_text(name, getattr(self, name))
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", self.id):
            raise BadValueError(
                ("id",), f"an id takes lower-case letters, digits and '-' only, got '{self.id}'"
            )
        object.__setattr__(self, "claim", " ".join(self.claim.split()))
        object.__setattr__(self, "made_in", " ".join(self.made_in.split()))
