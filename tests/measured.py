"""Real measurements that take a moment, also on a machine that has little more than JAX."""

from __future__ import annotations

import venv
from importlib.metadata import distribution
from pathlib import Path

import rnnbench as package
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.measure import Blocks
from rnnbench.timing.rounds import Outcomes
from rnnbench.timing.rows import TimingPart
from rnnbench.timing.sessions import Session

CARRIED = (
    *("keras", "namex", "optree", "absl-py", "h5py", "ml-dtypes", "packaging", "typing-extensions"),
    *("typer", "click", "annotated-doc", "shellingham", "rich", "markdown-it-py", "mdurl"),
    *("pygments", "filelock", "platformdirs", "threadpoolctl"),
    *("pydantic", "pydantic-core", "annotated-types", "typing-inspection"),  # typer's
)
"""As in noxfile.py, which a test cannot import without nox."""
REPOSITORY = Path(package.__file__).parent.parent
SHORT = Blocks(rounds=1, forward_rounds=1, warm_up_rounds=0, seconds=0.0, fewest_steps=32)
TWO_ARMS = TimingChoices(
    architectures=("simple-rnn",), backend=("jax",), device=("cpu",), units=(2,), repeats=3
)

MEASURES = """
import sys
from pathlib import Path
from rnnbench.timing import samples
from rnnbench.timing.screen import TimingScreen
from rnnbench.timing.measure import Blocks
from rnnbench.timing.work import measure_arms
from rnnbench.timing.choices import TimingChoices

samples.MOST_PROCESSES = 1  # precise or not
if __name__ == "__main__":
    choices = TimingChoices(
        architectures=("simple-rnn",), backend=("jax",), device=("cpu",), units=(2,),
        recurrent_dropout=tuple(map(float, sys.argv[1:])), repeats=1,
        export=Path("e.json"), command="a test",
    )
    measure_arms(
        choices, TimingScreen(), Path.cwd(),
        blocks=Blocks(
            rounds=1, forward_rounds=1, warm_up_rounds=0, seconds=0.0, fewest_steps=32
        ),
    )
"""
"""`rnnbench timing` with blocks as short as `SHORT`, of arms with these recurrent dropouts."""


class Lines:
    """Keeps what a workflow says."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.outcomes: list[Outcomes] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def say_waiting(self) -> None:
        raise AssertionError("nothing else is at work in the folder")

    def warn(self, text: str) -> None:
        self.warned.append(text)

    def show_arms(self, session: Session, budget: float) -> None:
        pass

    def show_outcomes(self, outcomes: Outcomes, session: Session) -> None:
        self.outcomes.append(outcomes)

    def show_times(self, part: TimingPart) -> None:
        pass


def make_bare_python(folder: Path) -> Path:
    """An environment with JAX, and what `nox -s wheelhouse` collects, and nothing else."""
    venv.create(folder, with_pip=False)
    (site,) = (folder / "lib").glob("python3*/site-packages")
    for name in (*CARRIED, "jax", "jaxlib", "numpy", "scipy", "opt-einsum"):
        found = distribution(name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "bin")}
        for top in tops - {"__pycache__"}:
            (site / top).symlink_to(found.locate_file(top))
    return folder / "bin" / "python"
