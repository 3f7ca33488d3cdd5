"""Good inputs damaged by the thousand, and what each came to, in processes that are used again.

    python tests/campaign/faults/mutations.py 2000

prints how often each outcome came, and every input that was neither taken nor refused.
"""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from made_archives import change_archive, make_archive
from made_up import spec_of

from rnnbench.archives import read_archive
from rnnbench.data.imdb import read_imdb
from rnnbench.data.own import make_corpus
from rnnbench.data.tables import OwnChoices, read_table
from rnnbench.entries import LedgerEntry
from rnnbench.errors import RnnbenchError
from rnnbench.execution.process import call_in_process
from rnnbench.page.drawing import draw_loss_curve
from rnnbench.study_files import load_study
from rnnbench.timing.arms import Arm
from rnnbench.timing.samples import ArmTimes, Sample
from rnnbench.timing.sessions import Session, read_session
from rnnbench.tuning.space import load_space

__all__ = ["FAULTS", "KINDS", "Outcome", "What", "run_mutations"]

What: TypeAlias = Literal[
    "accepted", "refused", "unclear", "traceback", "over time", "over memory", "died", "executed"
]
FAULTS: tuple[What, ...] = (
    *("unclear", "traceback", "over time", "over memory", "died", "executed"),
)
MOST_CPU_SECONDS = 5.0
MOST_MIB = 500.0
PATIENCE_S = 120.0  # wall-clock time: other programs are at work too
LIMIT_BYTES = 3 * 10**9
TRACE = "executed"
MOST_CHARACTERS = 1000  # of a refusal, the path apart
SPEC = spec_of(units=4, num_words=50, max_len=10)


@dataclass(frozen=True)
class Outcome:
    """What one damaged input came to.

    Args:
        seed: with the kind it makes the same input again.
        said: the refusal, or the end of the traceback.
    """

    kind: str
    seed: int
    what: What
    said: str = ""


def run_mutations(n: int, folder: Path, *, seed: int = 0, n_workers: int = 2) -> Iterator[Outcome]:
    """The outcomes of `n` damaged inputs, the kinds in turn.

    Args:
        folder: an empty one, where good and damaged inputs are written.
    """
    inputs = _make_inputs(folder)
    kinds = list(KINDS)
    tasks = [(kinds[index % len(kinds)], seed + index // len(kinds)) for index in range(n)]
    workers: dict[int, _Worker] = {}
    waiting = list(enumerate(tasks))[::-1]
    while waiting or any(worker.task for worker in workers.values()):
        for place in range(n_workers):
            worker = workers.get(place)
            if worker is None or worker.is_gone:
                worker = workers[place] = _Worker(inputs, folder / f"worker-{place}")
            if worker.task is None and waiting:
                worker.give(waiting.pop()[1])
            if worker.task is not None and (outcome := worker.answer(timeout_s=0.02)):
                yield outcome
    for worker in workers.values():
        worker.end()


class _Worker:
    """A process that reads one damaged input after the other."""

    def __init__(self, inputs: Mapping[str, bytes], folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, inputs, folder), daemon=True)
        self._process.start()
        theirs.close()
        self.task: tuple[str, int] | None = None
        self.is_gone = False
        self._given_at = 0.0

    def give(self, task: tuple[str, int]) -> None:
        self.task, self._given_at = task, time.monotonic()
        self._pipe.send(task)

    def answer(self, timeout_s: float) -> Outcome | None:
        assert self.task is not None
        kind, seed = self.task
        outcome = None
        try:
            if self._pipe.poll(timeout_s):
                outcome = self._pipe.recv()
            elif time.monotonic() - self._given_at > PATIENCE_S:
                outcome = Outcome(kind, seed, "over time")
                self.end()
        except EOFError:
            self._process.join()
            outcome = Outcome(kind, seed, "died", f"exit code {self._process.exitcode}")
            self.end()
        if outcome is not None:
            self.task = None
        return outcome

    def end(self) -> None:
        self.is_gone = True
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _work(pipe: Connection, inputs: Mapping[str, bytes], folder: Path) -> None:
    os.environ.update({"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"})
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, LIMIT_BYTES))
    for kind, content in inputs.items():  # what is imported and compiled once is no input's fault
        _read(kind, 0, content, folder)
    while True:
        kind, seed = pipe.recv()
        content = KINDS[kind].damage(inputs[kind], random.Random(f"{kind} {seed}"))
        pipe.send(_measured(kind, seed, content, folder))


