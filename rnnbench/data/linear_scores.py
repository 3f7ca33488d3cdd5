"""What a logistic regression on the texts scores, checked wherever it was read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearScores:
    """How logistic regression on some features scores; it has no seed.

    Args:
        val_loss, train_loss: weighted where it was fitted with class weights.
        n_parameters: one a feature, of more than two classes each, and the intercepts.
        fit_seconds: counting and fitting.
        test_right: a digit for each test text, `1` where it was judged right; empty where an
            earlier version kept none.
        test_absolute_error, test_quadratic_kappa: as of a run; None where the classes are no
            grades, or an earlier version kept none.

    Raises:
        ValueError: a number that no fit gives.
    """

    val_loss: float
    val_accuracy: float
    train_loss: float
    test_loss: float
    test_accuracy: float
    test_macro_f1: float
    n_parameters: int
    fit_seconds: float
    test_right: str = ""
    test_absolute_error: float | None = None
    test_quadratic_kappa: float | None = None

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is None and name in _MAY_LACK:
                continue
            if type(value) is bool or not isinstance(value, int | float):
                raise ValueError(f"{name} is not a number")
            if not least - _ROUNDING <= value <= most + _ROUNDING:  # nor NaN
                raise ValueError(f"{name} must be from {least:g} to {most:g}, got {value:g}")
        if type(self.n_parameters) is not int:
            raise ValueError(f"n_parameters must be a whole number, got {self.n_parameters:g}")
        if not isinstance(self.test_right, str) or not {*self.test_right} <= {"0", "1"}:
            raise ValueError("test_right is not a 0 or 1 for each test text")

    def is_of(self, n_test: int) -> bool:
        """Whether it can belong to so many test texts, and says the same of them twice."""
        if not self.test_right:
            return True
        share = self.test_right.count("1") / n_test
        return len(self.test_right) == n_test and abs(share - self.test_accuracy) <= _ROUNDING


_ROUNDING = 1e-9
_LOSS, _SHARE = (0, 1e6), (0, 1)
_RANGES = {
    "val_loss": _LOSS,
    "val_accuracy": _SHARE,
    "train_loss": _LOSS,
    "test_loss": _LOSS,
    "test_accuracy": _SHARE,
    "test_macro_f1": _SHARE,
    "n_parameters": (0, 1e12),
    "fit_seconds": (0, 1e9),
    "test_absolute_error": (0, 1e12),
    "test_quadratic_kappa": (-1, 1),
}
_MAY_LACK = ("test_absolute_error", "test_quadratic_kappa")
