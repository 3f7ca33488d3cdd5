"""What one command measured on one machine, as a file that another machine can take in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeAlias

from rnnbench.data.files import write_whole
from rnnbench.errors import UsageError
from rnnbench.formats import FormatError, check_names, check_text, parse_json, read_bytes
from rnnbench.limits import MOST
from rnnbench.stats.ratios import MedianIqr, median_iqr
from rnnbench.timing.arms import Arm
from rnnbench.timing.samples import Sample

__all__ = [
    "ArmTimes",
    "Sitting",
    "Status",
    "export_sitting",
    "import_sitting",
    "keep_sitting",
    "read_sittings",
]

FORMAT, VERSION = "rnnbench timing", 1
FOLDER = "timing"
MOST_SPREAD = 0.10
"""An interquartile range above this part of the median asks for more repeats."""
MOST_ROUNDS = 3
MOST_REPEATS = 1000
_MOST_BYTES = 64 * 2**20
_MOST_VALUES = 1_000_000

Status: TypeAlias = Literal["measured", "noisy", "invalid", "failed", "unfinished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTimes:
    """Every repeat of an arm.

    Args:
        samples: in the order they were taken, those that cannot be believed among them.
        failure: why the arm cannot be measured; None if it can.
    """

    arm: Arm
    samples: tuple[Sample, ...] = ()
    failure: str | None = None

    @property
    def valid(self) -> tuple[Sample, ...]:
        """The samples that can be believed."""
        return tuple(sample for sample in self.samples if sample.problem is None)

    def values(self, step: str) -> list[float]:
        """Of each valid sample the median over its blocks, in milliseconds a step.

        Args:
            step: `train`, `evaluate` or `predict`.
        """
        return [median(getattr(sample, f"{step}_ms")) for sample in self.valid]

    def summary(self, step: str) -> MedianIqr | None:
        """Median and quartiles over the valid samples; None without any."""
        return median_iqr(self.values(step))

    def n_missing(self, repeats: int) -> int:
        """How many more samples are to be taken: for invalid ones, and again for a noisy arm."""
        if self.failure is not None:
            return 0
        room = MOST_ROUNDS * repeats - len(self.samples)
        if len(self.valid) < repeats:
            return min(room, repeats - len(self.valid))
        return min(room, repeats) if self._is_noisy else 0

    def status(self, repeats: int) -> Status:
        """How it stands with the arm."""
        if self.failure is not None:
            return "failed"
        if self.n_missing(repeats):
            return "unfinished"
        if len(self.valid) < repeats:
            return "invalid"
        return "noisy" if self._is_noisy else "measured"

    @property
    def _is_noisy(self) -> bool:
        found = self.summary("train")
        return found is not None and found.spread > MOST_SPREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One command's measurements, all made on one machine.

    Args:
        id: lower-case letters, digits and hyphens; the name of its file.
        began_at: local date and time.
        machine: processor, cores, platform, and where there is one, gpu and driver.
        versions: by back end, of the packages behind its numbers.
        repeats: samples of each arm, at least.
        seed: of the order in which arms are taken.
    """

    id: str
    began_at: str
    command: str
    machine: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    repeats: int
    seed: int
    arms: tuple[ArmTimes, ...] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", self.id):
            raise UsageError(f"'{self.id}' is no name of a timing sitting")
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise UsageError(f"repeats must be from 1 to {MOST_REPEATS}, got {self.repeats}")
        if not 0 <= self.seed <= MOST["seed"]:
            raise UsageError(f"seed must be from 0 to {MOST['seed']:,}, got {self.seed}")
        if len({times.arm for times in self.arms}) < len(self.arms):
            raise UsageError("a timing sitting names an arm twice")

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be measured."""
        return not any(times.n_missing(self.repeats) for times in self.arms)

    @property
    def n_samples(self) -> int:
        """Samples of all arms."""
        return sum(len(times.samples) for times in self.arms)

    def without_failures(self) -> Sitting:
        """The sitting in which what failed is tried again."""
        return replace(self, arms=tuple(replace(times, failure=None) for times in self.arms))

    @property
    def conditions(self) -> tuple[object, ...]:
        """Equal for sittings that one command could have begun and another go on with."""
        arms = frozenset(times.arm for times in self.arms)
        versions = {name: dict(found) for name, found in self.versions.items()}
        return arms, self.repeats, dict(self.machine), versions

    def find(self, arm: Arm) -> ArmTimes | None:
        """What was measured of an arm."""
        return next((times for times in self.arms if times.arm == arm), None)

    def with_outcome(self, arm: Arm, outcome: Sample | str) -> Sitting:
        """The sitting with one more sample, or with why there can be none."""
        return replace(
            self,
            arms=tuple(_with(times, outcome) if times.arm == arm else times for times in self.arms),
        )

    def to_text(self) -> str:
        """The file's content: JSON, a line for each arm."""
        head = {
            "format": FORMAT,
            "version": VERSION,
            **{name: getattr(self, name) for name in _HEAD},
            "machine": dict(self.machine),
            "versions": {name: dict(found) for name, found in self.versions.items()},
        }
        arms = [
            {
                "arm": times.arm.to_json(),
                "samples": [asdict(sample) for sample in times.samples],
                "failure": times.failure,
            }
            for times in self.arms
        ]
        lines = ",\n".join(f"  {json.dumps(arm)}" for arm in arms)
        return f'{json.dumps(head, indent=1)[:-2]},\n "arms": [\n{lines}\n ]\n}}\n'


