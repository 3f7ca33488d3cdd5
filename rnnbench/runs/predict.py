"""`rnnbench predict` and `rnnbench evaluate`: what a kept model says of other texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnbench.architectures import display_name, installed_code
from rnnbench.data import prepare
from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import FIRST_WORD, START, UNKNOWN, Corpus, Half, Tokens
from rnnbench.data.dataset import Part, cut_and_pad, load_part
from rnnbench.data.describe import MOST_SHOWN, read_findings
from rnnbench.data.html_text import strip_html
from rnnbench.data.imdb import read_imdb_words
from rnnbench.data.inputs import STANDARD_INPUT
from rnnbench.data.labels import label_key
from rnnbench.data.rows import shorten
from rnnbench.data.tables import OwnChoices
from rnnbench.data.words import Cut, make_cut
from rnnbench.datasets import open_table
from rnnbench.entries import LedgerEntry
from rnnbench.errors import DataError, UsageError, WorkerError
from rnnbench.execution.devices import installed_backends
from rnnbench.execution.process import call_in_process, call_on
from rnnbench.output.amounts import plural, some
from rnnbench.page.screen import Screen
from rnnbench.recorded_runs import find_run, model_file
from rnnbench.runs.evaluation import Evaluation, evaluate_part
from rnnbench.specs import SYNTHETIC, DataSpec, Form, PluginForm, RunSpec
from rnnbench.training.inference import predict_with


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one text.

    Args:
        run: the run's fingerprint, and its architecture and seed in words.
        probabilities: by class.
        tokens: what the text was cut into.
        seen: the tokens as the network sees them, in order; None for one that it does not know.
        n_cut: tokens at the beginning that are beyond its length.
        notes: what keeps the answer from being that of the network that was scored.
    """

    run: str
    title: str
    text: str
    probabilities: dict[str, float]
    tokens: Tokens
    seen: tuple[str | None, ...]
    n_cut: int
    notes: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The likeliest class."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])


def predict_text(
    words: str,
    texts: list[str],
    root: Path,
    study: str | None = None,
    *,
    trusts_code: bool = False,
) -> list[Prediction]:
    """What the run's best model says of each text.

    Args:
        trusts_code: whether code that came with a run from elsewhere may be run.

    Raises:
        UsageError: no such run, or it keeps no model, or its code is not trusted.
        DataError: the words behind its numbers are not here.
    """
    entry = _find_trusted(words, root, study, trusts_code)
    path, spec = model_file(entry), entry.spec()
    data = spec.data
    ranks, corpus = _ranks(data), open_corpus(data.fingerprint)
    cutter = make_cut(corpus.tokens, corpus.subwords)
    cut = list(map(cutter, _as_trained(texts, data)))
    probability = _ask(path, spec, _encode(cut, ranks, data))
    return [
        Prediction(
            run=entry.fingerprint,
            title=_title(entry),
            text=text,
            probabilities=_by_class(row, corpus.classes),
            tokens=corpus.tokens,
            seen=tuple(word if word in ranks else None for word in seen[-data.max_len :]),
            n_cut=max(len(seen) - data.max_len, 0),
            notes=(*_code_notes(spec.form), *_cut_notes(corpus, cutter)),
        )
        for text, seen, row in zip(texts, cut, probability, strict=True)
    ]


def evaluate_run(
    words: str,
    dataset: str | None,
    table: OwnChoices,
    root: Path,
    study: str | None = None,
    *,
    trusts_code: bool = False,
) -> Evaluation:
    """How the run's best model scores, on the test half of its data or on another file.

    Args:
        trusts_code: whether code that came with a run from elsewhere may be run.

    Raises:
        UsageError, DataError: no such run or file, or a class that the model does not know, or
            its code is not trusted.
    """
    entry = _find_trusted(words, root, study, trusts_code)
    model, spec = model_file(entry), entry.spec()
    data, corpus = spec.data, open_corpus(spec.data.fingerprint)
    notes: tuple[str, ...] = ()
    if dataset is None:
        part, name = load_part(data, "test"), f"the test part of {data.dataset}"
    else:
        name = "standard input" if dataset == STANDARD_INPUT else dataset
        with open_table(dataset) as path:
            part, notes = _read_part(path, table, data)
    return evaluate_part(
        _ask(model, spec, part.tokens),
        part,
        corpus.classes,
        corpus.vocabulary if dataset is None else _vocabulary(data),
        run=entry.fingerprint,
        title=_title(entry),
        data=name,
        notes=(*_code_notes(spec.form), *notes),
    )


def show_prediction(prediction: Prediction, screen: Screen) -> None:
    """Print what the model makes of a text; words that it does not know are in brackets."""
    say = screen.say
    say(f"run       {prediction.run}: {prediction.title}")
    chances = ", ".join(f"{name} {value:.3f}" for name, value in prediction.probabilities.items())
    say(f"answer    {prediction.answer} ({chances})")
    known = sum(word is not None for word in prediction.seen)
    seen = " ".join("[?]" if word is None else word for word in prediction.seen)
    say(f"seen      {seen or 'no word at all'}")
    token = "word" if prediction.tokens == "dictionary" else prediction.tokens.removesuffix("s")
    tokens = plural(len(prediction.seen), token)
    say(f"known     {known} of {tokens}; [?] marks a {token} that the model never learnt")
    if prediction.n_cut:
        cut = plural(prediction.n_cut, token)
        say(f"cut       the first {cut}: the network reads the end only")
    for note in prediction.notes:
        say(f"note      {note}")


