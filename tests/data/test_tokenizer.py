"""What cuts and numbers texts as a network's training texts were, apart from these."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from rnnbench.data.cache import store_corpus
from rnnbench.data.cached_tokenizer import make_tokenizer
from rnnbench.data.corpus import TOKENS, Tokens
from rnnbench.data.dataset import load_part
from rnnbench.data.describe import keep_findings
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.data.tokenizer import Tokenizer, parse_tokenizer
from rnnbench.formats import FormatError
from rnnbench.specs import DataSpec

ALLOWED = {"data", "errors", "formats", "output"}


def made(**values: Any) -> Tokenizer:
    usual = {"classes": ("bad", "good"), "words": ("the", "film", "fun"), "max_len": 4}
    return Tokenizer(**{**usual, **values})


def test_words_become_tokens_and_the_network_reads_the_end() -> None:
    tokenizer = made()
    rows = [[0, 1, 4, 5], [4, 5, 2, 6], [0, 0, 0, 1]]
    assert tokenizer.encode(["The film", "and the film was FUN!", "?!"]).tolist() == rows
    assert tokenizer.see(tokenizer.cut("and the film was FUN!")) == ("the", "film", None, "fun")


@pytest.mark.parametrize("kind", TOKENS)
def test_texts_come_out_as_they_were_trained_on(kind: Tokens) -> None:
    texts = [f"<b>我喜欢这部电影</b> film{n % 9} {'good' if n % 2 else 'bad'}" for n in range(80)]
    table = Table(texts=texts, labels=[("bad", "good")[n % 2] for n in range(80)])
    corpus, found = make_corpus("r", table, OwnChoices(tokens=kind))
    fingerprint = store_corpus(corpus)
    keep_findings(fingerprint, found)
    data = DataSpec(dataset="r.csv", fingerprint=fingerprint, num_words=30, max_len=12)
    tokenizer = make_tokenizer(data)
    trained = load_part(data, "train").tokens
    mine = tokenizer.encode(texts)
    assert {row.tobytes() for row in trained} <= {row.tobytes() for row in mine}
    again = parse_tokenizer(tokenizer.to_json())
    assert again == tokenizer
    assert np.array_equal(again.encode(texts), mine)


def test_html_is_taken_out_where_it_was() -> None:
    assert made(strips_html=True).cut("the<br />film") == ["the", "film"]
    assert made().cut("the<br />film") == ["the", "br", "film"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "other"}, "not a tokenizer"),
        ({"version": 2}, "version"),
        ({"classes": ["a"]}, "two or more"),
        ({"classes": ["a", "a"]}, "name of its own"),
        ({"classes": ["a", "b\x00"]}, "control character"),
        ({"classes": [str(n) for n in range(200)]}, "at most 128"),
        ({"words": ["a", 7]}, "not texts"),
        ({"words": "film"}, "not a list"),
        ({"words": ["a\x1b[31m"]}, "control character"),
        ({"max_len": 10**9}, "max_len"),
        ({"max_len": True}, "max_len"),
        ({"tokens": "bytes"}, "none of words"),
        ({"tokens": ["words"]}, "none of words"),
        ({"tokens": "subwords"}, "cannot have been cut"),
        ({"subwords": "%"}, "base64"),
        ({"subwords": 5}, "base64"),
        ({"tokens": "subwords", "subwords": base64.b64encode(b"none").decode()}, "damaged"),
        ({"strips_html": "yes"}, "none of words"),
    ],
)
def test_what_is_no_tokenizer_is_refused_in_a_sentence(change: dict[str, Any], told: str) -> None:
    content = json.dumps({**json.loads(made().to_json()), **change}).encode()
    with pytest.raises(FormatError, match=told):
        parse_tokenizer(content)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"[" * 100_000, b"\xff", b'{"format": NaN}']
)
def test_other_contents_are_refused_too(content: bytes) -> None:
    with pytest.raises(FormatError):
        parse_tokenizer(content)


def test_a_missing_part_is_named() -> None:
    values = json.loads(made().to_json())
    del values["words"]
    with pytest.raises(FormatError, match="it has no words"):
        parse_tokenizer(json.dumps(values).encode())


def test_little_of_the_program_travels_with_it() -> None:
    code = "import sys, rnnbench.data.tokenizer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = done.stdout.split()
    ours = [name.split(".") for name in found if name.startswith("rnnbench.")]
    assert {name[1] for name in ours} <= ALLOWED
    assert len(ours) <= 12
    assert not {"pandas", "keras", "mlflow", "pyarrow", "sentencepiece"} & {*found}
