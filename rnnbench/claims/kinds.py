"""What a claim is, and the kinds of test that can judge it; nothing is judged here.

A test's fields are the keys of `[claim.test]` in a claims file, with the same names, and each test
checks its own values.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias, get_args

from rnnbench.architectures import make_form
from rnnbench.claims.metrics import METRICS
from rnnbench.claims.runs import known_settings, notes_spec
from rnnbench.errors import StudyError, unknown_name
from rnnbench.page.blocks import ClaimRow, ClaimVerdict
from rnnbench.specs import Argument
from rnnbench.timing.arms import TIMED

Expectation: TypeAlias = Literal["higher", "lower", "equivalent", "not lower", "not higher"]
_WITH_MARGIN = ("equivalent", "not lower", "not higher")

_LARGEST = 1e15  # a TOML file can hold whole numbers that no float can


class BadValueError(StudyError):
    """A claim has an invalid value; `path` leads to it from the table that was checked."""

    def __init__(self, sentence: str, *path: str | int) -> None:
        super().__init__(sentence)
        self.path = path


@contextmanager
def refused_at(*path: str | int) -> Iterator[None]:
    """Turn an error of the block into a BadValueError at this path, or further along it."""
    try:
        yield
    except (StudyError, OverflowError) as err:  # the latter: a whole number that no float can hold
        raise BadValueError(str(err), *path, *getattr(err, "path", ())) from err


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersRatioTest:
    """The recurrent part of `a` has exactly `ratio` times the parameters of `b`'s."""

    a: str
    b: str
    ratio: float

    def __post_init__(self) -> None:
        _check_pair(self.a, self.b, {})
        _check_above_zero("ratio", self.ratio)


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
                f"'expect' must be a table such as {{ gru = 624 }}, got {self.expect!r}", "expect"
            )
        for name, number in self.expect.items():
            _check_architecture(name, "expect", name)
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise BadValueError(
                    f"'{name}' must be a whole number from 1 up, got {number!r}", "expect", name
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareTest:
    """The metric of `a` is higher than that of `b`, or lower, equivalent, not lower, not higher.

    Args:
        margin: the largest difference that does not matter in practice, in the unit that people
            see (points of accuracy, seconds, ...); None: the study's, for an accuracy.
        settings: what is changed in both architectures' runs from the notes' recipe.
    """

    expectations: ClassVar[tuple[str, ...]] = get_args(Expectation)
    metric: str
    a: str
    b: str
    expect: Expectation
    margin: float | None = None
    settings: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_metric("metric", self.metric)
        check_choice("expect", self.expect, self.expectations)
        _check_margin(self.margin, self.metric, is_needed=self.expect in _WITH_MARGIN)
        _check_pair(self.a, self.b, self.settings)

    @property
    def places(self) -> Mapping[str, Mapping[str, Argument]]:
        """The settings of each comparison by its name, here of one without a name."""
        return {"": self.settings}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTest(CompareTest):
    """`a` is ahead of `b` at every value of a factor.

    Args:
        expect: which side is ahead: `higher`, or `lower` where less is better.
        factor, values: a setting, such as `max_len`, and what it is set to.
        margin, settings: as in `CompareTest`.
    """

    expectations: ClassVar[tuple[str, ...]] = ("higher", "lower")
    expect: Literal["higher", "lower"] = "higher"
    factor: str
    values: Sequence[Argument]

    def __post_init__(self) -> None:
        CompareTest.__post_init__(self)
        check_choice("factor", self.factor, known_settings((self.a, self.b)))
        if self.factor in self.settings:
            raise BadValueError(
                f"'{self.factor}' is the factor; leave it out here", "settings", self.factor
            )
        _check_list("values", self.values)
        for value in self.values:
            _check_value(self.factor, value, (self.a, self.b), "values")
        object.__setattr__(self, "values", tuple(self.values))

    @property
    def places(self) -> Mapping[str, Mapping[str, Argument]]:
        """The settings of each comparison by its name: `max_len=50`."""
        return {
            f"{self.factor}={value}": {**self.settings, self.factor: value} for value in self.values
        }


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
        _check_metric("metric", self.metric)
        _check_metric("reference", self.reference)
        if METRICS[self.metric].unit != METRICS[self.reference].unit or (
            self.metric == self.reference
        ):
            raise BadValueError(
                f"'{self.reference}' cannot be compared with '{self.metric}'; "
                "choose two metrics of one unit, such as test_accuracy and val_accuracy",
                "reference",
            )
        _check_margin(self.margin, self.metric, is_needed=True)
        _check_list("architectures", self.architectures)
        for name in self.architectures:
            _check_architecture(name, "architectures")
        _check_settings(self.architectures, self.settings)
        object.__setattr__(self, "architectures", tuple(self.architectures))


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
        _check_pair(self.a, self.b, {})
        check_choice("expect", self.expect, ("cannot run", "slower"))
        check_choice("device", self.device, ("gpu", "cpu"))
        if self.b not in TIMED or self.a != f"{self.b}-recurrent-dropout":
            raise BadValueError(
                "a timing test compares lstm-recurrent-dropout with lstm, or "
                f"gru-recurrent-dropout with gru, got '{self.a}' with '{self.b}'",
                "a",
            )
        if self.expect == "slower" and self.ratio is None:
            raise BadValueError("the key 'ratio' is missing: how many times slower?", "ratio")
        if self.ratio is not None:
            _check_above_zero("ratio", self.ratio)
        _set_sentence(self, "measured_by")


ClaimTest: TypeAlias = ParametersRatioTest | ParametersTest | CompareTest | CloseTest | TimingTest

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
        _check_text("id", self.id)
        _set_sentence(self, "claim")
        _set_sentence(self, "made_in")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", self.id):
            raise BadValueError(
                f"an id may contain only lower-case letters, digits and '-', got '{self.id}'", "id"
            )

    def row(
        self, verdict: ClaimVerdict, numbers: str, runs: str = "", backend: str = ""
    ) -> ClaimRow:
        """What the report says of the claim, or of one back end of which it is judged alone."""
        return ClaimRow(
            id=f"{self.id}-{backend}" if backend else self.id,
            claim=f"{self.claim} (On {backend}.)" if backend else self.claim,
            made_in=self.made_in,
            verdict=verdict,
            numbers=numbers,
            runs=runs,
        )


def check_choice(key: str, value: object, choices: Collection[str]) -> None:
    """Refuse a value that is not one of the choices."""
    if not isinstance(value, str):
        raise BadValueError(f"'{key}' must be text, got {value!r}", key)
    if value not in choices:
        raise BadValueError(unknown_name(key, value, choices), key)


def _check_pair(a: str, b: str, settings: Mapping[str, Argument]) -> None:
    _check_architecture(a, "a")
    _check_architecture(b, "b")
    _check_settings((a, b), settings)
    if notes_spec(a, settings) == notes_spec(b, settings):
        raise BadValueError(f"'{b}' is the same network as '{a}'; name two that differ", "b")


def _check_architecture(name: object, *path: str) -> None:
    if not isinstance(name, str):
        raise BadValueError(f"an architecture must be a name, got {name!r}", *path)
    with refused_at(*path):
        make_form(name)


def _check_metric(key: str, name: object) -> None:
    if not isinstance(name, str):
        raise BadValueError(f"'{key}' must be the name of a metric, got {name!r}", key)
    if name not in METRICS:
        raise BadValueError(unknown_name("metric", name, METRICS), key)


def _check_margin(margin: object, metric: str, *, is_needed: bool) -> None:
    """Refuse an invalid margin, and a missing one where the study declares none either."""
    if margin is not None:
        _check_above_zero("margin", margin)
    elif is_needed and METRICS[metric].unit != "accuracy":
        raise BadValueError(
            f"the key 'margin' is missing: the study declares one for accuracies only, "
            f"not for {metric}",
            "margin",
        )


def _check_above_zero(key: str, value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < _LARGEST:  # type: ignore[operator]  # it is a number
        raise BadValueError(f"'{key}' must be a number above 0, got {value!r}", key)


def _check_text(key: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise BadValueError(f"'{key}' must be text, and not empty, got {value!r}", key)


def _check_list(key: str, values: object) -> None:
    if not isinstance(values, list | tuple) or not values:
        raise BadValueError(f"'{key}' must be a list, and not empty, got {values!r}", key)
    if any(value in values[:n] for n, value in enumerate(values)):
        raise BadValueError(f"'{key}' names something twice: {values!r}", key)


def _check_settings(architectures: Sequence[str], settings: object) -> None:
    """Refuse settings that the architectures' runs do not take."""
    if not isinstance(settings, Mapping):
        raise BadValueError(f"'settings' must be a table, got {settings!r}", "settings")
    known = known_settings(architectures)
    for key, value in settings.items():
        if key not in known:
            raise BadValueError(unknown_name("setting", key, known), "settings", key)
        _check_value(key, value, architectures, "settings", key)


def _check_value(key: str, value: object, architectures: Sequence[str], *path: str) -> None:
    """Refuse a value that a setting of the architectures' runs does not take."""
    if not isinstance(value, str | int | float):
        raise BadValueError(f"'{key}' takes one value, got {value!r}", *path)
    with refused_at(*path):
        for architecture in architectures:
            notes_spec(architecture, {key: value})


def _set_sentence(owner: object, key: str) -> None:
    """Put a text that goes over several lines into one line."""
    _check_text(key, getattr(owner, key))
    object.__setattr__(owner, key, " ".join(getattr(owner, key).split()))
