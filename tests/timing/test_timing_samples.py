"""When a measurement is believed, and when enough has been measured."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from timed import make_arm, make_sample, make_session, make_times

from rnnbench.errors import UsageError
from rnnbench.stats.intervals import Interval
from rnnbench.stats.ratios import Ratio, median_iqr, median_ratio, unpaired_ratio
from rnnbench.timing.determinism import find_first_difference
from rnnbench.timing.measure import find_problem, make_reviews
from rnnbench.timing.samples import ArmTimes, Group
from rnnbench.timing.sessions import (
    keep_session,
    read_session,
    read_sessions,
    write_session,
)


@pytest.mark.parametrize(
    ("first", "last", "problem"),
    [
        (0.7, 0.1, None),
        (0.7, math.nan, "the loss is not finite"),
        (math.inf, 0.1, "the loss is not finite"),
        (0.7, 0.7, "the loss does not fall (0.7000 to 0.7000)"),
    ],
)
def test_a_measurement_that_cannot_be_believed_says_why(
    first: float, last: float, problem: str | None
) -> None:
    assert find_problem(first, last) == problem


def test_made_up_reviews_are_the_same_for_a_seed_and_tell_their_label() -> None:
    tokens, labels = make_reviews(500, 3)
    again, _ = make_reviews(500, 3)
    assert tokens.shape == (500, 100)
    assert tokens.dtype == np.int32
    assert (tokens == again).all()
    assert tokens.min() >= 1
    assert tokens.max() < 500
    means = tokens.mean(axis=1)
    assert means[labels == 1].min() > means[labels == 0].max() - 60
    assert means[labels == 1].mean() > means[labels == 0].mean() + 50


def test_median_and_quartiles_are_those_of_a_table() -> None:
    found = median_iqr([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found is not None
    assert (found.median, found.quartiles, found.n) == (3.0, Interval(2.0, 4.0), 5)
    assert found.spread == pytest.approx(2 / 3)
    assert median_iqr([]) is None
    assert median_iqr([1.0, math.nan]) is None


def test_a_ratio_of_equal_values_has_no_width() -> None:
    found = median_ratio([4.0] * 5, [2.0] * 5, np.random.default_rng(0))
    assert found is not None
    assert (found.value, found.interval) == (2.0, Interval(2.0, 2.0))


def test_a_ratio_of_single_values_has_no_interval() -> None:
    found = median_ratio([4.0], [2.0, 2.0], np.random.default_rng(0))
    assert found is not None
    assert (found.value, found.interval) == (2.0, None)


@pytest.mark.parametrize("values", [[], [math.nan], [0.0]])
def test_there_is_no_ratio_of_nothing(values: list[float]) -> None:
    assert median_ratio([1.0], values, np.random.default_rng(0)) is None


def test_the_interval_of_a_ratio_mostly_holds_the_truth() -> None:
    rng = np.random.default_rng(1)
    n_held = 0
    for _ in range(200):
        a, b = 3.0 * rng.lognormal(0, 0.05, 5), rng.lognormal(0, 0.05, 5)
        found = median_ratio(list(a), list(b), rng, n_resamples=500)
        assert found is not None
        assert found.interval is not None
        n_held += found.interval.contains(3.0)
    assert n_held >= 170  # 95 % is what it says; at five values it keeps about 93


def test_a_ratio_of_what_nothing_pairs_has_welchs_interval() -> None:
    found = unpaired_ratio([2.0, 8.0], [1.0, 1.0, 1.0])
    assert found is not None
    assert found.value == pytest.approx(4.0)
    assert found.interval is not None
    assert math.log(found.interval.high / 4) == pytest.approx(12.706 * math.log(2), rel=1e-4)
    assert unpaired_ratio([2.0, 2.0], [1.0, 1.0]) == Ratio(2.0, Interval(2.0, 2.0))
    assert unpaired_ratio([2.0], [1.0, 1.0]) == Ratio(2.0, None)
    assert unpaired_ratio([2.0], []) is None
    assert unpaired_ratio([math.nan], [1.0]) is None


@pytest.mark.parametrize(
    ("ms", "problems", "process", "n_missing", "status"),
    [
        ([], 0, 0, 5, "unfinished"),
        ([2.0] * 3, 0, 0, 2, "unfinished"),
        ([2.0] * 5, 0, 0, 0, "measured"),
        ([2.0] * 5, 2, 0, 0, "measured"),
        ([2.0] * 4, 1, 0, 1, "unfinished"),
        ([2.0] * 4, 11, 0, 0, "invalid"),
        ([1.0, 1.0, 2.0, 3.0, 3.0], 0, 0, 0, "measured"),
        ([1.0, 1.0, 2.0, 3.0, 3.0], 0, None, 0, "noisy"),
    ],
)
def test_invalid_samples_are_replaced_and_arms_measured_apart_may_be_noisy(
    ms: list[float], problems: int, process: int | None, n_missing: int, status: str
) -> None:
    good = [make_sample(each, process=process) for each in ms]
    bad = [make_sample(problem="no")] * problems
    times = ArmTimes(arm=make_arm(), samples=(*good, *bad))
    assert (times.n_missing(5), times.status(5)) == (n_missing, status)


def test_a_failed_arm_is_not_tried_again() -> None:
    times = ArmTimes(arm=make_arm(), failure="out of memory")
    assert (times.n_missing(5), times.status(5)) == (0, "failed")


def test_a_session_survives_its_file(tmp_path: Path) -> None:
    session = make_session(
        [
            make_times(make_arm(), [2.0, 2.1], loss_last=math.inf, problem="the loss"),
            ArmTimes(arm=make_arm(units=64), failure="out of memory"),
        ]
    )
    path = keep_session(tmp_path, session)
    assert read_sessions(tmp_path) == [session]
    write_session(tmp_path / "export.json", session)
    assert read_session(tmp_path / "export.json") == session
    assert path.name == "one.json"


def test_an_outcome_goes_to_its_arm() -> None:
    arm, other = make_arm(), make_arm(units=64)
    session = make_session([ArmTimes(arm=arm), ArmTimes(arm=other)])
    session = session.with_outcomes({arm: make_sample(), other: "no memory"})
    first, second = session.arms
    assert (len(first.samples), first.failure) == (1, None)
    assert (len(second.samples), second.failure) == (0, "no memory")


def test_a_session_of_the_format_before_is_of_arms_measured_apart(tmp_path: Path) -> None:
    values = json.loads(make_session([make_times(make_arm(), [2.0])]).to_text())
    del values["protocol"], values["precision"], values["arms"][0]["samples"][0]["process"]
    del values["arms"][0]["arm"]["is_control"]
    path = tmp_path / "file.json"
    path.write_text(json.dumps({**values, "version": 1}), "utf-8")
    session = read_session(path)
    assert session.protocol == "apart"
    assert session.arms[0].samples[0].process is None
    write_session(path, session)
    assert read_session(path) == session


def group_of(n: int, spread: float, precision: float | None = 0.05) -> Group:
    """Three arms in `n` processes; the third's time goes up and down by `spread` among them."""
    ms = ([2.0] * n, [2.0] * n, [3.0 * (1 + spread * (-1) ** k) for k in range(n)])
    arms = (make_arm(), make_arm(is_control=True), make_arm(recurrent_dropout=0.3))
    times = tuple(make_times(arm, each) for arm, each in zip(arms, ms, strict=True))
    return Group(arms=times, repeats=3, precision=precision)


