"""The gate: `nox` runs lint, types, tests and docs; CONTRIBUTING.md tells of the rest."""

from __future__ import annotations

import shutil
import sys

import nox
from packaging.requirements import Requirement

nox.options.sessions = ["lint", "types", "tests", "docs"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "uv|virtualenv"

CARRIED = (
    *("keras", "namex", "optree", "absl-py", "h5py", "ml-dtypes", "packaging", "typing-extensions"),
    *("typer", "click", "annotated-doc", "shellingham", "rich", "markdown-it-py", "mdurl"),
    *("pygments", "filelock", "platformdirs", "threadpoolctl"),
    *("pydantic", "pydantic-core", "annotated-types", "typing-inspection"),  # typer's
)
"""What a machine with JAX or PyTorch alone lacks for `rnnbench timing`."""

PINNED = ("-c", "constraints.txt")
INSTALL = ("--no-compile", *PINNED)
"""Bytecode is made of what is imported, which is little of what is installed."""

UNTYPED = ("tensorflow", "keras", "pyarrow", "scipy", "scikit-learn", "pandas")
"""Dependencies that carry no types, so that mypy learns nothing from them."""


# Two at once take their tests from each other's end: no file is the last that all wait for.
AT_ONCE = ("-n", "2", "--dist", "worksteal")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(*INSTALL, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over the package, the benchmarks and this file."""
    needed: list[str] = nox.project.load_toml("pyproject.toml")["project"]["dependencies"]
    typed = [each for each in needed if Requirement(each).name not in UNTYPED]
    session.install(*INSTALL, *typed, "mypy", "nox")
    session.run("mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The tests of the gate, two at once; `-- tests/test_study.py` runs those of one file."""
    session.install(*INSTALL, "-e", ".[test]")
    session.run("pytest", *(session.posargs or AT_ONCE))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site strictly: a broken link is an error."""
    session.install(*INSTALL, "mkdocs-material")
    # Not --quiet: it hides the warnings from --strict too.
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "true"})


@nox.session
def coverage(session: nox.Session) -> None:
    """The same tests, and which lines of the package they run; below 91 % is an error."""
    session.install(*INSTALL, "-e", ".[test]")
    session.run(
        "pytest", *AT_ONCE, "--cov", "--cov-report=term:skip-covered", "--cov-fail-under=91"
    )


@nox.session
def campaign(session: nox.Session) -> None:
    """What takes too long for the gate: kills by the dozen, full disks, servers that die, Ray.

    Every documented command too, and the contracts with programs as XLA optimises them. PostgreSQL
    is tested where Debian's package of that name is, small disks where root may mount them.
    """
    session.install(*INSTALL, "-e", ".[test,ray]", "psycopg[binary]")
    session.run("pytest", *AT_ONCE, "--optimised", "-m", "campaign", *session.posargs)
    if not session.posargs:
        session.run("pytest", *AT_ONCE, "--optimised", "tests/contract")


@nox.session
def speed(session: nox.Session) -> None:
    """The side-by-side benchmarks; takes about an hour, on a machine that does nothing else."""
    session.install(*INSTALL, "-e", ".")
    session.run("python", "benchmarks/speed/run_all.py", *session.posargs)
    session.run("python", "benchmarks/speed/whole_study.py")


@nox.session(venv_backend="virtualenv")  # has pip, which collects wheels for other machines
def wheelhouse(session: nox.Session) -> None:
    """Wheels for a GPU machine without internet: `nox -s wheelhouse -- 3.12`."""
    version = (
        session.posargs[0] if session.posargs else f"{sys.version_info[0]}.{sys.version_info[1]}"
    )
    folder = f"wheelhouse/{version}"
    shutil.rmtree(folder, ignore_errors=True)  # wheels of two kinds stop the whole install
    session.run("python", "-m", "pip", "wheel", "--no-deps", "-w", folder, ".")
    glibc = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(17, 29)]
    session.run(
        *("python", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", folder),
        *(f"--python-version={version}", "--implementation=cp", "--platform=any", *glibc),
        *("--platform=manylinux2014_x86_64", "--platform=manylinux1_x86_64", *PINNED),
        *CARRIED,
    )
