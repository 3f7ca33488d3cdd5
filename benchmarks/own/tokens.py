"""Which tokens suit a recurrent network, by script: words, characters, subwords, a dictionary's.

    PYTHONPATH=benchmarks/speed python benchmarks/own/tokens.py FOLDER [--seeds 3]

The folder is one that `build.py` filled; the sets with classes of their own each, the first 6,000
rows of a random order. A GRU of one size is trained on each set, cut in each way, with settings
that are the same for all and not tuned. What is finished is kept in the result: the same command
goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from baseline import read_set
from build import SETS
from provenance import RESULTS, write_result

from rnnbench.architectures import make_form
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import TOKENS, Corpus
from rnnbench.data.own import make_corpus
from rnnbench.data.sight import choose_sight
from rnnbench.data.tables import OwnChoices, Table
from rnnbench.execution.executor import Task
from rnnbench.execution.worker import InlineExecutor
from rnnbench.specs import DataSpec, Failed, Finished, Recipe, RunSpec
from rnnbench.stats.comparisons import welch_interval
from rnnbench.stats.intervals import t_interval

RECIPE = Recipe(optimizer="adam", learning_rate=3e-3, batch_size=32)
FORM = make_form("gru", units=32, dropout=0.3)
EMBEDDING_SIZE = 32
MOST_ROWS = 6_000


def main() -> None:
    """Train what is missing of the result, a set and a kind at a time, and write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--kinds", default=",".join(TOKENS))
    parser.add_argument("--learning-rate", type=float, default=RECIPE.learning_rate)
    parser.add_argument("--batch-size", type=int, default=RECIPE.batch_size)
    parser.add_argument("--out", type=Path, default=RESULTS / "tokens.json")
    choices = parser.parse_args()
    os.environ |= {"RNNBENCH_CACHE": str(choices.folder / "cache"), "KERAS_BACKEND": "jax"}
    recipe = replace(RECIPE, learning_rate=choices.learning_rate, batch_size=choices.batch_size)
    rows = json.loads(choices.out.read_text())["rows"] if choices.out.exists() else []
    for name in choices.sets.split(","):
        for kind in choices.kinds.split(","):
            if any((row["set"], row["tokens"]) == (name, kind) for row in rows):
                continue
            rows.append(measure(choices.folder / name, kind, choices.seeds, recipe))
            print(rows[-1], flush=True)
            write(choices.out, rows, recipe)


def write(path: Path, rows: list[dict[str, Any]], recipe: Recipe) -> None:  # Any: JSON values
    """The result so far: how far each mean lies above that of words, and where all comes from."""
    words = {row["set"]: row["accuracies"] for row in rows if row["tokens"] == "words"}
    for row in rows:
        others = () if row["tokens"] == "words" else words.get(row["set"], ())
        gain = welch_interval(row["accuracies"], others)
        row["above_words"] = [round(gain.low, 4), round(gain.high, 4)] if gain else None
    settings = {"form": FORM, "recipe": recipe, "embedding_size": EMBEDDING_SIZE}
    write_result(
        path,
        {"settings": {name: str(value) for name, value in settings.items()}, "rows": rows},
        command=" ".join(["python benchmarks/own/tokens.py FOLDER", *sys.argv[2:]]),
        packages=("rnnbench", "keras", "jax", "sentencepiece", "icu4py"),
    )


def measure(
    path: Path, kind: str, n_seeds: int, recipe: Recipe
) -> dict[str, Any]:  # Any: JSON values
    """Test accuracies of one set cut in one way, a seed each, and the interval of their mean."""
    corpus = cut_set(path, kind)
    sight = choose_sight(corpus)
    data = DataSpec(
        dataset=path.stem,
        fingerprint=store_corpus(corpus),
        num_words=sight.num_words,
        max_len=sight.max_len,
        n_classes=len(corpus.classes),
    )
    tasks = [
        Task(
            spec=RunSpec(
                form=FORM, data=data, recipe=recipe, embedding_size=EMBEDDING_SIZE, seed=seed
            )
        )
        for seed in range(n_seeds)
    ]
    events = list(InlineExecutor().run(tasks))
    if failed := [event.reason for event in events if isinstance(event, Failed)]:
        raise SystemExit(failed[0])
    ends = [event for event in events if isinstance(event, Finished)]
    accuracies = [round(end.result.test_accuracy or 0.0, 4) for end in ends]
    interval = t_interval(accuracies)
    return {
        "set": path.name,
        "tokens": kind,
        "mean": round(float(np.mean(accuracies)), 4),
        "low": round(interval.low, 4) if interval else None,
        "high": round(interval.high, 4) if interval else None,
        "accuracies": accuracies,
        "macro_f1": [round(end.result.test_macro_f1 or 0.0, 4) for end in ends],
        "epochs": [end.result.epochs for end in ends],
        "max_len": sight.max_len,
        "num_words": sight.num_words,
        "test_texts": corpus.test.n_reviews,
    }


def cut_set(path: Path, kind: str) -> Corpus:
    """The set's texts, in a random order, split as rnnbench splits a file."""
    texts, labels = read_set(path)
    order = np.random.default_rng(0).permutation(len(texts))[:MOST_ROWS]
    texts, labels = [texts[row] for row in order], [labels[row] for row in order]
    table = Table(texts=texts, labels=labels)
    return make_corpus(path.stem, table, OwnChoices(tokens=kind))[0]


if __name__ == "__main__":
    main()
