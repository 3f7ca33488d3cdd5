"""The commands as functions, for a notebook or a script: `import rnnbench`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.errors import UsageError, unknown_name
from rnnbench.ledger import Ledger
from rnnbench.limits import parse_seeds
from rnnbench.networks.interactive import find_networks
from rnnbench.networks.reading import Network
from rnnbench.options import choose, option_names
from rnnbench.page.consoles import shows_values
from rnnbench.page.screen import Screen
from rnnbench.recorded_runs import find_runs
from rnnbench.reports.report import report_study
from rnnbench.run_options import RunChoices
from rnnbench.runs.predict import predict_text
from rnnbench.studies.frames import frame_results
from rnnbench.studies.preview import preview_study
from rnnbench.studies.results import Results
from rnnbench.studies.run import run_study
from rnnbench.studies.screen import PreviewScreen, RunScreen

if TYPE_CHECKING:
    import pandas

__all__ = ["Results", "load_results", "predict", "report", "run"]


def run(
    *architectures: str | Callable[..., object],
    folder: str | Path = ".",
    dry_run: bool = False,
    **options: Any,
) -> Results:
    """Train what is missing of a study and track it, as `rnnbench run` does; its results.

    In a notebook a table below the cell follows the training, and the results show as another. At
    Python's prompt they are shown as the value likewise; a script has them printed. It starts
    processes, and needs no `if __name__ == "__main__":` for that.

    Interrupted (the stop button, Ctrl-C) it keeps every whole epoch and returns what there is, in a
    script it raises KeyboardInterrupt; the same call goes on.

    Args:
        architectures: names as `rnnbench list` shows them, files of your own with their function
            (`"net.py:build"`), or functions that build a network; none takes all of the study.
        folder: of the project; runs, reports and MLflow's database go there.
        dry_run: say at once what would be run, and train nothing; the results are those that are
            there already.
        options: what `rnnbench run` takes, in Python's spelling, such as `study="units-dropout"`,
            `seeds=3`, `dataset="reviews.csv"`, `text_column="review"`, `units=[4, 8]`,
            `learning_rate=1e-3`, `epochs=5`, `tuned=True`, `workers=2`; a list makes a grid. No
            report is written unless `report=True`. Beside them, what a network of your own takes:
            `filters=[16, 32]`.

    Raises:
        rnnbench.errors.RnnbenchError: bad input, or data out of reach; never for a failing run.
    """
    values = {name: _plain(value) for name, value in options.items()}
    found = find_networks([*architectures, *_several(values.get("architectures") or ())])
    known = option_names(RunChoices)
    own = {name for each in found if isinstance(each, Network) for name in each.kinds}
    own -= {*known}
    for name in options:
        if name not in known and name not in own:
            raise UsageError(unknown_name("option", name, [*known, *own]))
    hyperparameters = {name: _several(values.pop(name)) for name in own & {*values}}
    if values.get("seeds") is not None:
        values["seeds"] = parse_seeds(values["seeds"])
    if found:
        values["architectures"] = tuple(found)
    elif values.get("study") is None:
        values["all_"] = not values.get("architectures")
    choices = choose(RunChoices, {"report": False} | values)
    view = RunScreen(shows_results=not shows_values())
    choices = replace(choices, command="rnnbench.run(…)", hyperparameters=hyperparameters)
    root = Path(folder).absolute()
    if dry_run:
        return preview_study(choices, PreviewScreen(shows_results=not shows_values()), root)
    try:
        results = run_study(choices, view, root)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what was trained is kept; the same call goes on") from None
    if results.interrupted and not shows_values():
        raise KeyboardInterrupt
    return results


def load_results(study: str, folder: str | Path = ".") -> pandas.DataFrame:
    """The study's runs that are over, a row each: what was asked, and what came out.

    Runs that somebody deleted in MLflow are left out.

    Columns: study, dataset, architecture, seed, order, backend, engine, units, dropout,
    recurrent_dropout, learning_rate, class_weight, num_words, max_len, status, epochs, best_epoch,
    val_loss, val_accuracy, test_loss, test_accuracy, test_macro_f1, test_absolute_error,
    test_quadratic_kappa, fit_seconds, keras, backend_version (their versions), processor,
    imported_from, fingerprint, and the hyperparameters of networks of your own.

    Raises:
        rnnbench.errors.UsageError: there is no such study in the folder.
    """
    return frame_results(find_runs(Ledger(Path(folder).absolute(), writable=False), study))


def predict(
    run: str,
    texts: str | Iterable[str],
    *,
    study: str | None = None,
    trust_code: bool = False,
    folder: str | Path = ".",
) -> pandas.DataFrame:
    """What the best model of a run says of texts: a row for each, also for a single one.

    Columns: text, answer (the likeliest class; None for a text of which the model knows no word),
    probability (of the answer, 0 to 1), n_known (words that the model knows, of those that it
    reads), and for each class `p_` and its name. The index is that of a Series, else from 0.

    Args:
        run: a fingerprint, as `Results.frame` has it, or its beginning; or an architecture, for its
            best run by validation loss in the study that was worked on last.
        texts: one text, or several: a list, a Series.
        study: where to look for the run; None looks in all.
        trust_code: run the code of a network that came with a run from elsewhere;
            `rnnbench show RUN --code` prints it.

    Raises:
        rnnbench.errors.UsageError: no such run, it keeps no model, its code is not trusted, or
            something that is no text.
        rnnbench.errors.DataError: the words behind its numbers are not here.
    """
    import pandas

    listed = [texts] if isinstance(texts, str) else list(texts)
    for place, text in enumerate(listed):
        if not isinstance(text, str):
            raise UsageError(f"texts must be texts, got {text!r} in place {place}")
    if not listed:
        raise UsageError("there is no text to predict; give one at least")
    found = predict_text(run, listed, Path(folder).absolute(), study, trusts_code=trust_code)
    rows = [
        {
            "text": each.text,
            "answer": each.answer,
            "probability": each.probabilities.get(each.answer) if each.answer else None,
            "n_known": sum(word is not None for word in each.seen),
            **{f"p_{name}": value for name, value in each.probabilities.items()},
        }
        for each in found
    ]
    return pandas.DataFrame(rows, index=texts.index if isinstance(texts, pandas.Series) else None)


def report(
    study: str | None = None, *, out: str | Path | None = None, folder: str | Path = "."
) -> Path:
    """Write the study's report; the page's path.

    Args:
        study: None takes the one that was worked on last.
        out: the folder for the page; None takes `reports/<study>`.

    Raises:
        rnnbench.errors.UsageError: there is no such study.
    """
    chosen = None if out is None else Path(out)
    return report_study(study, Screen(), Path(folder).absolute(), out=chosen)


def _several(value: Any) -> tuple[Any, ...]:  # Any: a value, or several
    return value if isinstance(value, tuple) else (value,)


def _plain(value: Any) -> Any:  # Any: a value, or several, of NumPy or pandas perhaps
    if isinstance(value, Path):
        return str(value)
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(map(_plain, value))
    return value
