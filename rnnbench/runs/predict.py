"""`rnnbench predict` and `rnnbench evaluate`: what a kept model says of other texts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnbench.compare.predictions import Predictions, read_predictions, take_predictions
from rnnbench.data import prepare
from rnnbench.data.cache import open_corpus
from rnnbench.data.corpus import Tokens, write_seen
from rnnbench.data.dataset import Part, load_part
from rnnbench.data.describe import MOST_SHOWN
from rnnbench.data.inputs import STANDARD_INPUT
from rnnbench.data.labels import label_key
from rnnbench.data.rows import shorten
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.data.text_summaries import find_summary, summaries_at_hand
from rnnbench.datasets import open_table
from rnnbench.errors import DataError, UsageError
from rnnbench.execution.process import call_in_process
from rnnbench.output.amounts import plural, some
from rnnbench.page.screen import Screen
from rnnbench.runs.evaluation import Evaluation, Scores, evaluate_predictions
from rnnbench.runs.kept_model import KeptModel, open_model
from rnnbench.specs import DataSpec
from rnnbench.training.engine import score


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one text.

    Args:
        run: the run's fingerprint, and its architecture and seed in words.
        answer: the likeliest class; None of a text of which the network knows no token.
        probabilities: by class; each None likewise.
        tokens: what the text was cut into.
        seen: the tokens as the network sees them, in order; None for one that it does not know.
        n_cut: tokens at the beginning that are beyond its length.
        notes: what keeps the answer from being that of the network that was scored.
    """

    run: str
    title: str
    text: str
    answer: str | None
    probabilities: dict[str, float | None]
    tokens: Tokens
    seen: tuple[str | None, ...]
    n_cut: int
    notes: tuple[str, ...] = ()


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
    model = open_model(words, root, study, trusts_code=trusts_code).knows_words()
    tokenizer = model.tokenizer
    cut = [tokenizer.cut(text) for text in texts]
    notes = (*model.notes, *model.cut_notes())
    found = []
    for text, tokens, row in zip(
        texts, cut, model.ask_known(tokenizer.encode_cut(cut)), strict=True
    ):
        is_known = not np.isnan(row).any()
        chances = (float(chance) if is_known else None for chance in row)
        prediction = Prediction(
            run=model.run.entry.fingerprint,
            title=model.title,
            text=text,
            answer=tokenizer.classes[row.argmax()] if is_known else None,
            probabilities=dict(zip(tokenizer.classes, chances, strict=True)),
            tokens=tokenizer.tokens,
            seen=tokenizer.see(tokens),
            n_cut=max(len(tokens) - tokenizer.max_len, 0),
            notes=notes,
        )
        found.append(prediction)
    return found


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

    Of texts that are not on this machine count the answers that the run kept.

    Args:
        trusts_code: whether code that came with a run from elsewhere may be run.

    Raises:
        UsageError, DataError: no such run or file, or a class that the model does not know, or
            its code is not trusted.
    """
    model = open_model(words, root, study, trusts_code=trusts_code)
    data = model.spec.data
    if dataset is None:
        with summaries_at_hand(model.summaries):
            scores = _score_test_half(model)
        name = f"the test part of {data.dataset}"
    else:
        name = "standard input" if dataset == STANDARD_INPUT else dataset
        with open_table(dataset) as path:
            scores = _score_file(path, table, model.knows_words())
    return evaluate_predictions(
        scores,
        model.tokenizer.classes,
        run=model.run.entry.fingerprint,
        title=model.title,
        data=name,
        notes=(*model.notes, *scores.notes),
    )


def show_prediction(prediction: Prediction, screen: Screen) -> None:
    """Print what the model makes of a text; words that it does not know are in brackets."""
    say = screen.say
    token = "word" if prediction.tokens == "dictionary" else prediction.tokens.removesuffix("s")
    say(f"run       {prediction.run}: {prediction.title}")
    if prediction.answer is None:
        say(f"answer    none: the model knows no {token} of this text")
    else:
        chances = (f"{name} {value:.3f}" for name, value in prediction.probabilities.items())
        say(f"answer    {prediction.answer} ({', '.join(chances)})")
    known = sum(word is not None for word in prediction.seen)
    seen = " ".join("[?]" if word is None else word for word in prediction.seen)
    say(f"seen      {seen or 'no word at all'}")
    tokens = plural(len(prediction.seen), token)
    say(f"known     {known} of {tokens}; [?] marks a {token} that the model never learnt")
    if prediction.n_cut:
        cut = plural(prediction.n_cut, token)
        say(f"cut       the first {cut}: the network reads the end only")
    for note in prediction.notes:
        say(f"note      {note}")


def _score_test_half(model: KeptModel) -> Scores:
    """Of the test half anew, if its texts are here; else of the answers that the run kept."""
    data = model.spec.data
    try:
        vocabulary = open_corpus(data.fingerprint).vocabulary
    except DataError:
        return _score_kept(model)
    return _score_part(model, load_part(data, "test"), vocabulary or model.tokenizer.words)


def _score_part(
    model: KeptModel, part: Part, vocabulary: tuple[str, ...], notes: tuple[str, ...] = ()
) -> Scores:
    probability = model.ask(part.tokens)
    return Scores(
        predictions=take_predictions(probability),
        labels=part.labels.astype(np.int8),
        loss=score(probability, part.labels).loss,
        write_text=lambda place: write_seen(part.tokens[place], vocabulary) if vocabulary else "",
        notes=notes,
    )


def _score_kept(model: KeptModel) -> Scores:
    """Raises DataError where nothing here tells the labels, or the answers do not fit them."""
    labels, kept = find_summary(model.spec.data).test_labels, read_predictions(model.run)
    if kept is None or not kept.is_of(labels, model.spec.data.n_classes):
        raise DataError(
            f"the texts of {model.spec.data.dataset} are not on this machine, and the run "
            f"{model.run.entry.fingerprint} kept no answers that fit their labels"
        )
    loss = model.run.result.test_loss if model.run.result else None
    return Scores(
        predictions=kept,
        labels=labels,
        loss=_loss(kept, labels) if loss is None else loss,
        notes=(
            "the texts are not on this machine: these are the answers that the run kept, and the "
            "texts of its mistakes cannot be shown",
        ),
    )


def _loss(kept: Predictions, labels: NDArray[np.int8]) -> float:
    return score(kept.probability.astype(np.float32), labels.astype(np.float32)).loss


def _score_file(path: Path, table: OwnChoices, model: KeptModel) -> Scores:
    """A file's rows as the run's network sees them, and what should be known of them."""
    read = call_in_process(prepare.read_rows, path, table)
    labels = _number_labels(path, read, table, model.tokenizer.classes)
    tokens = model.tokenizer.encode(read.texts)
    notes = (*read.notes, *model.cut_notes(), *_tell_trained(tokens, model.spec.data))
    return _score_part(model, Part(tokens=tokens, labels=labels), model.tokenizer.words, notes)


def _number_labels(
    path: Path, read: Table, table: OwnChoices, classes: tuple[str, ...]
) -> NDArray[np.float32]:
    """The number of each label among the classes that the model knows."""
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
    return np.array([places[key(name)] for name in read.labels], dtype=np.float32)


def _tell_trained(tokens: NDArray[np.int32], data: DataSpec) -> tuple[str, ...]:
    """A sentence where texts may be among those that the network was trained on."""
    try:
        part = load_part(data, "train")
    except DataError:
        return (
            "the training texts are not on this machine, so that nobody can tell whether some of "
            "these are among them",
        )
    trained = {row.tobytes() for row in part.tokens.astype(tokens.dtype)}
    known = sum(row.tobytes() in trained for row in tokens)
    if not known:
        return ()
    return (
        f"to the network {known:,} of the texts look the same as one that it was trained on, "
        "so its scores are optimistic",
    )
