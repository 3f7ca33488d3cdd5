"""The numbers of a run that claims speak of, and how they are written for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rnnbench.compare.arms import gap_of
from rnnbench.specs import RunResult
from rnnbench.stats.intervals import Interval

__all__ = ["METRICS", "Metric"]

Unit: TypeAlias = Literal["accuracy", "loss", "epochs", "seconds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number of a run.

    Args:
        name: as claims files have it.
        words: as sentences have it.
        decimals: of values and differences, as they are shown.
    """

    name: str
    words: str
    unit: Unit
    decimals: int

    @property
    def scale(self) -> float:
        """What a value is multiplied with to be shown: accuracies are in per cent and points."""
        return 100.0 if self.unit == "accuracy" else 1.0

    def measure(self, result: RunResult) -> float | None:
        """The number of that run; None where it has none, or none that is finite."""
        value = gap_of(result) if self.name == "gap" else getattr(result, self.name)
        return float(value) if value is not None and math.isfinite(value) else None

    def write_value(self, value: float) -> str:
        """A value as text: `80.30 %`, `0.4304`, `39.0`, `0.890 s`."""
        unit = {"accuracy": " %", "seconds": " s"}.get(self.unit, "")
        return f"{self._digits(value)}{unit}"

    def write_difference(self, difference: float) -> str:
        """A difference as text: `0.48 points`, `0.0120`, `3.0 epochs`, `0.050 s`."""
        unit = {"accuracy": " points", "epochs": " epochs", "seconds": " s"}.get(self.unit, "")
        return f"{self._digits(difference)}{unit}"

    def write_interval(self, interval: Interval | None) -> str:
        """An interval of differences as text, without its unit: `[0.25, 0.70]`."""
        if interval is None or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
            return "[no interval]"
        if self.unit == "accuracy":
            interval = interval.bounded(-1.0, 1.0)
        remark = " (bounded)" if interval.is_bounded else ""
        return f"[{self._digits(interval.low)}, {self._digits(interval.high)}]{remark}"

    def _digits(self, value: float) -> str:
        # Adding 0.0 turns the -0.0 that rounding can leave into 0.0.
        return f"{round(value * self.scale, self.decimals) + 0.0:.{self.decimals}f}"


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="test_accuracy", words="test accuracy", unit="accuracy", decimals=2),
        Metric(name="test_loss", words="test loss", unit="loss", decimals=4),
        Metric(name="val_accuracy", words="validation accuracy", unit="accuracy", decimals=2),
        Metric(name="val_loss", words="validation loss", unit="loss", decimals=4),
        Metric(name="train_loss_at_best", words="training loss", unit="loss", decimals=4),
        Metric(name="gap", words="gap", unit="loss", decimals=4),
        Metric(name="best_epoch", words="best epoch", unit="epochs", decimals=1),
        Metric(name="epochs", words="number of epochs", unit="epochs", decimals=1),
        Metric(name="epoch_seconds", words="time of an epoch", unit="seconds", decimals=3),
        Metric(name="fit_seconds", words="training time", unit="seconds", decimals=1),
    )
}
"""By the name that claims files use; `gap` is `val_loss` minus `train_loss_at_best`."""
