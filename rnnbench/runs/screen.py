"""One kept run on the terminal: its curve, what it predicts, how it scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rnnbench.output.amounts import plural
from rnnbench.page.consoles import PlainConsole, open_console
from rnnbench.page.texts import duration
from rnnbench.runs.predict import Evaluation, Prediction
from rnnbench.runs.show import ShownRun
from rnnbench.specs import SPLIT_KEYS, EpochRow

__all__ = ["draw_curve", "show_evaluation", "show_one", "show_prediction"]

WIDTH, HEIGHT = 60, 12


def show_one(run: ShownRun, console: PlainConsole | None = None) -> None:
    """Print the run from its spec to its files."""
    console = console or open_console()
    spec, result = run.spec, run.result
    say = _sayer(console)
    say(f"run       {spec.fingerprint}: {run.name}, study {run.study}")
    say(f"data      {spec.data.dataset}, content {spec.data.fingerprint[:12]}")
    hidden = ("fingerprint", *(SPLIT_KEYS if spec.data.is_own else ()))
    settings = ", ".join(
        f"{key}={value}" for key, value in spec.settings.items() if key not in hidden
    )
    say(f"settings  {settings}")
    if result is None:
        say(f"status    not over: {plural(len(run.history), 'epoch')} so far")
    else:
        say(f"status    {result.status}" + (f": {result.reason}" if result.reason else ""))
        if result.test_accuracy is not None and result.val_loss is not None:
            say(
                f"scores    test accuracy {result.test_accuracy:.4f}, "
                f"test loss {result.test_loss:.4f}, "
                f"validation loss {result.val_loss:.4f} in epoch {result.best_epoch}"
            )
        say(f"time      {duration(result.fit_seconds)} for {plural(result.epochs, 'epoch')}")
    for line in draw_curve(run.history):
        say(line)
    for address, run_id in run.run_ids.items():
        say(f"MLflow    {run_id} in {address}")
    if run.is_deleted:
        say("deleted   in MLflow, so that tables and reports leave it out")
    for path in run.files:
        say(f"file      {path}")


def show_prediction(prediction: Prediction, console: PlainConsole | None = None) -> None:
    """Print what the model makes of a text; words that it does not know are in brackets."""
    console = console or open_console()
    say = _sayer(console)
    say(f"run       {prediction.run}: {prediction.title}")
    chances = ", ".join(f"{name} {value:.3f}" for name, value in prediction.probabilities.items())
    say(f"answer    {prediction.answer} ({chances})")
    known = sum(word is not None for word in prediction.seen)
    seen = " ".join("[?]" if word is None else word for word in prediction.seen)
    say(f"seen      {seen or 'no word at all'}")
    words = plural(len(prediction.seen), "word")
    say(f"known     {known} of {words}; [?] is one that the model never learnt")
    if prediction.n_cut:
        cut = plural(prediction.n_cut, "word")
        say(f"cut       the first {cut}: the network reads the end only")
    for note in prediction.notes:
        say(f"note      {note}")


def show_evaluation(found: Evaluation, console: PlainConsole | None = None) -> None:
    """Print the scores."""
    say = _sayer(console or open_console())
    say(f"run       {found.run}: {found.title}")
    say(f"data      {found.data}, {plural(found.n_texts, 'text')}")
    say(
        f"scores    accuracy {found.accuracy:.4f}, macro-F1 {found.macro_f1:.4f}, "
        f"loss {found.loss:.4f}"
    )
    for note in found.notes:
        say(f"note      {note}")


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


def _sayer(console: PlainConsole) -> Any:  # Any: a function of one text
    return lambda text: console.print(text, soft_wrap=True)
