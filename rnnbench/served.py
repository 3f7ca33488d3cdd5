"""An MLflow model that answers texts, also where rnnbench is not installed.

This module is copied beside each model, with all of ours that it imports (`tracking.model_folder`).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.tokenizer import MOST_TOKENIZER_BYTES, TOKENIZER, Tokenizer, parse_tokenizer
from rnnbench.formats import read_bytes

if TYPE_CHECKING:
    import pandas as pd

MODEL = "model.keras"
TEXT = "text"
_LARGEST_BATCH = 256


class TextModel:
    """A network with its tokenizer.

    Args:
        network: a Keras model, of int32 `(n, max_len)`.
    """

    def __init__(self, tokenizer: Tokenizer, network: Any) -> None:  # Any: Keras carries no types
        self._tokenizer = tokenizer
        self._network = network
        self._lock = threading.Lock()  # MLflow's server asks from several threads, Keras has one

    def predict(self, model_input: Any) -> pd.DataFrame:  # Any: see below
        """`answer_columns` of each text, with nothing in them where there is no answer.

        There is none for a text without a word that the network knows, and for one that is missing.

        Args:
            model_input: one text, or a list, an array, a Series or a DataFrame of texts; of several
                columns it is the one called `text`.

        Raises:
            MlflowException: it is none of these.
        """
        import pandas as pd

        tokenizer, texts = self._tokenizer, _read_texts(model_input)
        cut = [tokenizer.cut(text) for text in texts]
        chances = self._ask(tokenizer.encode_cut(cut))
        rows = [
            _answer(row, tokenizer.classes) if any(tokenizer.see(words)) else {}
            for words, row in zip(cut, chances, strict=True)
        ]
        columns = [*answer_columns(tokenizer.classes)]
        # As objects: a number that is missing would be NaN, which is not JSON.
        answers = pd.DataFrame(rows, texts.index, columns, dtype=object)
        return answers.where(answers.notna(), None)

    def _ask(self, tokens: NDArray[np.int32]) -> NDArray[np.float64]:
        """float64 `(n_texts, n_classes)`, a batch at a time.

        Each batch is filled up to a power of two: a network is compiled for each size anew.
        """
        parts = [np.zeros((0, len(self._tokenizer.classes)))]
        for start in range(0, len(tokens), _LARGEST_BATCH):
            batch = tokens[start : start + _LARGEST_BATCH]
            filled = np.zeros((1 << (len(batch) - 1).bit_length(), tokens.shape[1]), np.int32)
            filled[: len(batch)] = batch
            with self._lock:
                said = np.asarray(self._network.predict_on_batch(filled), dtype=np.float64)
            said = said[: len(batch)]
            parts.append(np.hstack((1 - said, said)) if said.shape[1] == 1 else said)
        return np.concatenate(parts)


def answer_columns(classes: Iterable[str]) -> Mapping[str, str]:
    """The columns of an answer, each with MLflow's name of its type."""
    return {"class": "string", "probability": "double"} | {
        _column(name): "double" for name in classes
    }


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> TextModel:
    """What `mlflow.pyfunc.load_model` opens a model with; see there.

    Args:
        path: the folder of `tokenizer.json` and the network.
        model_config: `backend` is Keras's, unless it is chosen already.
    """
    tokenizer = parse_tokenizer(read_bytes(Path(path, TOKENIZER), MOST_TOKENIZER_BYTES))
    if "keras" not in sys.modules and model_config:
        os.environ.setdefault("KERAS_BACKEND", model_config["backend"])
    import keras

    network = keras.saving.load_model(Path(path, MODEL), compile=False, safe_mode=True)
    return TextModel(tokenizer, network)


def _read_texts(given: Any) -> pd.Series:  # Any: whatever somebody gives
    """The texts, empty where one is missing."""
    import pandas as pd

    given = given.get(TEXT, given) if isinstance(given, dict) else given
    try:
        table = pd.DataFrame([given] if isinstance(given, str) or given is None else given)
    except (ValueError, TypeError) as err:
        raise _refusal(f"{type(given).__name__} is neither a text nor several") from err
    names = list(table.columns)
    if len(names) > 1 and names.count(TEXT) != 1:
        raise _refusal(f"there are the columns {', '.join(map(str, names))[:200]}")
    column = table[TEXT if TEXT in names else names[0]] if names else pd.Series(dtype=object)
    texts = column.astype(object).where(column.notna(), "")
    for place, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise _refusal(f"value {place} is {text!r:.100}, which is not a text")
    return texts


def _refusal(why: str) -> Exception:
    from mlflow.exceptions import MlflowException

    refusal: Exception = MlflowException.invalid_parameter_value(
        f"{why}; give a list of texts, or a table with a column '{TEXT}'"
    )
    return refusal


def _answer(chances: NDArray[np.float64], classes: Sequence[str]) -> Mapping[str, str | float]:
    """Nothing where the network says no numbers."""
    if not np.isfinite(chances).all():
        return {}
    named = zip(map(_column, classes), map(float, chances), strict=True)
    best = int(chances.argmax())
    return {"class": classes[best], "probability": float(chances[best]), **dict(named)}


def _column(name: str) -> str:
    return f"probability of {name}"
