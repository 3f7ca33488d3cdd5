"""Rows, answer and claims from measurements whose numbers are known."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from timed import GPU, make_arm, make_session, make_times

from rnnbench.claims.claims import load_claims
from rnnbench.claims.judge import judge_claims
from rnnbench.claims.kinds import Claim, TimingTest
from rnnbench.page.blocks import ClaimRow
from rnnbench.page.render import render_markdown
from rnnbench.reports.compose import compose_timing_report
from rnnbench.stats.intervals import Interval
from rnnbench.stats.ratios import MedianIqr, Ratio
from rnnbench.timing.arms import DeviceKind, ladder
from rnnbench.timing.figure import find_lines, picture_times
from rnnbench.timing.page import (
    warn_of_precision,
    warn_of_timing,
    write_controls,
    write_timing_answer,
)
from rnnbench.timing.rows import TimingPart, compose_timing_part
from rnnbench.timing.samples import ArmTimes
from rnnbench.timing.sessions import Session

STEPS_MS = (2.0, 4.0, 6.0, 9.0)


def climb(
    device: DeviceKind = "cpu", *, factor: float = 1.0, n: int = 5, units: int = 8
) -> list[ArmTimes]:
    arms = ladder(make_arm(device=device, units=units))
    return [make_times(arm, [factor * ms] * n) for arm, ms in zip(arms, STEPS_MS, strict=True)]


def compose(*sessions: Session) -> TimingPart:
    part = compose_timing_part(sessions)
    assert part is not None
    return part


def median_of(found: MedianIqr | None) -> float:
    assert found is not None
    return found.median


def values_of(*ratios: Ratio | None) -> list[float]:
    assert None not in ratios
    return [ratio.value for ratio in ratios if ratio is not None]


def test_nothing_measured_is_no_part() -> None:
    assert compose_timing_part([]) is None
    assert compose_timing_part([make_session([ArmTimes(arm=make_arm())])]) is None


def test_an_arm_is_told_with_medians_quartiles_and_throughput() -> None:
    part = compose(make_session([make_times(make_arm(), [1.0, 2.0, 3.0, 4.0, 5.0])]))
    (row,) = part.arms
    train, evaluate, predict = map(row.times.summary, ("train", "evaluate", "predict"))
    assert train == MedianIqr(3.0, Interval(2.0, 4.0), 5)
    assert evaluate is not None
    assert predict is not None
    assert (evaluate.median, predict.median) == (1.5, 0.75)
    assert row.reviews_per_second == pytest.approx(64 / 0.003)
    assert (row.kernel.path, row.observed, row.is_confirmed) == ("XLA scan", ("while",), True)


def test_the_slowdown_is_taken_apart_and_multiplies_up() -> None:
    row, _ = compose(make_session(climb())).slowdowns
    assert (median_of(row.plain), median_of(row.dropout), row.n) == (2.0, 9.0, 5)
    assert row.slowdown == Ratio(
        pytest.approx(4.5), Interval(pytest.approx(4.5), pytest.approx(4.5))
    )
    assert values_of(row.cudnn_off, row.implementation, row.masks) == pytest.approx([2.0, 1.5, 1.5])


def test_the_ratios_multiply_to_the_whole_on_a_noisy_machine() -> None:
    rng = np.random.default_rng(0)
    arms = []
    for times in climb():
        noisy = (replace(s, train_ms=tuple(rng.lognormal(0, 0.5, 9))) for s in times.samples)
        arms.append(replace(times, samples=tuple(noisy)))
    row, _ = compose(make_session(arms)).slowdowns
    assert row.slowdown is not None
    parts = values_of(row.cudnn_off, row.implementation, row.masks)
    assert math.prod(parts) == pytest.approx(row.slowdown.value)


def test_a_ratio_counts_the_processes_that_every_arm_has() -> None:
    plain, *others, dropout = climb()
    bad = [replace(plain.samples[3], problem="no"), replace(dropout.samples[4], problem="no")]
    plain = replace(plain, samples=(*plain.samples[:3], bad[0], plain.samples[4]))
    dropout = replace(dropout, samples=(*dropout.samples[:4], bad[1]))
    row, _ = compose(make_session([plain, *others, dropout])).slowdowns
    assert row.n == 3
    assert row.slowdown is not None


def test_without_a_gpu_its_row_says_so() -> None:
    _, row = compose(make_session(climb())).slowdowns
    assert (row.arm.device, row.slowdown) == ("gpu", None)
    assert row.note == "not measured on this machine: it has no GPU"


def test_cpu_and_gpu_of_one_session_are_divided() -> None:
    session = make_session([*climb(), *climb("gpu", factor=0.5)], machine=GPU)
    part = compose(session)
    assert [row.arm.device for row in part.slowdowns] == ["cpu", "gpu"]
    assert [row.ratio.value for row in part.devices] == pytest.approx([2.0] * 4)
    assert part.devices[0].arm == "lstm(8) jax"


def test_nothing_is_divided_across_machines_or_sessions() -> None:
    here = make_session(climb())
    there = make_session(climb("gpu"), name="two", machine={"processor": "Other", **GPU})
    part = compose(here, there)
    assert part.devices == ()
    assert len(part.machines) == 2
    split = compose(make_session(climb()[:2]), make_session(climb()[3:], name="two"))
    assert all(row.slowdown is None for row in split.slowdowns)


def test_a_first_look_hides_no_complete_measurement() -> None:
    whole = make_session(climb())
    look = make_session(climb(n=1), name="two", began_at="2026-02-01 10:00:00", repeats=1)
    assert {row.session.id for row in compose(whole, look).arms} == {"one"}


def test_why_there_is_no_gpu_half_is_told_apart() -> None:
    row = compose(make_session(climb(), machine=GPU)).slowdowns[-1]
    assert row.note.startswith("not measured: the back end has no CUDA there")


def test_the_later_session_of_a_machine_stands() -> None:
    old = make_session(climb())
    new = make_session(climb(factor=2.0), name="two", began_at="2026-02-01 10:00:00")
    part = compose(new, old)
    assert {row.session.id for row in part.arms} == {"two"}
    assert median_of(part.slowdowns[0].plain) == 4.0


def test_recurrent_dropout_as_written_is_what_counts_on_tensorflow_with_a_gpu() -> None:
    arms = ladder(make_arm(backend="tensorflow", device="gpu"))
    times = [make_times(arm, [ms] * 5) for arm, ms in zip(arms, (*STEPS_MS, 20.0), strict=True)]
    (row,) = compose(make_session(times, machine=GPU)).slowdowns
    assert values_of(row.slowdown, row.masks, row.as_written) == pytest.approx([10, 1.5, 20 / 9])
    parts = values_of(row.cudnn_off, row.implementation, row.masks, row.as_written)
    assert math.prod(parts) == pytest.approx(10.0)


def with_control(ms: list[float], n: int = 5, **changes: Any) -> Session:
    """A ladder, and its first arm once more."""
    again = make_times(make_arm(is_control=True), ms)
    return make_session([*climb(n=n), again], **changes)


def test_a_control_is_held_against_its_like() -> None:
    part = compose(with_control([2.02, 1.98, 2.0, 2.01, 1.99]))
    (control,) = part.controls
    assert control.ratio.value == pytest.approx(1.0, abs=1e-3)
    assert (control.holds, control.n) == (True, 5)
    assert part.control_of(part.slowdowns[0]) == control.ratio
    assert write_controls(part)[0].startswith("Controls with 1 in their 95 % interval: 1 of 1")
    off = compose(with_control([2.2] * 5)).controls[0]
    assert (off.holds, round(off.off_by, 3)) == (False, 0.1)
    assert [row.arm.is_control for row in part.devices] == []


def test_what_was_measured_less_precisely_than_asked_is_said_with_what_was_reached() -> None:
    session = replace(with_control([2.0, 2.3, 1.8], n=3, repeats=3), precision=0.01)
    part = compose(session)
    assert re.fullmatch(r"± [\d.]+ % \(1 % asked\)", part.slowdowns[0].note)
    (sentence,) = warn_of_precision(part)
    assert sentence.startswith(
        "Groups of arms that are less precise than asked: 1 of 1. The widest"
    )
    few = compose(
        replace(session, arms=tuple(replace(t, samples=t.samples[:1]) for t in session.arms))
    )
    assert "too few processes (1 % asked)" in few.slowdowns[0].note
    assert "is not known yet" in warn_of_precision(few)[0]


def test_without_a_rung_that_changes_nothing_the_next_is_held_against_the_plain_arm() -> None:
    plain, _, one, masks = climb()
    row = compose(make_session([plain, one, masks])).slowdowns[0]
    assert row.cudnn_off is None
    assert values_of(row.implementation, row.masks, row.slowdown) == pytest.approx([3.0, 1.5, 4.5])


def test_a_kernel_that_is_not_the_rules_is_shown_as_such() -> None:
    part = compose(make_session([make_times(make_arm(device="gpu"), [2.0], operations=("while",))]))
    assert part.arms[0].is_confirmed is False
    report = compose_timing_report(part, ())
    assert "not as the rule says: while" in render_markdown(report.page(), has_csv=True)


def test_noisy_failed_and_unfinished_arms_are_warned_of() -> None:
    noisy = make_times(make_arm(), [1.0, 1.0, 2.0, 3.0, 3.0], process=None)
    failed = ArmTimes(arm=make_arm(units=16), failure="out of memory: 3 GiB")
    short = make_times(make_arm(units=32), [1.0])
    part = compose(make_session([noisy, failed, short]))
    assert [row.note for row in part.arms] == [
        "noisy: IQR 100 %",
        "failed: out of memory: 3 GiB",
        "not finished",
    ]
    failed_, unfinished, noisy_ = warn_of_timing(part)
    assert failed_ == "1 of 3 arms failed: lstm(16) jax cpu."
    assert unfinished.startswith("1 of 3 arms not finished")
    assert noisy_.startswith("1 of 3 arms noisy")


def test_the_answer_names_place_factor_and_its_parts() -> None:
    first, second = write_timing_answer(compose(make_session(climb())))
    assert first == (
        "On the CPU with jax, recurrent dropout makes a training step of lstm(8) 4.50 times as "
        "long [4.50, 4.50]: 2.00 [2.00, 2.00] with `use_cudnn=False`, times 1.50 [1.50, 1.50] for "
        "a matrix product a gate, times 1.50 [1.50, 1.50] for the masks themselves."
    )
    assert second == "On a GPU: not measured on this machine: it has no GPU."


def judge(test: TimingTest, part: TimingPart | None) -> list[ClaimRow]:
    claim = Claim(id="mine", claim="So it is.", made_in="a talk", test=test)
    return judge_claims([claim], [], margin=0.005, is_paired=True, timing=part)


def slower(ratio: float) -> TimingTest:
    return TimingTest(
        a="lstm-recurrent-dropout", b="lstm", expect="slower", ratio=ratio, measured_by="steps"
    )


NO_GPU = TimingTest(
    a="lstm-recurrent-dropout", b="lstm", expect="cannot run", measured_by="one step"
)


def on_gpu(n: int = 5) -> TimingPart:
    return compose(make_session(climb("gpu", n=n), machine=GPU, repeats=n))


def test_without_a_gpu_the_claims_are_not_measured_and_the_cpu_is_named() -> None:
    for part, says_cpu in ((None, False), (compose(make_session(climb())), True)):
        (row,) = judge(NO_GPU, part)
        assert row.verdict == "not measured"
        assert row.numbers.startswith("not measured on a GPU. To be measured: one step")
        assert ("On the CPU, which the claim is not about: jax 4.50" in row.numbers) == says_cpu


def test_that_a_step_ran_on_the_gpu_contradicts_that_it_cannot() -> None:
    (row,) = judge(NO_GPU, on_gpu())
    assert (row.id, row.verdict) == ("mine-jax", "contradicted")
    assert "takes 9.00 ms with recurrent_dropout=0.3" in row.numbers


@pytest.mark.parametrize(
    ("plain", "failure", "verdict"),
    [
        ([2.0] * 5, "no kernel", "supported"),
        ([2.0] * 5, "out of memory: 3 GiB", "undetermined"),
        ([2.0] * 5, "it was not done after 15 minutes", "undetermined"),
        ([], "no kernel", "undetermined"),
    ],
)
def test_only_a_failure_of_its_own_supports_that_it_cannot_run(
    plain: list[float], failure: str, verdict: str
) -> None:
    arms = ladder(make_arm(device="gpu"))
    times = [make_times(arms[0], plain), ArmTimes(arm=arms[3], failure=failure)]
    (row,) = judge(NO_GPU, compose(make_session(times, machine=GPU)))
    assert row.verdict == verdict
    assert failure in row.numbers


def test_that_the_plain_step_failed_says_nothing_against_recurrent_dropout() -> None:
    arms = ladder(make_arm(device="gpu"))
    times = [ArmTimes(arm=arms[0], failure="odd"), make_times(arms[3], [9.0] * 5)]
    (row,) = judge(NO_GPU, compose(make_session(times, machine=GPU)))
    assert row.verdict == "contradicted"


def test_a_claim_is_judged_in_the_notes_own_batches() -> None:
    large = [make_times(replace(times.arm, batch_size=512), [2.0] * 5) for times in climb("gpu")]
    (row,) = judge(slower(1.5), compose(make_session([*climb("gpu"), *large], machine=GPU)))
    assert row.verdict == "supported"


def test_machines_that_disagree_leave_a_claim_open() -> None:
    one = make_session(climb("gpu"), machine=GPU)
    flat = [make_times(times.arm, [2.0] * 5) for times in climb("gpu")]
    other = make_session(flat, name="two", machine={**GPU, "processor": "Other"})
    (row,) = judge(slower(1.5), compose(one, other))
    assert row.verdict == "undetermined"


@pytest.mark.parametrize(
    ("ratio", "n", "verdict"),
    [(1.5, 5, "supported"), (5.0, 5, "contradicted"), (1.5, 2, "undetermined")],
)
def test_how_much_slower_is_held_against_the_whole_interval(
    ratio: float, n: int, verdict: str
) -> None:
    (row,) = judge(slower(ratio), on_gpu(n))
    assert row.verdict == verdict
    assert f"'much' is read as {ratio:g} times" in row.numbers


def test_an_interval_that_holds_the_ratio_leaves_it_open() -> None:
    arms = ladder(make_arm(device="gpu"))
    times = [
        make_times(arms[0], [2.0] * 5),
        *(make_times(arm, [2.7, 2.8, 3.0, 3.2, 3.3]) for arm in arms[1:]),
    ]
    (row,) = judge(slower(1.5), compose(make_session(times, machine=GPU)))
    assert row.verdict == "undetermined"


def test_the_notes_two_claims_about_time_have_a_verdict_a_back_end() -> None:
    tf = [
        make_times(arm, [3.0] * 5) for arm in ladder(make_arm(backend="tensorflow", device="gpu"))
    ]
    part = compose(make_session([*climb("gpu"), *tf], machine=GPU))
    report = compose_timing_report(part, load_claims())
    assert [(row.id, row.verdict) for row in report.claims] == [
        ("recurrent-dropout-no-gpu-jax", "contradicted"),
        ("recurrent-dropout-no-gpu-tensorflow", "contradicted"),
        ("recurrent-dropout-much-slower-jax", "supported"),
        ("recurrent-dropout-much-slower-tensorflow", "contradicted"),
    ]


def lines_of(part: TimingPart) -> Sequence[tuple[str, list[int]]]:
    return [(name, [n for n, _ in points]) for name, _, points in find_lines(part.arms)]


def test_the_figure_has_a_line_a_rung_by_rising_units() -> None:
    part = compose(make_session([*climb(units=64), *climb()]))
    assert lines_of(part) == [
        ("as Keras chooses", [8, 64]),
        ("cuDNN off", [8, 64]),
        ("… and implementation 1", [8, 64]),
        ("… and recurrent dropout", [8, 64]),
    ]
    picture = picture_times(part)
    assert picture is not None
    assert "lstm(64) on jax, cpu: 2.00 ms without and 9.00 ms with" in picture.alt


def test_the_page_has_every_table_and_a_place_for_what_is_missing() -> None:
    report = compose_timing_report(compose(make_session(climb())), load_claims())
    page = render_markdown(report.page(), has_csv=True)
    assert "| lstm(8) | jax | CPU | 5 | 2.00 [2.00, 2.00] | 9.00 [9.00, 9.00] |" in page
    assert "| lstm(8) | jax | GPU | – | – | – | not measured |" in page
    assert "a CPU and a GPU of one host are needed" in page
    assert set(report.tables()) == {
        "timing_arms",
        "timing_slowdowns",
        "timing_controls",
        "timing_devices",
        "claims",
        "facts",
    }


def test_a_host_with_both_shows_their_ratio() -> None:
    session = make_session([*climb(), *climb("gpu", factor=0.5)], machine=GPU)
    report = compose_timing_report(compose(session), ())
    page = render_markdown(report.page(), has_csv=False)
    assert "| lstm(8) jax | 2.00 | 1.00 | 2.00 [2.00, 2.00] |" in page
    assert "NVIDIA Test, driver 1.2" in page


def test_machines_with_the_same_back_end_and_device_have_numbers() -> None:
    first, second = make_session(climb()), make_session(climb(), name="two", machine={"cores": "9"})
    assert compose(first).number_of(compose(first).machines[0], make_arm()) is None
    part = compose(first, second)
    assert [part.number_of(name, make_arm()) for name in part.machines] == [1, 2]
    assert part.number_of(part.machines[0], make_arm(device="gpu")) is None
    sentences = write_timing_answer(part)
    assert sentences[1].startswith("On the CPU of machine 2 with jax, ")
    text = render_markdown(compose_timing_report(part, ()).page(), has_csv=True)
    assert "Machine 2: Test CPU, 9 cores" in text


def test_a_cuda_kernel_is_shown_by_its_name() -> None:
    seen = ("aten::_cudnn_rnn", "void RNN_blockPersist<float, 32>(float const*, int)")
    part = compose(
        make_session([make_times(make_arm(backend="torch", jit=False), [2.0], operations=seen)])
    )
    text = render_markdown(compose_timing_report(part, ()).page(), has_csv=True)
    assert "RNN\\_blockPersist |" in text
