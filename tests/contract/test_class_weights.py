"""Class weights are those of plain Keras, in every engine and on every back end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from rnnbench.architectures import make_form
from rnnbench.data.cache import store_corpus
from rnnbench.data.dataset import balanced_weights, chance_loss, load_part
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.execution.executor import Task
from rnnbench.execution.process import call_on
from rnnbench.execution.worker import InlineExecutor, LazyParts
from rnnbench.models import build_model, build_optimizer, import_keras
from rnnbench.specs import DataSpec, EpochEnded, Event, Finished, Recipe, RunSpec
from rnnbench.training.engines import open_program
from rnnbench.training.loop import Start, batch_order, train_runs

WORDS = {"bad": "dull", "fair": "plain", "good": "fun"}


def spec_of(n_classes: int, **values: Any) -> RunSpec:
    """An epoch on 96 texts of which a tenth are bad; the last batch of 20 is short."""
    labels = ["bad", *["good"] * 5, *["fair" if n_classes == 3 else "good"] * 4] * 15
    texts = [f"a {WORDS[label]} film {at % 7}" for at, label in enumerate(labels)]
    corpus, _ = make_corpus("films", Table(texts=texts, labels=labels), OwnChoices())
    return RunSpec(
        form=make_form("lstm"),
        data=DataSpec(
            dataset="films",
            fingerprint=store_corpus(corpus),
            num_words=20,
            max_len=6,
            n_classes=n_classes,
        ),
        recipe=Recipe(
            epochs=1, batch_size=20, optimizer="sgd", learning_rate=0.1, class_weight="balanced"
        ),
        seed=3,
        **values,
    )


def epoch_with_keras(spec: RunSpec) -> tuple[float, float]:
    """Training and validation loss of an epoch of `model.fit(class_weight=…)`."""
    train, validation = load_part(spec.data, "train"), load_part(spec.data, "validation")
    classes = np.unique(train.labels)
    weights = compute_class_weight("balanced", classes=classes, y=train.labels)
    counted = dict(enumerate(map(float, weights)))
    model = build_model(spec)
    loss = "binary_crossentropy" if spec.data.n_classes == 2 else "sparse_categorical_crossentropy"
    model.compile(optimizer=build_optimizer(spec), loss=loss)
    order = batch_order(spec.seed, 1, len(train.labels), spec.recipe.order)
    history = model.fit(
        train.tokens[order],
        train.labels[order],
        batch_size=spec.recipe.batch_size,
        class_weight=counted,
        validation_data=(
            validation.tokens,
            validation.labels,
            np.array([counted[label] for label in validation.labels]),
        ),
        shuffle=False,
        verbose=0,
    ).history
    return history["loss"][0], history["val_loss"][0]


def epochs_with_us(specs: Sequence[RunSpec]) -> list[tuple[float, float]]:
    """The same of our own loop; several specs are lanes of a fleet."""
    program = open_program(specs[0], len(specs))
    starts = [Start(spec=spec) for spec in specs]
    events = train_runs(starts, program, LazyParts(specs[0].data), {})
    rows = [event.row for event in events if isinstance(event, EpochEnded)]
    return [(row.loss, row.val_loss) for row in rows]


def both_here(spec: RunSpec) -> tuple[tuple[float, float], tuple[float, float]]:
    import_keras()
    return epochs_with_us([spec])[0], epoch_with_keras(spec)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("engine", ["keras", "fleet"])
def test_an_epoch_on_jax_is_that_of_plain_keras(
    n_classes: int, engine: str, keras_on_jax: Any
) -> None:
    first = spec_of(n_classes, engine=engine)
    specs = [first, replace(first, seed=4)] if engine == "fleet" else [first]
    for ours, spec in zip(epochs_with_us(specs), specs, strict=True):
        assert ours == pytest.approx(epoch_with_keras(spec), abs=1e-5)


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_an_epoch_on_another_back_end_is_that_of_plain_keras(backend: Any) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    ours, theirs = call_on(backend, both_here, spec_of(3, backend=backend))
    assert ours == pytest.approx(theirs, abs=1e-5)


def test_weights_change_what_is_learnt_and_are_another_run(keras_on_jax: Any) -> None:
    balanced = spec_of(2)
    plain = replace(balanced, recipe=replace(balanced.recipe, class_weight="none"))
    assert plain.fingerprint != balanced.fingerprint
    assert plain.shape != balanced.shape
    assert epochs_with_us([plain]) != epochs_with_us([balanced])
    assert (plain.settings.keys() ^ balanced.settings.keys()) == {"class_weight"}


def test_a_rare_class_is_found_with_weights_and_the_recall_behind_it_is_kept(
    keras_on_jax: Any,
) -> None:
    spec = spec_of(2)
    long = replace(spec.recipe, epochs=40, patience=40, optimizer="adam", learning_rate=0.02)
    events: list[Event] = list(InlineExecutor().run([Task(spec=replace(spec, recipe=long))]))
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.result.val_macro_recall == pytest.approx(1.0)
    assert end.result.test_macro_f1 == pytest.approx(1.0)


def test_weights_are_those_of_scikit_learn_and_none_of_a_class_that_is_not_there() -> None:
    labels = np.array([0, 0, 0, 3, 1, 1], dtype=np.float32)
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=labels)
    found = balanced_weights(labels, 4)
    np.testing.assert_allclose(found[[0, 1, 3]], expected, rtol=1e-6)
    assert found[2] == 0
    assert found[labels.astype(int)].mean() == pytest.approx(1)


def test_chance_counts_classes_as_the_loss_does() -> None:
    """The split is stratified, so that each class weighs nearly the same in validation."""
    data = spec_of(3).data
    assert chance_loss(data, is_balanced=True) == pytest.approx(np.log(3), abs=0.1)
    assert chance_loss(data) < 1.0
