"""The model that MLflow is given: it answers texts where rnnbench is not installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import import_keras
from made_up import finished, spec_of
from mlflow_folder import MlflowFolder, epochs

from rnnbench.data.tokenizer import TOKENIZER, Tokenizer
from rnnbench.data.words import learn_cut
from rnnbench.entries import LedgerEntry
from rnnbench.models import build_model
from rnnbench.specs import RunSpec
from rnnbench.tracking.notes import read_notes
from rnnbench.tracking.store import quiet_mlflow
from rnnbench.tracking.tracker import Tracker

# MLflow's, at the first import of `mlflow.pyfunc`, about classes of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")

WORDS = ("good", "bad", "film", "dull")
TOKENIZER_OF_WORDS = Tokenizer(classes=("no", "yes"), words=WORDS, max_len=5)
ASK = """
import json, sys
sys.modules["rnnbench"] = None  # as where it is not installed
import mlflow, numpy
model = mlflow.pyfunc.load_model(sys.argv[1])
answers = model.predict(["a good film", "unheard of"]).to_dict("records")
tokens = numpy.array([[0, 0, 0, 1, 4]])
plain = float(mlflow.keras.load_model(sys.argv[1]).predict(tokens, verbose=0)[0, 0])
import keras
good = model.predict("good").to_dict("records")
print(json.dumps([answers, plain, keras.backend.backend(), good]))
"""


@pytest.fixture
def folder(tmp_path: Path, template: Path) -> MlflowFolder:
    return MlflowFolder(tmp_path, template)


def record(folder: MlflowFolder, tokenizer: Tokenizer | None, **values: Any) -> LedgerEntry:
    """A finished run with a network that was never trained."""
    spec = spec_of("gru", units=2, max_len=5, num_words=8, embedding_size=3, **values)
    entry = folder.record(spec, finished(0.8), epochs(2))
    if tokenizer:
        (entry.folder / TOKENIZER).write_bytes(tokenizer.to_json())
    return entry


def save_network(entry: LedgerEntry, spec: RunSpec) -> None:
    import_keras()
    build_model(spec).save(entry.folder / "best.keras")


def publish(folder: MlflowFolder, entry: LedgerEntry) -> Path:
    """The folder of the run's model in MLflow."""
    problems: list[str] = []
    tracker = Tracker(
        folder.ledger, "textbook", folder.store, draw=lambda *_: b"", on_problem=problems.append
    )
    tracker.begin("a command", {}, [entry])
    tracker.end("FINISHED", {}, best=[entry])
    assert problems == []
    model_id = read_notes(entry, folder.store)["model_id"]
    return Path(folder.client().get_logged_model(model_id).artifact_location)


def described(model: Path) -> Any:
    from mlflow.models import Model

    return Model.load(str(model))


def test_the_model_answers_texts_without_rnnbench_and_keras_opens_it_too(
    folder: MlflowFolder, tmp_path: Path
) -> None:
    entry = record(folder, TOKENIZER_OF_WORDS)
    save_network(entry, entry.spec())
    model = publish(folder, entry)
    elsewhere = tmp_path / "elsewhere"
    model.rename(elsewhere)
    environment = {**os.environ, **quiet_mlflow({}), "RNNBENCH_CACHE": str(tmp_path / "none")}
    environment.pop("KERAS_BACKEND", None)
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(elsewhere)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    (known, unknown), plain, backend, (good,) = json.loads(asked.stdout.splitlines()[-1])
    assert set(known) == {"class", "probability", "probability of no", "probability of yes"}
    assert known["class"] in ("no", "yes")
    assert set(unknown.values()) == {None}
    assert good["probability of yes"] == pytest.approx(plain, abs=1e-6)
    assert backend == "jax"


def test_the_model_says_what_it_takes_and_gives_by_name(folder: MlflowFolder) -> None:
    model = described(publish(folder, record(folder, TOKENIZER_OF_WORDS)))
    assert [column.to_dict() for column in model.signature.inputs.inputs] == [
        {"type": "string", "name": "text", "required": True}
    ]
    named = [column.name for column in model.signature.outputs.inputs]
    assert named == ["class", "probability", "probability of no", "probability of yes"]


@pytest.mark.parametrize(
    "tokenizer",
    [None, Tokenizer(classes=("no", "yes"), words=(), max_len=5)],
    ids=["no tokenizer", "no words"],
)
def test_a_model_whose_words_nobody_knows_takes_tokens(
    folder: MlflowFolder, tokenizer: Tokenizer | None
) -> None:
    path = publish(folder, record(folder, tokenizer))
    model = described(path)
    assert model.signature.inputs.inputs[0].shape == (-1, 5)
    assert model.flavors["python_function"]["loader_module"] == "mlflow.keras"
    assert not (path / "code").exists()


def test_its_code_imports_nothing_of_an_installed_rnnbench(folder: MlflowFolder) -> None:
    model = publish(folder, record(folder, TOKENIZER_OF_WORDS))
    sources = {path: path.read_text("utf-8") for path in (model / "code").rglob("*.py")}
    assert {path.parent.name for path in sources} == {"rnnbench_model", "data", "output"}
    assert not any(
        "import rnnbench\n" in text or "from rnnbench." in text for text in sources.values()
    )
    size = sum(map(len, sources.values()))
    assert size < 100_000


@pytest.mark.parametrize(
    ("kind", "library"), [("words", None), ("subwords", "sentencepiece"), ("dictionary", "icu4py")]
)
def test_it_asks_only_for_what_it_needs(
    folder: MlflowFolder, kind: Any, library: str | None
) -> None:
    cut = learn_cut(kind, ["สวัสดีชาวโลก"] * 20)
    tokenizer = Tokenizer(
        classes=("no", "yes"), words=WORDS, max_len=5, tokens=kind, subwords=cut.model, icu=cut.icu
    )
    model = publish(folder, record(folder, tokenizer))
    needed = [line.partition("==")[0] for line in (model / "requirements.txt").read_text().split()]
    always = ["jax", "keras", "mlflow", "numpy", "pandas"]
    assert needed == sorted([*always, *filter(None, [library])])
    assert "requirements.txt" in (model / "python_env.yaml").read_text()


def test_the_run_and_its_model_name_the_classes(folder: MlflowFolder) -> None:
    entry = record(folder, Tokenizer(classes=("Maß", "a, b"), words=WORDS, max_len=5))
    publish(folder, entry)
    notes = read_notes(entry, folder.store)
    run = folder.client().get_run(notes["run_id"])
    assert run.data.tags["rnnbench.classes"] == "Maß, a, b"
    assert (
        folder.client().get_logged_model(notes["model_id"]).tags["rnnbench.classes"] == "Maß, a, b"
    )
