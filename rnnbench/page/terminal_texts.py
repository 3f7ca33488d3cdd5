"""Numbers as people read them."""

from __future__ import annotations

import math

from rnnbench.stats.intervals import MeanSd

__all__ = ["duration", "mean_with_sd"]


def duration(seconds: float) -> str:
    """`45 s`, `6 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def mean_with_sd(value: MeanSd, digits: int) -> str:
    """`0.8012 ± 0.0031`; the mean alone for one value, a dash for none."""
    if value.n == 0:
        return "–"
    if math.isnan(value.sd):
        return f"{value.mean:.{digits}f}"
    return f"{value.mean:.{digits}f} ± {value.sd:.{digits}f}"
