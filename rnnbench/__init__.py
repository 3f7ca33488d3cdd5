"""rnnbench: which conclusions about recurrent networks hold, how sure that is, what each costs.

In Python: `rnnbench.run`, `rnnbench.load_results`, `rnnbench.report` (see `rnnbench.api`).
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnbench.api import load_results, report, run

__all__ = ["load_results", "report", "run"]


def __getattr__(name: str) -> Any:  # Any: one of the functions above
    """Import the functions when one is asked for: the command line needs none of them."""
    if name in __all__:
        from rnnbench import api

        return getattr(api, name)
    raise AttributeError(f"module 'rnnbench' has no attribute '{name}'")


class _Package(ModuleType):
    """Keeps `rnnbench.report` the function, whoever imports the package of that name first."""

    @property
    def report(self) -> Any:  # Any: the function
        """Write a study's report; see `rnnbench.api.report`."""
        return __getattr__("report")

    @report.setter
    def report(self, _: ModuleType) -> None:
        """Python sets a subpackage as an attribute when it is imported; modules do not need it."""


sys.modules[__name__].__class__ = _Package
