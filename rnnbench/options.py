"""What a command takes, as dataclasses of options: those that commands share, and how one is read.

A field that is an option says so: `units: Annotated[tuple[int, ...], typer.Option(help=…)] = ()`.
A function may stand behind, which reads the option's text. Nothing heavy is imported here.
"""

import inspect
import re
import shlex
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import typer

from rnnbench.completions import offer_architectures
from rnnbench.errors import UsageError
from rnnbench.output.characters import plain
from rnnbench.tracking.addresses import mask

T = TypeVar("T")
MOST_SECONDS = 365 * 86_400.0  # of an option
N = TypeVar("N", int, float)


def flatten(function: Callable[..., T]) -> Callable[..., T]:
    """The function as Typer can read it: each parameter that is a dataclass becomes its options."""
    signature = inspect.signature(function, eval_str=True)
    kinds = {name: p.annotation for name, p in signature.parameters.items()}
    parameters = [
        item
        for name, own in signature.parameters.items()
        for item in (_parameters(kinds[name]) if _is_group(kinds[name]) else [own])
    ]
    parameters = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in parameters]

    @wraps(function)
    def command(**values: Any) -> T:  # Any: values of options
        return function(
            **{
                name: choose(kind, values) if _is_group(kind) else values[name]
                for name, kind in kinds.items()
            }
        )

    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {item.name: item.annotation for item in parameters}
    return command


def choose(kind: Callable[..., T], values: Mapping[str, Any]) -> T:  # Any: values of options
    """The dataclass with these values by option; a text is read, None leaves the default.

    Raises:
        UsageError: a text that cannot be read.
    """
    chosen = {}
    for name, annotation in _annotations(kind).items():
        if _is_group(annotation):
            chosen[name] = choose(annotation, values)
        elif get_origin(annotation) is Annotated and values.get(name) is not None:
            chosen[name] = _read(name, annotation, values[name])
    return kind(**chosen)


def option_names(kind: type) -> list[str]:
    """The options of a dataclass, as Python spells them."""
    return [item.name for item in _parameters(kind)]


def flag_names(kind: type) -> frozenset[str]:
    """The options of a dataclass that take no value, as they are typed: `--all`, `--no-report`."""
    declared = [get_args(item.annotation) for item in _parameters(kind)]
    return frozenset(
        flag
        for shown, option in declared
        if shown in (bool, bool | None)
        for names in (option.default, *option.param_decls)  # Typer reads the first so in Annotated
        for flag in names.split("/")
    )


def given(choices: Any) -> dict[str, Any]:  # Any: a dataclass, and values of options
    """The values that were chosen, by field."""
    return {name: value for name, value in asdict(choices).items() if value is not None}


@cache
def _annotations(kind: Hashable) -> dict[str, Any]:  # Any: types, as they are written
    return get_type_hints(kind, include_extras=True)


def _is_group(kind: Any) -> bool:  # Any: whatever an annotation names
    return is_dataclass(kind)  # in its place, it would have mypy take a type for an instance


def _parameters(kind: Any) -> Iterator[inspect.Parameter]:  # Any: a dataclass
    defaults = {item.name: item.default for item in fields(kind)}
    for name, annotation in _annotations(kind).items():
        if _is_group(annotation):
            yield from _parameters(annotation)
        elif get_origin(annotation) is Annotated:
            shown, option, *readers = get_args(annotation)
            default = defaults[name]
            if readers:
                shown, default = str | None, None
            elif get_origin(shown) is tuple:
                shown, default = list[str] | None, None
            option = copy(option)
            option.rich_help_panel = getattr(kind, "panel", None)
            yield inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=Annotated[shown, option],
            )


def _read(name: str, annotation: Any, value: Any) -> Any:  # Any: a value of an option, and its type
    kind, _, *readers = get_args(annotation)
    if readers and isinstance(value, str):
        return read_text(name, readers[0], value)
    if get_origin(kind) is tuple:
        return tuple(value) if isinstance(value, list | tuple) else (value,)
    return value


def read_text(name: str, reader: Callable[[str], T], text: str) -> T:
    """What the reader makes of an option's text.

    Raises:
        UsageError: it takes something else.
    """
    try:
        return reader(text)
    except ValueError as err:
        raise UsageError(f"--{name.replace('_', '-')} takes {err}, got '{text[:40]}'") from err


