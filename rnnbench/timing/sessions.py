"""What one `rnnbench timing` measured on one machine, as a file that another machine can import."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from rnnbench.data.files import write_whole
from rnnbench.errors import StoreError, UsageError, unknown_name
from rnnbench.formats import (
    FormatError,
    check_names,
    check_text,
    parse_json,
    read_bytes,
    why_failed,
)
from rnnbench.limits import MOST
from rnnbench.timing.arms import Arm
from rnnbench.timing.samples import ArmTimes, Group, Sample, number, whole_number

FORMAT, VERSION = "rnnbench timing", 3
FOLDER = "timing"
MOST_REPEATS = 1000
_MOST_BYTES = 64 * 2**20
_MOST_VALUES = 1_000_000

Protocol: TypeAlias = Literal["together", "apart"]
PROTOCOLS = get_args(Protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command's measurements, all made on one machine.

    Args:
        id: lower-case letters, digits and hyphens; the name of its file.
        began_at: local date and time.
        machine: processor, cores, platform, and where there is one, gpu and driver; `at_once` says
            where a CPU's arms and a GPU's were measured at the same time.
        versions: by back end, of the packages behind its numbers.
        repeats: samples of each arm, at least.
        precision: how far above its ratio the widest interval of a group was to reach, 0.05 for
            5 %; None in sessions whose number of repeats was fixed.
        seed: of the order in which arms are taken.
        protocol: `together`: arms that are compared share processes and take turns there; `apart`,
            as it was before: each process measured one arm.
    """

    id: str
    began_at: str
    command: str
    machine: Mapping[str, str]
    versions: Mapping[str, Mapping[str, str]]
    repeats: int
    seed: int
    precision: float | None = None
    arms: tuple[ArmTimes, ...] = ()
    protocol: Protocol = "together"

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UsageError(unknown_name("protocol", self.protocol, PROTOCOLS))
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", self.id):
            raise UsageError(f"'{self.id}' is not a valid name of a timing session")
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise UsageError(f"repeats must be from 1 to {MOST_REPEATS}, got {self.repeats}")
        if not 0 <= self.seed <= MOST["seed"]:
            raise UsageError(f"seed must be from 0 to {MOST['seed']:,}, got {self.seed}")
        if self.precision is not None and not 0 < self.precision < 1:
            raise UsageError(f"precision must be between 0 and 1, got {self.precision}")
        if len({times.arm for times in self.arms}) < len(self.arms):
            raise UsageError("a timing session names an arm twice")

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be measured."""
        return not any(group.n_missing for group in self.groups)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The arms that one process measures together."""
        found: dict[tuple[object, ...], list[ArmTimes]] = {}
        for times in self.arms:
            found.setdefault(times.arm.group, []).append(times)
        return tuple(
            Group(arms=tuple(arms), repeats=self.repeats, precision=self.precision)
            for arms in found.values()
        )

    def group_of(self, arm: Arm) -> Group:
        """The arms that are measured together with it, itself among them."""
        return next(group for group in self.groups if group.arms[0].arm.group == arm.group)

    @property
    def n_samples(self) -> int:
        """Samples of all arms."""
        return sum(len(times.samples) for times in self.arms)

    def without_failures(self) -> Session:
        """The session in which what failed is tried again."""
        return replace(self, arms=tuple(replace(times, failure=None) for times in self.arms))

    def machine_with(self, backend: str) -> str:
        """Processor, cores, GPU and versions of a back end's measurements, in one line."""
        machine = self.machine
        words = [
            f"{machine.get('processor', 'unknown processor')}, {machine.get('cores', '?')} cores"
        ]
        if "gpu" in machine:
            words.append(f"{machine['gpu']}, driver {machine.get('driver', 'unknown')}")
        if "at_once" in machine:
            words.append(machine["at_once"])
        versions = self.versions.get(backend, {})
        words.append(", ".join(f"{name} {number}" for name, number in sorted(versions.items())))
        return "; ".join(words)

    @property
    def conditions(self) -> tuple[object, ...]:
        """Equal for sessions that one command could have begun and another go on with."""
        arms = frozenset(times.arm for times in self.arms)
        versions = {name: dict(found) for name, found in self.versions.items()}
        return arms, self.repeats, dict(self.machine), versions, self.protocol

    def find(self, arm: Arm) -> ArmTimes | None:
        """What was measured of an arm."""
        return next((times for times in self.arms if times.arm == arm), None)

    def with_outcomes(self, outcomes: Mapping[Arm, Sample | str]) -> Session:
        """The session with one more sample of each arm, or with why there can be none."""
        return replace(
            self,
            arms=tuple(
                each.with_outcome(outcomes[each.arm]) if each.arm in outcomes else each
                for each in self.arms
            ),
        )

    def to_text(self) -> str:
        """The file's content: JSON, a line for each arm."""
        head = {"format": FORMAT, "version": VERSION}
        head |= {name: getattr(self, name) for name in _HEAD}
        head |= {"versions": {name: dict(found) for name, found in self.versions.items()}}
        lines = ",\n".join(f"  {json.dumps(asdict(times))}" for times in self.arms)
        return f'{json.dumps(head, indent=1, default=dict)[:-2]},\n "arms": [\n{lines}\n ]\n}}\n'


