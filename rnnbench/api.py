"""The commands as functions, for a notebook or a script: `import rnnbench`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.execution.choices import ExecutorChoices
from rnnbench.page.screen import Screen
from rnnbench.reports.report import ReportChoices, report_study
from rnnbench.runs.results import result_records
from rnnbench.seeds import parse_seeds
from rnnbench.studies.run import RunChoices, RunOutcome, run_study
from rnnbench.studies.screen import RunScreen

if TYPE_CHECKING:
    import pandas

__all__ = ["load_results", "report", "run"]


def run(
    *architectures: str,
    study: str | Path | None = None,
    name: str | None = None,
    seeds: int | str | Sequence[int] | None = None,
    dataset: str | Path | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    quotes: bool | None = None,
    drop_duplicates: bool = False,
    drop_unlabelled: bool = False,
    num_words: int | Iterable[int] = (),
    max_len: int | Iterable[int] = (),
    units: int | Iterable[int] = (),
    dropout: float | Iterable[float] = (),
    learning_rate: float | Iterable[float] = (),
    epochs: int | None = None,
    tuned: bool = False,
    device: str = "auto",
    backend: str = "auto",
    workers: int | None = None,
    folder: str | Path = ".",
) -> RunOutcome:
    """Train what is missing of a study and track it, as `rnnbench run` does.

    It starts processes, and needs no `if __name__ == "__main__":` for that.

    Args:
        architectures: names as `rnnbench list` shows them; none takes all of the study.
        study: a TOML file or a bundled study's name; by default the textbook study.
        seeds: how many, a text like `0-9`, or the seeds themselves.
        dataset: `auto`, `imdb`, `synthetic`, or a file of labelled texts.
        text_column, label_column, split_column: of such a file, where they are ambiguous.
        separator, encoding: of such a file; inferred where that is sure.
        quotes: whether double quotes hold a field of such a file together.
        drop_unlabelled: leave out rows of such a file without a label.
        drop_duplicates: leave out texts of such a file that an earlier part has too.
        num_words, max_len, units, dropout, learning_rate: a value, or several for a grid.
        tuned: with the values that `rnnbench tune` found best.
        folder: of the project; runs, reports and MLflow's database go there.

    Raises:
        rnnbench.errors.RnnbenchError: bad input, or data out of reach; never for a failing run.
    """
    own = {
        "text_column": text_column,
        "label_column": label_column,
        "split_column": split_column,
        "separator": separator,
        "encoding": encoding,
        "quotes": quotes,
        "drop_duplicates": drop_duplicates or None,
        "drop_unlabelled": drop_unlabelled or None,
    }
    at_most = () if epochs is None else _values(epochs)
    choices = RunChoices(
        architectures=architectures,
        all_architectures=not architectures and study is None,
        study=None if study is None else str(study),
        name=name,
        seeds=None if seeds is None else _seeds(seeds),
        dataset=None if dataset is None else str(dataset),
        own={name: value for name, value in own.items() if value is not None},
        hyperparameters=_given(units=_values(units), dropout=_values(dropout)),
        data=_given(num_words=_values(num_words), max_len=_values(max_len)),
        recipe=_given(learning_rate=_values(learning_rate), epochs=at_most),
        tuned=tuned,
        placing=ExecutorChoices(device=device, backend=backend, workers=workers),
        report=False,
        command="rnnbench.run(…)",
    )
    return run_study(choices, RunScreen(), Path(folder).absolute())


def load_results(study: str, folder: str | Path = ".") -> pandas.DataFrame:
    """The study's runs that are over, a row each: what was asked, and what came out.

    Runs that somebody deleted in MLflow are left out.

    Columns: study, dataset, architecture, seed, order, backend, engine, units, dropout,
    recurrent_dropout, learning_rate, num_words, max_len, status, epochs, best_epoch, val_loss,
    val_accuracy, test_loss, test_accuracy, test_macro_f1, fit_seconds, keras, backend_version
    (their versions), processor, imported_from, fingerprint.

    Raises:
        rnnbench.errors.UsageError: there is no such study in the folder.
    """
    import pandas

    return pandas.DataFrame.from_records(result_records(study, Path(folder).absolute()))


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
    choices = ReportChoices(study=study, out=None if out is None else Path(out))
    return report_study(choices, Screen(), Path(folder).absolute())


def _values(values: Any) -> tuple[Any, ...]:  # Any: a number, or several
    values = _plain(values)
    return (values,) if isinstance(values, int | float) else tuple(map(_plain, values))


def _plain(value: Any) -> Any:  # Any: of NumPy or pandas, perhaps
    return value.tolist() if hasattr(value, "tolist") else value


def _given(**values: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:  # Any: numbers
    return {name: value for name, value in values.items() if value}


def _seeds(seeds: Any) -> tuple[int, ...]:  # Any: what `run` takes
    seeds = _plain(seeds)
    return parse_seeds(seeds if isinstance(seeds, int | str) else tuple(map(_plain, seeds)))
