"""What an MLflow model answers to texts, and what it refuses: a network that is made up."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from rnnbench.data.tokenizer import Tokenizer
from rnnbench.served import TextModel

GOOD, BAD, MAX_LEN = 4, 5, 6


class Network:
    """Says how many of the words are good; keeps the sizes of the batches that it was asked."""

    def __init__(self, n_outputs: int = 1) -> None:
        self.sizes: list[int] = []
        self._n_outputs = n_outputs

    def predict_on_batch(self, tokens: Any) -> Any:
        self.sizes.append(len(tokens))
        good, bad = (np.sum(tokens == token, axis=1, keepdims=True) for token in (GOOD, BAD))
        share = (good + 1) / (good + bad + 2)
        rest = np.full((len(tokens), self._n_outputs - 1), 0.125)
        return np.hstack((share, rest)).astype(np.float32)


def model(*classes: str, network: Any = None) -> TextModel:
    tokenizer = Tokenizer(classes=classes or ("no", "yes"), words=("good", "bad"), max_len=MAX_LEN)
    return TextModel(tokenizer, network or Network())


def test_a_text_gets_its_class_by_name_and_the_probability_of_each() -> None:
    (answer,) = model().predict(["Good, good!"]).to_dict("records")
    assert answer == {
        "class": "yes",
        "probability": 0.75,
        "probability of no": 0.25,
        "probability of yes": 0.75,
    }


def test_of_three_classes_the_likeliest_is_the_answer() -> None:
    answers = model("a", "b", "class", network=Network(3)).predict(["bad bad bad bad bad", "good"])
    assert list(answers["class"]) == ["a", "a"]
    assert list(answers["probability of class"]) == [0.125, 0.125]


@pytest.mark.parametrize("text", ["", "?!", "unheard of", None, float("nan"), pd.NA])
def test_what_holds_no_word_that_the_network_knows_gets_no_answer(text: Any) -> None:
    answers = model().predict(["good", text])
    assert answers["class"].tolist() == ["yes", None]
    said = json.dumps(answers.to_dict("records"), allow_nan=False)
    assert json.loads(said)[1] == dict.fromkeys(answers.columns)


def test_a_known_word_beyond_what_the_network_reads_is_no_answer() -> None:
    assert model().predict(["good" + " x" * MAX_LEN])["class"].tolist() == [None]


def test_a_network_that_says_no_number_gives_no_answer() -> None:
    class Diverged:
        def predict_on_batch(self, tokens: Any) -> Any:
            return np.full((len(tokens), 1), np.nan)

    assert model(network=Diverged()).predict(["good"])["class"].tolist() == [None]


@pytest.mark.parametrize(
    "given",
    [
        "good",
        ["good"],
        np.array(["good"]),
        pd.Series(["good"], name="review"),
        pd.DataFrame({"review": ["good"]}),
        pd.DataFrame({"label": ["bad"], "text": ["good"]}),
        {"text": "good"},
        {"text": ["good"]},
        [{"text": "good"}],
    ],
    ids=lambda given: type(given).__name__,
)
def test_texts_may_come_as_whatever_holds_them(given: Any) -> None:
    assert model().predict(given)["class"].tolist() == ["yes"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([1, 2], "value 1 is 1, which is not a text"),
        (["good", b"bad"], "value 2 is b'bad', which is not a text"),
        ([["good", "bad"]], "there are the columns 0, 1"),
        (pd.DataFrame({"a": ["good"], "b": ["bad"]}), "there are the columns a, b"),
        (pd.DataFrame([["good", "bad"]], columns=["text", "text"]), "the columns text, text"),
        (5, "int is neither a text nor several"),
        ({"review": "good"}, "dict is neither"),
    ],
)
def test_what_is_not_texts_is_refused_with_what_to_give(given: Any, told: str) -> None:
    with pytest.raises(MlflowException, match="give a list of texts") as refused:
        model().predict(given)
    assert told in str(refused.value)
    assert refused.value.get_http_status_code() == 400


def test_answers_keep_the_rows_of_a_table() -> None:
    texts = pd.DataFrame({"text": ["good", "bad"]}, index=[7, 9])
    assert model().predict(texts)["class"].to_dict() == {7: "yes", 9: "no"}
    assert model().predict([]).empty


def test_ten_thousand_texts_are_asked_in_batches_of_few_sizes() -> None:
    network = Network()
    answers = model(network=network).predict(["good", "bad bad"] * 5_000)
    assert answers["class"].tolist() == ["yes", "no"] * 5_000
    assert set(network.sizes) == {256, 16}  # 10,000 is 39 times 256 and 16


def test_a_text_of_a_megabyte_is_read_from_its_end() -> None:
    assert model().predict(["bad " * 250_000 + "good " * MAX_LEN])["class"].tolist() == ["yes"]
