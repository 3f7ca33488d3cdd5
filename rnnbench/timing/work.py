"""`rnnbench timing`: from arms to measurements."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rnnbench.entries import Parent
from rnnbench.errors import UsageError
from rnnbench.execution.environment import processes_at_work
from rnnbench.formats import is_there
from rnnbench.ledger import Ledger
from rnnbench.page.texts import duration
from rnnbench.study import TIMING
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.measure import Blocks
from rnnbench.timing.plan import begin_session, plan_arms, with_defaults
from rnnbench.timing.rounds import Wanted
from rnnbench.timing.rows import compose_timing_part
from rnnbench.timing.samples import ArmTimes
from rnnbench.timing.sessions import (
    Session,
    keep_session,
    read_session,
    read_sessions,
    write_session,
)
from rnnbench.timing.turns import Turn, cores_of, measure_turns
from rnnbench.tracking.groups import Group as TrackedGroup
from rnnbench.tracking.provenance import made_by, mlflow_status, tag_command
from rnnbench.tracking.store import find_store
from rnnbench.tracking.tracker import Tracker

if TYPE_CHECKING:
    from rnnbench.timing.screen import TimingScreen

BLOCKS = Blocks()
LOADED = 0.5
"""Above so many processes at work beside this one, times are too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingOutcome:
    """How the command ended."""

    interrupted: bool
    n_failed: int


def measure_arms(
    choices: TimingChoices, view: TimingScreen, root: Path, blocks: Blocks = BLOCKS
) -> TimingOutcome:
    """Measure what is missing of the arms, keep it, and say what came out.

    A command that was interrupted is gone on with by the same command on the same machine.

    Args:
        blocks: what one process times; other than the protocol's only in a folder of their own,
            because nothing in the file tells.

    Raises:
        RnnbenchError: bad input, or a folder that cannot be written.
    """
    choices = with_defaults(choices)
    arms, left_out = plan_arms(choices)
    if choices.export is not None:
        _refuse_unwritable(choices.export)
    new = begin_session(choices, arms)
    for sentence in left_out:
        view.say(sentence)
    if choices.dry_run:
        view.show_arms(new, choices.budget)
        return TimingOutcome(interrupted=False, n_failed=0)
    ledger = Ledger(root)
    with ledger.locked(view.say_waiting):
        session = new if choices.fresh else _go_on_with(new, view, ledger)
        if session.n_samples:
            keep_session(ledger.folder, session)  # what is asked of it now
        if session.is_over:
            view.say(f"all of it was measured here on {session.began_at}; --fresh measures again")
        else:
            view.show_arms(session, choices.budget)
            _warn_of_load(view)
        wanted = Wanted(precision=choices.precision, until=time.monotonic() + choices.budget)
        session, interrupted = _measure(session, view, ledger, blocks, wanted)
        if choices.export is not None:
            write_session(choices.export, session)
            view.say(
                f"exported to {choices.export}; take it in elsewhere with `rnnbench timing "
                f"--import {choices.export}`"
            )
        _publish(session, interrupted, view, ledger, root)
    part = compose_timing_part([session])
    if part is not None:
        view.show_times(part)
    if interrupted:
        view.warn(f"interrupted; nothing is lost. To go on: {choices.command}")
    else:
        if not session.is_over:
            view.warn(
                f"the budget of {duration(choices.budget)} is over before all was measured as "
                f"precisely as asked; the same command goes on: {choices.command}"
            )
        view.say("The whole table, with the kernels and a figure: rnnbench report timing")
    n_failed = sum(times.failure is not None for times in session.arms)
    return TimingOutcome(interrupted=interrupted, n_failed=n_failed)


def take_in(path: Path, view: TimingScreen, root: Path) -> None:
    """Keep another machine's measurements in this folder; once, however often they are taken in.

    Raises:
        RnnbenchError: a file that is no export, or a folder that cannot be written.
    """
    session = read_session(path)
    ledger = Ledger(root)
    with ledger.locked(view.say_waiting):
        sessions = read_sessions(ledger.folder, view.warn)
        known = {each.id: each for each in sessions}.get(session.id)
        if known is not None and known.n_samples > session.n_samples:
            view.say(f"{path} holds less of this session than is here already; nothing is changed")
            return
        keep_session(ledger.folder, session)
        _publish(session, False, view, ledger, root)
    n_arms = sum(bool(times.samples) for times in session.arms)
    machine = ", ".join(session.machine.values())
    view.say(f"taken in: {n_arms} arms, measured on {machine} ({session.began_at})")
    part = compose_timing_part([session])
    if part is not None:
        view.show_times(part)


