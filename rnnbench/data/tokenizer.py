"""From texts to what a trained network reads, without the texts that it learnt from.

A run keeps it as `tokenizer.json` beside its model, in an archive and in MLflow too. Whatever this
module imports travels with MLflow's model, so it is little, and none of it is heavy.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnbench.data.corpus import FIRST_WORD, START, TOKENS, UNKNOWN, Tokens
from rnnbench.data.html_text import strip_html
from rnnbench.data.words import Cut, make_cut
from rnnbench.errors import DataError
from rnnbench.formats import FormatError, parse_json

TOKENIZER = "tokenizer.json"
MOST_TOKENIZER_BYTES = 2**26  # as large as a model of subwords and 500,000 words; most have 6 KiB
_FORMAT, _VERSION = "rnnbench tokenizer", 1
_MOST_WORDS = 10_000_000
_MOST_CHARACTERS = 1_000_000  # of a word: a text may be one
_MOST_LEN = 10_000
_MOST_CLASSES = 128
_MOST_OF_A_CLASS = 200  # characters
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LIMITS = {"classes": (_MOST_CLASSES, _MOST_OF_A_CLASS), "words": (_MOST_WORDS, _MOST_CHARACTERS)}


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """Cuts texts as a run's training texts were cut, and numbers their words as it knows them.

    Args:
        classes: what each output of the network is called.
        words: those that the network knows, in the order of their tokens, from 4 up; none where
            they are not known, or where it learnt on numbers.
        max_len: tokens that the network reads of a text, from its end.
        tokens: what texts are cut into.
        subwords: the model that cuts them into subwords; empty otherwise.
        icu: the version of ICU whose dictionary found the words; empty otherwise.
        strips_html: whether tags and entities were taken out of the training texts.

    Raises:
        FormatError: one of them cannot be.
    """

    classes: tuple[str, ...]
    words: tuple[str, ...]
    max_len: int
    tokens: Tokens = "words"
    subwords: bytes = b""
    icu: str = ""
    strips_html: bool = False

    def __post_init__(self) -> None:
        for name, (most, most_characters) in _LIMITS.items():
            _check_names(name, getattr(self, name), most, most_characters)
        if len(self.classes) < 2 or len({*self.classes}) < len(self.classes):
            raise FormatError("its classes are not two or more, each with a name of its own")
        if type(self.max_len) is not int or not 1 <= self.max_len <= _MOST_LEN:
            raise FormatError(f"max_len is not a whole number from 1 to {_MOST_LEN:,}")
        if self.tokens not in TOKENS or type(self.strips_html) is not bool:
            raise FormatError(f"it cuts texts into none of {', '.join(TOKENS)}")
        check_word("icu", self.icu, 20)
        needs = (self.tokens == "subwords", self.tokens == "dictionary")
        if needs != (bool(self.subwords), bool(self.icu)):
            raise FormatError(f"texts cannot have been cut into {self.tokens} like that")

    @cached_property
    def cutter(self) -> Cut:
        """What cuts texts, by the libraries that are installed here.

        Raises:
            DataError: `subwords` is no model of subwords.
        """
        return make_cut(self.tokens, self.subwords)

    def cut(self, text: str) -> list[str]:
        """The words of a text in order, known or not."""
        return self.cutter(strip_html(text) if self.strips_html else text)

    def see(self, cut: Sequence[str]) -> tuple[str | None, ...]:
        """The words that the network reads of a text's, in order; None for one it does not know."""
        return tuple(word if word in self._ranks else None for word in cut[-self.max_len :])

    def encode_cut(self, cut: Sequence[Sequence[str]]) -> NDArray[np.int32]:
        """int32 `(n_texts, max_len)` of texts that are cut: as the network was trained on them.

        The end of each, front-padded with 0, a start token before a whole one.
        """
        tokens = np.zeros((len(cut), self.max_len), dtype=np.int32)
        for row, words in zip(tokens, cut, strict=True):
            known = [START, *(self._ranks.get(word, UNKNOWN) for word in words[-self.max_len :])]
            known = known[-self.max_len :]
            row[self.max_len - len(known) :] = known
        return tokens

    def encode(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """int32 `(n_texts, max_len)`: each text cut, its words as the network's tokens."""
        return self.encode_cut([self.cut(text) for text in texts])

    def to_json(self) -> bytes:
        """The content of `tokenizer.json`, which `parse_tokenizer` reads."""
        values = {
            "format": _FORMAT,
            "version": _VERSION,
            "classes": self.classes,
            "max_len": self.max_len,
            "tokens": self.tokens,
            "icu": self.icu,
            "strips_html": self.strips_html,
            "subwords": base64.b64encode(self.subwords).decode(),
            "words": self.words,
        }
        return json.dumps(values, ensure_ascii=False).encode()

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """Each word that the network knows, with its token."""
        return {word: place + FIRST_WORD for place, word in enumerate(self.words)}


def parse_tokenizer(content: bytes) -> Tokenizer:
    """What `Tokenizer.to_json` wrote, be it here or by somebody who means harm.

    Raises:
        FormatError: it is nothing of the kind.
    """
    if len(content) > MOST_TOKENIZER_BYTES:
        raise FormatError(f"it has {len(content):,} bytes, of at most {MOST_TOKENIZER_BYTES:,}")
    values = parse_json(content, most_values=_MOST_WORDS + 1000)
    if not isinstance(values, dict) or values.get("format") != _FORMAT:
        raise FormatError("it is not a tokenizer that rnnbench wrote")
    if values.get("version") != _VERSION:
        raise FormatError(f"it is of version {str(values.get('version'))[:20]!a}, not {_VERSION}")
    try:
        tokenizer = Tokenizer(
            classes=tuple(_list(values, "classes")),
            words=tuple(_list(values, "words")),
            max_len=values["max_len"],
            tokens=values["tokens"],
            subwords=_decode(values["subwords"]),
            icu=values["icu"],
            strips_html=values["strips_html"],
        )
    except KeyError as err:
        raise FormatError(f"it has no {err.args[0]}") from err
    if tokenizer.subwords:
        _check_model(tokenizer)
    return tokenizer


def check_word(what: str, text: object, most_characters: int) -> None:
    """See that something is a text without ASCII's control characters.

    Joiners stand in words of Hindi and Persian, and Latin-1's control characters in IMDB's.

    Raises:
        FormatError: it is not.
    """
    if not isinstance(text, str) or len(text) > most_characters:
        raise FormatError(f"its {what} are not texts of at most {most_characters:,} characters")
    if _CONTROL.search(text):
        raise FormatError(f"its {what} hold a control character")


def _list(values: Mapping[str, Any], name: str) -> list[Any]:  # Any: JSON values
    found = values[name]
    if not isinstance(found, list):
        raise FormatError(f"its {name} are not a list")
    return found


def _decode(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True)  # type: ignore[arg-type]
    except (ValueError, TypeError) as err:
        raise FormatError("its subwords are not base64") from err


def _check_model(tokenizer: Tokenizer) -> None:
    try:
        tokenizer.cut("a")
    except DataError as err:
        raise FormatError(str(err)) from err


def _check_names(what: str, names: Sequence[str], most: int, most_characters: int) -> None:
    if len(names) > most:
        raise FormatError(f"it has {len(names):,} {what}, of at most {most:,}")
    for name in names:
        check_word(what, name, most_characters)
