"""Kept code carried out, in a process of our own: never in the one that was asked.

Each network has modules of its own: what it imports from its folder is in no way seen by another,
and `sys.modules` stays as it is.
"""

from __future__ import annotations

import builtins
import linecache
import random
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from rnnbench.errors import StudyError
from rnnbench.networks.reading import source_digest
from rnnbench.output.characters import named_line
from rnnbench.sources import Source, module_name
from rnnbench.specs import PluginForm

BUILD_SECONDS = 300.0  # an import may fetch weights from elsewhere
Build = Callable[..., object]
# How Keras begins or ends its account of what a layer raised.
_SIGNS = ("Exception encountered when calling", "Error encountered:")
_loaded: dict[Source, Modules] = {}


class Modules:
    """The modules of a source, each carried out when it is first imported."""

    def __init__(self, source: Source) -> None:
        self._files = source.modules()
        self._known: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> ModuleType:
        """The module of that name, one of the source's."""
        if name in self._known:
            return self._known[name]
        package = name.rpartition(".")[0]
        if package in self._files:
            self.load(package)
        file, text = self._files[name]
        module = ModuleType(name)
        is_package = file.endswith("__init__.py")
        module.__file__, module.__package__ = file, name if is_package else package
        vars(module)["__builtins__"] = self._builtins
        if is_package:
            module.__path__ = []
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        self._known[name] = module
        try:
            exec(compile(text, file, "exec", dont_inherit=True), vars(module))
        except BaseException:
            del self._known[name]
            raise
        if package in self._known:
            setattr(self._known[package], name.rpartition(".")[2], module)
        return module

    def _import(
        self,
        name: str,
        globals_: Any = None,  # Any: as Python's own takes them
        locals_: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> ModuleType:
        whole = name
        if level:
            around = (globals_ or {}).get("__package__") or ""
            parts = around.split(".") if around else []
            whole = ".".join([*parts[: len(parts) - level + 1], *([name] if name else [])])
        top = whole.partition(".")[0]
        if not self._has(top):
            return builtins.__import__(name, globals_, locals_, fromlist, level)
        if not self._has(whole):
            raise ModuleNotFoundError(f"No module named '{whole}'", name=whole)
        module = self._reach(whole)
        for each in fromlist or ():
            if not hasattr(module, each) and self._has(f"{whole}.{each}"):
                setattr(module, each, self._reach(f"{whole}.{each}"))
        return module if fromlist else self._reach(top)

    def _has(self, name: str) -> bool:
        """Whether it is a module of the source, or a folder of such."""
        return name in self._files or any(file.startswith(f"{name}.") for file in self._files)

    def _reach(self, name: str) -> ModuleType:
        """The module, as an attribute of the package around it."""
        package, _, last = name.rpartition(".")
        if name in self._files:
            module = self.load(name)
        else:
            module = self._known.setdefault(name, ModuleType(name))  # a folder without __init__
        if package:
            setattr(self._reach(package), last, module)
        return module


def find_function(form: PluginForm) -> Build:
    """The function of the user's that builds the form, once its file has been carried out.

    What a file draws from Python's or NumPy's global generator is the same every time.

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
    if source not in _loaded:
        modules = Modules(source)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002  # the file may draw from it
        with telling(form, "cannot be imported"):
            modules.load(module_name(source.entry))
        _loaded[source] = modules
    module = _loaded[source].load(module_name(source.entry))
    found = getattr(module, source.function, None)
    if not callable(found):
        raise StudyError(f"{form.name}: its file has no function {source.function} once imported")
    build: Build = found
    return build


def forget(form: PluginForm) -> None:
    """Have the next `find_function` carry the file out anew."""
    if form.source is not None:
        _loaded.pop(form.source, None)


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
            f"{form.name} {what}: {place + ': ' if place else ''}{named_line(unwrap_error(err))}"
        ) from err


@contextmanager
def _limited() -> Iterator[None]:
    """Raise a TimeoutError in the block where it takes too long; in a main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def give_up(_: int, __: FrameType | None) -> None:
        raise TimeoutError(f"not done after {BUILD_SECONDS:g} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, BUILD_SECONDS, 1)  # again, where the code catches it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


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
