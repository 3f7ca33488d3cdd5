"""The gate: `nox` runs lint, types, tests and docs; `nox -s speed` runs the benchmarks."""

from __future__ import annotations

import shutil
import sys

import nox

nox.options.sessions = ["lint", "types", "tests", "docs"]
nox.options.reuse_existing_virtualenvs = True

CARRIED = (
    *("keras", "namex", "optree", "absl-py", "h5py", "ml-dtypes", "packaging", "typing-extensions"),
    *("typer", "click", "annotated-doc", "shellingham", "rich", "markdown-it-py", "mdurl"),
    *("pygments", "filelock", "platformdirs", "threadpoolctl"),
    *("pydantic", "pydantic-core", "annotated-types", "typing-inspection"),  # typer's
)
"""What a machine with JAX or PyTorch alone lacks for `rnnbench timing`."""

PINNED = ("-c", "constraints.txt")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install(*PINNED, "ruff")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over the package, the benchmarks and this file."""
    _install_project(session)
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Every test but the slow ones: `nox -s tests -- -m slow` runs those."""
    _install_project(session)
    _run_tests(session)


@nox.session
def coverage(session: nox.Session) -> None:
    """The same tests, and which lines of the package they run; below 90 % is an error."""
    _install_project(session)
    _run_tests(session, "--cov", "--cov-report=term:skip-covered", "--cov-fail-under=90")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site strictly: a broken link is an error."""
    session.install(*PINNED, "mkdocs-material")
    # Not --quiet: it hides the warnings from --strict too.
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "true"})


@nox.session
def speed(session: nox.Session) -> None:
    """The side-by-side benchmarks; takes about an hour, on a machine that does nothing else."""
    _install_project(session)
    session.run("python", "benchmarks/speed/run_all.py", *session.posargs)
    session.run("python", "benchmarks/speed/whole_study.py")


@nox.session
def cluster(session: nox.Session) -> None:
    """The tests on a Ray cluster, and on PostgreSQL where Debian's package of that name is."""
    session.install(*PINNED, "-e", ".[dev,ray]", "psycopg[binary]")
    session.run("pytest", "-m", "ray", *session.posargs)


@nox.session
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


def _run_tests(session: nox.Session, *options: str) -> None:
    arguments = session.posargs or ["-m", "not slow and not gpu and not ray"]
    # Two at once, a file each: what a file's tests share is made once.
    session.run("pytest", "-n", "2", "--dist", "loadfile", *options, *arguments)


def _install_project(session: nox.Session) -> None:
    session.install(*PINNED, "-e", ".[dev]")
