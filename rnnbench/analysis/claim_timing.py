"""Claims about time, judged by what `rnnbench timing` measured: a verdict for each back end."""

from __future__ import annotations

from collections.abc import Sequence

from rnnbench.analysis.claim_kinds import TimingTest
from rnnbench.analysis.claim_parameters import Finding
from rnnbench.analysis.rows import ClaimVerdict
from rnnbench.analysis.timings import SlowdownRow, TimingPart
from rnnbench.architectures import PRESETS

__all__ = ["FEWEST_REPEATS", "judge_timing"]

FEWEST_REPEATS = 5


def judge_timing(test: TimingTest, part: TimingPart | None) -> list[tuple[str, Finding]]:
    """A back end and its finding, for each that was measured on the test's device.

    - `cannot run`: contradicted where a step with recurrent dropout ran there, supported where it
      failed.
    - `slower`: supported if the whole 95 % interval of the slowdown lies at `ratio` or above,
      contradicted if it lies wholly below, else undetermined; below five repeats undetermined.

    Returns:
        One finding without a back end where there are no measurements.
    """
    rows = _rows_of(test, part)
    here = [row for row in rows if row.device == test.device and _was_tried(row)]
    found = [
        (backend, _judge(test, [row for row in here if row.backend == backend]))
        for backend in dict.fromkeys(row.backend for row in here)
    ]
    if found:
        return found
    others = [row for row in rows if row.device != test.device and row.slowdown is not None]
    numbers = f"not measured on a {test.device.upper()}. To be measured: {test.measured_by}"
    if others:
        told = "; ".join(f"{row.backend} {_slowdown(row)}" for row in others)
        numbers += f". On the {others[0].device.upper()}, which the claim is not about: {told}"
    return [("", Finding(verdict="not measured", numbers=numbers))]


def _rows_of(test: TimingTest, part: TimingPart | None) -> list[SlowdownRow]:
    """The rows of the claim's network at its own size."""
    form = PRESETS[test.b]
    rows = () if part is None else part.slowdowns
    rate = PRESETS[test.a].recurrent_dropout
    return [
        row
        for row in rows
        if (row.architecture, row.units) == (test.b, form.units)
        and row.recurrent_dropout in (rate, 0.0)
    ]


def _was_tried(row: SlowdownRow) -> bool:
    return row.slowdown is not None or "failed" in row.note


def _judge(test: TimingTest, rows: Sequence[SlowdownRow]) -> Finding:
    verdicts = {_verdict(test, row) for row in rows}
    verdict: ClaimVerdict = "undetermined"
    if "contradicted" in verdicts:
        verdict = "contradicted"
    elif verdicts == {"supported"}:
        verdict = "supported"
    return Finding(verdict=verdict, numbers="; ".join(_say(test, row) for row in rows))


def _verdict(test: TimingTest, row: SlowdownRow) -> ClaimVerdict:
    if test.expect == "cannot run":
        return "supported" if row.slowdown is None else "contradicted"
    assert test.ratio is not None
    if row.slowdown_interval is None or row.n < FEWEST_REPEATS:
        return "undetermined"
    if row.slowdown_interval.low >= test.ratio:
        return "supported"
    return "contradicted" if row.slowdown_interval.high < test.ratio else "undetermined"


def _say(test: TimingTest, row: SlowdownRow) -> str:
    if row.slowdown is None:
        return f"{row.machine}: {row.note}"
    ran = f"a training step takes {row.dropout_ms:.2f} ms" if row.dropout_ms else "it runs"
    measured = f"{ran} with recurrent_dropout={row.recurrent_dropout:g}, {_slowdown(row)}"
    asked = f"; 'much' is read as {test.ratio:g} times" if test.ratio is not None else ""
    few = f"; fewer than {FEWEST_REPEATS} repeats" if row.n < FEWEST_REPEATS else ""
    return f"{measured} ({row.machine}){asked}{few}"


def _slowdown(row: SlowdownRow) -> str:
    bounds = row.slowdown_interval
    within = "" if bounds is None else f" [{bounds.low:.2f}, {bounds.high:.2f}]"
    return f"{row.slowdown:.2f}{within} times as long as without"