@pytest.mark.parametrize(
    ("group", "n_missing", "is_precise"),
    [
        (group_of(2, 0.001), 1, False),  # it lacks a repeat
        (group_of(3, 0.001), 0, True),
        (group_of(3, 0.1), 1, False),  # one more process
        (group_of(3, 0.1, None), 0, True),  # nobody asked for more than its repeats
        (group_of(40, 0.9), 0, False),  # as many as there may be
    ],
)
def test_processes_are_added_until_a_group_is_as_precise_as_asked(
    group: Group, n_missing: int, is_precise: bool
) -> None:
    assert (group.n_missing, group.is_precise) == (n_missing, is_precise)


def test_an_arm_that_failed_keeps_no_group_from_being_precise() -> None:
    group = group_of(3, 0.001)
    lost = ArmTimes(arm=make_arm(use_cudnn="off"), failure="out of memory")
    more = replace(group, arms=(*group.arms, lost))
    assert more.is_precise
    assert more.ratio(lost.arm, make_arm()) is None
    assert more.ratio(make_arm(is_control=True), make_arm()) is not None


def test_what_failed_after_its_repeats_has_been_measured_all_the_same() -> None:
    group = group_of(4, 0.1)
    lost = tuple(replace(times, failure="it was ended") for times in group.arms)
    after = replace(group, arms=lost)
    assert after.ratio(lost[0].arm, lost[1].arm) == group.ratio(lost[0].arm, lost[1].arm)
    assert (after.n_missing, after.is_precise) == (0, False)


def test_an_arm_that_can_mostly_not_be_believed_spoils_no_other() -> None:
    group = group_of(3, 0.001)
    good, *bad = make_times(make_arm(use_cudnn="off"), [2.0] * 9).samples
    bad = [replace(sample, problem="the loss does not fall") for sample in bad]
    odd = ArmTimes(arm=make_arm(use_cudnn="off"), samples=(good, *bad))
    more = replace(group, arms=(*group.arms, odd))
    assert (more.n_missing, more.is_precise) == (0, True)
    assert len(more.turns.logs) == 3


