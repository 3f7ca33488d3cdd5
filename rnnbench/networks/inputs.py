"""What a network's code reads when it runs: no part of what a run is."""

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rnnbench.networks.reading import source_digest
from rnnbench.output.amounts import some
from rnnbench.sources import Source
from rnnbench.specs import Form, PluginForm

_READERS = {
    *("open", "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "read_text", "read_bytes"),
    *("read_csv", "read_parquet", "load_model", "load_weights", "urlopen", "getenv"),
}
"""What reads a file or a variable of the environment, where it is called."""
_MOST_LISTED = 3


def tell_inputs(forms: Iterable[Form]) -> list[str]:
    """A sentence on each network of the user's own whose code names what reads from outside."""
    networks = {form.code: form for form in forms if isinstance(form, PluginForm)}
    found = (
        (form.name, [*_places(form.source)])
        for form in networks.values()
        if form.source is not None
    )
    return [
        f"{name} reads from outside when it runs ({some(places, _MOST_LISTED)}), which is no part "
        "of what a run is: change it, and new runs are averaged with the old"
        for name, places in found
        if places
    ]


def _places(source: Source) -> Iterator[str]:
    for file, text in source.files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of `"\d"`
            body = ast.parse(text).body
        for statement in body:
            words = [*_readers(statement)]
            if words and _counts(source, file, statement):
                yield from (f"{word} in line {line} of {file}" for line, word in words)


def _readers(statement: ast.stmt) -> Iterator[tuple[int, str]]:
    """The line and the word of all that reads."""
    for node in ast.walk(statement):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in _READERS:
            yield called.lineno, called.attr
        elif isinstance(called, ast.Name) and called.id in _READERS - {"load"}:
            yield called.lineno, called.id
        elif isinstance(node, ast.Attribute | ast.Name):
            word = node.attr if isinstance(node, ast.Attribute) else node.id
            if word == "environ":
                yield node.lineno, word


def _counts(source: Source, file: str, statement: ast.stmt) -> bool:
    """Whether the network is another one without the statement, and so carries it out."""
    lines = dict(source.files)[file].splitlines()
    first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
    lines[first:last] = [""] * (last - first)
    files = {**dict(source.files), file: "\n".join(lines)}
    return source_digest(replace(source, files=tuple(files.items()))) != source_digest(source)
