"""How long `mlflow models serve` takes from the command to its first answer to a text.

    python benchmarks/speed/serving.py [--turns 3] [--model models:/m-…]

Without `--model`, which is one of this folder's, a small network learns on 400 made-up texts first.
A turn is the stock command with the environment that is there, one worker; its first request is
sent every 0.1 s until it is answered. Writes JSON, with the load of the machine before each turn.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from provenance import RESULTS, write_result

PATIENCE_SECONDS = 600
WORDS = {"good": "lovely moving tender", "bad": "dull endless hollow"}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--model", help="Of this folder, as `rnnbench show` has it.")
    parser.add_argument("--out", type=Path, default=RESULTS / "serving.json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path.cwd() if chosen.model else Path(temporary)
        model = chosen.model or train(folder)
        turns = [measure_turn(folder, model) for _ in range(chosen.turns)]
    result = write_result(
        chosen.out,
        {"turns": turns},
        command=f"python benchmarks/speed/serving.py --turns {chosen.turns}"
        + (f" --model {chosen.model}" if chosen.model else ""),
        packages=("mlflow", "keras", "jax", "numpy", "pandas"),
    )
    print(json.dumps(result, indent=1))


def train(folder: Path) -> str:
    """The address of a model of texts, of a study in the folder."""
    rng = random.Random(0)
    labels = [*WORDS] * 200
    texts = [" ".join(rng.choices(WORDS[label].split(), k=9)) for label in labels]
    rows = [f"{text},{label}" for text, label in zip(texts, labels, strict=True)]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    size = [
        "--units",
        "8",
        "--epochs",
        "8",
        "--learning-rate",
        "0.02",
        "--seeds",
        "1",
        "--race",
        "none",
    ]
    options = ["--dataset", "texts.csv", *size, "--no-report"]
    rnnbench = [sys.executable, "-m", "rnnbench"]
    subprocess.run([*rnnbench, "run", "lstm", *options], cwd=folder, check=True)
    shown = subprocess.run(
        [*rnnbench, "show", "lstm", "--json"], cwd=folder, check=True, stdout=subprocess.PIPE
    )
    (model,) = json.loads(shown.stdout)["models"]
    return str(model)


def measure_turn(folder: Path, model: str) -> dict[str, Any]:  # Any: JSON values
    """Seconds from the command to the first answer, and the answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    load = round(os.getloadavg()[0], 2)
    command = ["-m", "mlflow", "models", "serve", "--env-manager", "local", "-m", model]
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, *command, "--port", port],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        answer = ask(f"http://127.0.0.1:{port}/invocations", began + PATIENCE_SECONDS)
        seconds = time.monotonic() - began
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
    return {"seconds": round(seconds, 1), "load_before": load, "answer": answer}


def ask(address: str, deadline: float) -> Any:  # Any: JSON values
    """The first answer.

    Raises:
        TimeoutError: there is none until the deadline, in seconds of the monotonic clock.
    """
    body = json.dumps({"inputs": ["a lovely, moving film"]}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return json.load(answer)["predictions"][0]
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no answer within {PATIENCE_SECONDS} s")


if __name__ == "__main__":
    main()
