"""Every documented command, carried out in the order of the pages: 20 minutes."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from documented import DOCS, documented_commands
from newcomer import write_reviews
from project import PATIENCE_S, Count, Project, await_server, free_port, write_project, write_whole

pytestmark = pytest.mark.campaign
TAKE_HOURS = (
    "rnnbench run --study thousand-seeds",
    "rnnbench timing",
    "rnnbench timing --device cpu,gpu --export timing-gpu.json",
    "rnnbench timing lstm --units 8,64,256 --batch-size 64,512",
)
"""Of these `--dry-run` is run."""
LACKING = {
    **({} if find_spec("ray") else {"--executor ray": "pip install 'rnnbench[ray]'"}),
    "--ray-address head:6379": "no Ray cluster answers at head:6379",
    **({} if shutil.which("nvidia-smi") else {"--device cpu,gpu": "no NVIDIA GPU here"}),
}
"""Words of a command that needs what is not here, and what it then says."""
FIRST = (
    "rnnbench run --all --seeds 1",
    "rnnbench timing lstm --units 8 --backend jax --recurrent-dropout 0,0.3 --budget 1m "
    "--export timing-gpu.json",
)
"""What a page takes for granted."""


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A folder where `imdb` has 200 reviews, and the files that the pages name."""
    project = write_project(tmp_path_factory.mktemp("documented"), shared)
    for name in ("reviews.csv", "newer-reviews.csv", "columns.csv"):
        write_reviews(project.folder / name)
    text = (project.folder / "columns.csv").read_text("utf-8")
    (project.folder / "columns.csv").write_text(
        text.replace("리뷰,감성", "review,sentiment"), "utf-8"
    )
    (claims,) = re.findall(
        r"```toml\n(\[\[claim\]\].*?)```", (DOCS / "claims.md").read_text("utf-8"), re.DOTALL
    )
    (project.folder / "my-claims.toml").write_text(claims, "utf-8")
    words = {f"word{rank}": rank for rank in range(1, 1001)} | {"good": 49}
    page = (DOCS / "your-network.md").read_text("utf-8")
    for code, name in re.findall(r"```python\n(# (\S+\.py)\n.*?)```", page, re.DOTALL):
        (project.folder / name).write_text(code, "utf-8")
    write_whole(shared / "imdb_word_index.json", json.dumps(words))
    (project.folder / "my-study.toml").write_bytes((project.folder / "study.toml").read_bytes())
    environment = project.environment | {"RNNBENCH_DATA": str(shared / "imdb.npz")}
    return Project(folder=project.folder, options=(), environment=environment)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "hang-up"])
def test_the_page_of_all_runs_opens_and_goes_with_its_command(
    project: Project, end: signal.Signals
) -> None:
    """`rnnbench ui`, on a port of the test's own."""
    port = free_port()
    server = project.start_command("ui", "--port", str(port))
    try:
        await_server(f"http://127.0.0.1:{port}", server, project.output)
        server.send_signal(end)
        assert server.wait(timeout=60) == 0
    finally:
        server.kill()
        server.wait()
    assert "Traceback" not in project.output.read_text("utf-8")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port))  # nobody listens any more


def test_the_example_in_python_runs(project: Project) -> None:
    """As a script of the user's, which starts processes at its top level."""
    page = (DOCS / "reference" / "python.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(import rnnbench.*?)```", page, re.DOTALL)
    (project.folder / "example.py").write_text(example, "utf-8")
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert "lstm" in done.stdout
    assert (project.folder / "reports" / "mine" / "index.html").exists()


@pytest.mark.timeout(3600)
def test_documented_commands_work(project: Project, count: Count) -> None:
    """But `ui`, which has a test of its own."""
    failed = []
    for command in (*FIRST, *documented_commands()):
        if command == "rnnbench ui":
            continue
        words = shlex.split(command)[1:]
        if command in TAKE_HOURS:
            words.append("--dry-run")
        started = time.monotonic()
        done = project.command(*words, timeout_s=900)
        count("a documented command")
        print(f"{time.monotonic() - started:6.0f} s   {command}", flush=True)
        missing = next((said for part, said in LACKING.items() if part in command), None)
        as_told = done.returncode == 0 if missing is None else missing in done.stderr
        as_told = as_told and "Traceback" not in done.stderr and "Warning" not in done.stderr
        if not as_told:
            failed.append((command, done.returncode, done.stderr[-500:]))
    assert failed == []