def test_a_group_that_was_not_begun_is_not_precise() -> None:
    arms = tuple(ArmTimes(arm=make_arm(is_control=control)) for control in (False, True))
    group = Group(arms=arms, repeats=3, precision=0.05)
    assert (group.n_missing, group.is_precise, group.reached) == (3, False, None)


def _written(tmp_path: Path, **changes: Any) -> Path:
    values = json.loads(make_session([make_times(make_arm(), [2.0])]).to_text())
    path = tmp_path / "file.json"
    path.write_text(json.dumps({**values, **changes}), "utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "something else"}, "is not a timing export; make one with"),
        ({"version": 4}, r"written by a newer rnnbench \(format 4, this one reads 3\)"),
        ({"precision": 0}, "precision must be between 0 and 1, got 0"),
        ({"precision": "5%"}, "a number was expected, got '5%'"),
        ({"protocol": "alone"}, "unknown protocol 'alone'"),
        ({"version": None}, "written by a newer"),
        ({"arms": [{"arm": 1}]}, "damaged timing export"),
        ({"arms": 3}, "damaged timing export"),
        ({"id": "../../evil"}, "damaged timing export: '../../evil' is not a valid name"),
        ({"repeats": 0}, "repeats must be from 1 to 1000"),
        ({"repeats": math.inf}, "repeats must be a whole number up to 1,000, got inf"),
        ({"repeats": 10**9}, "repeats must be a whole number up to 1,000"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 2**40}, "seed must be a whole number up to 4,294,967,295"),
        ({"machine": {"a/b": "c"}}, "machine has the entry 'a/b'"),
        ({"versions": {"jax": {"jax": "\ud800"}}}, "half of a surrogate pair"),
        ({"arms": [[]] * 600_000}, "values, of at most 1,000,000"),
        ({"machine": 3}, "damaged timing export"),
    ],
)
def test_a_file_that_is_no_export_is_refused(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        read_session(_written(tmp_path, **changes))


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"3", b"[" * 100_000])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is not a timing export"):
        read_session(path)
    with pytest.raises(UsageError, match="cannot read"):
        read_session(tmp_path / "nowhere")


@pytest.mark.parametrize("value", ["x", None, -1.0, math.nan, [1.0], True])
def test_a_number_that_is_none_is_refused(tmp_path: Path, value: object) -> None:
    values = json.loads(make_session([make_times(make_arm(), [2.0])]).to_text())
    values["arms"][0]["samples"][0]["compile_seconds"] = value
    path = tmp_path / "file.json"
    path.write_text(json.dumps(values), "utf-8")
    with pytest.raises(UsageError, match="a number"):
        read_session(path)


@pytest.mark.parametrize("times", [[], [0.0], [-1.0]])
def test_a_sample_without_times_is_refused(tmp_path: Path, times: list[float]) -> None:
    values = json.loads(make_session([make_times(make_arm(), [2.0])]).to_text())
    values["arms"][0]["samples"][0]["train_ms"] = times
    path = tmp_path / "file.json"
    path.write_text(json.dumps(values), "utf-8")
    with pytest.raises(UsageError, match="damaged timing export"):
        read_session(path)


def test_a_damaged_file_hides_no_other(tmp_path: Path) -> None:
    session = make_session([make_times(make_arm(), [2.0])])
    keep_session(tmp_path, session)
    (tmp_path / "timing" / "other.json").write_text("{", "utf-8")
    problems: list[str] = []
    assert read_sessions(tmp_path, problems.append) == [session]
    assert "other.json is not a timing export" in problems[0]


def test_a_session_that_is_a_link_is_left_out(tmp_path: Path) -> None:
    kept = keep_session(tmp_path, make_session([]))
    kept.symlink_to(kept.rename(tmp_path / "elsewhere.json"))
    problems: list[str] = []
    assert read_sessions(tmp_path, problems.append) == []
    assert "it is a symbolic link" in problems[0]


def test_a_key_that_is_missing_is_named(tmp_path: Path) -> None:
    values = json.loads(make_session([]).to_text())
    del values["machine"]
    path = tmp_path / "file.json"
    path.write_text(json.dumps(values), "utf-8")
    with pytest.raises(UsageError, match="'machine' is missing"):
        read_session(path)


def test_the_first_epoch_that_differs_is_found() -> None:
    same = [(0.5, "a"), (0.4, "b")]
    other = [same[0], (0.4, "c")]
    assert find_first_difference(same, same) is None
    assert find_first_difference(same, other) == 2
