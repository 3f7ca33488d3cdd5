"""`rnnbench doctor`: what is there, what is missing, how to get it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table
from rich.text import Text

from rnnbench.architectures import find_plugins, plugin_problems
from rnnbench.data import cache, imdb
from rnnbench.errors import RnnbenchError, StoreError
from rnnbench.execution.devices import backends_with_gpu, find_gpus, usable_cores
from rnnbench.execution.environment import processor_name
from rnnbench.formats import why_failed
from rnnbench.page.consoles import PlainConsole, open_console
from rnnbench.tracking.store import DATABASE, find_store

REQUIRED = (
    "keras",
    "jax",
    "tensorflow",
    "mlflow",
    "optuna",
    "scikit-learn",
    "pandas",
    "matplotlib",
)
OPTIONAL = {"torch": "pip install 'rnnbench[torch]'", "ray": "pip install 'rnnbench[ray]'"}
WANTED_FREE_BYTES = 2 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding; `remedy` says what to do when it is not ok, or could be better."""

    name: str
    ok: bool
    finding: str
    remedy: str = ""


def check_all(root: Path) -> list[Check]:
    """Every check, in the order in which a run needs them; changes nothing."""
    return [
        *(_package(name, required=True) for name in REQUIRED),
        *(_package(name, required=False) for name in OPTIONAL),
        _plugins(),
        _processor(),
        _gpu(),
        _data(),
        _guarded("cache folder", lambda: _writable(cache.cache_folder())),
        _guarded("folder", lambda: _writable(root)),
        _guarded("store", lambda: _store(root)),
        _disk(root),
    ]


def show_checks(checks: Sequence[Check], console: PlainConsole | None = None) -> None:
    """Print the doctor's findings, remedies below."""
    console = console or open_console()
    table = Table(box=None, show_header=False)
    for check in checks:
        mark = Text("ok", style="green") if check.ok else Text("!!", style="bold red")
        table.add_row(mark, check.name, check.finding)
    console.print(table)
    for check in checks:
        if check.remedy:
            console.print(f"{check.name}: {check.remedy}")


def _package(name: str, *, required: bool) -> Check:
    try:
        return Check(name=name, ok=True, finding=version(name))
    except PackageNotFoundError:
        remedy = f"pip install {name}" if required else OPTIONAL[name]
        finding = "not installed" if required else "not installed (optional)"
        return Check(name=name, ok=not required, finding=finding, remedy=remedy)


def _plugins() -> Check:
    problems = plugin_problems()
    finding = "; ".join(problems) or ", ".join(find_plugins()) or "none"
    remedy = "repair or uninstall the package; everything else works" if problems else ""
    return Check(name="plug-ins", ok=not problems, finding=finding, remedy=remedy)


def _processor() -> Check:
    finding = f"{processor_name()}, {usable_cores()} cores"
    return Check(name="processor", ok=True, finding=finding)


def _gpu() -> Check:
    gpus, seeing = find_gpus(), backends_with_gpu()
    finding = "none found; runs use the CPU"
    if gpus:
        use = f"for {', '.join(seeing)}" if seeing else "but no back end can use it"
        finding = f"{len(gpus)} found, {use}"
    remedy = "pip install 'rnnbench[gpu]'" if gpus and not seeing else ""
    return Check(name="GPU", ok=True, finding=finding, remedy=remedy)


def _data() -> Check:
    try:
        path = imdb.find_imdb()
    except RnnbenchError as err:
        return Check(name="IMDB reviews", ok=False, finding=str(err))
    if path is not None:
        return Check(name="IMDB reviews", ok=True, finding=str(path))
    return Check(
        name="IMDB reviews",
        ok=True,
        finding="not here yet; `auto` downloads them, or falls back to synthetic reviews",
        remedy="rnnbench data fetch, or set RNNBENCH_DATA to a folder that holds imdb.npz",
    )


def _writable(folder: Path) -> str:
    existing = folder
    while not existing.exists():
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            return str(folder)
    except OSError as err:
        raise StoreError(f"cannot write to {folder}: {why_failed(err)}") from err


def _store(root: Path) -> str:
    store = find_store(root)
    known = "" if not store.is_local or (root / DATABASE).exists() else ", made by the first run"
    return f"{store}{known}"


def _disk(root: Path) -> Check:
    free = shutil.disk_usage(root if root.exists() else Path(os.sep)).free
    return Check(
        name="disk",
        ok=free >= WANTED_FREE_BYTES,
        finding=f"{free / 2**30:.1f} GiB free",
        remedy="" if free >= WANTED_FREE_BYTES else "free some space",
    )


def _guarded(name: str, find: Callable[[], str]) -> Check:
    """What is found, or why nothing is."""
    try:
        return Check(name=name, ok=True, finding=find())
    except RnnbenchError as err:
        return Check(name=name, ok=False, finding=str(err))
