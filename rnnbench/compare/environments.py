"""Runs that stand together although what trained them differs in what may change numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rnnbench.output.amounts import plural
from rnnbench.specs import RunResult

_PACKAGES = ("keras", "jax", "jaxlib", "tensorflow", "torch")
_VARIABLE = "variable."
_MOST_SHOWN = 4

_Conditions = Mapping[str, str]
"""What may change numbers, by its name; a package that nobody noted is left out."""


def tell_mixed(place: str, arms: Iterable[tuple[str, Sequence[RunResult]]]) -> str:
    """A sentence on finished runs of one table that were not made alike; empty if all were.

    Args:
        place: the table's name; may be empty.
        arms: name and results of each.
    """
    found = [(name, _conditions(result)) for name, results in arms for result in results]
    differing = _differing([conditions for _, conditions in found])
    if not differing:
        return ""
    groups: dict[str, Counter[str]] = {}
    for name, conditions in found:
        groups.setdefault(_describe(conditions, differing), Counter())[name] += 1
    parts = [f"{words}: {_listed(counts)}" for words, counts in sorted(groups.items())]
    lead = f"{place}: " if place else ""
    return (
        f"{lead}Runs that were not made alike stand together, which alone may change numbers "
        f"({'; '.join(parts)}). `rnnbench run --fresh` trains all of them anew."
    )


def describe_differences(results: Iterable[RunResult]) -> str:
    """`keras 3.4.1 or 3.15.1`: what the runs differ in that may change numbers; else empty."""
    found = [_conditions(result) for result in results]
    return ", ".join(
        f"{name} {' or '.join(sorted(values))}" for name, values in _differing(found).items()
    )


def _conditions(result: RunResult) -> _Conditions:
    environment = result.environment
    found = {
        name: environment[f"version.{name}"]
        for name in _PACKAGES
        if environment.get(f"version.{name}")
    }
    if "device" in environment:
        found["device"] = environment["device"].partition(":")[0]
    for name, value in environment.items():
        if name.startswith(_VARIABLE):
            found[name.removeprefix(_VARIABLE)] = value
    return found


def _differing(found: Sequence[_Conditions]) -> dict[str, set[str]]:
    """What takes several values; a variable may be set in one run and not in another."""
    names = dict.fromkeys(name for conditions in found for name in conditions)
    values = {name: {conditions.get(name, "") for conditions in found} for name in names}
    for name in (*_PACKAGES, "device"):
        values.get(name, set()).discard("")
    return {name: seen for name, seen in values.items() if len(seen) > 1}


def _describe(conditions: _Conditions, names: Iterable[str]) -> str:
    absent = dict.fromkeys((*_PACKAGES, "device"), "unknown")
    return ", ".join(
        f"{name} {conditions.get(name) or absent.get(name, 'not set')}" for name in names
    )


def _listed(counts: Counter[str]) -> str:
    shown = [f"{name} {plural(n, 'run')}" for name, n in counts.items()]
    rest = len(shown) - _MOST_SHOWN
    more = f" and {plural(rest, 'more arm')}" if rest > 0 else ""
    return ", ".join(shown[:_MOST_SHOWN]) + more
