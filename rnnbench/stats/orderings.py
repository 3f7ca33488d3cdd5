"""How far a search would have come by now, had its trials come in another order."""

import math
from collections.abc import Sequence


def best_so_far_quantile(values: Sequence[float], quantile: float) -> list[float]:
    """After 1, 2, … trials: the quantile, over all orders of the trials, of the lowest value.

    Exact: of n values the lowest among the first k is at most the r-th smallest unless all k come
    from the other n - r, which is so in C(n - r, k) of C(n, k) choices.

    Args:
        values: of the trials; infinity for one that has none.
        quantile: 0.5 for the median.

    Source: Dodge et al. 2019, "Show Your Work", for the idea; they draw with replacement.
    """
    ordered = sorted(values)
    n = len(ordered)
    return [
        next(
            ordered[rank - 1]
            for rank in range(1, n + 1)
            if 1 - math.comb(n - rank, k) / math.comb(n, k) >= quantile - 1e-12
        )
        for k in range(1, n + 1)
    ]
