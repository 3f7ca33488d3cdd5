"""What the documented command reaches on the six data sets, against scikit-learn in three lines.

    PYTHONPATH=benchmarks/speed python benchmarks/own/documented.py FOLDER PROJECT

FOLDER is one that `build.py` filled; PROJECT is made, or gone on with: the command is resumable,
and so is this. `own_baseline.json` must be there (`baseline.py`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from build import SETS
from provenance import RESULTS, write_result

import rnnbench
from rnnbench.architectures import display_name
from rnnbench.compare.baseline import BAG_OF_WORDS, MAJORITY, TF_IDF, find_baselines
from rnnbench.ledger import Ledger
from rnnbench.recorded_runs import read_runs
from rnnbench.stats.intervals import t_interval

OPTIONS = {"sheet.xlsx": ("--drop-unlabelled", "--strip-html")}
"""What `data describe` says to add."""
TIMES = "seconds.json"
ON_THE_PAGE = {
    BAG_OF_WORDS: "bag_of_words",
    TF_IDF: "tf_idf_on_the_page",
    MAJORITY: "majority_class",
}
"""The page's baselines, by the names of their columns here."""


def main() -> None:
    """Run what is missing, print a row for each set, and write them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--out", type=Path, default=RESULTS / "own_documented.json")
    choices = parser.parse_args()
    baselines = json.loads((RESULTS / "own_baseline.json").read_text(encoding="utf-8"))
    tf_idf = {row["set"]: row for row in baselines["rows"]}
    choices.project.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in choices.sets:
        seconds = run_set(choices.folder / name, choices.project)
        rows.append({"set": name, "seconds": seconds, **measure(name, choices.project)})
        rows[-1]["tf_idf"] = tf_idf[name]["accuracy"]
        rows[-1]["behind_tf_idf"] = round(100 * (rows[-1]["tf_idf"] - rows[-1]["accuracy"]), 2)
        print(json.dumps(rows[-1]), flush=True)
        write_result(
            choices.out,
            {"rows": rows},
            command="python benchmarks/own/documented.py FOLDER PROJECT",
            packages=("rnnbench", "keras", "jax", "scikit-learn"),
        )


def run_set(path: Path, project: Path) -> float:
    """Seconds that `rnnbench run --all` took on the set, over all times it was begun."""
    times = project / TIMES
    known = json.loads(times.read_text()) if times.exists() else {}
    words = ("run", "--all", "--dataset", str(path.absolute()), *OPTIONS.get(path.name, ()))
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "rnnbench", *words], cwd=project, check=True)
    known.setdefault(path.name, round(time.monotonic() - began, 1))
    times.write_text(json.dumps(known))
    return float(known[path.name])


def measure(name: str, project: Path) -> dict[str, Any]:  # Any: JSON values
    """The best network by its mean test accuracy, and the page's baselines."""
    study = f"textbook-{Path(name).stem}"
    frame = rnnbench.load_results(study, project)
    means = frame.groupby("architecture").test_accuracy.mean()
    best = str(means.idxmax())
    scores = frame[frame.architecture == best].test_accuracy
    interval = t_interval(list(scores))
    runs = read_runs(Ledger(project), study)
    settings = next(run.spec for run in runs if display_name(run.spec.form) == best).settings
    found = {row.arm: row.test_accuracy for row in find_baselines([runs[0].spec])}
    return {
        "network": best,
        "n_seeds": len(scores),
        "accuracy": round(float(means.max()), 4),
        "interval": None if interval is None else [round(interval.low, 4), round(interval.high, 4)],
        "settings": {
            key: settings[key]
            for key in ("max_len", "num_words", "batch_size", "learning_rate", "embedding_size")
        },
        **{key: round(found[arm] or 0.0, 4) for arm, key in ON_THE_PAGE.items()},
    }


if __name__ == "__main__":
    main()
