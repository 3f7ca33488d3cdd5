"""How long the gate takes, session by session, in a clean clone with package downloads cached.

    python benchmarks/speed/gate.py [--pip] [--turns 1]

Each turn clones the last commit, makes the README's environment for nox and runs the sessions one
by one. `--pip` leaves uv out. The real reviews are found where a checkout's tests find them.
Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from provenance import RESULTS, write_result

ROOT = Path(__file__).parents[2]
SESSIONS = ("lint", "types", "tests", "docs")


def main() -> None:
    """Measure, and keep what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pip", action="store_true", help="Install with pip, not uv.")
    parser.add_argument("--turns", type=int, default=1)
    chosen = parser.parse_args()
    how = "pip" if chosen.pip else "uv"
    turns = [measure_gate(how) for _ in range(chosen.turns)]
    write_result(
        RESULTS / ("gate-pip.json" if chosen.pip else "gate.json"),
        {"seconds": turns},
        command=f"python benchmarks/speed/gate.py{' --pip' if chosen.pip else ''}",
        packages=("keras", "tensorflow", "jax", "mlflow"),
    )


def measure_gate(how: str) -> dict[str, float]:
    """Seconds by session, and of all; GiB of the folder at the end.

    Raises:
        CalledProcessError: a session that is not green.
    """
    with tempfile.TemporaryDirectory() as parent:
        clone = Path(parent) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        reviews = ROOT.parent / "shared" / "data"
        data = {"RNNBENCH_DATA": str(reviews)} if reviews.is_dir() else {}
        environment = data | os.environ
        began = time.monotonic()
        subprocess.run(["python3", "-m", "venv", ".venv"], cwd=clone, check=True)
        nox = "nox[uv]" if how == "uv" else "nox"
        pip = [".venv/bin/pip", "install", "--quiet", "-c", "constraints.txt", nox]
        subprocess.run(pip, cwd=clone, check=True)
        taken = {"environment": time.monotonic() - began}
        for session in SESSIONS:
            started = time.monotonic()
            words = [".venv/bin/nox", "-s", session]
            words += ["--force-venv-backend", "uv" if how == "uv" else "virtualenv"]
            subprocess.run(words, cwd=clone, env=environment, check=True)
            taken[session] = time.monotonic() - started
        taken["all"] = time.monotonic() - began
        taken = {name: round(seconds, 1) for name, seconds in taken.items()}
        return taken | {"gib": round(folder_bytes(clone) / 2**30, 2)}


def folder_bytes(folder: Path) -> int:
    """On the disk; a file with several names counts once."""
    files = {(stat.st_dev, stat.st_ino): stat for stat in map(Path.lstat, folder.rglob("*"))}
    return sum(512 * stat.st_blocks for stat in files.values())


if __name__ == "__main__":
    main()
