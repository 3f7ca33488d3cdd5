"""The command line: light to start, and one sentence with the right exit code for a mistake."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Answer

from rnnbench.cli import main

USAGE, UNAVAILABLE = 2, 3
HEAVY = ("keras", "jax", "tensorflow", "mlflow", "optuna", "ray", "matplotlib", "pandas")


@pytest.mark.parametrize(
    "words", [(), ("run",), ("report",), ("list",), ("ui",), ("doctor",), ("data",)], ids=str
)
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    script = f"""
import sys
from rnnbench.cli import main
sys.argv = ["rnnbench", *{words!r}, "--help"]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("heavy:", sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "heavy: []", done.stderr
    assert "Usage" in done.stdout


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "rnnbench", "--version"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout[:9]) == (0, "rnnbench ")


DRY = ("run", "lstm", "--dataset", "synthetic", "--dry-run")
MISTAKES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "nothing to run": (("run",), USAGE, "nothing to run: name architectures, or use --all"),
    "unknown architecture": (("run", "lstmm"), USAGE, "unknown architecture 'lstmm' (did you"),
    "unknown study": (("run", "--study", "txtbook"), USAGE, "did you mean 'textbook'"),
    "unknown back end": ((*DRY, "--backend", "jaxx"), USAGE, "did you mean 'jax'?"),
    "unknown device": ((*DRY, "--device", "tpu"), USAGE, "choose from auto, cpu, gpu"),
    "unknown engine": ((*DRY, "--engine", "fleets"), USAGE, "unknown engine 'fleets'"),
    "unknown optimizer": ((*DRY, "--optimizer", "lion"), USAGE, "unknown optimizer 'lion'"),
    "unknown order": ((*DRY, "--order", "sorted"), USAGE, "unknown order 'sorted'"),
    "unknown section": (("list", "studys"), USAGE, "did you mean 'studies'?"),
    "dropout 1.5": ((*DRY, "--dropout", "1.5"), USAGE, "dropout must be at least 0 and below 1"),
    "dropout in words": ((*DRY, "--dropout", "some"), USAGE, "--dropout takes numbers"),
    "--all and a name": (("run", "lstm", "--all"), USAGE, "name architectures or use --all, not"),
    "--quick and a study": (
        ("run", "--quick", "--study", "textbook"),
        USAGE,
        "--quick is a study of its own",
    ),
    "a report of nothing": (("report",), USAGE, "there are no runs here yet"),
    "an unknown format": (("report", "--format", "pdf"), USAGE, "unknown format 'pdf'"),
    "0 units": (
        (*DRY, "--units", "0"),
        USAGE,
        "units must be a whole number from 1 to 10,000, got 0",
    ),
    "half a unit": ((*DRY, "--units", "0.5"), USAGE, "--units takes whole numbers"),
    "no units": ((*DRY, "--units", ""), USAGE, "--units takes whole numbers like 4,8,16, got ''"),
    "negative learning rate": ((*DRY, "--learning-rate", "-1"), USAGE, "must be above 0, got -1"),
    "NaN learning rate": ((*DRY, "--learning-rate", "nan"), USAGE, "learning_rate must be above"),
    "seeds in words": ((*DRY, "--seeds", "x"), USAGE, "seeds are a number (3), a range (0-9)"),
    "no seeds": ((*DRY, "--seeds", "0"), USAGE, "'0' holds no seed"),
    "0 epochs": ((*DRY, "--epochs", "0"), USAGE, "epochs must be a whole number from 1 to 10,000"),
    "0 workers": ((*DRY, "--workers", "0"), USAGE, "workers must be from 1 to 1024"),
    "a name with a slash": ((*DRY, "--name", "../up"), USAGE, "a study's name takes letters"),
    "unknown data": (("run", "lstm", "--dataset", "imbd"), USAGE, "did you mean 'imdb'"),
    "data that are nowhere": (
        ("data", "fetch", "--dataset", "a.npz"),
        UNAVAILABLE,
        "no file a.npz",
    ),
    "two data sets": (
        ("run", "lstm", "--dataset", "train.csv", "--dataset=test.csv"),
        USAGE,
        "--dataset takes one file; of several files, use --train FILE and --test FILE",
    ),
    "two names of one file": (
        ("run", "lstm", "--train", "a.csv", "--dataset", "b.csv"),
        USAGE,
        "name the same; use one of them",
    ),
    "a file to validate on alone": (
        ("plan", "lstm", "--train", "a.csv", "--validation", "b.csv"),
        USAGE,
        "use --test FILE too",
    ),
    "parts of no file": (
        ("run", "lstm", "--dataset", "synthetic", "--test", "b.csv"),
        USAGE,
        "--test cannot be used with 'synthetic', only with texts of your own",
    ),
    "a race on reviews that are no texts of the user's": (
        ("plan", "lstm", "--dataset", "synthetic", "--race", "10m"),
        USAGE,
        "--race is for texts of your own",
    ),
    "nothing to describe": (("data", "describe"), USAGE, "name a file, a folder, or -"),
}


@pytest.mark.parametrize(
    ("words", "code", "sentence"), MISTAKES.values(), ids=list(MISTAKES.keys())
)
def test_a_mistake_is_told_in_one_sentence(
    rnnbench: Callable[..., Answer], words: tuple[str, ...], code: int, sentence: str
) -> None:
    assert_one_sentence(rnnbench(*words), code, sentence)


