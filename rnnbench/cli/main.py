"""`rnnbench`: the entry point."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from rnnbench.cli import commands
from rnnbench.errors import RnnbenchError, UnavailableError, UsageError

__all__ = ["app", "main"]

EXIT_FAILED, EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="rnnbench",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train recurrent networks on film reviews, or texts of your own, across seeds, and "
    "compare them honestly.",
    epilog="Every command takes --quiet, for warnings and errors alone, and --debug, which shows "
    "the traceback of an error.",
)
commands.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rnnbench {version('rnnbench')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; never shows a traceback unless `--debug` is given."""
    debug = "--debug" in sys.argv
    if "--quiet" in sys.argv:
        os.environ["RNNBENCH_QUIET"] = "1"
    arguments = [word for word in sys.argv[1:] if word not in ("--debug", "--quiet")]
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _refuse_two_datasets(arguments)
        app(arguments)
    except RnnbenchError as err:
        if debug:
            raise
        typer.secho(f"error: {err}", err=True, fg=typer.colors.RED)
        raise SystemExit(_exit_code(err)) from None
    except KeyboardInterrupt:
        typer.secho("interrupted", err=True)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(EXIT_FAILED) from None
    except Exception as err:
        if debug:
            raise
        typer.secho(
            f"error: {type(err).__name__}: {err}\nThis is a defect of rnnbench; "
            "the same command with --debug shows where.",
            err=True,
            fg=typer.colors.RED,
        )
        raise SystemExit(EXIT_FAILED) from None


def _refuse_two_datasets(arguments: Sequence[str]) -> None:
    """Of an option given twice the last one counts, which here would pass over texts in silence."""
    if sum(word.partition("=")[0] == "--dataset" for word in arguments) > 1:
        from rnnbench.data.unreadable import ONE_FILE

        raise UsageError(f"--dataset is given twice and takes one file; {ONE_FILE}")


def _exit_code(err: RnnbenchError) -> int:
    if isinstance(err, UsageError):
        return EXIT_USAGE
    return EXIT_UNAVAILABLE if isinstance(err, UnavailableError) else EXIT_FAILED


def _interrupt(*_: Any) -> None:  # Any: a signal's number and frame
    raise KeyboardInterrupt
