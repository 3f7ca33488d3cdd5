"""Claims about time, judged by what `rnnbench timing` measured: a verdict for each back end."""

from collections.abc import Sequence

from rnnbench.architectures import PRESETS
from rnnbench.claims.kinds import Claim, TimingTest
from rnnbench.page.blocks import ClaimRow, ClaimVerdict
from rnnbench.timing.page import write_ratio
from rnnbench.timing.rows import Slowdown, TimingPart

_NOT_ITS_FAULT = ("out of memory", "not done after", "sees no GPU")


def judge_timing(claim: Claim, test: TimingTest, part: TimingPart | None) -> list[ClaimRow]:
    """A row for each back end that was measured on the test's device.

    - `cannot run`: contradicted where a step with recurrent dropout ran there; supported where it
      failed while one without it ran, and not for want of memory or time.
    - `slower`: supported if the whole 95 % interval of the slowdown lies at `ratio` or above,
      contradicted if it lies wholly below, else undetermined; of too few repeats
      undetermined.

    Returns:
        One row without a back end where there are no measurements.
    """
    rows = [row for row in part.slowdowns if _is_as_in_the_notes(test, row)] if part else []
    here = [row for row in rows if row.arm.device == test.device and _was_tried(row)]
    if here:
        return [
            _judge(claim, test, backend, [row for row in here if row.arm.backend == backend])
            for backend in dict.fromkeys(row.arm.backend for row in here)
        ]
    others = [row for row in rows if row.arm.device != test.device and row.slowdown is not None]
    numbers = f"not measured on a {test.device.upper()}. To be measured: {test.measured_by}"
    if others:
        told = "; ".join(f"{row.arm.backend} {_slowdown(row)}" for row in others)
        numbers += f". On the {others[0].arm.device.upper()}, which the claim is not about: {told}"
    return [claim.row("not measured", numbers)]


def _is_as_in_the_notes(test: TimingTest, row: Slowdown) -> bool:
    """Whether the row is of the claim's network as the notes have it: its size, batches of 64."""
    return (
        (row.arm.architecture, row.arm.units, row.arm.batch_size)
        == (test.b, PRESETS[test.b].units, 64)
        and row.arm.recurrent_dropout == PRESETS[test.a].recurrent_dropout
        and not row.arm.dropout
        and row.arm.has_default_jit
    )


def _was_tried(row: Slowdown) -> bool:
    return row.dropout is not None or row.dropout_failure is not None


def _judge(claim: Claim, test: TimingTest, backend: str, rows: Sequence[Slowdown]) -> ClaimRow:
    """One verdict over the machines; where they disagree there is none."""
    verdicts = {_verdict(test, row) for row in rows}
    verdict: ClaimVerdict = verdicts.pop() if len(verdicts) == 1 else "undetermined"
    numbers = "; ".join(_say(test, row) for row in rows)
    return claim.row(verdict, numbers, backend=backend)


def _verdict(test: TimingTest, row: Slowdown) -> ClaimVerdict:
    if test.expect == "cannot run":
        if row.dropout is not None:
            return "contradicted"
        told = row.dropout_failure or ""
        is_its_own = row.plain is not None and not any(word in told for word in _NOT_ITS_FAULT)
        return "supported" if is_its_own else "undetermined"
    assert test.ratio is not None
    bounds = row.slowdown.interval if row.slowdown else None
    if bounds is None or not row.is_full:
        return "undetermined"
    if bounds.low >= test.ratio:
        return "supported"
    return "contradicted" if bounds.high < test.ratio else "undetermined"


def _say(test: TimingTest, row: Slowdown) -> str:
    if row.dropout is None:
        return f"{row.machine}: {row.note}"
    ran = f"a training step of {row.arm.architecture}({row.arm.units}) takes"
    ran += f" {row.dropout.median:.2f} ms with"
    ran += f" recurrent_dropout={row.arm.recurrent_dropout:g}"
    compared = f", {_slowdown(row)}" if row.slowdown is not None else ""
    asked = f"; 'much' is read as {test.ratio:g} times" if test.ratio is not None else ""
    few = f"; too few repeats ({row.n})" if not row.is_full else ""
    return f"{ran}{compared} ({row.machine}){asked}{few}"


def _slowdown(row: Slowdown) -> str:
    return f"{write_ratio(row.slowdown)} times as long as without"
