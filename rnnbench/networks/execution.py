"""Kept code carried out, in a process of our own: never in the one that was asked."""

from __future__ import annotations

import random
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import numpy as np

from rnnbench.errors import StudyError
from rnnbench.networks.modules import Modules
from rnnbench.networks.reading import source_digest
from rnnbench.output.characters import named_line
from rnnbench.sources import module_name
from rnnbench.specs import PluginForm

BUILD_SECONDS = 300.0  # an import may fetch weights from elsewhere
Build = Callable[..., object]
# How Keras begins or ends its account of what a layer raised.
_SIGNS = ("Exception encountered when calling", "Error encountered:")


def find_function(form: PluginForm) -> Build:
    """The function of the user's that builds the form, once its file has been carried out anew.

    So nothing that one build leaves in its modules, a layer or where a generator stands, comes to
    the next. What a file draws from Python's or NumPy's global generator is the same every time.

    Raises:
        StudyError: its code is not here, is not what was noted, or cannot be carried out.
    """
    source = form.source
    if source is None:
        raise StudyError(
            f"the code of {form.name} is not here: it is kept beside a run as network.json"
        )
    if source_digest(source) != form.code:
        raise StudyError(f"the code of {form.name} is not what its run was made with")
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # the file may draw from it
    with telling(form, "cannot be imported"):
        module = Modules(source).load(module_name(source.entry))
    found = getattr(module, source.function, None)
    if not callable(found):
        raise StudyError(f"{form.name}: its file has no function {source.function} once imported")
    build: Build = found
    return build


@contextmanager
def telling(form: PluginForm, what: str) -> Iterator[None]:
    """Say what the code raises in the block in one sentence, with its line.

    Raises:
        StudyError: it raised, or would have ended the process.
    """
    try:
        with _limited():
            yield
    except StudyError:
        raise
    except SystemExit as err:
        raise StudyError(
            f"{form.name} {what}: {line_of(form, err)} ends the program ({named_line(err)}); "
            "a file that builds a network must not"
        ) from err
    except (Exception, KeyboardInterrupt) as err:  # whatever a user's code raises
        place = line_of(form, err)
        raise StudyError(
            f"{form.name} {what}: {place + ': ' if place else ''}{_why(unwrap_error(err))}"
        ) from err


def _why(err: BaseException) -> str:
    if isinstance(err, ImportError) and "tensorflow" in str(err):
        return (
            "tensorflow can be imported only where it is the back end; import from keras "
            "(`from keras.layers import LSTM`), or use --backend tensorflow"
        )
    return named_line(err)


@contextmanager
def _limited() -> Iterator[None]:
    """Raise a TimeoutError in the block where it takes too long; in a main thread only.

    A block within another has as long again; the other's time stands still meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"not done after {BUILD_SECONDS:g} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    # Again each second, where the code catches it.
    left = signal.setitimer(signal.ITIMER_REAL, BUILD_SECONDS, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *left)


def unwrap_error(err: BaseException) -> BaseException:
    """What the layer itself raised, where Keras gives an account of its own."""
    while err.__context__ is not None and any(sign in str(err) for sign in _SIGNS):
        err = err.__context__
    return err


def line_of(form: PluginForm, err: BaseException) -> str:
    """`net.py, line 7`: the last line of the user's that led to an error; empty if none did."""
    if form.source is None:
        return ""
    names = dict(form.source.files)
    if isinstance(err, SyntaxError) and err.filename in names:
        return f"{err.filename}, line {err.lineno}"
    frames = [
        frame
        for each in _chain(err)
        for frame in traceback.extract_tb(each.__traceback__)
        if frame.filename in names
    ]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def _chain(err: BaseException | None) -> list[BaseException]:
    """The error and those before it, the first one last."""
    found: list[BaseException] = []
    while err is not None and err not in found:
        found.append(err)
        err = err.__cause__ or err.__context__
    return found