def _go_on_with(new: Session, view: TimingScreen, ledger: Ledger) -> Session:
    """An earlier command's session that asked for the same here; what failed is tried again.

    Less or more precise: a session goes on to what is asked for now.
    """
    for session in reversed(read_sessions(ledger.folder, view.warn)):
        if session.conditions == new.conditions:
            return replace(session.without_failures(), precision=new.precision)
    return new


def _measure(
    session: Session, view: TimingScreen, ledger: Ledger, blocks: Blocks, wanted: Wanted
) -> tuple[Session, bool]:
    """The session with every sample; whether it was interrupted."""
    log = ledger.folder / "workers.log"
    try:
        while time.monotonic() < wanted.until and (turns := _next_turns(session)):
            for outcomes in measure_turns(turns, blocks, log, wanted):
                session = session.with_outcomes(outcomes)
                keep_session(ledger.folder, session)
                view.show_outcomes(outcomes, session)
                if any(isinstance(each, str) for each in outcomes.values()):
                    break  # what is to come is another matter now
    except KeyboardInterrupt:
        return session, True
    return session, False


def _next_turns(session: Session) -> list[Turn]:
    """A turn for each repeat that a group of arms lacks.

    Each group has its next repeat before any has the one after that; in a repeat back end by back
    end, and there in random order.
    """
    devices = {times.arm.device for times in session.arms}
    begun = max((s.process or 0 for t in session.arms for s in t.samples), default=-1) + 1
    rng = random.Random(f"{session.seed} {begun}")
    lacking = [(group, group.n_missing) for group in session.groups]
    most = max((n for _, n in lacking), default=0)
    turns: list[tuple[tuple[object, ...], Turn]] = []
    for group, n_missing in lacking:
        arms = tuple(times.arm for times in group.arms if times.failure is None)
        seen = [times.summary("evaluate") for times in group.measured if times.arm.has_forward]
        is_seen = bool(seen) and all(seen)
        first = most - n_missing
        for n in range(first, most):
            turn = Turn(
                arms=arms,
                number=begun + n,
                looks=n == first and not is_seen,
                cores=cores_of(arms[0].device, devices),
            )
            turns.append(((n, arms[0].backend, arms[0].device, rng.random()), turn))
    return [turn for _, turn in sorted(turns, key=lambda each: each[0])]


def _refuse_unwritable(path: Path) -> None:
    is_taken = is_there(path) and not path.is_file()
    if is_taken or not path.resolve().parent.is_dir():
        raise UsageError(f"cannot write {path}: name a file in a folder that is there")


def _warn_of_load(view: TimingScreen) -> None:
    load = processes_at_work()
    if load > LOADED:
        view.warn(
            f"the machine is under load ({load:.1f} other processes at work): times will come out "
            "too long. Stop what else runs, and begin again"
        )


def _publish(
    session: Session, interrupted: bool, view: TimingScreen, ledger: Ledger, root: Path
) -> None:
    """A run an arm in MLflow's experiment `timing`."""
    if find_spec("mlflow") is None:
        view.say("MLflow is not installed here: the measurements are in .rnnbench/timing")
        return
    began = time.time()
    tracker = Tracker(
        ledger,
        TIMING,
        find_store(root),
        draw=lambda *_: b"",
        on_problem=view.warn,
        on_wait=view.say,
    )
    tags = tag_command(TIMING, None, made_by(session.command, root))
    tracker.begin(f"{TIMING} · {session.began_at}", tags, [])
    for times in session.arms:
        if times.samples or times.failure is not None:
            tracker.notice_group(_describe_group(session, times))
    n_failed = sum(times.failure is not None for times in session.arms)
    tracker.end(mlflow_status(interrupted, n_failed), {"publishing_seconds": time.time() - began})


def _describe_group(session: Session, times: ArmTimes) -> TrackedGroup:
    metrics: dict[str, float] = {"n_samples": float(len(times.valid))}
    for step in ("train", "evaluate", "predict"):
        found = times.summary(step)
        if found is not None:
            metrics |= {
                f"{step}_ms": found.median,
                f"{step}_ms_q1": found.quartiles.low,
                f"{step}_ms_q3": found.quartiles.high,
            }
    status = times.status(session.repeats)
    return TrackedGroup(
        chain=(Parent(key=f"timing {session.id} {times.arm.name}", name=times.arm.name),),
        params={
            **{key: json.dumps(value) for key, value in times.arm.to_json().items()},
            **dict(session.machine),
        },
        metrics=metrics,
        tags={"rnnbench.status": status, "rnnbench.reason": times.failure or ""},
        files={"samples.json": replace(session, arms=(times,)).to_text().encode()},
        status="FINISHED" if times.n_missing(session.repeats) == 0 else "KILLED",
    )
