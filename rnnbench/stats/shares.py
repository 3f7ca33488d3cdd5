"""Shares of runs: how far a count reaches, and whether two counts differ."""

from rnnbench.stats.intervals import Interval


def share_interval(n_yes: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval of a share of which `n_yes` of n were seen.

    Raises:
        ValueError: n is 0, or below `n_yes`.

    Source: Clopper and Pearson (1934), Biometrika 26:404-413.
    """
    from scipy.stats import binomtest

    found = binomtest(n_yes, n).proportion_ci(level, method="exact")
    return Interval(float(found.low), float(found.high))


def fisher_p(n_yes_a: int, n_a: int, n_yes_b: int, n_b: int) -> float:
    """Two-sided p of Fisher's exact test of two shares.

    Source: Fisher (1935), Journal of the Royal Statistical Society 98:39-82.
    """
    from scipy.stats import fisher_exact

    return float(fisher_exact([[n_yes_a, n_a - n_yes_a], [n_yes_b, n_b - n_yes_b]]).pvalue)