_HEAD = ("id", "began_at", "command", "repeats", "seed")


def keep_sitting(ledger_folder: Path, sitting: Sitting) -> Path:
    """Write the sitting below the ledger's folder, whole or not at all.

    Raises:
        OSError: the disk is full or gone.
    """
    path = ledger_folder / FOLDER / f"{sitting.id}.json"
    export_sitting(sitting, path)
    return path


def export_sitting(sitting: Sitting, path: Path) -> None:
    """Write the sitting to a file.

    Raises:
        OSError: the disk is full or gone.
    """
    write_whole(path, sitting.to_text().encode())


def read_sittings(
    ledger_folder: Path, on_problem: Callable[[str], None] = lambda _: None
) -> list[Sitting]:
    """Every sitting of a folder, the oldest first.

    Args:
        on_problem: called with a sentence for each file that is left out, being damaged or newer.
    """
    found = []
    for path in (ledger_folder / FOLDER).glob("*.json"):
        if path.is_symlink():
            on_problem(f"{path} is left out: it is a symbolic link, and those are not followed")
            continue
        try:
            found.append(import_sitting(path))
        except UsageError as err:
            on_problem(str(err))
    return sorted(found, key=lambda each: (each.began_at, each.id))


def import_sitting(path: Path) -> Sitting:
    """The sitting in a file, checked before anything is made of it.

    Raises:
        UsageError: no such file, another kind of file, or one of a newer version.
    """
    try:
        content = read_bytes(path, _MOST_BYTES)
        values = parse_json(content, most_values=_MOST_VALUES, allow_nan=True)
    except OSError as err:
        raise UsageError(f"cannot read {path}: {err.strerror or err}") from err
    except FormatError as err:
        raise UsageError(f"{path} is no timing export: {err}") from err
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UsageError(f"{path} is no timing export; make one with `rnnbench timing --export`")
    version = values.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise UsageError(
            f"{path} was written by a newer rnnbench (format {version}, this one reads {VERSION}); "
            "update rnnbench here, or measure with this version there"
        )
    try:
        return _parse(values)
    except (UsageError, KeyError, TypeError, ValueError) as err:
        reason = f"'{err.args[0]}' is missing" if isinstance(err, KeyError) else str(err)
        raise UsageError(f"{path} is a damaged timing export: {reason}") from err


def _parse(values: Mapping[str, Any]) -> Sitting:  # Any: JSON values
    return Sitting(
        id=str(values["id"]),
        began_at=str(values["began_at"]),
        command=str(values["command"]),
        repeats=_whole("repeats", values["repeats"], MOST_REPEATS),
        seed=_whole("seed", values["seed"], MOST["seed"]),
        machine=_texts("machine", values["machine"]),
        versions={name: _texts(name, found) for name, found in dict(values["versions"]).items()},
        arms=tuple(_parse_arms(values["arms"])),
    )


def _parse_arms(values: Sequence[Mapping[str, Any]]) -> Iterable[ArmTimes]:  # Any: JSON values
    for each in values:
        yield ArmTimes(
            arm=Arm.from_json(each["arm"]),
            samples=tuple(Sample.from_json(sample) for sample in each["samples"]),
            failure=None if each["failure"] is None else str(each["failure"]),
        )


def _whole(name: str, value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise UsageError(f"{name} must be a whole number up to {most:,}, got {value!r}")
    return value


def _texts(what: str, values: Any) -> dict[str, str]:  # Any: JSON values
    found = {str(name): str(text) for name, text in dict(values).items()}
    check_names(what, found)
    for name, text in found.items():
        check_text(f"{name} of {what}", text)
    return found


def _with(times: ArmTimes, outcome: Sample | str) -> ArmTimes:
    if isinstance(outcome, str):
        return replace(times, failure=outcome)
    return replace(times, samples=(*times.samples, outcome))
