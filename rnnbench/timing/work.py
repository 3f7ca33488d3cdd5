"""`rnnbench timing`: from arms to measurements, one process at a time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnbench.errors import StoreError, UsageError, WorkerError
from rnnbench.execution.devices import find_gpus
from rnnbench.execution.environment import processes_at_work, worker_environment
from rnnbench.execution.process import how_it_ended, spawn
from rnnbench.formats import is_there
from rnnbench.ledger import Ledger, Parent
from rnnbench.study import TIMING
from rnnbench.timing.arms import Arm
from rnnbench.timing.command import TimingChoices
from rnnbench.timing.determinism import (
    EPOCHS,
    EpochBits,
    find_first_difference,
    follow_epochs,
)
from rnnbench.timing.measure import Blocks, answer_with_sample
from rnnbench.timing.plan import (
    begin_sitting,
    load_defaults,
    plan_arms,
)
from rnnbench.timing.ratios import compose_timing_part
from rnnbench.timing.samples import Sample
from rnnbench.timing.sittings import (
    ArmTimes,
    Sitting,
    export_sitting,
    import_sitting,
    keep_sitting,
    read_sittings,
)
from rnnbench.tracking.groups import Group
from rnnbench.tracking.provenance import git_commit, mlflow_status
from rnnbench.tracking.store import find_store
from rnnbench.tracking.tracker import Tracker

if TYPE_CHECKING:
    from rnnbench.timing.screen import TimingScreen

__all__ = ["check_determinism", "measure_arms", "take_in"]

PROTOCOL = Blocks()
MOST_SECONDS = 900.0
"""After so long a process is given up."""
LOADED = 0.5
"""Above so many processes at work beside this one, times are too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingOutcome:
    """How the command ended."""

    interrupted: bool
    n_failed: int


def measure_arms(
    choices: TimingChoices,
    view: TimingScreen,
    root: Path,
    *,
    command: str,
    export: Path | None = None,
    dry_run: bool = False,
    fresh: bool = False,
    blocks: Blocks = PROTOCOL,
) -> TimingOutcome:
    """Measure what is missing of the arms, keep it, and say what came out.

    A command that was interrupted is gone on with by the same command on the same machine.

    Args:
        export: a file that gets this command's measurements, for another machine's `--import`.
        fresh: measure again what an earlier command has measured.
        blocks: what one process times; other than the protocol's only in a folder of their own,
            because nothing in the file tells.

    Raises:
        RnnbenchError: bad input, or a folder that cannot be written.
    """
    defaults = load_defaults()
    arms, left_out = plan_arms(choices, defaults)
    if export is not None:
        _refuse_unwritable(export)
    repeats = defaults.repeats if choices.repeats is None else choices.repeats
    new = begin_sitting(choices, arms, repeats, command)
    for sentence in left_out:
        view.say(sentence)
    if dry_run:
        view.show_arms(new)
        return TimingOutcome(interrupted=False, n_failed=0)
    ledger = Ledger(root)
    with ledger.locked(view.say_waiting):
        sitting = new if fresh else _go_on_with(new, view, ledger)
        if sitting.is_over:
            view.say(f"all of it was measured here on {sitting.began_at}; --fresh measures again")
        else:
            view.show_arms(sitting)
            _warn_of_load(view)
        sitting, interrupted = _measure(sitting, view, ledger, blocks)
        _export(sitting, export, view)
        _publish(sitting, interrupted, view, ledger, root)
    part = compose_timing_part([sitting])
    if part is not None:
        view.show_times(part)
    if interrupted:
        view.warn(f"interrupted; nothing is lost. To go on: {command}")
    else:
        view.say("The whole table, with the kernels and a figure: rnnbench report timing")
    n_failed = sum(times.failure is not None for times in sitting.arms)
    return TimingOutcome(interrupted=interrupted, n_failed=n_failed)


