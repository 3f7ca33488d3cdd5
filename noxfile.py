"""The gate: `nox` runs lint, types, tests and docs; `nox -s speed` runs the benchmarks."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests", "docs"]
nox.options.reuse_existing_virtualenvs = True

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
    arguments = session.posargs or ["-m", "not slow and not gpu and not ray"]
    # Two at once, a file each: what a file's tests share is made once.
    session.run("pytest", "-n", "2", "--dist", "loadfile", *arguments)


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


def _install_project(session: nox.Session) -> None:
    session.install(*PINNED, "-e", ".[dev]")