def _find_trusted(words: str, root: Path, study: str | None, trusts_code: bool) -> LedgerEntry:
    """The run that is meant.

    Raises:
        UsageError: there is none, or its network is code from elsewhere that is not trusted.
    """
    entry = find_run(words, root, study).entry
    form, result = entry.spec().form, entry.result()
    origin = result.imported_from if result is not None else None
    is_of_file = isinstance(form, PluginForm) and form.is_of_file
    if is_of_file and origin is not None and not trusts_code:
        raise UsageError(
            f"the network {display_name(form)} is code that came with this run from {origin}, and "
            f"would be run: read it with "
            f"`rnnbench show {entry.fingerprint} --code`, then add --trust-code"
        )
    return entry


def _code_notes(form: Form) -> tuple[str, ...]:
    """A sentence where the code of a plug-in may not be what trained the model."""
    if not isinstance(form, PluginForm) or form.is_of_file:
        return ()
    if form.code == installed_code(form.name):
        return ()
    was = "was edited since it" if form.code else "may not be what"
    return (
        f"the code of {form.name} {was} trained this model, so its answers need not be those "
        "that were scored",
    )


def _cut_notes(corpus: Corpus, cut: Cut) -> tuple[str, ...]:
    """A sentence where ICU's dictionary may not be the one that cut the training texts."""
    if cut.icu == corpus.icu:
        return ()
    return (
        f"ICU {corpus.icu} cut the training texts, ICU {cut.icu} cuts these: its dictionary may "
        "have other words",
    )


def _ask(path: Path, spec: RunSpec, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
    """`predict_with` in a process of its own; a plug-in's on the back end that trained it.

    Raises:
        DataError: the file is damaged, which may end a process that reads it.
    """
    own = isinstance(spec.form, PluginForm) and spec.backend in installed_backends()
    try:
        return call_on(spec.backend if own else "jax", predict_with, path, spec, tokens)
    except WorkerError as err:
        raise DataError(f"{path} cannot be used: {err}") from err


def _as_trained(texts: Sequence[str], data: DataSpec) -> list[str]:
    """The texts without HTML, where those that the run learnt from had lost it too."""
    found = read_findings(data.fingerprint)
    return [strip_html(text) for text in texts] if found and found.strips_html else [*texts]


def _read_part(path: Path, table: OwnChoices, data: DataSpec) -> tuple[Part, tuple[str, ...]]:
    """A file's rows as the run's network sees them, and what should be known of them."""
    read = call_in_process(prepare.read_rows, path, table)
    corpus = open_corpus(data.fingerprint)
    classes = corpus.classes
    key = label_key if len(set(map(label_key, classes))) == len(classes) else str
    if key is str and not table.keep_labels:
        raise UsageError(
            f"the model was trained on classes that only spelling keeps apart "
            f"({', '.join(classes)}); use --keep-labels here too"
        )
    places = {key(name): place for place, name in enumerate(classes)}
    strange = sorted(name for name in set(read.labels) if key(name) not in places)
    if strange:
        raise UsageError(
            f"{path} has the class '{shorten(strange[0])}', which the model does not know; "
            f"it was trained on {some([*map(shorten, classes)], MOST_SHOWN)}"
        )
    labels = np.array([places[key(name)] for name in read.labels], dtype=np.int8)
    cut = make_cut(corpus.tokens, corpus.subwords)
    tokens = _encode(list(map(cut, _as_trained(read.texts, data))), _ranks(data), data)
    trained = {row.tobytes() for row in load_part(data, "train").tokens.astype(tokens.dtype)}
    known = sum(row.tobytes() in trained for row in tokens)
    notes = (*read.notes, *_cut_notes(corpus, cut))
    if known:
        notes += (
            f"to the network {known:,} of the texts look the same as one that it was trained on, "
            "so its scores are optimistic",
        )
    return Part(tokens=tokens, labels=labels.astype(np.float32)), notes


def _ranks(data: DataSpec) -> dict[str, int]:
    """Each word that the network knows, with its token."""
    known = _vocabulary(data)[: max(data.num_words - FIRST_WORD, 0)]
    return {word: place + FIRST_WORD for place, word in enumerate(known)}


def _vocabulary(data: DataSpec) -> tuple[str, ...]:
    corpus = open_corpus(data.fingerprint)
    if corpus.vocabulary:
        return corpus.vocabulary
    if data.dataset == SYNTHETIC:
        raise UsageError(
            "the run learnt on synthetic reviews, whose words are numbers, so it cannot read "
            "texts; name one on other data, by its fingerprint or with --study"
        )
    if data.dataset != "imdb":
        raise DataError(
            f"the words of {data.dataset} are no longer in the cache; the command that trained the "
            "run restores them"
        )
    return read_imdb_words()


def _encode(cut: list[list[str]], ranks: dict[str, int], data: DataSpec) -> NDArray[np.int32]:
    """Texts, cut into words, as the network sees them."""
    rows = [[START, *(ranks.get(word, UNKNOWN) for word in words)] for words in cut]
    half = Half(
        tokens=np.array([token for row in rows for token in row], dtype=np.int32),
        offsets=np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64),
        labels=np.zeros(len(rows), dtype=np.int8),
    )
    every = np.arange(len(rows))
    return cut_and_pad(half, every, num_words=data.num_words, max_len=data.max_len)


def _by_class(row: NDArray[np.float32], classes: tuple[str, ...]) -> dict[str, float]:
    if np.ndim(row) == 0:
        return {classes[0]: 1 - float(row), classes[1]: float(row)}
    return dict(zip(classes, map(float, row), strict=True))


def _title(entry: LedgerEntry) -> str:
    spec = entry.spec()
    return f"{display_name(spec.form)}, seed {spec.seed}, study {entry.study}"
