"""What scikit-learn in three lines reaches on the six data sets, on the test part of rnnbench.

    PYTHONPATH=benchmarks/speed python benchmarks/own/baseline.py FOLDER

The folder is one that `build.py` filled. TF-IDF of words, or of one to three characters where a
script has no spaces between words; then logistic regression. Nothing is tuned.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from build import SETS
from provenance import RESULTS, write_result
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

CHARACTERS = ("chinese.csv", "japanese.csv", "thai.csv")
"""The sets whose script has no spaces between words."""


def main() -> None:
    """Print a row for each set, and write them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS / "own_baseline.json")
    choices = parser.parse_args()
    rows = []
    for name in SETS:
        rows.append({"set": name, **measure(choices.folder / name)})
        print(", ".join(f"{key} {value}" for key, value in rows[-1].items()))
    write_result(
        choices.out,
        {"rows": rows},
        command="python benchmarks/own/baseline.py FOLDER",
        packages=("scikit-learn",),
    )


def measure(path: Path) -> dict[str, Any]:  # Any: JSON values
    """Accuracy and macro-F1 on the test part, and the size of the set."""
    texts, labels = read_set(path)
    training, test, training_labels, test_labels = train_test_split(
        texts, labels, test_size=0.2, random_state=42, stratify=labels
    )
    by_characters = path.name in CHARACTERS
    features = {"analyzer": "char", "ngram_range": (1, 3)} if by_characters else {}
    model = make_pipeline(TfidfVectorizer(**features), LogisticRegression(max_iter=1000))
    guesses = model.fit(training, training_labels).predict(test)
    return {
        "features": "1-3 characters" if by_characters else "words",
        "accuracy": round(accuracy_score(test_labels, guesses), 4),
        "macro_f1": round(f1_score(test_labels, guesses, average="macro"), 4),
        "texts": len(texts),
        "test_texts": len(test),
        "classes": len(set(labels)),
    }


def read_set(path: Path) -> tuple[list[str], list[str]]:
    """Texts and labels as somebody who knows the file reads it."""
    if path.suffix == ".xlsx":
        sheet = pd.read_excel(path, skiprows=2).dropna(subset=["Sentiment"])
        return list(sheet["Comment"]), list(sheet["Sentiment"].str.strip().str.lower())
    table = pd.read_csv(path, encoding="cp949" if path.stem == "korean" else "utf-8")
    return list(table["text"]), list(table["label"])


if __name__ == "__main__":
    main()
