"""`rnnbench`: every command by its name; the exit codes; what becomes of an error."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Annotated, Any

import typer

from rnnbench.errors import RnnbenchError, UnavailableError, UsageError
from rnnbench.formats import why_failed
from rnnbench.output.characters import sentence
from rnnbench.output.streams import output_problem, steady_output
from rnnbench.published.command import reproduce
from rnnbench.reports.command import report
from rnnbench.runs.command import evaluate, export, import_, list_, predict, relocate, show, ui
from rnnbench.studies.command import doctor, plan, run
from rnnbench.studies.data_command import data
from rnnbench.timing.command import timing
from rnnbench.tuning.command import tune

EXIT_FAILED, EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 2, 3, 130

_Refused: Any = next(  # Any: click's own, of which some versions of typer have a copy
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)

app = typer.Typer(
    name="rnnbench",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train recurrent networks on film reviews, or texts of your own, across seeds, and "
    "compare them honestly.",
    epilog="Every command takes --quiet, for warnings and errors alone, and --debug, which shows "
    "the traceback of an error. Exit codes: 0 fine, 1 some runs failed, 2 bad input, 3 data or a "
    "server not reachable or standard output full, 130 interrupted.",
)
# As the help orders them. Each is light: what it does is imported when it is called.
_COMMANDS: Mapping[str, Callable[..., None]] = {
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
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
app.add_typer(data, name="data")


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
    """Run the command line; never shows a traceback unless `--debug` is given.

    What cannot be printed ends no command. A reader that has left, as `head` does, is no fault; a
    full disk under standard output is one, told when the work is done.
    """
    _leave_ascii()
    steady_output()
    debug = "--debug" in sys.argv
    if "--quiet" in sys.argv:
        os.environ["RNNBENCH_QUIET"] = "1"
    arguments = [word for word in sys.argv[1:] if word not in ("--debug", "--quiet")]
    signal.signal(signal.SIGTERM, _interrupt)
    code = _carry_out(arguments, debug=debug)
    problem = output_problem()
    if problem is not None:
        reason = why_failed(problem)
        _say_error(f"standard output could not be written ({reason}); everything else was done")
        code = code or EXIT_UNAVAILABLE
    raise SystemExit(code)


def _leave_ascii() -> None:
    """Begin again in Python's UTF-8 mode where the locale is ASCII, which cannot name most files.

    What is printed stays ASCII.
    """
    if sys.getfilesystemencoding() == "ascii":
        os.environ |= {"PYTHONUTF8": "1"}
        os.environ.setdefault("PYTHONIOENCODING", "ascii:backslashreplace")
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def _carry_out(arguments: list[str], *, debug: bool) -> int:
    """The exit code of the command."""
    try:
        _refuse_repeated(arguments)
        return app(arguments, standalone_mode=False) or 0
    except _Refused as err:
        if said := err.format_message():  # no words: the help was shown instead
            _say_error(f"{said} (--help shows what there is)")
        return EXIT_USAGE
    except RnnbenchError as err:
        if debug:
            raise
        _say_error(str(err))
        return _exit_code(err)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except Exception as err:
        if debug:
            raise
        _say_error(
            f"{type(err).__name__}: {err}; this is a bug in rnnbench; run the same command with "
            "--debug to see where"
        )
        return EXIT_FAILED


def _say_error(text: str) -> None:
    typer.secho(f"error: {sentence(text)}", err=True, fg=typer.colors.RED)


def _refuse_repeated(arguments: Sequence[str]) -> None:
    """Texts in several files: of an option given twice the last one alone would count."""
    options = [word.partition("=")[0] for word in takewhile(lambda word: word != "--", arguments)]
    twice = [name for name in ("--dataset", "--train", "--test") if options.count(name) > 1]
    if twice:
        from rnnbench.data.unreadable import SEVERAL_FILES

        raise UsageError(f"{twice[0]} takes one file; of several files, {SEVERAL_FILES}")


def _exit_code(err: RnnbenchError) -> int:
    if isinstance(err, UsageError):
        return EXIT_USAGE
    return EXIT_UNAVAILABLE if isinstance(err, UnavailableError) else EXIT_FAILED


def _interrupt(*_: Any) -> None:  # Any: a signal's number and frame
    raise KeyboardInterrupt