def _measured(kind: str, seed: int, content: bytes, folder: Path) -> Outcome:
    """The outcome, over its time and memory where it took more than a refusal may."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before_mib, began = _peak_mib(), time.process_time()
    outcome = _read(kind, seed, content, folder)
    if (folder / TRACE).exists():
        (folder / TRACE).rmdir()
        return Outcome(kind, seed, "executed", outcome.said)
    if outcome.what == "refused" and time.process_time() - began > MOST_CPU_SECONDS:
        return Outcome(kind, seed, "over time", outcome.said)
    if outcome.what == "refused" and _peak_mib() - before_mib > MOST_MIB:
        return Outcome(kind, seed, "over memory", outcome.said)
    return outcome


def _read(kind: str, seed: int, content: bytes, folder: Path) -> Outcome:
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / KINDS[kind].name
        path.write_bytes(content)
        try:
            KINDS[kind].read(path)
        except RnnbenchError as err:
            said = str(err).replace(str(path), path.name)
            is_clear = "\n" not in said and len(said) <= MOST_CHARACTERS
            return Outcome(kind, seed, "refused" if is_clear else "unclear", said[:2000])
        except MemoryError as err:
            return Outcome(kind, seed, "over memory", repr(err)[:200])
        except Exception as err:
            return Outcome(kind, seed, "traceback", f"{type(err).__name__}: {err}"[:500])
    return Outcome(kind, seed, "accepted")


def _peak_mib() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


# --- Damage ------------------------------------------------------------------------------------

_STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 0, 5, 2**31, 10**12, 10**18, 10**400, 0.5, -0.0, 1e308),
    *(float("inf"), float("nan"), "", "\ud800", "\x00", "a\nb", "../../x", "x" * 10_000, "é" * 300),
    *([], {}, [[]], {"a": 1}, [1, "a"], [0] * 1000, {"": {}}, "1" * 4400, 1.5, "lstm"),
)
_STRANGE_TOML = (
    *("true", "-1", "0", "1e9", "1000000000", "inf", "nan", "0x" + "f" * 3000, "1" * 5000, "''"),
    *('"""', "[", "{", "[" * 900 + "]" * 900, "1979-05-27", "{ low = 1, high = 2 }", "[1, 1]"),
    *(
        "'../x'",
        '"\\ud800"',
        "[[1]]",
        "1_000_000",
        '"' + "x" * 3000 + '"',
        "[" + "1, " * 999 + "1]",
    ),
)


def damage_bytes(content: bytes, draw: random.Random) -> bytes:
    """Bytes changed, a piece cut out, doubled or moved, or the end cut off."""
    damaged = bytearray(content)
    start, length = draw.randrange(len(content)), draw.choice((1, 2, 8, 64, 512))
    piece = damaged[start : start + length]
    match draw.randrange(5):
        case 0:
            damaged[start : start + length] = draw.randbytes(len(piece))
        case 1:
            del damaged[start : start + length]
        case 2:
            damaged[start:start] = piece * draw.choice((1, 100, 10_000))
        case 3:
            damaged[start : start + length] = bytes(piece[::-1])
        case _:
            del damaged[start:]
    return bytes(damaged)


def damage_json(content: bytes, draw: random.Random) -> bytes:
    """One value anywhere, or one key, becomes a strange one."""
    values = json.loads(content)
    places = list(_places(values))
    holder, key = draw.choice(places)
    if isinstance(holder, dict) and draw.random() < 0.2:
        holder[draw.choice(("", "\ud800", "x" * 300, "a/b", "é"))] = holder.pop(key)
    elif draw.random() < 0.1:
        del holder[key]
    else:
        holder[key] = draw.choice(_STRANGE)
    return json.dumps(values).replace("1e+308", draw.choice(("1e308", "1e999"))).encode()


def damage_json_lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines()
    for _ in range(draw.choice((1, 30))):
        place = draw.randrange(len(lines))
        lines[place] = damage_json(lines[place], draw)
    return b"\n".join(lines)


def damage_toml(content: bytes, draw: random.Random) -> bytes:
    """One value becomes a strange one."""
    lines = content.decode().splitlines()
    place = draw.choice([n for n, line in enumerate(lines) if "=" in line])
    key = lines[place].split("=")[0]
    lines[place] = f"{key}= {draw.choice(_STRANGE_TOML)}"
    return "\n".join(lines).encode()


