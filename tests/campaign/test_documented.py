"""Every documented command, carried out in the order of the pages: 20 minutes."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from project import PATIENCE_S, Count, Project
from test_docs import DOCS, documented_commands, documented_project, open_page_and_end

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
    "rnnbench timing lstm --units 8 --backend jax --recurrent-dropout 0,0.3 --repeats 1 "
    "--export timing-gpu.json",
)
"""What a page takes for granted."""


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return documented_project(tmp_path_factory.mktemp("documented"), shared)


def test_the_page_of_all_runs_goes_when_its_terminal_does(project: Project) -> None:
    open_page_and_end(project, signal.SIGHUP)


def test_the_example_in_python_runs(project: Project) -> None:
    """As a script of the user's, which starts processes."""
    page = (DOCS / "reference" / "python.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(import rnnbench.*?)```", page, re.DOTALL)
    first, *calls = example.splitlines()
    script = [first, "if __name__ == '__main__':", *(f"    {line}" for line in calls)]
    (project.folder / "example.py").write_text("\n".join(script), "utf-8")
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
