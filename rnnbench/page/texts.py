"""Numbers and verdicts as people read them: per cent, points, seconds, words."""

import math
from collections.abc import Callable

from rnnbench.output import characters
from rnnbench.stats.intervals import Interval, MeanSd

NONE = "–"
"""What stands where there is no number."""

Write = Callable[[float | None], str]


def number(value: float | None, digits: int = 2) -> str:
    """`8,809.50`, with a real minus sign; a dash for None, NaN and infinity."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def count(value: float | None) -> str:
    """`8,809`."""
    return number(value, 0)


def per_cent(fraction: float | None, digits: int = 2) -> str:
    """`80.30` for 0.803; the unit stands in the heading."""
    return number(None if fraction is None else 100 * fraction, digits)


def brief_per_cent(value: float) -> str:
    """`80.3` of a value in per cent; with a second digit where one would make 100.0 of less."""
    text = number(value, 1)
    return number(value) if text == "100.0" and value < 100 else text


def points(fraction: float | None) -> str:
    """`0.48` for a spread of 0.0048 in accuracy."""
    return per_cent(fraction)


def signed_points(fraction: float | None) -> str:
    """`+0.48` or `−0.48` for a difference of accuracies."""
    text = per_cent(fraction)
    return text if text == NONE or text.startswith("−") or not text.strip("0.") else f"+{text}"


def chance(probability: float | None) -> str:
    """`23 %`; `< 1 %` and `> 99 %` at the ends, where it is not certain."""
    if probability is None or not math.isfinite(probability):
        return NONE
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


def p_value(p: float | None) -> str:
    """`0.002`, `< 0.001`."""
    if p is not None and 0 <= p < 0.001:
        return "< 0.001"
    return number(p, 3)


def within(bounds: Interval | None, write: Write) -> str:
    """`[0.25, 0.70]`, each end written by `write`; a dash where an end is missing.

    It says so where an end was moved to what is possible: `[93.10, 100.00] (bounded)`.
    """
    if bounds is None or not (math.isfinite(bounds.low) and math.isfinite(bounds.high)):
        return NONE
    remark = " (bounded)" if bounds.is_bounded else ""
    return f"[{write(bounds.low)}, {write(bounds.high)}]{remark}"


def with_interval(value: float | None, bounds: Interval | None, write: Write) -> str:
    """`+0.48 [+0.25, +0.70]`; the value alone where there is no interval."""
    text, interval = write(value), within(bounds, write)
    return text if NONE in (text, interval) else f"{text} {interval}"


def with_sd(mean: float | None, sd: float | None, write: Write) -> str:
    """`80.30 ± 0.21`; the mean alone where there is no spread."""
    text, spread = write(mean), write(sd)
    return text if NONE in (text, spread) else f"{text} ± {spread}"


def of_fewer(n: int | None, n_runs: int) -> str:
    """` (of 3)` behind a mean over fewer of the runs; nothing if over all, or none."""
    return f" (of {n:,})" if n and n != n_runs else ""


def mean_with_sd(value: MeanSd, digits: int) -> str:
    """`0.8012 ± 0.0031` on a terminal; the mean alone for one value, a dash for none."""
    if value.n == 0 or math.isnan(value.mean):
        return NONE
    if math.isnan(value.sd):
        return f"{value.mean:.{digits}f}"
    return f"{value.mean:.{digits}f} ± {value.sd:.{digits}f}"


def duration(seconds: float, *, separator: str = "") -> str:
    """`4 s`, `6 min 20 s`, `1002 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600:{separator}} h {whole % 3600 // 60} min"


def fine_duration(seconds: float | None) -> str:
    """`0.4 s`, `45 s`, `6 min 20 s`, `1,002 h 5 min`; a dash where it is not known."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds, separator=",")


def published_value(summary: str, value: float | None) -> str:
    """A number of the notes in the unit of its summary: `0.4368`, `78.48 %`, `49`."""
    return measured_value(summary, value).removesuffix(".0")


def measured_value(summary: str, value: float | None) -> str:
    """A mean of ours, or the end of an interval, in the same unit; epochs as `41.3`."""
    if "accuracy" in summary:
        text = per_cent(value)
        return text if text == NONE else f"{text} %"
    return number(value, 1 if "epoch" in summary else 4)


def plain(text: str) -> str:
    """A text on one line, single spaces between its words; what cannot be printed is escaped."""
    return characters.plain(" ".join(text.split()))


def short(text: str, n_characters: int = 36) -> str:
    """A plain text of at most `n_characters`, for a label in a figure."""
    line = plain(text)
    return line if len(line) <= n_characters else f"{line[: n_characters - 1].rstrip()}…"
