"""What the runs of a study can be compared by, and what people call it."""

from collections.abc import Mapping

METRICS: Mapping[str, str] = {"test_accuracy": "test accuracy", "test_macro_f1": "test macro-F1"}
"""Words by the field of a result."""
USUAL_METRIC = "test_accuracy"
"""Unless a study declares another."""


def points_of(metric: str) -> str:
    """What differences of it are in: `accuracy points`."""
    return f"{METRICS[metric].removeprefix('test ')} points"
