"""rnnbench: which conclusions about recurrent networks hold, how sure that is, what each costs.

In Python: `rnnbench.run`, `rnnbench.load_results`, `rnnbench.predict`, `rnnbench.report` (see
`rnnbench.api`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnbench.api import Results, load_results, predict, report, run

__all__ = ["Results", "load_results", "predict", "report", "run"]


def __getattr__(name: str) -> Any:  # Any: one of the functions above
    """Import the functions when one is asked for: the command line needs none of them."""
    if name in __all__:
        from rnnbench import api

        return getattr(api, name)
    raise AttributeError(f"module 'rnnbench' has no attribute '{name}'")