def assert_one_sentence(answer: Answer, code: int, sentence: str) -> None:
    assert answer.code == code, answer
    assert sentence in answer.err
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    assert "bug in rnnbench" not in answer.err


@pytest.mark.parametrize("words", [("run", "--epochs", "x"), ("rum",), ("run", "--sedes", "3")])
def test_words_that_the_parser_refuses_are_usage_errors(
    rnnbench: Callable[..., Answer], words: tuple[str, ...]
) -> None:
    answer = rnnbench(*words)
    assert answer.code == USAGE
    assert "Traceback" not in answer.err


def test_broken_toml_is_told_with_its_place(rnnbench: Callable[..., Answer]) -> None:
    Path("mine.toml").write_text("name = 'mine'\nseeds = = 3\n")
    answer = rnnbench("run", "--study", "mine.toml")
    assert_one_sentence(answer, USAGE, "mine.toml:2:9: not valid TOML")


class Planted:
    """Runs a command where a pickle is trusted."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch ran",)


def write_hostile(path: Path) -> None:
    array = np.empty(1, dtype=object)
    array[0] = Planted()
    labels = np.array([0, 1])
    np.savez(path, allow_pickle=True, x_train=array, y_train=labels, x_test=array, y_test=labels)


def write_truncated(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", bytes(1000))
    path.write_bytes(path.read_bytes()[:500])


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "text": (lambda path: path.write_text("good,1\n"), "not a zip archive"),
    "truncated": (write_truncated, "cut short"),
    "of other arrays": (lambda path: np.savez(path, x=np.zeros(2)), "exactly x_train, y_train"),
    "hostile": (write_hostile, "system"),
}


@pytest.mark.parametrize(("write", "sentence"), BAD_FILES.values(), ids=list(BAD_FILES.keys()))
def test_a_bad_file_is_refused_and_nothing_in_it_runs(
    rnnbench: Callable[..., Answer], write: Callable[[Path], object], sentence: str
) -> None:
    write(Path("bad.npz"))
    answer = rnnbench("data", "fetch", "--dataset", "bad.npz")
    assert_one_sentence(answer, UNAVAILABLE, sentence)
    assert "bad.npz is refused" in answer.err
    assert not Path("ran").exists()


def test_the_planted_command_is_a_real_one() -> None:
    pickle.loads(pickle.dumps(Planted()))
    assert Path("ran").exists()


def test_a_run_refuses_a_bad_file_too(rnnbench: Callable[..., Answer]) -> None:
    write_hostile(Path("bad.npz"))
    answer = rnnbench("run", "lstm", "--dataset", "bad.npz")
    assert_one_sentence(answer, UNAVAILABLE, "bad.npz is refused")


def test_a_named_folder_without_the_file_is_told(
    rnnbench: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNBENCH_DATA", str(tmp_path))
    answer = rnnbench("run", "lstm", "--dry-run")
    assert_one_sentence(answer, UNAVAILABLE, "RNNBENCH_DATA names")


def test_a_file_store_is_refused_with_the_way_out(rnnbench: Callable[..., Answer]) -> None:
    Path("mlruns/0").mkdir(parents=True)
    Path("mlruns/0/meta.yaml").write_text("name: Default\n")
    for words in (DRY, ("ui",)):
        assert_one_sentence(rnnbench(*words), UNAVAILABLE, "`mlflow migrate-filestore ")


def test_a_folder_that_cannot_be_written_is_told(rnnbench: Callable[..., Answer]) -> None:
    Path(".rnnbench").write_text("in the way")  # root may write anywhere but into a file
    assert_one_sentence(rnnbench(*DRY), UNAVAILABLE, "cannot write to")


def test_a_cache_that_cannot_be_written_is_told(
    rnnbench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").write_text("in the way")
    monkeypatch.setenv("RNNBENCH_CACHE", str(Path("file").absolute()))
    answer = rnnbench("data", "fetch", "--dataset", "synthetic")
    assert_one_sentence(answer, UNAVAILABLE, "set RNNBENCH_CACHE to another folder")


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnbench.errors import StudyError

    monkeypatch.setattr(sys, "argv", ["rnnbench", "run", "lstmm", "--debug"])
    with pytest.raises(StudyError, match="lstmm"):
        main()


def test_a_defect_is_called_one(
    rnnbench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("rnnbench.runs.listing.list_all", fail)
    answer = rnnbench("list")
    assert answer.code == 1
    assert "ZeroDivisionError: by accident" in answer.err
    assert "--debug" in answer.err


def test_an_interrupt_has_its_own_exit_code(
    rnnbench: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnbench.runs.listing.list_all", interrupt)
    answer = rnnbench("list")
    assert answer.code == 130
    assert "Traceback" not in answer.err


def test_a_list_shows_names_and_says_that_there_are_no_runs(
    rnnbench: Callable[..., Answer],
) -> None:
    answer = rnnbench("list")
    assert answer.code == 0
    assert "lstm-stacked" in answer.out
    assert "9,353" in answer.out
    assert "textbook" in answer.out
    assert "none yet; start with `rnnbench run --all`" in answer.out
    assert not Path(".rnnbench").exists()  # looking makes nothing


def test_an_empty_cache_says_how_to_fill_it(
    rnnbench: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path / "none"))
    assert "`rnnbench data fetch` fills it" in rnnbench("data", "show").out
