"""A corpus from the user's rows: split, vocabulary, duplicates, more than two classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnbench.architectures import make_form
from rnnbench.data.cache import (
    cache_folder,
    open_corpus,
    recall_source,
    remember_source,
    split_indices,
    store_corpus,
)
from rnnbench.data.corpus import PARTS, TOKENS, PartName
from rnnbench.data.describe import tell_findings
from rnnbench.data.labels import read_grades
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.data.words import make_cut
from rnnbench.errors import DataError, UsageError
from rnnbench.execution.executor import Task
from rnnbench.execution.worker import InlineExecutor
from rnnbench.specs import DataSpec, Finished, Recipe, RunSpec

MakeTable = Callable[..., Table]


@pytest.fixture
def table() -> Table:
    """120 rows of three classes, each with a word of its own."""
    names = ("bad", "fair", "good")
    labels = [names[n % 3] for n in range(120)]
    texts = [f"film {n} was {label} word{n % 7}" for n, label in enumerate(labels)]
    return Table(texts=texts, labels=labels)


def test_the_split_is_stratified_and_follows_from_the_seed(table: Table) -> None:
    corpus, _ = make_corpus("r", table, OwnChoices())
    assert corpus.classes == ("bad", "fair", "good")
    assert (corpus.train.n_reviews, corpus.n_validation, corpus.test.n_reviews) == (96, 20, 24)
    assert np.bincount(corpus.test.labels).tolist() == [8, 8, 8]
    again, _ = make_corpus("r", table, OwnChoices())
    other, _ = make_corpus("r", table, OwnChoices(split_seed=1))
    assert corpus.fingerprint() == again.fingerprint() != other.fingerprint()


def test_labels_that_only_look_like_numbers_are_names(table: Table) -> None:
    labels = [{"bad": "1", "fair": "--1", "good": "-2"}[label] for label in table.labels]
    corpus, _ = make_corpus("r", Table(texts=table.texts, labels=labels), OwnChoices())
    assert corpus.classes == ("--1", "-2", "1")


def test_plain_texts_keep_the_fingerprint_that_they_have_had(table: Table) -> None:
    corpus, _ = make_corpus("r", table, OwnChoices())
    assert corpus.fingerprint().startswith("111eae8e9d33a35f")


def test_texts_whose_words_look_alike_are_other_data(table: Table) -> None:
    typed, folded = (
        Table(texts=[f"{text} {word}" for text in table.texts], labels=table.labels)
        for word in ("x²", "x2")
    )
    corpora = [make_corpus("r", each, OwnChoices())[0] for each in (typed, folded)]
    assert "x²" in corpora[0].vocabulary
    assert corpora[0].fingerprint() != corpora[1].fingerprint()


def test_few_test_texts_are_told_with_the_weight_of_one(table: Table) -> None:
    for fraction, weight in ((0.1, "8"), (0.5, "1.7")):
        _, found = make_corpus("r", table, OwnChoices(test_fraction=fraction))
        few = f"too few test texts to tell networks apart: one is {weight} points"
        assert few in tell_findings(found)
    many = Table(texts=table.texts * 5, labels=table.labels * 5)
    found = make_corpus("r", many, OwnChoices())[1]
    assert not any("too few" in note for note in tell_findings(found))


def test_texts_cut_otherwise_are_other_data_which_the_cache_keeps(table: Table) -> None:
    corpora = {
        kind: make_corpus("r", table, OwnChoices(tokens=kind))[0] for kind in ("auto", *TOKENS)
    }
    fingerprints = {kind: store_corpus(corpus) for kind, corpus in corpora.items()}
    assert fingerprints["auto"] == fingerprints["words"]
    assert len(set(fingerprints.values())) == len(TOKENS)
    for kind in TOKENS:
        made, kept = corpora[kind], open_corpus(fingerprints[kind], verify=True)
        assert (kept.tokens, kept.subwords, kept.icu) == (kind, made.subwords, made.icu)


def test_what_two_versions_of_icu_cut_alike_is_the_same_data(table: Table) -> None:
    corpus, _ = make_corpus("r", table, OwnChoices(tokens="dictionary"))
    assert replace(corpus, icu="1.0").fingerprint() == corpus.fingerprint()
    with pytest.raises(DataError, match="dictionary"):
        replace(corpus, icu="")


def test_subwords_are_learnt_from_the_training_part_alone(table: Table) -> None:
    parts: list[PartName] = [PARTS[n // 3 % 3] for n in range(120)]
    texts = [
        f"{text} {'' if part == 'train' else 'zebra'}"
        for text, part in zip(table.texts, parts, strict=True)
    ]
    seen = Table(texts=texts, labels=table.labels, parts=parts)
    corpus, _ = make_corpus("r", seen, OwnChoices(tokens="subwords"))
    assert not any("z" in piece for piece in corpus.vocabulary)
    assert make_cut("subwords", corpus.subwords)("zebra film") != ["zebra", "film"]


@pytest.mark.parametrize("content", [None, b"", b"cut short"])
def test_a_lost_model_of_subwords_is_made_again(table: Table, content: bytes | None) -> None:
    corpus, _ = make_corpus("r", table, OwnChoices(tokens="subwords"))
    fingerprint = store_corpus(corpus)
    remember_source("key", fingerprint)
    path = cache_folder() / "corpora" / fingerprint / "subwords.model"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match="data describe FILE"):
        open_corpus(fingerprint)
    assert recall_source("key") is None
    assert store_corpus(corpus) == fingerprint == recall_source("key")


def test_a_kind_of_tokens_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'sylables'.* choose from auto, characters"):
        OwnChoices(tokens="sylables")


def test_grades_are_in_the_order_of_their_size(table: Table) -> None:
    labels = [str(grade) for grade in (10, 2, 1.5) * 40]
    corpus, _ = make_corpus("r", Table(texts=table.texts, labels=labels), OwnChoices())
    assert corpus.classes == ("1.5", "2", "10")


@pytest.mark.parametrize(
    ("classes", "grades"),
    [
        (("1", "2", "4", "5"), (1.0, 2.0, 4.0, 5.0)),
        (("-1", "0", "1.5"), (-1.0, 0.0, 1.5)),
        (("0", "1"), None),
        (("1", "2", "bad"), None),
        (("1990s", "2000s", "2010s"), None),
    ],
)
def test_three_classes_or_more_that_are_all_numbers_are_grades(
    classes: tuple[str, ...], grades: tuple[float, ...] | None
) -> None:
    assert read_grades(classes) == grades


def test_how_far_off_grades_are_and_the_recall_in_validation_are_kept_with_the_run(
    table: Table, keras_on_jax: Any
) -> None:
    labels = [str(grade) for grade in (1, 2, 4) * 40]
    corpus, _ = make_corpus("r", Table(texts=table.texts, labels=labels), OwnChoices())
    data = DataSpec(
        dataset="r", fingerprint=store_corpus(corpus), num_words=20, max_len=6, n_classes=3
    )
    spec = RunSpec(form=make_form("gru"), data=data, recipe=Recipe(epochs=1), seed=0)
    end = list(InlineExecutor().run([Task(spec=spec)]))[-1]
    assert isinstance(end, Finished), end
    error, kappa = end.result.test_absolute_error, end.result.test_quadratic_kappa
    assert error is not None
    assert 0 <= error <= 3
    assert kappa is not None
    assert -1 <= kappa <= 1
    assert end.result.val_macro_recall is not None


def test_the_vocabulary_is_that_of_the_training_part(table: Table) -> None:
    corpus, _ = make_corpus("r", table, OwnChoices())
    n_train = corpus.train.n_reviews - (corpus.n_validation or 0)
    training = corpus.train.tokens[: corpus.train.offsets[n_train]]
    assert set(training[training >= 4]) == set(range(4, 4 + len(corpus.vocabulary)))
    assert 2 in corpus.test.tokens  # a number that only a test text has
    assert corpus.train.tokens[corpus.train.offsets[:-1]].tolist() == [1] * 96


def test_the_files_own_split_is_kept_whatever_a_study_asks(table: Table) -> None:
    parts: Any = ["train"] * 80 + ["validation"] * 20 + ["test"] * 20
    given = Table(texts=table.texts, labels=table.labels, parts=parts)
    corpus, _ = make_corpus("r", given, OwnChoices())
    fingerprint = store_corpus(corpus)
    for seed in (1, 2):
        split = split_indices(fingerprint, random_state=seed)
        assert split.validation.tolist() == list(range(80, 100))
    kept = open_corpus(fingerprint, verify=True)
    assert (kept.classes, kept.vocabulary) == (corpus.classes, corpus.vocabulary)


def test_duplicates_across_the_split_are_counted_and_left_out_on_request(table: Table) -> None:
    parts: Any = ["train"] * 80 + ["validation"] * 20 + ["test"] * 20
    texts = [*table.texts[:100], *table.texts[:5], *table.texts[105:]]
    given = Table(texts=texts, labels=table.labels, parts=parts)
    corpus, found = make_corpus("r", given, OwnChoices())
    assert tell_findings(found)[0].startswith("5 of 20 test texts stand in an earlier part")
    assert (corpus.test.n_reviews, found.repeats.n_duplicates) == (20, {"test": 5})
    corpus, found = make_corpus("r", given, OwnChoices(drop_duplicates=True))
    assert "an earlier part has the same text: 5 test texts" in tell_findings(found)[0]
    assert (corpus.test.n_reviews, found.repeats.dropped) == (15, True)


def test_one_text_with_two_labels_is_counted_and_kept(table: Table) -> None:
    texts = [*table.texts[:117], "Film 0, was bad: word0!", "...", "!"]
    corpus, found = make_corpus("r", Table(texts=texts, labels=table.labels), OwnChoices())
    assert table.labels[117] == "bad"
    assert found.repeats.n_contradictory == 0
    labels = [*table.labels[:117], "good", "good", "bad"]
    corpus, found = make_corpus("r", Table(texts=texts, labels=labels), OwnChoices())
    assert found.repeats.n_contradictory == 2
    assert any("2 texts stand with different labels" in note for note in tell_findings(found))
    assert corpus.train.n_reviews + corpus.test.n_reviews == 120


def test_a_training_part_without_a_class_is_refused(table: Table) -> None:
    parts: Any = ["train" if label != "fair" else "test" for label in table.labels]
    with pytest.raises(DataError, match="train part has no row of the class 'fair'"):
        make_corpus("r", Table(texts=table.texts, labels=table.labels, parts=parts), OwnChoices())


@pytest.mark.parametrize("backend", ["jax"])
def test_three_classes_are_learnt_and_scored(backend: Any, table: Table, keras_on_jax: Any) -> None:
    corpus, _ = make_corpus("r", table, OwnChoices())
    data = DataSpec(
        dataset="r", fingerprint=store_corpus(corpus), num_words=20, max_len=6, n_classes=3
    )
    recipe = Recipe(epochs=40, patience=40, batch_size=16, learning_rate=0.02)
    spec = RunSpec(form=make_form("gru"), data=data, recipe=recipe, seed=0, backend=backend)
    end = list(InlineExecutor().run([Task(spec=spec)]))[-1]
    assert isinstance(end, Finished), end
    assert end.result.test_accuracy is not None
    assert end.result.test_accuracy > 0.9
    assert end.result.test_macro_f1 == pytest.approx(end.result.test_accuracy, abs=0.1)
    import io

    arrays = np.load(io.BytesIO(end.predictions), allow_pickle=False)
    assert arrays["probability"].shape == (24, 3)
    assert np.mean(arrays["predicted"] == corpus.test.labels) == end.result.test_accuracy


def test_two_classes_keep_their_fingerprints() -> None:
    data = DataSpec(dataset="imdb", fingerprint="ab")
    assert "n_classes" not in RunSpec(form=make_form("lstm"), data=data, seed=0).settings
    three = DataSpec(dataset="imdb", fingerprint="ab", n_classes=3)
    two, other = (RunSpec(form=make_form("lstm"), data=d, seed=0) for d in (data, three))
    assert two.fingerprint != other.fingerprint
