"""Every command by its name, in the order in which the help shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rnnbench.published.command import reproduce
from rnnbench.reports.command import report
from rnnbench.runs.command import evaluate, export, import_, list_, predict, relocate, show, ui
from rnnbench.studies.command import doctor, plan, run
from rnnbench.studies.data_command import data
from rnnbench.timing.command import timing
from rnnbench.tuning.command import tune

# Each is light: what it does is imported when it is called.
COMMANDS: Mapping[str, Callable[..., None]] = {
    "run": run,
    "plan": plan,
    "tune": tune,
    "timing": timing,
    "report": report,
    "reproduce": reproduce,
    "show": show,
    "predict": predict,
    "evaluate": evaluate,
    "list": list_,
    "export": export,
    "import": import_,
    "relocate": relocate,
    "ui": ui,
    "doctor": doctor,
}
GROUPS = {"data": data}
