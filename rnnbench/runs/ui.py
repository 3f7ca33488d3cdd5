"""`rnnbench ui`: MLflow's own page, started light."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from rnnbench.errors import StoreError, UsageError
from rnnbench.ledger import Ledger
from rnnbench.page.screen import Screen
from rnnbench.recorded_runs import NO_RUNS
from rnnbench.tracking.client import tagged_experiments
from rnnbench.tracking.relocate import relocate_artifacts
from rnnbench.tracking.store import DATABASE, Store, find_store, quiet_mlflow
from rnnbench.tracking.views import VIEW_TAG, view_path

MOST_NAMED = 5  # studies; each has a link in the page too
LIGHT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_WORKERS": "1"}


def serve_ui(root: Path, host: str, port: int, view: Screen) -> int:
    """Run `mlflow ui` until it is stopped; its exit code.

    Raises:
        UsageError: the port is taken.
        StoreError: the store cannot be read.
    """
    store = find_store(root)
    if not store.is_local:
        view.say(f"MLFLOW_TRACKING_URI names {store}; open that address instead")
        return 0
    _refuse_taken_port(host, port)
    if (root / DATABASE).exists():
        with suppress(StoreError):  # another program writes there; only the files are missing then
            relocate_artifacts(store, Ledger(root, writable=False).entries)
    else:
        view.say(NO_RUNS)
    view.say(f"MLflow is starting (about 10 s) at http://{host}:{port}; Ctrl-C stops it")
    _name_views(store, f"http://{host}:{port}", view)
    environment = {**os.environ, **quiet_mlflow(), **LIGHT}
    # In a group of its own: at the terminal's Ctrl-C the server would print a traceback. So the
    # terminal does not end it either when it is closed; this process does.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))
    server = subprocess.Popen(
        _ui_command(host, port),
        cwd=root,
        env=environment,
        process_group=0,
        stdout=2,  # its log; a standard output that is full would end it
    )
    try:
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end_group(server)


def _name_views(store: Store, address: str, view: Screen) -> None:
    """Print where the studies' runs are shown by test accuracy, the latest first."""
    try:
        studies = tagged_experiments(store, VIEW_TAG)
    except StoreError:  # the page shows what it can of the file
        return
    for name, experiment_id in studies[:MOST_NAMED]:
        view.say(f"{name} by test accuracy: {address}/{view_path(experiment_id)}")


def _ui_command(host: str, port: int) -> list[str]:
    """The stock command; it finds `mlflow.db` in the folder by itself."""
    return [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port)]


def _end_group(server: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as err:
            raise UsageError(
                f"cannot listen on {host}:{port} ({err}); choose another --port"
            ) from err