def damage_csv(content: bytes, draw: random.Random) -> bytes:
    strange = ('"', "x" * 100_000, "1" * 4400, "\x00", ",", "\r", "\ud800", "NaN", '"a\nb"', "")
    lines = content.decode().splitlines()
    for _ in range(draw.choice((1, 30))):
        place = draw.randrange(len(lines))
        fields = lines[place].split(",")
        fields[draw.randrange(len(fields))] = draw.choice(strange)
        lines[place] = ",".join(fields)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def damage_zip(content: bytes, draw: random.Random) -> bytes:
    """One member's bytes change, and the archive is whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    name = draw.choice(sorted(members))
    members[name] = (
        _hostile_array() if draw.random() < 0.1 else _damage_member(name, members[name], draw)
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for each, inside in members.items():
            file.writestr(each, inside)
    return stream.getvalue()


class _Trace:
    """Leaves a folder where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (TRACE,)


def _hostile_array() -> bytes:
    """An array of objects, as NumPy writes it."""
    objects = np.empty(1, dtype=object)
    objects[0] = _Trace()
    stream = io.BytesIO()
    np.save(stream, objects)
    return stream.getvalue()


def damage_archive(content: bytes, draw: random.Random) -> bytes:
    """One file of a run changes, its size and digest with it; or the list of files does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.zip"
        path.write_bytes(content)

        def alter(contents: dict[str, bytes], _: dict[str, Any]) -> None:
            name = draw.choice(sorted(contents))
            contents[name] = _damage_member(name, contents[name], draw)

        if draw.random() < 0.8:
            return change_archive(path, alter).read_bytes()
        text = lambda manifest: damage_json(json.dumps(manifest).encode(), draw)  # noqa: E731
        return change_archive(path, lambda *_: None, text).read_bytes()


def _damage_member(name: str, content: bytes, draw: random.Random) -> bytes:
    if name.endswith(".json") and draw.random() < 0.8 and len(content) > 2:
        return damage_json(content, draw)
    if name.endswith(".csv") and draw.random() < 0.8:
        return damage_csv(content, draw)
    if name.endswith((".keras", ".npz")) and draw.random() < 0.8:
        return damage_zip(content, draw)
    if name.endswith(".npy") and draw.random() < 0.6:
        shape = draw.choice(
            (b"(-4,)", b"(4000000000000,)", b"(4, 0)", b"()", b"(2, 2)", b"(True,)")
        )
        return re.sub(rb"'shape': \([^)]*\)", b"'shape': " + shape, content, count=1)
    return damage_bytes(content, draw)


def _often(
    damage: Callable[[bytes, random.Random], bytes],
) -> Callable[[bytes, random.Random], bytes]:
    """That damage three times of four, else bytes of the whole file."""
    return lambda content, draw: (damage if draw.random() < 0.75 else damage_bytes)(content, draw)


def _places(values: Any) -> Iterator[tuple[Any, Any]]:
    inside = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in list(inside):
        yield values, key
        if isinstance(value, dict | list) and value:
            yield from _places(value)


# --- Good inputs, and what reads them ----------------------------------------------------------


def _read_archive(path: Path) -> None:
    """Also what every command does with the runs."""
    archive = read_archive(path, path.parent)
    for run in archive.runs:
        entry = LedgerEntry(run.study, run.folder)
        draw_loss_curve(entry.history(), "a run")
        assert entry.result() is not None
        json.dumps([archive.origin, *archive.declarations]).encode()


def _read_table(path: Path) -> None:
    make_corpus(path.stem, read_table(path, OwnChoices()), OwnChoices())


def _predict(path: Path) -> None:
    from rnnbench.training.inference import predict_with

    predict_with(path, SPEC, np.ones((2, SPEC.data.max_len), np.int32))


@dataclass(frozen=True)
class _Kind:
    name: str
    read: Callable[[Path], object]
    damage: Callable[[bytes, random.Random], bytes]


KINDS: Mapping[str, _Kind] = {
    "archive": _Kind("study.zip", _read_archive, _often(damage_archive)),
    "study": _Kind("study.toml", load_study, _often(damage_toml)),
    "space": _Kind("space.toml", load_space, _often(damage_toml)),
    "csv": _Kind("texts.csv", _read_table, _often(damage_csv)),
    "json lines": _Kind("texts.jsonl", _read_table, _often(damage_json_lines)),
    "parquet": _Kind("texts.parquet", _read_table, damage_bytes),
    "packed csv": _Kind("texts.csv.gz", _read_table, damage_bytes),
    "spreadsheet": _Kind("texts.xlsx", _read_table, _often(damage_zip)),
    "npz": _Kind("imdb.npz", read_imdb, _often(damage_zip)),
    "timing": _Kind("session.json", read_session, _often(damage_json)),
    "model": _Kind("best.keras", _predict, _often(damage_zip)),
}


def _make_inputs(folder: Path) -> dict[str, bytes]:
    """A good input of each kind."""
    import pandas

    rows = [(f"text {n} of {n % 7} words", "good" if n % 2 else "bad") for n in range(80)]
    parquet = folder / "good.parquet"
    frame = pandas.DataFrame(rows, columns=["text", "label"])
    frame.to_parquet(parquet)
    frame.to_excel(folder / "good.xlsx", index=False)
    call_in_process(save_model, folder / "good.keras")
    lines = [
        json.dumps({"text": text, "label": label, "more": [1.5, None]}) for text, label in rows
    ]
    return {
        "archive": make_archive(folder / "good.zip").read_bytes(),
        "study": (
            b'name = "mine"\ndescription = "short"\ncontrast = "units"\nmargin_points = 0.5\n'
            b'architectures = ["lstm", "gru"]\nseeds = "0-4"\nvary_split = false\n'
            b'[data]\ndataset = "imdb"\nmax_len = [50, 100]\nnum_words = 500\n'
            b"[recipe]\nlearning_rate = [1e-3, 1e-4]\nepochs = 5\nbatch_size = 64\n"
            b"[hyperparameters]\nunits = [4, 8]\ndropout = 0.3\nembedding_size = 16\n"
        ),
        "space": b"units = { low = 4, high = 64, log = true }\ndropout = [0.0, 0.3]\n",
        "csv": frame.to_csv(index=False).encode(),
        "packed csv": gzip.compress(frame.to_csv(index=False).encode()),
        "spreadsheet": (folder / "good.xlsx").read_bytes(),
        "json lines": "\n".join(lines).encode(),
        "parquet": parquet.read_bytes(),
        "npz": _make_npz(),
        "timing": _make_session().to_text().encode(),
        "model": (folder / "good.keras").read_bytes(),
    }


def save_model(path: Path) -> None:
    """A kept model, as a worker writes it."""
    from rnnbench.models import build_model, import_keras

    import_keras()
    build_model(SPEC).save(path)


def _make_npz() -> bytes:
    reviews = np.empty(20, dtype=object)
    reviews[:] = [[n + 1, n + 2, 300] for n in range(20)]
    labels = np.array([0, 1] * 10)
    stream = io.BytesIO()
    np.savez(stream, x_train=reviews, y_train=labels, x_test=reviews, y_test=labels)
    return stream.getvalue()


def _make_session() -> Session:
    sample = Sample(
        train_ms=(1.0, 1.1),
        evaluate_ms=(0.5,),
        predict_ms=(0.4,),
        steps=10,
        warm_up_blocks=1,
        compile_seconds=2.0,
        loss_first=0.7,
        loss_last=0.6,
        jit=True,
        peak_host_mib=300.0,
        peak_device_mib=None,
        load=0.1,
        operations=("while",),
    )
    arm = Arm(architecture="lstm", backend="jax", device="cpu")
    return Session(
        id="20260101-000000-abcdef",
        began_at="2026-01-01 00:00:00",
        command="rnnbench timing lstm",
        machine={"processor": "AMD EPYC", "cores": "2"},
        versions={"jax": {"jax": "0.10.0"}},
        repeats=1,
        seed=0,
        arms=(ArmTimes(arm=arm, samples=(sample,)),),
    )


def main() -> None:
    """Damage as many inputs as asked for, and say what came of them."""
    n, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    happened: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for outcome in run_mutations(n, Path(folder), seed=seed):
            happened[outcome.kind, outcome.what] += 1
            if outcome.what in FAULTS:
                print(f"{outcome.kind} {outcome.seed}: {outcome.what}: {outcome.said[:600]}")
    for (kind, what), count in sorted(happened.items()):
        print(f"{count:6} × {kind} {what}")


if __name__ == "__main__":
    import mutations  # by its name, under which processes find it too

    mutations.main()
