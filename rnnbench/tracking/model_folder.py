"""The best `.keras` file as a folder that `mlflow.keras.load_model` opens, without importing Keras.

`mlflow.keras.save_model` would import Keras and serialise the model once more;
the file is there already, and only its description is missing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from rnnbench.specs import RunResult, RunSpec


def write_model_folder(
    folder: Path,
    keras_file: Path,
    spec: RunSpec,
    result: RunResult,
    logged_model: Any,  # Any: mlflow.entities.LoggedModel
    run_id: str,
) -> None:
    """Write `MLmodel`, requirements and `data/model.keras` into an empty folder.

    Source: the layout of `mlflow.keras.save_model`, mlflow 3.17.
    """
    import numpy as np
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.types.schema import Schema, TensorSpec

    (folder / "data").mkdir(parents=True)
    shutil.copyfile(keras_file, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras", encoding="utf-8")
    (folder / "requirements.txt").write_text(_requirements(spec, result), encoding="utf-8")
    model = Model(
        artifact_path=logged_model.artifact_location,
        run_id=run_id,
        model_id=logged_model.model_id,
        signature=ModelSignature(
            inputs=Schema([TensorSpec(np.dtype("int32"), (-1, spec.data.max_len), "tokens")]),
            outputs=Schema([TensorSpec(np.dtype("float32"), (-1, 1))]),
        ),
    )
    model.add_flavor(
        "keras",
        data="data",
        keras_version=result.environment.get("version.keras", ""),
        keras_backend=spec.backend,
        save_exported_model=False,
    )
    pyfunc.add_to_model(model, loader_module="mlflow.keras")
    model.save(str(folder / "MLmodel"))


def _requirements(spec: RunSpec, result: RunResult) -> str:
    names = ("keras", "numpy", spec.backend)
    versions = {name: result.environment.get(f"version.{name}", "") for name in names}
    return "".join(f"{name}=={version}\n" for name, version in versions.items() if version)
