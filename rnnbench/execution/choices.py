"""Where a command's runs are carried out, and by which engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rnnbench.data.files import sweep_folders
from rnnbench.errors import UsageError, unknown_name
from rnnbench.execution import cluster
from rnnbench.execution.cores import usable_cores
from rnnbench.execution.devices import Placement, place_on_cluster, place_workers
from rnnbench.execution.engines import EngineChoice, choose_engine
from rnnbench.execution.executor import Executor
from rnnbench.execution.local import LocalExecutor

__all__ = ["EXECUTORS", "ExecutorChoices", "OpenExecutor", "open_executor"]

EXECUTORS = ("local", "ray")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorChoices:
    """What was asked for on the command line.

    Args:
        ray_address: `local`, or `HOST:PORT` of a cluster's head.
        lanes: of a fleet; None for as many as suit the device.
    """

    executor: str = "local"
    ray_address: str | None = None
    workers: int | None = None
    workers_per_gpu: int = 1
    device: str = "auto"
    backend: str = "auto"
    engine: str = "auto"
    lanes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExecutor:
    """An executor, to be closed by whoever asked for it, and what was chosen for it.

    Args:
        where: the cluster, in words; empty for this machine's own processes.
    """

    executor: Executor
    placement: Placement
    engine: EngineChoice
    where: str = ""


def open_executor(choices: ExecutorChoices, log_folder: Path) -> OpenExecutor:
    """Place the workers, choose the engine, join the cluster if there is one.

    What workers that were killed have left in the folder for temporary files is swept first.

    Raises:
        UsageError, UnavailableError: something asked for is not known, not installed, or not there.
    """
    sweep_folders()
    if choices.executor not in EXECUTORS:
        raise UsageError(unknown_name("executor", choices.executor, EXECUTORS))
    if choices.executor == "ray":
        return _open_ray(choices)
    if choices.ray_address is not None:
        raise UsageError("--ray-address belongs to --executor ray")
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
    return OpenExecutor(executor=executor, placement=placement, engine=engine)


def _open_ray(choices: ExecutorChoices) -> OpenExecutor:
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
    return OpenExecutor(executor=executor, placement=placement, engine=engine, where=where)
