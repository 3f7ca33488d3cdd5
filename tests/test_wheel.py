"""The wheel holds what the program needs outside a checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from project import PATIENCE_S

ROOT = Path(__file__).parent.parent
LOADS = """
import json
import rnnbench
from rnnbench.study_files import bundled_files, load_study
from rnnbench.tuning.space import load_space
from rnnbench.timing.choices import TimingChoices
from rnnbench.timing.plan import with_defaults

studies, spaces = bundled_files(""), bundled_files("spaces")
for name in studies.keys() - {"timing"}:
    assert load_study(name).architectures
for name in spaces:
    load_space(name)
with_defaults(TimingChoices())
print(json.dumps([rnnbench.__file__, sorted(studies), sorted(spaces)]))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel alone; what it depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE_S)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    pip = [folder / "env" / "bin" / "python", "-m", "pip", "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, wheel], check=True, capture_output=True, timeout=PATIENCE_S)
    (site,) = (folder / "env" / "lib").glob("python3*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "env"


def test_each_bundled_study_and_space_is_loaded_from_the_wheel(
    environment: Path, tmp_path: Path
) -> None:
    words = [environment / "bin" / "python", "-c", LOADS]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    place, studies, spaces = json.loads(done.stdout)
    assert Path(place).is_relative_to(environment)
    assert studies == sorted(path.stem for path in (ROOT / "benchmarks").glob("*.toml"))
    assert spaces == sorted(path.stem for path in (ROOT / "benchmarks" / "spaces").glob("*.toml"))


def test_the_installed_command_lists_the_studies(environment: Path, tmp_path: Path) -> None:
    words = [environment / "bin" / "rnnbench", "list", "studies"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert "engines" in done.stdout