def take_in(path: Path, view: TimingScreen, root: Path) -> None:
    """Keep another machine's measurements in this folder; once, however often they are taken in.

    Raises:
        RnnbenchError: a file that is no export, or a folder that cannot be written.
    """
    sitting = import_sitting(path)
    ledger = Ledger(root)
    with ledger.locked(view.say_waiting):
        sittings = read_sittings(ledger.folder, view.warn)
        known = {each.id: each for each in sittings}.get(sitting.id)
        if known is not None and known.n_samples > sitting.n_samples:
            view.say(f"{path} holds less of this sitting than is here already; nothing is changed")
            return
        _keep(sitting, ledger)
        _publish(sitting, False, view, ledger, root)
    n_arms = sum(bool(times.samples) for times in sitting.arms)
    machine = ", ".join(sitting.machine.values())
    view.say(f"taken in: {n_arms} arms, measured on {machine} ({sitting.began_at})")
    part = compose_timing_part([sitting])
    if part is not None:
        view.show_times(part)


def check_determinism(choices: TimingChoices, view: TimingScreen, root: Path) -> int:
    """Train each arm twice alike, say where the two part; how many do.

    Without an option that asks for combinations: as people write it, and with recurrent dropout,
    at the fewest units.

    Raises:
        RnnbenchError: bad input, or a process that failed.
    """
    defaults = load_defaults()
    fewest = replace(choices, units=choices.units or defaults.units[:1])
    arms, left_out = plan_arms(fewest, defaults)
    for sentence in left_out:
        view.say(sentence)
    if not choices.is_product:
        arms = [arm for arm in arms if arm.use_cudnn == "auto" or arm.recurrent_dropout]
    ledger = Ledger(root)
    n_differing = 0
    with ledger.locked(view.say_waiting):
        for arm in arms:
            first, second = (_follow(arm, choices.seed, ledger) for _ in range(2))
            epoch = find_first_difference(first, second)
            n_differing += epoch is not None
            view.say(f"{arm.name}: {_say_difference(epoch, first, second)}")
    return n_differing


def _follow(arm: Arm, seed: int, ledger: Ledger) -> list[EpochBits]:
    outcome = _call(follow_epochs, arm, seed, EPOCHS, log=ledger.folder / "workers.log")
    if isinstance(outcome, str):
        raise WorkerError(f"{arm.name}: {outcome}")
    found: list[EpochBits] = outcome
    return found


def _say_difference(
    epoch: int | None, first: Sequence[EpochBits], second: Sequence[EpochBits]
) -> str:
    if epoch is None:
        return f"the same to the last bit over {len(first)} epochs"
    losses = first[epoch - 1].loss, second[epoch - 1].loss
    return f"differs from epoch {epoch} on (its losses: {losses[0]:.8f} and {losses[1]:.8f})"


def _go_on_with(new: Sitting, view: TimingScreen, ledger: Ledger) -> Sitting:
    """An earlier command's sitting that asked for the same here; what failed is tried again."""
    for sitting in reversed(read_sittings(ledger.folder, view.warn)):
        if sitting.conditions == new.conditions:
            return sitting.without_failures()
    return new


def _measure(
    sitting: Sitting, view: TimingScreen, ledger: Ledger, blocks: Blocks
) -> tuple[Sitting, bool]:
    """The sitting with every sample; whether it was interrupted."""
    log = ledger.folder / "workers.log"
    try:
        while queue := _queue(sitting):
            for arm in queue:
                found = sitting.find(arm)
                assert found is not None
                if found.failure is not None:
                    continue
                outcome = _sample(arm, sitting, looks=not found.samples, log=log, blocks=blocks)
                sitting = sitting.with_outcome(arm, outcome)
                _keep(sitting, ledger)
                view.show_sample(arm, outcome, sitting)
    except KeyboardInterrupt:
        return sitting, True
    return sitting, False


def _queue(sitting: Sitting) -> list[Arm]:
    """The arms that lack samples, each as often as it lacks them, in rounds of random order."""
    rng = random.Random(f"{sitting.seed} {sitting.n_samples}")
    missing = {times.arm: times.n_missing(sitting.repeats) for times in sitting.arms}
    queue: list[Arm] = []
    for round_ in range(max(missing.values(), default=0)):
        arms = [arm for arm, n in missing.items() if n > round_]
        rng.shuffle(arms)
        queue += arms
    return queue


