"""Where a command's runs are carried out, by which engine, and with how many lanes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnbench.architectures import display_name
from rnnbench.data.files import sweep_folders
from rnnbench.errors import StudyError, UsageError, WorkerError, unknown_name
from rnnbench.execution import cluster
from rnnbench.execution.devices import Placement, place_on_cluster, place_workers, usable_cores
from rnnbench.execution.executor import Executor
from rnnbench.execution.local import LocalExecutor
from rnnbench.execution.process import call_in_process, call_on
from rnnbench.options import ExecutorChoices
from rnnbench.specs import ENGINES, PluginForm, RunSpec
from rnnbench.training.fleet import why_not_vmapped
from rnnbench.training.rehearsal import rehearse

EXECUTORS = ("local", "ray")
GPU_LANES = 64
MOST_LANES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """An engine, its lanes, and why, in words."""

    engine: str
    n_lanes: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """An executor, to be closed by whoever opened it, and what was chosen for it.

    Args:
        where: the cluster, in words; empty for this machine's own processes.
    """

    executor: Executor
    placement: Placement
    engine: EngineChoice
    where: str = ""


def open_executor(choices: ExecutorChoices, log_folder: Path) -> Workers:
    """Place the workers, choose the engine, join the cluster if there is one.

    What workers that were killed have left in the folder for temporary files is swept first.

    Raises:
        UsageError, UnavailableError: something asked for is not known, not installed, or not there.
    """
    sweep_folders()
    _check_executor(choices)
    if choices.executor == "ray":
        return _open_ray(choices)
    return _place_here(choices, log_folder)


def foresee_executor(choices: ExecutorChoices, log_folder: Path) -> Workers:
    """What `open_executor` would give, with nothing started; a cluster as if it had no GPU.

    Raises:
        UsageError: something asked for is not known, not installed, or not there.
    """
    _check_executor(choices)
    if choices.executor == "ray":
        choices = replace(choices, executor="local", ray_address=None, device="cpu")
    return _place_here(choices, log_folder)


def choose_engine(asked: str, lanes: int | None, placement: Placement) -> EngineChoice:
    """The engine that was asked for, or on `auto` the faster one for the device.

    Raises:
        UsageError: an unknown engine, a fleet without JAX, or lanes that cannot be.
    """
    if asked not in ("auto", *ENGINES):
        raise UsageError(unknown_name("engine", asked, ("auto", *ENGINES)))
    if lanes is not None and not 1 <= lanes <= MOST_LANES:
        raise UsageError(f"lanes must be a whole number from 1 to {MOST_LANES}, got {lanes}")
    if asked == "fleet" and placement.backend != "jax":
        raise UsageError(
            f"the engine fleet runs on JAX only, and the back end is {placement.backend}; "
            "leave --engine out, or use --backend jax"
        )
    if asked == "keras" and lanes is not None:
        raise UsageError("--lanes needs the engine fleet; leave out --lanes, or --engine keras")
    on_gpu = placement.device == "gpu"
    default = GPU_LANES if on_gpu else 1
    if asked == "fleet":
        return EngineChoice(engine="fleet", n_lanes=lanes or default, reason="asked for")
    if asked == "auto" and placement.backend == "jax" and (on_gpu or lanes is not None):
        reason = "one run leaves most of a GPU idle" if on_gpu else "lanes were asked for"
        return EngineChoice(engine="fleet", n_lanes=lanes or default, reason=reason)
    reason = "asked for"
    if asked == "auto":
        reason = (
            "on a CPU lanes gain nothing over one process per core"
            if placement.backend == "jax"
            else "fleets run on JAX only"
        )
    return EngineChoice(engine="keras", n_lanes=1, reason=reason)


def move_unfit_to_keras(specs: Sequence[RunSpec]) -> tuple[list[RunSpec], list[str]]:
    """Specs for a fleet, those whose network cannot be vectorised given to `keras`; and why."""
    fleets = {spec.shape: spec for spec in specs if spec.engine == "fleet"}
    reasons: dict[str, str | None] = {}
    for alike in _by_code(fleets.values()):
        reasons |= call_in_process(_ask, [(spec.shape, spec) for spec in alike])
    sentences = [reason for reason in dict.fromkeys(reasons.values()) if reason]
    fitting = [replace(spec, engine="keras") if reasons.get(spec.shape) else spec for spec in specs]
    return fitting, sentences


def refuse_unfit(specs: Iterable[RunSpec]) -> list[str]:
    """Take each network of others once through all that a run does, before any run does.

    Returns:
        Sentences on those that can be trained, and yet have something that must be known.

    Raises:
        StudyError: one could not be trained, or not be kept; why.
    """
    networks = {spec.shape: spec for spec in specs if isinstance(spec.form, PluginForm)}
    return [sentence for some in _by_code(networks.values()) for sentence in _rehearse(some)]


def _rehearse(some: list[RunSpec]) -> list[str]:
    try:
        return call_on(some[0].backend, rehearse, some)  # a study has one back end
    except WorkerError as err:
        names = " or ".join(dict.fromkeys(display_name(spec.form) for spec in some))
        raise StudyError(f"{names} cannot be tried out: {err}") from err


def _by_code(specs: Iterable[RunSpec]) -> Iterable[list[RunSpec]]:
    """Those that one process may build: with the same code of others, or with none."""
    found: dict[str, list[RunSpec]] = {}
    for spec in specs:
        found.setdefault(spec.others_code, []).append(spec)
    return found.values()


def _check_executor(choices: ExecutorChoices) -> None:
    if choices.executor not in EXECUTORS:
        raise UsageError(unknown_name("executor", choices.executor, EXECUTORS))
    if choices.ray_address is not None and choices.executor != "ray":
        raise UsageError("--ray-address needs --executor ray")


def _place_here(choices: ExecutorChoices, log_folder: Path) -> Workers:
    placement = place_workers(
        backend=choices.backend,
        device=choices.device,
        workers=choices.workers,
        workers_per_gpu=choices.workers_per_gpu,
    )
    engine = choose_engine(choices.engine, choices.lanes, placement)
    executor = LocalExecutor(
        backend=placement.backend,
        gpus=placement.gpus,
        log_folder=log_folder,
        n_lanes=engine.n_lanes,
    )
    return Workers(executor=executor, placement=placement, engine=engine)


def _open_ray(choices: ExecutorChoices) -> Workers:
    # The back end is this machine's choice: every node has the same versions.
    here = place_workers(
        backend=choices.backend,
        device="cpu",
        workers=choices.workers,
        workers_per_gpu=choices.workers_per_gpu,
    )
    address = choices.ray_address or cluster.LOCAL
    joined = cluster.connect(address, here.backend, choices.workers or usable_cores())
    try:
        placement = place_on_cluster(
            here,
            device=choices.device,
            workers=choices.workers,
            workers_per_gpu=choices.workers_per_gpu,
            n_cpus=joined.n_cpus,
            n_gpus=joined.n_gpus,
        )
        engine = choose_engine(choices.engine, choices.lanes, placement)
    except UsageError:
        joined.close()
        raise
    executor = cluster.RayExecutor(
        backend=placement.backend,
        n_at_once=len(placement.gpus),
        gpu_share=1 / choices.workers_per_gpu if placement.device == "gpu" else 0.0,
        n_lanes=engine.n_lanes,
    )
    where = f"ray at {address}: {joined.n_nodes} nodes, {joined.n_cpus} cores, {joined.n_gpus} GPUs"
    return Workers(executor=executor, placement=placement, engine=engine, where=where)


def _ask(shapes: Sequence[tuple[str, RunSpec]]) -> dict[str, str | None]:
    return {shape: why_not_vmapped(spec) for shape, spec in shapes}
