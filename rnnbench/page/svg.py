"""SVG files as parts of an HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

__all__ = ["embed_svg"]

_REFERENCE = re.compile(r"^#([\w.-]+)$|url\(#([\w.-]+)\)")
_FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*")


def embed_svg(drawn: bytes, *, name: str, alt: str, variables: Mapping[str, str]) -> str:
    """An `<svg>` element that several of can stand in one page.

    Its identifiers begin with `name`; its size and font are the page's; colours that are keys of
    `variables` become CSS variables, so that dark mode can change them.

    Args:
        drawn: a file as matplotlib writes it, texts as text.
        alt: read aloud in place of the drawing.
    """
    root = ElementTree.fromstring(drawn)
    _remove(root, {"metadata", "style"})
    used = set(_references(root))
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _rewrite(value, name, variables)
            for key, value in element.attrib.items()
            if key != "id" or value in used
        }
        if "id" in element.attrib:
            element.attrib["id"] = f"{name}-{element.attrib['id']}"
    view = root.get("viewBox", "")
    root.attrib = {"viewBox": view, "role": "img", "aria-label": alt}
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    """`{namespace}name` without its namespace: HTML knows it by the element."""
    return name.rpartition("}")[2]


def _remove(element: Element, names: set[str]) -> None:
    for child in list(element):
        if _local(child.tag) in names:
            element.remove(child)
        else:
            _remove(child, names)


def _references(root: Element) -> Iterator[str]:
    """The identifiers that something in the drawing points to."""
    for element in root.iter():
        for value in element.attrib.values():
            for whole, inside in _REFERENCE.findall(value):
                yield whole or inside


def _rewrite(value: str, name: str, variables: Mapping[str, str]) -> str:
    """An attribute that points to this figure's identifiers, in the page's colours and font."""
    if value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = _FONT_FAMILY.sub("", value.replace("url(#", f"url(#{name}-"))
    for colour, variable in variables.items():
        value = value.replace(colour, f"var({variable})")
    return value
