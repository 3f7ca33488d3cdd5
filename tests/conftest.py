"""What tests share: a cache and a folder of their own, 64 reviews, and specs made in one call."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Answer, call_command
from mlflow_folder import make_template

from rnnbench.architectures import make_form
from rnnbench.data.cache import store_corpus
from rnnbench.data.corpus import Corpus, Half
from rnnbench.execution.environment import worker_environment
from rnnbench.specs import DataSpec, Recipe, RunSpec

MakeSpec = Callable[..., RunSpec]

# Read before a fixture hides it from the tests.
_REAL_DATA = Path(
    os.environ.get("RNNBENCH_DATA") or Path(__file__).parents[2] / "shared" / "data"
).expanduser()
_HIDDEN = ("RNNBENCH_DATA", "RNNBENCH_BACKEND", "MLFLOW_TRACKING_URI")


def pytest_configure() -> None:
    """Let commands that tests start be interrupted.

    A shell that runs the tests in the background has them ignore Ctrl-C, and `nohup` a hang-up;
    children inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache folder of the whole session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What projects of the real command line share: reviews, their cache, compiled programs."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database without a run, for `MlflowFolder`."""
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(autouse=True)
def own_surroundings(session_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the cache, the data, the store or the folder of whoever runs it."""
    monkeypatch.setenv("RNNBENCH_CACHE", str(session_cache))
    for name in _HIDDEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def small_corpus(session_cache: Path) -> Corpus:
    """64 and 64 reviews of up to 30 words from 60, half of them positive; in the cache."""
    corpus = Corpus(name="small", train=_write_half(64, seed=1), test=_write_half(64, seed=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNBENCH_CACHE", str(session_cache))
        store_corpus(corpus)
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
def keras_on_jax() -> Any:  # Any: Keras is untyped
    """Keras in this process, imported once, on one core and without a GPU."""
    os.environ.update(worker_environment("jax"))
    import keras

    assert keras.backend.backend() == "jax"
    return keras


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
