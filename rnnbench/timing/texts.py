"""What was timed in a few plain sentences, and what must not be overlooked."""

from __future__ import annotations

from rnnbench.stats.intervals import Interval
from rnnbench.timing.rows import SlowdownRow, TimingPart

__all__ = ["describe_timing", "warn_of_timing", "write_timing_answer"]

_MOST_NAMES = 4


def write_timing_answer(part: TimingPart) -> tuple[str, ...]:
    """What recurrent dropout costs, a sentence for each back end and device."""
    sentences = []
    measured = [row for row in part.slowdowns if row.slowdown is not None]
    places = dict.fromkeys((row.machine, row.backend, row.device) for row in measured)
    for place in places:
        rows = [row for row in measured if (row.machine, row.backend, row.device) == place]
        first = min(rows, key=lambda row: (row.architecture != "lstm", row.units))
        sentences.append(_tell(first))
    missing = [row for row in part.slowdowns if row.slowdown is None and row.device == "gpu"]
    if missing and not any(row.device == "gpu" for row in measured):
        sentences.append(f"On a GPU: {missing[0].note}.")
    return tuple(sentences) or ("Nothing was measured yet.",)


def warn_of_timing(part: TimingPart) -> tuple[str, ...]:
    """What must not be overlooked: arms without numbers, and noisy ones; a sentence each."""
    sentences = []
    for status, words in (
        ("failed", "failed"),
        ("invalid", "could not be measured: too few repeats can be believed"),
        ("unfinished", "not finished; the same command goes on"),
        (
            "noisy",
            "noisy: the interquartile range (IQR) is above 10 % of the median, after repeating",
        ),
    ):
        names = [row.name for row in part.arms if row.status == status]
        if names:
            shown = ", ".join(names[:_MOST_NAMES])
            rest = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            sentences.append(f"{len(names)} of {len(part.arms)} arms {words}: {shown}{rest}.")
    odd = [row.name for row in part.arms if row.is_confirmed is False]
    if odd:
        sentences.append(f"Another kernel ran than Keras's rule says: {', '.join(odd)}.")
    return tuple(sentences)


def describe_timing(part: TimingPart) -> list[tuple[str, str]]:
    """How it was measured, as names and values."""
    return [
        *((f"machine {n}", name) for n, name in enumerate(part.machines, start=1)),
        *((f"measured at {words}", command) for words, command in part.commands),
    ]


def _tell(row: SlowdownRow) -> str:
    place = f"On the {row.device.upper()} with {row.backend}"
    text = (
        f"{place}, recurrent dropout makes a training step of {row.name} "
        f"{row.slowdown:.2f} times as long{_bounds(row.slowdown_interval)}"
    )
    parts = [
        (row.cudnn_off, row.cudnn_off_interval, "with `use_cudnn=False`"),
        (row.implementation, row.implementation_interval, "for a matrix product a gate"),
        (row.masks, row.masks_interval, "for the masks themselves"),
        (row.as_written, row.as_written_interval, "for the XLA that Keras leaves out"),
    ]
    told = [
        f"{value:.2f}{_bounds(interval)} {words}"
        for value, interval, words in parts
        if value is not None
    ]
    return f"{text}: {', times '.join(told)}." if len(told) > 1 else f"{text}."


def _bounds(interval: Interval | None) -> str:
    return "" if interval is None else f" [{interval.low:.2f}, {interval.high:.2f}]"
