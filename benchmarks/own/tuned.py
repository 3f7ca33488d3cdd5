"""How far the documented command lies from what `rnnbench tune` finds, on the six data sets.

    PYTHONPATH=benchmarks/speed python benchmarks/own/tuned.py FOLDER PROJECT

PROJECT is one in which `documented.py` ran. A learning rate is searched for networks of each set,
the others at the size that the race chose; what it finds is measured on the seeds that the
documented command has. Both steps are resumable, and so is this.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from build import SETS
from documented import OPTIONS
from provenance import RESULTS, write_result

import rnnbench

NETWORKS = {
    "english.csv": ("lstm-dropout", "gru"),
    "chinese.csv": ("lstm-dropout", "gru"),
    "japanese.csv": ("gru",),
}
"""Of sets on which four would take half an hour, those that the documented command had ahead."""


def main() -> None:
    """Search and run what is missing, print a row for each set, and write them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--out", type=Path, default=RESULTS / "own_tuned.json")
    choices = parser.parse_args()
    rows = []
    for name in choices.sets:
        networks = NETWORKS.get(name, ("--all",))
        data = ("--dataset", str((choices.folder / name).absolute()), *OPTIONS.get(name, ()))
        for words in (("tune", "--trials", str(choices.trials)), ("run", "--tuned")):
            command = (words[0], *networks, *data, *words[1:])
            subprocess.run(
                [sys.executable, "-m", "rnnbench", *command], cwd=choices.project, check=True
            )
        stem = Path(name).stem
        tuned, documented = (
            best_mean(choices.project, f"{kind}-{stem}") for kind in ("tuned", "textbook")
        )
        rows.append(
            {
                "set": name,
                "networks": networks,
                "trials": choices.trials,
                "tuned": tuned,
                "documented": documented,
                "points_ahead": round(100 * (tuned - documented), 2),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
        write_result(
            choices.out,
            {"rows": rows},
            command="python benchmarks/own/tuned.py FOLDER PROJECT",
            packages=("rnnbench", "keras", "jax", "optuna"),
        )


def best_mean(project: Path, study: str) -> float:
    """The highest mean test accuracy of a study's networks."""
    frame = rnnbench.load_results(study, project)
    means = frame.groupby(["architecture", "learning_rate"]).test_accuracy.mean()
    return round(float(means.max()), 4)


if __name__ == "__main__":
    main()