def whole_numbers(text: str) -> tuple[int, ...]:
    """`4,8,16` as whole numbers; ValueError says what is taken."""
    return _parse(text, int, "whole numbers like 4,8,16")


def numbers(text: str) -> tuple[float, ...]:
    """`0,0.3` as numbers; ValueError says what is taken."""
    return _parse(text, float, "numbers like 0,0.3")


def switches(text: str) -> tuple[bool, ...]:
    """`on,off` as truth values; ValueError says what is taken."""
    found = words(text)
    if not {*found} <= {"on", "off"}:
        raise ValueError("on, off or on,off")
    return tuple(word == "on" for word in found)


def words(text: str | None) -> tuple[str, ...]:
    """`reshuffled,frozen` as words; empty for None."""
    return tuple(part.strip() for part in text.split(",")) if text else ()


def _parse(text: str, kind: Callable[[str], N], example: str) -> tuple[N, ...]:
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as err:
        raise ValueError(example) from err


def percentage(text: str) -> float:
    """`5%` as 0.05; ValueError says what is taken."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text.strip())
    if match is None:
        raise ValueError("a percentage like 5% or 2.5%")
    return float(match[1]) / 100


def seconds(text: str) -> float:
    """`90s`, `30m` or `2h` in seconds; ValueError says what is taken."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError("a time like 90s, 30m or 2h")
    found = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
    if found > MOST_SECONDS:
        raise ValueError("a year (8760h) at most")
    return found


def here() -> Path:
    """The project's folder: where the command was started."""
    return Path.cwd()


def this_command() -> str:
    """The words that repeat this command, as they can be shown and kept."""
    words = [word for word in sys.argv[1:] if word not in ("--debug", "--fresh", "--quiet")]
    # The command is shown and kept; the password of a database in it is not.
    shown = [mask(word) if "://" in word else word for word in words]
    return plain(shlex.join(["rnnbench", *shown]))


@contextmanager
def tell_interrupted(warn: Callable[[str], object], consequence: str) -> Iterator[None]:
    """On Ctrl-C in the block says what became of the work: Typer ends a command without a word."""
    try:
        yield
    except KeyboardInterrupt:
        warn(f"interrupted; {consequence}")
        raise typer.Exit(130) from None


TrackingUri = Annotated[
    str | None,
    typer.Option(help="An MLflow server or database, in place of MLFLOW_TRACKING_URI."),
]
Epochs = Annotated[int | None, typer.Option(help="Maximum number of epochs per run.")]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        help="none, or balanced: each class counts the same in the loss, however rare it is."
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        help="What the report compares by: test_accuracy, or test_macro_f1, in which every class "
        "counts the same. Declare it before the runs."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchitectureChoices:
    """Which architectures: by name, or those of the textbook study."""

    architectures: Annotated[
        tuple[str, ...],
        typer.Argument(
            help="Names, as `rnnbench list` shows them, or your own: FILE.py:FUNCTION.",
            autocompletion=offer_architectures,
        ),
    ] = ()
    all_: Annotated[
        bool, typer.Option("--all", help="lstm, lstm-dropout, lstm-stacked and gru.")
    ] = False

    def __post_init__(self) -> None:
        if self.architectures and self.all_:
            raise UsageError("name architectures or use --all, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerChoices:
    """How many workers train, on what, with which back end."""

    panel: ClassVar = "Where it runs"

    workers: Annotated[
        int | None, typer.Option(help="Runs at once. Default: one per usable core, or one per GPU.")
    ] = None
    workers_per_gpu: Annotated[int, typer.Option(help="Runs at once on each GPU.")] = 1
    device: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto"
    backend: Annotated[str, typer.Option(help="auto, jax, tensorflow or torch.")] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorChoices(WorkerChoices):
    """Where runs are carried out, and by which engine.

    Args:
        ray_address: `local`, or `HOST:PORT` of a cluster's head.
        lanes: of a fleet; None for as many as suit the device.
    """

    engine: Annotated[
        str, typer.Option(help="auto, keras, or fleet: many runs in one compiled program.")
    ] = "auto"
    lanes: Annotated[
        int | None,
        typer.Option(help="Runs side by side in a fleet. Default: 64 per GPU, 1 per CPU."),
    ] = None
    executor: Annotated[
        str, typer.Option(help="local (processes), or ray (tasks of a cluster).")
    ] = "local"
    ray_address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of the cluster, or local to start one on this machine."),
    ] = None
