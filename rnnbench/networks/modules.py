"""The modules of a network's kept code.

Each network has modules of its own: what it imports from its folder is in no way seen by another.
They stand in `sys.modules` under names that no import has, for those who look a class's up there.
"""

from __future__ import annotations

import builtins
import hashlib
import linecache
import sys
from types import ModuleType
from typing import Any

from rnnbench.sources import Source


class Modules:
    """The modules of a source, each carried out when it is first imported."""

    def __init__(self, source: Source) -> None:
        self._files = source.modules()
        self._family = f"_rnnbench_{hashlib.sha256(source.to_json()).hexdigest()[:12]}"
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
        module = ModuleType(f"{self._family}.{name}")
        is_package = file.endswith("__init__.py")
        module.__file__, module.__package__ = file, name if is_package else package
        vars(module)["__builtins__"] = self._builtins
        if is_package:
            module.__path__ = []
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        self._known[name] = sys.modules[module.__name__] = module
        try:
            exec(compile(text, file, "exec", dont_inherit=True), vars(module))
        except BaseException:
            del self._known[name], sys.modules[module.__name__]
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
