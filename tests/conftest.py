"""What tests share: a cache and a folder of their own, 64 reviews, and specs made in one call."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Answer, call_command, import_keras
from project import (
    HOSTILE,
    Count,
    Project,
    build_once,
    database_template,
    free_port,
    serving,
    write_project,
)
from tally import Tally, tallied

from rnnbench.architectures import make_form
from rnnbench.data.cache import open_corpus, store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.data.imdb import read_imdb
from rnnbench.specs import DataSpec, Recipe, RunSpec

# Their asserts tell what was compared, as those of a test do.
pytest.register_assert_rewrite("interruption", "server_down", "tracked", "tune")

MakeSpec = Callable[..., RunSpec]

# Read before a fixture hides it from the tests.
_REAL_DATA = Path(
    os.environ.get("RNNBENCH_DATA") or Path(__file__).parents[2] / "shared" / "data"
).expanduser()
COUNTED = "counted"
TALLIED = "tallied"
_HIDDEN = ("RNNBENCH_DATA", "RNNBENCH_BACKEND", "MLFLOW_TRACKING_URI")


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option of our own."""
    parser.addoption(
        "--optimised",
        action="store_true",
        help="let XLA optimise what it compiles, as it does for everybody",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let commands that tests start be interrupted, and compile quickly: Python once, XLA plainly.

    A shell that runs the tests in the background has them ignore Ctrl-C, and `nohup` a hang-up;
    children inherit that. Without bytecode every command would compile the whole program again.
    """
    os.environ.setdefault("RNNBENCH_RACE", "none")  # tests of the race say how long it may take
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    os.environ["XLA_FLAGS"] = (
        "" if config.getoption("--optimised") else "--xla_backend_optimization_level=0"
    )
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How often each thing happened that tests have counted, and what came of what they tried."""
    noted = [
        (name, value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
    ]
    happened = Counter(value for name, value in noted if name == COUNTED)
    for what, n in sorted(happened.items()):
        terminalreporter.write_line(f"{n:6} × {what}")
    for line in tallied([value for name, value in noted if name == TALLIED]):
        terminalreporter.write_line(line)


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """`count("a study killed")`, once for each."""
    return partial(record_property, COUNTED)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """`tally("kill -9", tried=1, lost=0)`: adds to the table at the end."""
    return lambda kind, **counts: record_property(TALLIED, {"kind": kind} | counts)


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder for every process of this test run: reviews, a cache, finished studies."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNBENCH_CACHE", str(folder / "cache"))
        for name in _HIDDEN:
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture(scope="session")
def template(shared: Path) -> Path:
    """MLflow's database without a run, for `MlflowFolder`."""
    return database_template(shared)


@pytest.fixture(scope="session")
def finished(shared: Path) -> Project:
    """Two architectures, two seeds, all over, the report written; to be read, not changed.

    It says a hostile thing of itself. What the command said is in `said.txt`.
    """
    project = _begin(shared)

    def run() -> None:
        done = project.here("run", *project.options, "--report")
        assert done.returncode == 0, done.stderr
        (project.folder / "said.txt").write_text(done.stdout)

    build_once(project.folder, run)
    return project


@pytest.fixture(scope="session")
def mlflow_ui(shared: Path) -> Iterator[str]:
    """The address of `mlflow ui` as anyone starts it, in the folder of `finished`."""
    with serving(_begin(shared), "ui", port=free_port()) as address:
        yield address


def _begin(shared: Path) -> Project:
    return write_project(
        shared / "finished",
        shared,
        has_database=True,
        description=HOSTILE,
        architectures=["lstm", "gru"],
        seeds=2,
        epochs=4,
        learning_rate=0.05,  # with the usual 0.003 no run learns in four epochs
    )


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the folder of whoever runs it."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def small_corpus(shared: Path) -> Corpus:
    """64 and 64 reviews of up to 30 words from 60, half of them positive; in the cache."""
    corpus = Corpus(name="small", train=_write_half(64, seed=1), test=_write_half(64, seed=2))
    build_once(shared / "small", lambda: store_corpus(corpus))
    return corpus


@pytest.fixture
def make_spec(small_corpus: Corpus) -> MakeSpec:
    """`make_spec("gru", seed=3, epochs=2, max_len=10, units=4)`: keywords go where they belong.

    By default two epochs of an `lstm` on the small corpus, with 10 words a review.
    """
    data = DataSpec(
        dataset="small", fingerprint=small_corpus.fingerprint(), num_words=60, max_len=10
    )
    recipe = Recipe(epochs=2, batch_size=16, learning_rate=0.01)

    def make(architecture: str = "lstm", *, seed: int = 0, **values: Any) -> RunSpec:
        of_data = {key: values.pop(key) for key in list(values) if hasattr(data, key)}
        of_recipe = {key: values.pop(key) for key in list(values) if hasattr(recipe, key)}
        of_run = {
            key: values.pop(key) for key in ("embedding_size", "engine", "backend") if key in values
        }
        return RunSpec(
            form=make_form(architecture, **values),
            data=replace(data, **of_data),
            recipe=replace(recipe, **of_recipe),
            seed=seed,
            **of_run,
        )

    return make


@pytest.fixture
def rnnbench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """`rnnbench(*words)` as the installed command does it, in this process."""
    before = signal.getsignal(signal.SIGTERM)
    yield lambda *words: call_command(words, monkeypatch, capsys)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def real_imdb() -> Path:
    """The published `imdb.npz`, named by RNNBENCH_DATA or shared beside the checkout."""
    path = _REAL_DATA / "imdb.npz" if _REAL_DATA.is_dir() else _REAL_DATA
    if not path.is_file():
        pytest.skip(f"there is no imdb.npz at {path}; set RNNBENCH_DATA to its folder")
    return path


@pytest.fixture(scope="session")
def real_reviews(real_imdb: Path, shared: Path) -> Corpus:
    """What is in it, read once in a test run: it takes two seconds. In a cache of its own."""
    noted = shared / "real" / "fingerprint"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNBENCH_CACHE", str(noted.parent))
        build_once(noted.parent, lambda: noted.write_text(store_corpus(read_imdb(real_imdb))))
        return open_corpus(noted.read_text())


@pytest.fixture(scope="session")
def keras_on_jax() -> Any:  # Any: Keras is untyped
    """Keras in this process, imported once, on one core and without a GPU."""
    return import_keras()


def _write_half(n_reviews: int, seed: int) -> Half:
    """Reviews whose label hangs on words 10 and 11, so that a network can learn it."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n_reviews) % 2).astype(np.int8)
    rows = []
    for label in labels:
        row = rng.integers(4, 60, rng.integers(5, 30))
        row[row // 2 == 5] = 10 + label
        row[-1] = 10 + label
        rows.append(np.concatenate(([1], row)))
    lengths = [len(row) for row in rows]
    return Half(
        tokens=np.concatenate(rows).astype(np.int32),
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        labels=labels,
    )
