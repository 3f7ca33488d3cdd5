"""`rnnbench show`: one run, from its spec to its files."""

import math
from collections.abc import Sequence
from typing import Any

from rnnbench.architectures import display_name
from rnnbench.errors import UsageError
from rnnbench.output.amounts import plural
from rnnbench.page.screen import Screen
from rnnbench.page.texts import duration
from rnnbench.recorded_runs import RecordedRun
from rnnbench.specs import SPLIT_KEYS, EpochRow
from rnnbench.tracking.addresses import show_address

WIDTH, HEIGHT = 60, 12


def describe_run(run: RecordedRun) -> dict[str, Any]:  # Any: what `as_json` takes
    """All that is known of a run, by name: `run_ids` by the store's address, `models` of
    MLflow, `files` of the ledger.

    Raises:
        DamagedError: a file of the run cannot be read.
    """
    entry = run.entry
    return {
        "study": run.study,
        "name": _name(run),
        "spec": run.spec.to_json(),
        "result": run.result,
        "history": entry.history(),
        "run_ids": _run_ids(run),
        "models": _models(run),
        "is_deleted": run.is_deleted,
        "files": sorted(entry.folder.iterdir()),
    }


def show_run(run: RecordedRun, screen: Screen) -> None:
    """Print the run from its spec to its files.

    Raises:
        DamagedError: a file of the run cannot be read; nothing was printed.
    """
    history, run_ids = run.entry.history(), _run_ids(run)
    spec, result, say = run.spec, run.result, screen.say
    say(f"run       {spec.fingerprint}: {_name(run)}, study {run.study}")
    say(f"data      {spec.data.dataset}, content {spec.data.fingerprint[:12]}")
    hidden = ("fingerprint", *(SPLIT_KEYS if spec.data.is_own else ()))
    settings = ", ".join(
        f"{key}={value}" for key, value in spec.settings.items() if key not in hidden
    )
    say(f"settings  {settings}")
    if result is None:
        say(f"status    not over: {plural(len(history), 'epoch')} so far")
    else:
        say(f"status    {result.status}" + (f": {result.reason}" if result.reason else ""))
        if result.test_accuracy is not None and result.val_loss is not None:
            say(
                f"scores    test accuracy {result.test_accuracy:.4f}, "
                f"test loss {result.test_loss:.4f}, "
                f"validation loss {result.val_loss:.4f} in epoch {result.best_epoch}"
            )
        say(f"time      {duration(result.fit_seconds)} for {plural(result.epochs, 'epoch')}")
    for line in draw_curve(history):
        say(line)
    for address, run_id in run_ids.items():
        say(f"MLflow    {run_id} in {address}")
    for model in _models(run):
        say(f"serve     mlflow models serve --env-manager local -m {model} --port 5001")
    if run.is_deleted:
        say("deleted   in MLflow, so that tables and reports leave it out")
    for path in sorted(run.entry.folder.iterdir()):
        say(f"file      {path}")


def show_code(run: RecordedRun, screen: Screen) -> None:
    """Print the code of a network of the user's own, each file under its name; runs none of it.

    Raises:
        UsageError: the run has none.
    """
    source = run.entry.network()
    if source is None:
        raise UsageError(
            f"the run {run.spec.fingerprint} keeps no code: {_name(run)} is no network of a file "
            "of one's own, or its code is not here"
        )
    for name, text in sorted(source.files, key=lambda item: item[0] != source.entry):
        screen.say(f"# {name}" + (f", {source.function}" if name == source.entry else ""))
        for line in text.splitlines():
            screen.say(line.expandtabs(4))


def draw_curve(history: Sequence[EpochRow]) -> list[str]:
    """Training and validation loss against epochs, as lines of text: `·` and `o`, `*` for both.

    Epochs without a number, of a run that diverged, are left out; of one alone there is no curve.
    """
    history = [row for row in history if math.isfinite(row.loss) and math.isfinite(row.val_loss)]
    if len(history) < 2:
        return []
    columns = min(WIDTH, len(history))
    picked = [history[round(i * (len(history) - 1) / max(columns - 1, 1))] for i in range(columns)]
    values = [value for row in picked for value in (row.loss, row.val_loss)]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    grid = [[" "] * columns for _ in range(HEIGHT)]
    for column, row in enumerate(picked):
        for value, mark in ((row.loss, "·"), (row.val_loss, "o")):
            line = HEIGHT - 1 - round((value - low) / span * (HEIGHT - 1))
            grid[line][column] = "*" if grid[line][column] not in (" ", mark) else mark
    lines = [
        f"{high - span * index / (HEIGHT - 1):8.4f} |{''.join(cells)}"
        for index, cells in enumerate(grid)
    ]
    foot = f"{'':8} +{'-' * columns}"
    ends = f"{'':9} epoch 1 to {history[-1].epoch}: · training loss, o validation loss, * both"
    return [*lines, foot, ends]


def _name(run: RecordedRun) -> str:
    return f"{display_name(run.spec.form)}, seed {run.spec.seed}"


def _run_ids(run: RecordedRun) -> dict[str, str]:
    return {
        show_address(address): str(notes["run_id"])
        for address, notes in run.entry.published().items()
        if "run_id" in notes
    }


def _models(run: RecordedRun) -> list[str]:
    """Where MLflow finds the run's model: the best run of each architecture has one."""
    noted = run.entry.published().values()
    return sorted({f"models:/{notes['model_id']}" for notes in noted if "model_id" in notes})
