"""A search space: what tuning may change of an architecture and its recipe, and within what."""

import itertools
import math
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rnnbench.errors import StudyError, unknown_name
from rnnbench.formats import is_there, read_toml
from rnnbench.study_files import bundled_files

PARAMETERS: Mapping[str, type] = {
    "learning_rate": float,
    "units": int,
    "dropout": float,
    "recurrent_dropout": float,
}
"""What can be tuned, and of which kind it is."""

_FRACTION = (("at least", operator.ge, 0), ("below", operator.lt, 1))
_LIMITS: Mapping[str, tuple[tuple[str, Callable[[float, float], bool], int], ...]] = {
    "learning_rate": (("above", operator.gt, 0),),
    "units": (("at least", operator.ge, 1),),
    "dropout": _FRACTION,
    "recurrent_dropout": _FRACTION,
}

Params: TypeAlias = dict[str, float | int]
"""One point of a space: a value for each of its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Every value from `low` to `high`, both included; `log` draws the exponent evenly."""

    low: float
    high: float
    log: bool = False


Domain: TypeAlias = Range | tuple[float | int, ...]
"""A range, or these values and no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The parameters of a search, each with its domain.

    Raises:
        StudyError: no parameter, an unknown one, or a domain that cannot be.
    """

    domains: Mapping[str, Domain]
    description: str = ""

    def __post_init__(self) -> None:
        if not self.domains:
            known = ", ".join(sorted(PARAMETERS))
            raise StudyError(f"a space needs a parameter; choose from {known}")
        for name, domain in self.domains.items():
            if name not in PARAMETERS:
                raise StudyError(unknown_name("parameter", name, PARAMETERS))
            _check(name, domain)
        # What is asked depends on the order; a file whose lines are moved is the same space.
        object.__setattr__(self, "domains", dict(sorted(self.domains.items())))

    def contains(self, params: Mapping[str, float | int]) -> bool:
        """Whether the point lies in the space."""
        return all(_holds(domain, params[name]) for name, domain in self.domains.items())

    def corners(self) -> Iterator[Params]:
        """The corners of lowest and of highest values: what must be possible for a network."""
        for pick in (min, max):
            yield {name: pick(_bounds(domain)) for name, domain in self.domains.items()}

    def grid(self, n_points: int) -> list[Params]:
        """At most `n_points` points, evenly spread; of a range as many for each parameter.

        Source: evenly in the exponent where the range is logarithmic.
        """
        axes = self._axes(n_points)
        return [dict(zip(self.domains, point, strict=True)) for point in itertools.product(*axes)]

    def declaration(self) -> dict[str, Any]:  # Any: JSON values
        """Plain values that say what the space is, to be compared with another's."""
        return {
            name: asdict(domain) if isinstance(domain, Range) else {"values": domain}
            for name, domain in self.domains.items()
        }

    def _axes(self, n_points: int) -> list[Sequence[float | int]]:
        domains = self.domains.values()
        fixed = math.prod(len(domain) for domain in domains if not isinstance(domain, Range))
        n_ranges = sum(isinstance(domain, Range) for domain in domains)
        if fixed > n_points:
            raise StudyError(f"the grid has {fixed} points or more; ask for as many --trials")
        each = int((n_points / fixed) ** (1 / n_ranges) + 1e-9) if n_ranges else 0
        if n_ranges and each < 2:
            raise StudyError(
                f"a grid needs two values of each range or more; ask for {fixed * 2**n_ranges} "
                "--trials at least"
            )
        return [
            _spread(name, domain, each) if isinstance(domain, Range) else domain
            for name, domain in self.domains.items()
        ]


def bundled_spaces() -> dict[str, Path]:
    """The spaces that travel with the package, by name."""
    return bundled_files("spaces")


def load_space(source: str | Path) -> Space:
    """A space from a TOML file, or a bundled one by its name.

    Raises:
        StudyError: no such file, a syntax error (with its place), or something that cannot be.
    """
    path = Path(source)
    if path.suffix != ".toml" and str(source) in bundled_spaces():
        path = bundled_spaces()[str(source)]
    if not is_there(path):
        known = unknown_name("space", str(source), bundled_spaces())
        raise StudyError(f"{known}, or name a TOML file")
    values = read_toml(path)
    try:
        description = values.pop("description", "")
        if not isinstance(description, str):
            raise StudyError(f"'description' must be text, got {description!r}")
        return Space(
            description=description,
            domains={name: _parse_domain(name, value) for name, value in values.items()},
        )
    except StudyError as err:
        raise StudyError(f"{path}: {err}") from err


def _parse_domain(name: str, value: object) -> Domain:
    if name not in PARAMETERS:
        raise StudyError(unknown_name("parameter", name, PARAMETERS))
    if isinstance(value, list):
        return tuple(_number(name, item) for item in value)
    if not isinstance(value, Mapping):
        raise StudyError(
            f"'{name}' must be a range ({{ low = …, high = … }}) or a list of values, got {value!r}"
        )
    for key in value:
        if key not in ("low", "high", "log"):
            raise StudyError(unknown_name(f"key of '{name}'", key, ("low", "high", "log")))
    for key in ("low", "high"):
        if key not in value:
            raise StudyError(f"'{name}' lacks '{key}'")
    log = value.get("log", False)
    if not isinstance(log, bool):
        raise StudyError(f"'log' of '{name}' must be true or false, got {log!r}")
    return Range(low=_number(name, value["low"]), high=_number(name, value["high"]), log=log)


def _number(name: str, value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError(f"'{name}' takes numbers, got {value!r}")
    if PARAMETERS[name] is int:
        if not isinstance(value, int):
            raise StudyError(f"'{name}' takes whole numbers, got {value!r}")
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _check(name: str, domain: Domain) -> None:
    for value in _bounds(domain):
        if not abs(value) <= sys.float_info.max:  # an int may be larger than any float
            raise StudyError(f"'{name}' takes finite numbers, got {str(value)[:20]}")
    if not isinstance(domain, Range):
        if len(set(domain)) < len(domain) or not domain:
            raise StudyError(f"'{name}' needs values, each once, got {list(domain)}")
    elif not domain.low < domain.high:
        kind = "is empty" if domain.low == domain.high else "is inverted"
        raise StudyError(f"the range of '{name}' {kind}: low {domain.low:g}, high {domain.high:g}")
    elif domain.log and domain.low <= 0:
        raise StudyError(
            f"the range of '{name}' is logarithmic and starts at {domain.low:g}; "
            "a logarithm needs a low above 0"
        )
    for value, (words, is_within, limit) in itertools.product(_bounds(domain), _LIMITS[name]):
        if not is_within(value, limit):
            raise StudyError(f"'{name}' must be {words} {limit}, got {value:g}")


def _bounds(domain: Domain) -> tuple[float | int, ...]:
    return (domain.low, domain.high) if isinstance(domain, Range) else domain


def _holds(domain: Domain, value: float) -> bool:
    if isinstance(domain, Range):
        return domain.low <= value <= domain.high
    return value in domain


def _spread(name: str, domain: Range, n_values: int) -> list[float | int]:
    import numpy as np

    draw = np.geomspace if domain.log else np.linspace
    values = [float(value) for value in draw(domain.low, domain.high, n_values)]
    if PARAMETERS[name] is int:
        return list(dict.fromkeys(round(value) for value in values))
    return values
