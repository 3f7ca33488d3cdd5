"""`rnnbench predict --file`: the rows of a file with what a model says of each text."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data import prepare
from rnnbench.data.corpus import FIRST_WORD, UNKNOWN
from rnnbench.data.files import whole_file
from rnnbench.data.inputs import JSON_LINES
from rnnbench.data.tables import OwnChoices
from rnnbench.data.unlabelled import TextRows
from rnnbench.datasets import open_texts
from rnnbench.errors import StoreError, UsageError
from rnnbench.execution.process import call_in_process
from rnnbench.formats import is_there, why_failed
from rnnbench.output.amounts import listed, plural
from rnnbench.output.streams import steady
from rnnbench.page.consoles import open_console
from rnnbench.page.screen import Screen
from rnnbench.runs.kept_model import KeptModel, open_model

ENDINGS = (".csv", ".tsv", *JSON_LINES)
_ADDED = ("class", "probability", "known")
_TOKENS_AT_ONCE = 10_000_000  # 40 MB; a process starts for each so many
_ROWS_A_LINE = 20_000  # of progress

Row = dict[str, Any]  # Any: JSON values


def predict_file(
    words: str,
    file: str,
    out: Path | None,
    choices: OwnChoices,
    root: Path,
    *,
    study: str | None = None,
    trusts_code: bool = False,
    as_json: bool = False,
) -> None:
    """Write the file's rows, in their order, with the likeliest class of each text.

    Added are `class`, its `probability`, and the share of the tokens that the network reads which
    are `known` to it. The first two are empty where it knows none.

    Args:
        file: its path; `-` takes a text a line from standard input.
        out: a new file; None prints.
        trusts_code: whether code that came with a run from elsewhere may be run.
        as_json: whether it prints an object a line, not CSV.

    Raises:
        UsageError: no such run, no column of texts, or `out` is there or of another kind.
        DataError: the file cannot be read.
        StoreError: `out` cannot be written.
    """
    # What is printed is rows alone.
    view = Screen(console=None if out else open_console(stderr=True))
    ending = _check_out(out) if out else JSON_LINES[0] if as_json else ENDINGS[0]
    model = open_model(words, root, study, trusts_code=trusts_code).knows_words()
    with open_texts(file) as path:
        rows = call_in_process(prepare.read_unlabelled, path, choices)
    for note in rows.notes:
        view.say(f"note      {note}")
    for note in (*model.notes, *model.cut_notes()):
        view.warn(note)
    names = _name_added(rows)
    n_rows = n_known = 0
    with _opened(out) as stream:
        write = _writer(stream, ending, [*rows.columns, *names])
        for row in _score_rows(model, rows, names, view):
            write(row)
            n_rows += 1
            n_known += row[names[0]] is not None
    if out:
        view.say(f"written: {plural(n_rows, 'row')} to {out}, by {model.title}")
    if n_known < n_rows:
        view.warn(
            f"without an answer: {n_rows - n_known:,} of {plural(n_rows, 'row')}, of whose texts "
            "the model knows nothing"
        )


def _check_out(out: Path) -> str:
    if out.suffix.lower() not in ENDINGS:
        raise UsageError(f"{out} is to be written, and its ending is none of {listed(ENDINGS)}")
    if is_there(out):
        raise UsageError(f"{out} already exists; name another file, or remove it")
    return out.suffix.lower()


def _name_added(rows: TextRows) -> Sequence[str]:
    """What is added is called; otherwise than the columns of the file.

    Raises:
        UsageError: the file has columns of all these names.
    """
    for names in (_ADDED, tuple(f"predicted_{name}" for name in _ADDED)):
        if rows.columns.keys().isdisjoint(names):
            return names
    raise UsageError(f"the file has a column predicted_{_ADDED[0]} already; rename it")


def _score_rows(
    model: KeptModel, rows: TextRows, names: Sequence[str], view: Screen
) -> Iterator[Row]:
    """Each row with what is added."""
    classes, n_texts = model.tokenizer.classes, len(rows.texts)
    at_once = max(1, _TOKENS_AT_ONCE // model.tokenizer.max_len)
    for start in range(0, n_texts, at_once):
        tokens = _encode(model, rows.texts[start : start + at_once], start, n_texts, view)
        if n_texts >= _ROWS_A_LINE:
            view.say(f"asking the model about {plural(len(tokens), 'text')}")
        n_seen, n_known = ((tokens >= least).sum(axis=1) for least in (UNKNOWN, FIRST_WORD))
        shares = n_known / np.maximum(n_seen, 1)
        scored = zip(model.ask_known(tokens), shares, strict=True)
        for place, (chances, share) in enumerate(scored, start):
            answer: tuple[object, ...] = (None, None)
            if share:
                answer = classes[chances.argmax()], round(float(chances.max()), 6)
            added = zip(names, (*answer, round(float(share), 4)), strict=True)
            yield _read_row(rows, place) | dict(added)


def _encode(
    model: KeptModel, texts: Sequence[str], done: int, n_texts: int, view: Screen
) -> NDArray[np.int32]:
    """int32 `(n_texts, max_len)`: the texts as the network reads them."""
    found = []
    for start in range(0, len(texts), _ROWS_A_LINE):
        found.append(model.tokenizer.encode(texts[start : start + _ROWS_A_LINE]))
        done += len(found[-1])
        if n_texts >= _ROWS_A_LINE:
            view.say(f"cut into tokens: {done:,} of {plural(n_texts, 'text')}")
    return np.concatenate(found)


def _read_row(rows: TextRows, place: int) -> Row:
    if rows.objects:
        found: Row = json.loads(rows.objects[place])
        return found
    return {name: values[place] for name, values in rows.columns.items()}


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[str]]:
    """The file, which is there whole or not at all; or standard output."""
    if out is None:
        yield steady(sys.stdout)
        return
    try:
        with whole_file(out) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
            yield text
            text.flush()
            text.detach()
    except OSError as err:
        raise StoreError(f"cannot write {out}: {why_failed(err)}") from err


def _writer(stream: IO[str], ending: str, names: Sequence[str]) -> Callable[[Row], object]:
    """Writes a row as its format has it; what is missing is null, or empty."""
    if ending in JSON_LINES:
        return lambda row: stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    mark = "\t" if ending == ".tsv" else ","
    table = csv.DictWriter(stream, names, delimiter=mark, lineterminator="\n", restval="")
    table.writeheader()
    return table.writerow
