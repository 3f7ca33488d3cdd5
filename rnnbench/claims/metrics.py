"""The numbers of a run that claims speak of, and how they are written for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rnnbench.compare.arms import gap_of
from rnnbench.specs import RunResult
from rnnbench.stats.intervals import Interval


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a run.

    Args:
        name: as claims files have it.
        words: as sentences have it.
        decimals: of values and differences, as they are shown.
    """

    name: str
    words: str
    unit: Literal["accuracy", "loss", "epochs", "seconds"]
    decimals: int

    @property
    def scale(self) -> float:
        """What a value is multiplied with to be shown: accuracies are in per cent and points."""
        return 100.0 if self.unit == "accuracy" else 1.0

    def measure(self, result: RunResult, less: Metric | None = None) -> float | None:
        """The run's number, `less` another; None where it has none, or none that is finite."""
        value = gap_of(result) if self.name == "gap" else getattr(result, self.name)
        other = less.measure(result) if less is not None else 0.0
        if value is None or other is None or not math.isfinite(value):
            return None
        return float(value) - other

    def write_value(self, value: float) -> str:
        """A value as text: `80.30 %`, `0.4304`, `39.0`, `0.890 s`."""
        return self._digits(value) + {"accuracy": " %", "seconds": " s"}.get(self.unit, "")

    def write_difference(self, difference: float) -> str:
        """A difference as text: `0.48 points`, `0.0120`, `3.0 epochs`, `0.050 s`."""
        units = {"accuracy": " points", "epochs": " epochs", "seconds": " s"}
        return self._digits(difference) + units.get(self.unit, "")

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
        Metric("test_accuracy", "test accuracy", unit="accuracy", decimals=2),
        Metric("test_macro_f1", "test macro-F1", unit="accuracy", decimals=2),
        Metric("test_loss", "test loss", unit="loss", decimals=4),
        Metric("val_accuracy", "validation accuracy", unit="accuracy", decimals=2),
        Metric("val_loss", "validation loss", unit="loss", decimals=4),
        Metric("train_loss_at_best", "training loss", unit="loss", decimals=4),
        Metric("gap", "gap", unit="loss", decimals=4),
        Metric("best_epoch", "best epoch", unit="epochs", decimals=1),
        Metric("epochs", "number of epochs", unit="epochs", decimals=1),
        Metric("epoch_seconds", "time of an epoch", unit="seconds", decimals=3),
        Metric("fit_seconds", "training time", unit="seconds", decimals=1),
    )
}
"""By the name that claims files use; `gap` is `val_loss` minus `train_loss_at_best`."""