_HEAD = ("id", "began_at", "command", "repeats", "precision", "seed", "protocol", "machine")


def keep_session(ledger_folder: Path, session: Session) -> Path:
    """Write the session below the ledger's folder, whole or not at all.

    Raises:
        StoreError: the disk is full or gone.
    """
    path = ledger_folder / FOLDER / f"{session.id}.json"
    write_session(path, session)
    return path


def write_session(path: Path, session: Session) -> None:
    """Write the session to a file, whole or not at all.

    Raises:
        StoreError: the disk is full or gone.
    """
    try:
        write_whole(path, session.to_text().encode())
    except OSError as err:
        raise StoreError(
            f"cannot write {path} ({why_failed(err)}); what was measured before is kept"
        ) from err


def read_sessions(
    ledger_folder: Path, on_problem: Callable[[str], None] = lambda _: None
) -> list[Session]:
    """Every session of a folder, the oldest first.

    Args:
        on_problem: called with a sentence for each file that is left out, being damaged or newer.
    """
    found = []
    for path in (ledger_folder / FOLDER).glob("*.json"):
        if path.is_symlink():
            on_problem(f"{path} is left out: it is a symbolic link, and those are not followed")
            continue
        try:
            found.append(read_session(path))
        except UsageError as err:
            on_problem(str(err))
    return sorted(found, key=lambda each: (each.began_at, each.id))


def read_session(path: Path) -> Session:
    """The session in a file, checked before anything is made of it.

    Raises:
        UsageError: no such file, another kind of file, or one of a newer version.
    """
    try:
        content = read_bytes(path, _MOST_BYTES)
        values = parse_json(content, most_values=_MOST_VALUES, allow_nan=True)
    except OSError as err:
        raise UsageError(f"cannot read {path}: {why_failed(err)}") from err
    except FormatError as err:
        raise UsageError(f"{path} is not a timing export: {err}") from err
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UsageError(f"{path} is not a timing export; make one with `rnnbench timing --export`")
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


def _parse(values: Mapping[str, Any]) -> Session:  # Any: JSON values
    return Session(
        id=str(values["id"]),
        began_at=str(values["began_at"]),
        command=str(values["command"]),
        repeats=whole_number("repeats", values["repeats"], MOST_REPEATS),
        seed=whole_number("seed", values["seed"], MOST["seed"]),
        precision=None if values.get("precision") is None else number(values["precision"]),
        protocol=values["protocol"] if values["version"] > 1 else "apart",
        machine=_texts("machine", values["machine"]),
        versions={name: _texts(name, found) for name, found in dict(values["versions"]).items()},
        arms=tuple(
            ArmTimes(
                arm=Arm.from_json(each["arm"]),
                samples=tuple(map(Sample.from_json, each["samples"])),
                failure=None if each["failure"] is None else str(each["failure"]),
            )
            for each in values["arms"]
        ),
    )


def _texts(what: str, values: Any) -> dict[str, str]:  # Any: JSON values
    found = {str(name): str(text) for name, text in dict(values).items()}
    check_names(what, found)
    for name, text in found.items():
        check_text(f"{name} of {what}", text)
    return found
