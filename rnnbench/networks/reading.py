"""A network of the user's own, read from a file without running it."""

from __future__ import annotations

import ast
import re
import sys
import tokenize
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from rnnbench.errors import StudyError
from rnnbench.formats import FormatError, read_bytes, why_failed
from rnnbench.networks.parameters import Parameter, read_parameters
from rnnbench.output.amounts import some
from rnnbench.output.characters import first_line
from rnnbench.plugin_code import Code, trace_code
from rnnbench.sources import MOST_OF_A_NETWORK_NAME, MOST_SOURCE_BYTES, Source, module_name
from rnnbench.specs import Argument, PluginForm

_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<function>.*))?", re.DOTALL)
MOST_LISTED = 5  # functions in a sentence
# A file beside the network is never taken for one of these.
_OTHERS = {*sys.stdlib_module_names, "keras", "numpy", "jax", "tensorflow", "torch", "rnnbench"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A function of the user's that builds a network.

    Args:
        name: what its runs are called: `net.py:build`.
        code: a digest of what its code does.
        line: of its `def` in the file.
    """

    name: str
    source: Source
    code: str
    line: int
    parameters: tuple[Parameter, ...]

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.source.entry}, line {self.line}"

    @property
    def kinds(self) -> Mapping[str, type | None]:
        """The type of each of its hyperparameters, by name; None where any will do."""
        return {parameter.name: parameter.kind for parameter in self.parameters}

    def form(self, **hyperparameters: Argument) -> PluginForm:
        """The form with some hyperparameters; those that it needs may be missing.

        Raises:
            StudyError: a value of a type that it does not take.
        """
        defaults = {p.name: p.default for p in self.parameters if p.default is not None}
        try:
            given = {
                parameter.name: parameter.check(hyperparameters[parameter.name])
                for parameter in self.parameters
                if parameter.name in hyperparameters
            }
        except StudyError as err:
            raise StudyError(f"{self.name} ({self.place}): {err}") from err
        return PluginForm(
            name=self.name,
            arguments=tuple({**defaults, **given}.items()),
            code=self.code,
            defaults=tuple(defaults.items()),
            source=self.source,
        )

    def refuse_missing(self, given: Sequence[str]) -> None:
        """See that every hyperparameter that has no default was given.

        Raises:
            StudyError: one was not.
        """
        for parameter in self.parameters:
            if parameter.is_needed and parameter.name not in given:
                raise StudyError(
                    f"{self.name} ({self.place}) needs '{parameter.name}', which nobody gave; add "
                    f"--set {parameter.name}=…, or give it a default"
                )

    def renamed(self, name: str) -> Network:
        """The same network, called otherwise."""
        return replace(self, name=name)


def names_file(architecture: str) -> bool:
    """Whether somebody means a file by that, and no architecture by its name."""
    return bool(_FILE.fullmatch(architecture)) or (
        "/" in architecture and Path(architecture.partition(":")[0]).exists()
    )


def read_networks(architectures: Iterable[str | Network]) -> list[str | Network]:
    """The same, each name of a file as its network.

    Raises:
        StudyError: a file that cannot be read, or two networks of one name.
    """
    found = [
        read_network(given) if isinstance(given, str) and names_file(given) else given
        for given in architectures
    ]
    codes: dict[str, str] = {}
    for each in found:
        if isinstance(each, Network) and codes.setdefault(each.name, each.code) != each.code:
            raise StudyError(
                f"two networks of this study are called {each.name} and differ; rename one of the "
                "files or functions"
            )
    return found


def read_network(words: str) -> Network:
    """The network that `net.py:build` names, or `net.py` where it has one function alone.

    The path is relative to the folder of the command.

    Raises:
        StudyError: no such file or function, or it cannot be read.
    """
    match = _FILE.fullmatch(words)
    path = Path(match["path"] if match else words.partition(":")[0])
    if path.is_dir():
        raise StudyError(f"{path} is a folder; name a file in it and its function: net.py:build")
    if match is None:
        raise StudyError(f"{path} is no Python file; name one and its function: net.py:build")
    tree, _ = _parse(path)
    function = _choose(tree, path, match["function"])
    return network_of(path.name, function, _gather(path, function))


def network_of(file: str, function: str, source: Source) -> Network:
    """The network of a function whose code has been gathered.

    Raises:
        StudyError: its name is none that a run can have.
    """
    name = f"{file.removesuffix('.py') if file == NOTEBOOK else file}:{function}"
    if not name.isprintable() or len(name) > MOST_OF_A_NETWORK_NAME:
        raise StudyError(
            f"the name of a network takes {MOST_OF_A_NETWORK_NAME} printable characters, got "
            f"{name[:200]!r}; rename the file"
        )
    tree = ast.parse(dict(source.files)[source.entry])
    found = functions_of(tree)[function]
    try:
        parameters = read_parameters(found, tree)
    except StudyError as err:
        raise StudyError(f"{file}: {err}") from err
    return Network(
        name=name,
        source=source,
        code=source_digest(source),
        line=found.lineno,
        parameters=parameters,
    )


NOTEBOOK = "notebook.py"
"""What the code of a notebook's cells is kept as."""


def source_digest(source: Source) -> str:
    """The digest of what a kept function does: the one that its runs have as `code`."""
    modules = source.modules()

    def find(name: str) -> Code | None:
        if name not in modules:
            return None
        file, text = modules[name]
        return Code(text.encode(), file.endswith("__init__.py"))

    return trace_code(find, module_name(source.entry), source.function, is_of_file=True)[1]


def functions_of(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions of a module, by name, the last of each."""
    return {item.name: item for item in tree.body if isinstance(item, ast.FunctionDef)}


def gather_around(folder: Path, file: str, text: str, function: str) -> Source:
    """The source of a function whose file has that text, with what it imports from a folder.

    Raises:
        StudyError: one of the files cannot be read, or they are too large.
    """
    module = module_name(file)
    texts = {module: (file, text)}

    def find(name: str) -> Code | None:
        if name not in texts and (path := _find_beside(folder, name)) is not None:
            texts[name] = (path.relative_to(folder).as_posix(), _parse(path)[1])
        if name not in texts:
            return None
        return Code(texts[name][1].encode(), texts[name][0].endswith("__init__.py"))

    try:
        found, _ = trace_code(find, module, function, is_of_file=True)
        return Source(file, function, tuple(sorted(texts[name] for name in found)))
    except FormatError as err:
        raise StudyError(f"{file}: with what it imports from its folder, {err}") from err
    except RecursionError as err:
        raise StudyError(f"{file} is nested too deeply to be read") from err


def _gather(path: Path, function: str) -> Source:
    return gather_around(path.parent, path.name, _parse(path)[1], function)


def _choose(tree: ast.Module, path: Path, function: str | None) -> str:
    functions = functions_of(tree)
    public = [name for name in functions if not name.startswith("_")]
    if function is None and len(public) == 1:
        return public[0]
    if function in functions:
        return str(function)
    listed = some([f"{path.name}:{name}" for name in public], MOST_LISTED)
    if not public:
        raise StudyError(f"{path} has no function; write one that returns the network's layers")
    if not function:
        raise StudyError(
            f"{path} has several functions; name the one that builds the network: {listed}"
        )
    strange = _kind_of(tree, function)
    raise StudyError(f"{path} has no function '{function[:100]}'{strange}; its functions: {listed}")


def _kind_of(tree: ast.Module, name: str) -> str:
    """What else a file has under that name."""
    for item in tree.body:
        if isinstance(item, ast.ClassDef) and item.name == name:
            return f" (line {item.lineno} has a class; write a function that returns its layers)"
        if isinstance(item, ast.AsyncFunctionDef) and item.name == name:
            return f" (line {item.lineno} has an async one, which cannot be called)"
        if isinstance(item, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in item.targets
        ):
            return f" (line {item.lineno} assigns it; write it as a def)"
    return ""


def _find_beside(folder: Path, module: str) -> Path | None:
    """The file that an import of that name means in a folder."""
    parts = module.split(".")
    if parts[0] in _OTHERS or not all(part.isidentifier() for part in parts):
        return None
    place = folder.joinpath(*parts)
    for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if path.is_file():
            return path
    return None


def _parse(path: Path) -> tuple[ast.Module, str]:
    """The file's tree and its text.

    Raises:
        StudyError: it cannot be read, or is not Python; with the line.
    """
    try:
        content = read_bytes(path, MOST_SOURCE_BYTES)
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        text = content.decode(encoding).replace("\r\n", "\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `"\d"`, an error where filters make it one
            return ast.parse(text), text
    except FileNotFoundError as err:
        raise StudyError(
            f"there is no file {path}; name one and its function: net.py:build"
        ) from err
    except (OSError, FormatError) as err:
        raise StudyError(f"{path} cannot be read: {why_failed(err)}") from err
    except SyntaxError as err:
        line = f", line {err.lineno}" if err.lineno else ""
        raise StudyError(f"{path}{line} is not valid Python: {err.msg}") from err
    except (ValueError, LookupError) as err:  # a zero byte, bytes of another encoding
        raise StudyError(f"{path} is no Python text: {first_line(err)}") from err
    except (RecursionError, MemoryError) as err:
        raise StudyError(f"{path} is nested too deeply to be read") from err