def _sample(arm: Arm, sitting: Sitting, *, looks: bool, log: Path, blocks: Blocks) -> Sample | str:
    """One sample from a fresh process, or why there is none."""
    seed = sitting.n_samples
    outcome: Sample | str = _call(answer_with_sample, arm, seed, looks, blocks, log=log)
    return outcome


def _call(
    target: Callable[..., None], arm: Arm, *arguments: object, log: Path
) -> Any:  # Any: what the target sends, or a sentence on why there is nothing
    gpu = find_gpus()[0] if arm.device == "gpu" else None
    environment = worker_environment(arm.backend, gpu, one_thread=False)
    child = spawn(target, arm, *arguments, environment=environment, log=log)
    try:
        if not child.pipe.poll(MOST_SECONDS):
            return f"it was not done after {MOST_SECONDS / 60:.0f} minutes"
        return child.pipe.recv()
    except EOFError:
        child.process.join()
        return how_it_ended(child)
    finally:
        child.end()


def _keep(sitting: Sitting, ledger: Ledger) -> None:
    try:
        keep_sitting(ledger.folder, sitting)
    except OSError as err:
        reason = err.strerror or err
        raise StoreError(
            f"cannot write to {ledger.folder} ({reason}); what was measured before is kept"
        ) from err


def _refuse_unwritable(path: Path) -> None:
    is_taken = is_there(path) and not path.is_file()
    if is_taken or not path.resolve().parent.is_dir():
        raise UsageError(f"cannot write {path}: name a file in a folder that is there")


def _export(sitting: Sitting, path: Path | None, view: TimingScreen) -> None:
    if path is None:
        return
    try:
        export_sitting(sitting, path)
    except OSError as err:
        raise StoreError(f"cannot write {path} ({err.strerror or err})") from err
    view.say(f"exported to {path}; take it in elsewhere with `rnnbench timing --import {path}`")


def _warn_of_load(view: TimingScreen) -> None:
    load = processes_at_work()
    if load > LOADED:
        view.warn(
            f"the machine is under load ({load:.1f} other processes at work): times will come out "
            "too long. Stop what else runs, and begin again"
        )


def _publish(
    sitting: Sitting, interrupted: bool, view: TimingScreen, ledger: Ledger, root: Path
) -> None:
    """A run an arm in MLflow's experiment `timing`."""
    if find_spec("mlflow") is None:
        view.say("MLflow is not installed here: the measurements are in .rnnbench/timing")
        return
    began = time.time()
    commit = git_commit(root)
    tags = {"rnnbench.study": TIMING, "rnnbench.command": sitting.command}
    tags |= {"mlflow.source.git.commit": commit} if commit else {}
    tracker = Tracker(
        ledger,
        TIMING,
        find_store(root),
        draw=lambda *_: b"",
        on_problem=view.warn,
        on_wait=view.say,
    )
    tracker.begin(f"{TIMING} · {sitting.began_at}", tags, [])
    for times in sitting.arms:
        if times.samples or times.failure is not None:
            tracker.notice_group(_describe_group(sitting, times))
    n_failed = sum(times.failure is not None for times in sitting.arms)
    tracker.end(mlflow_status(interrupted, n_failed), {"publishing_seconds": time.time() - began})


def _describe_group(sitting: Sitting, times: ArmTimes) -> Group:
    metrics: dict[str, float] = {"n_samples": float(len(times.valid))}
    for step in ("train", "evaluate", "predict"):
        found = times.summary(step)
        if found is not None:
            metrics |= {
                f"{step}_ms": found.median,
                f"{step}_ms_q1": found.quartiles.low,
                f"{step}_ms_q3": found.quartiles.high,
            }
    status = times.status(sitting.repeats)
    return Group(
        chain=(Parent(key=f"timing {sitting.id} {times.arm.name}", name=times.arm.name),),
        params={
            **{key: json.dumps(value) for key, value in times.arm.to_json().items()},
            **dict(sitting.machine),
        },
        metrics=metrics,
        tags={"rnnbench.status": status, "rnnbench.reason": times.failure or ""},
        files={"samples.json": replace(sitting, arms=(times,)).to_text().encode()},
        status="FINISHED" if times.n_missing(sitting.repeats) == 0 else "KILLED",
    )
