"""The documentation says what the program does: its reference is current, its commands work."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import signal
import socket
from pathlib import Path
from types import ModuleType

import pytest
from project import Project, await_server, free_port, write_project, write_whole
from test_newcomer import write_reviews

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in DOCS.glob("*.md")))


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["commands.md", "python.md"])
def test_the_reference_is_what_the_program_says_of_itself(name: str) -> None:
    made = load_maker().pages()[name]
    assert (DOCS / "reference" / name).read_text("utf-8") == made, "python docs/make_reference.py"


def documented_commands() -> list[str]:
    """Every `rnnbench` command in a shell block, comments left out, each once."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            for line in block.splitlines():
                words = line.split("  #")[0].split(" # ")[0].strip()
                # Installing the completion would change the shell's own files.
                if words.startswith("rnnbench ") and "--install-completion" not in words:
                    found[words] = None
    return list(found)


def test_there_are_commands_in_the_documentation() -> None:
    assert len(documented_commands()) > 20


@pytest.mark.parametrize("command", documented_commands())
def test_a_documented_command_is_one(command: str) -> None:
    """Every word of it is known to the parser; `test_documented_commands_work` runs them."""
    from typer.main import get_command

    from rnnbench.cli.main import app

    words = [word for word in shlex.split(command)[1:] if word not in ("--quiet", "--debug")]
    group = get_command(app)
    while hasattr(group, "commands") and words and words[0] in group.commands:
        group = group.commands[words.pop(0)]
    group.make_context("rnnbench", words, resilient_parsing=False)


@pytest.fixture(scope="module")
def project(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return documented_project(tmp_path_factory.mktemp("docs"), shared)


def documented_project(folder: Path, shared: Path) -> Project:
    """A folder where `imdb` has 200 reviews, and the files that the pages name."""
    project = write_project(folder, shared)
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
    write_whole(shared / "imdb_word_index.json", json.dumps(words))
    (project.folder / "my-study.toml").write_bytes((project.folder / "study.toml").read_bytes())
    environment = project.environment | {"RNNBENCH_DATA": str(shared / "imdb.npz")}
    return Project(folder=project.folder, options=(), environment=environment)


def test_the_page_of_all_runs_opens_and_goes_with_its_command(project: Project) -> None:
    """At Ctrl-C; the campaign hangs up, too."""
    open_page_and_end(project, signal.SIGINT)


def open_page_and_end(project: Project, end: signal.Signals) -> None:
    """`rnnbench ui` on a port of the test's own, until that signal."""
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
