"""The folder of an MLflow model, which leaves the machine: network, tokenizer, code, requirements.

`mlflow.keras.save_model` would import Keras and serialise the network once more; the file is there
already, and only its description is missing.

Source: the layout of `mlflow.keras.save_model`, mlflow 3.17.
"""

from __future__ import annotations

import ast
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench import served
from rnnbench.data.tokenizer import TOKENIZER, Tokenizer
from rnnbench.entries import LedgerEntry
from rnnbench.specs import RunResult, RunSpec

if TYPE_CHECKING:
    from mlflow.models import Model, ModelSignature

PACKAGE = "rnnbench_model"
"""What our code beside a model is called: an installed rnnbench may be of another version."""

DATA, CODE = "data", "code"
_BY_TOKENS = {"subwords": "sentencepiece", "dictionary": "icu4py"}
"""The library that cuts texts into tokens of that kind."""


def write_model_folder(
    folder: Path,
    entry: LedgerEntry,
    tokenizer: Tokenizer | None,
    logged_model: Any,  # Any: mlflow.entities.LoggedModel
    run_id: str,
) -> None:
    """Write all that MLflow needs to load the model of a finished run into an empty folder.

    `mlflow.keras.load_model` opens its network. As a function it answers texts; without a
    tokenizer, token sequences.
    """
    from mlflow.models import Model

    spec, result = entry.spec(), entry.result()
    assert result is not None
    model = Model(
        artifact_path=logged_model.artifact_location,
        run_id=run_id,
        model_id=logged_model.model_id,
        signature=_sign(tokenizer) if tokenizer else _sign_tokens(spec),
    )
    model.add_flavor(
        "keras",
        data=DATA,
        keras_version=result.environment.get("version.keras", ""),
        keras_backend=spec.backend,
        save_exported_model=False,
    )
    _write_data(folder, entry)
    if tokenizer:
        _write_code(folder / CODE)
    _write_requirements(folder, spec, result, tokenizer)
    _add_function(model, spec, answers_texts=tokenizer is not None)
    model.save(str(folder / "MLmodel"))


def _write_data(folder: Path, entry: LedgerEntry) -> None:
    data = folder / DATA
    data.mkdir(parents=True)
    shutil.copyfile(entry.folder / "best.keras", data / served.MODEL)
    if (entry.folder / TOKENIZER).exists():
        shutil.copyfile(entry.folder / TOKENIZER, data / TOKENIZER)
    (data / "keras_module.txt").write_text("keras", encoding="utf-8")


def _write_code(folder: Path) -> None:
    """Write what loads a model and answers texts as a package of its own into an empty folder."""
    for place, source in _sources().items():
        path = folder / PACKAGE / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")


def _write_requirements(
    folder: Path, spec: RunSpec, result: RunResult, tokenizer: Tokenizer | None
) -> None:
    """What the model needs, in the versions that trained it or, of the rest, that are here.

    In three files: MLflow makes an environment by pip, or by conda.
    """
    needed = ["mlflow"]
    if tokenizer:
        needed += ["pandas", *filter(None, [_BY_TOKENS.get(tokenizer.tokens)])]
    versions = {name: version(name) for name in needed}
    for name in ("keras", "numpy", spec.backend):
        versions[name] = result.environment.get(f"version.{name}", "").partition("+")[0]
    pins = (f"{name}=={found}" if found else name for name, found in sorted(versions.items()))
    (folder / "requirements.txt").write_text("\n".join([*pins, ""]), encoding="utf-8")
    python = platform.python_version()
    (folder / "python_env.yaml").write_text(
        f"python: {python}\n"
        "build_dependencies: [pip, setuptools, wheel]\n"
        "dependencies: [-r requirements.txt]\n",
        encoding="utf-8",
    )
    (folder / "conda.yaml").write_text(
        "channels: [conda-forge]\n"
        f"dependencies: [python={python}, pip, {{pip: [-r requirements.txt]}}]\n",
        encoding="utf-8",
    )


def _add_function(model: Model, spec: RunSpec, *, answers_texts: bool) -> None:
    from mlflow import pyfunc

    environment = {"python_env": "python_env.yaml", "conda_env": "conda.yaml"}
    if not answers_texts:
        pyfunc.add_to_model(model, loader_module="mlflow.keras", **environment)
        return
    pyfunc.add_to_model(
        model,
        loader_module=served.__name__.replace("rnnbench", PACKAGE, 1),
        data=DATA,
        code=CODE,
        model_config={"backend": spec.backend},
        **environment,
    )


def _sign(tokenizer: Tokenizer) -> ModelSignature:
    """Texts in, a class and probabilities out.

    MLflow takes no list for a column that has a name, and of columns without names the first. As of
    a function with type hints it leaves the input to the model, which is plainer about it.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    columns = served.answer_columns(tokenizer.classes).items()
    signature = ModelSignature(
        inputs=Schema([ColSpec("string", served.TEXT)]),
        outputs=Schema([ColSpec(kind, name, required=False) for name, kind in columns]),
    )
    signature._is_signature_from_type_hint = True
    return signature


def _sign_tokens(spec: RunSpec) -> ModelSignature:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema, TensorSpec

    n_outputs = 1 if spec.data.n_classes == 2 else spec.data.n_classes
    return ModelSignature(
        inputs=Schema([TensorSpec(np.dtype("int32"), (-1, spec.data.max_len), "tokens")]),
        outputs=Schema([TensorSpec(np.dtype("float32"), (-1, n_outputs))]),
    )


@cache
def _sources() -> Mapping[str, str]:
    """The source of each file of `PACKAGE`, by its place there."""
    root = Path(served.__file__).parent
    sources, places = dict[str, str](), [_place(served.__name__)]
    while places:
        place = places.pop()
        if place not in sources:
            source = (root / place).read_text(encoding="utf-8")
            places += [at for at in map(_place, _imported(source)) if (root / at).is_file()]
            sources[place] = re.sub(
                r"^( *(?:from|import) )rnnbench\b", rf"\1{PACKAGE}", source, flags=re.M
            )
    folders = {parent.as_posix() for place in sources for parent in Path(place).parents}
    return sources | {f"{folder}/__init__.py": "" for folder in folders}


def _imported(source: str) -> Iterator[str]:
    """The modules of ours that a source may import, by name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rnnbench"):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _place(module: str) -> str:
    """Where in the package a module's file is."""
    return "/".join(module.split(".")[1:]) + ".py"
