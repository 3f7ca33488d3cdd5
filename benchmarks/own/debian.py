"""Debian's package descriptions, labelled with the section that their package is in.

By Debian's maintainers, and the translators of its description project, each under the free
licence of its package. The texts are those of the suite that this machine's apt is set up for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packages import fetch_index, read_stanzas

_ENGLISH = (
    *("science", "net", "ruby", "admin", "games", "sound"),
    *("text", "fonts", "graphics", "web", "mail", "database"),
)
ENGLISH = {section: section for section in _ENGLISH}
"""Section → class."""

_GROUPS = {
    "programming": ("libs", "libdevel", "devel", "perl", "python", "java", "interpreters", "vcs"),
    "documents": ("text", "editors", "tex", "web", "mail"),
    "media": ("sound", "video", "graphics"),
    "games": ("games",),
    "science": ("science", "math", "electronics", "gnu-r"),
}
TRANSLATED = {section: group for group, sections in _GROUPS.items() for section in sections}
"""Section → class, in fewer and plainer classes: there are a tenth as many texts."""

_SCRIPTS = {"en": "[A-Za-z]", "ko": "[가-힣]", "ja": "[ぁ-んァ-ヶ一-龥]"}
_FEWEST_LETTERS = 30  # of the language: a translation may be a stub of one line


def read_descriptions(folder: Path, language: str, classes: Mapping[str, str]) -> list[list[str]]:
    """Rows of text and class, one package of each source: the others often repeat its words.

    Args:
        classes: by section; packages of other sections are left out.
    """
    descriptions = dict(_descriptions(fetch_index("Translations", folder, language), language))
    rows: list[list[str]] = []
    seen: set[str] = set()
    for package in read_stanzas(fetch_index("Packages", folder)):
        name, section = package["Package"], package.get("Section", "")
        source = package.get("Source", name).split(" ")[0]
        text = descriptions.get(name, "")
        if section not in classes or not text or not seen.isdisjoint((source, text)):
            continue
        seen |= {source, text}
        rows.append([text, classes[section]])
    return rows


def _descriptions(index: str, language: str) -> Iterator[tuple[str, str]]:
    letters = re.compile(_SCRIPTS[language])
    for stanza in read_stanzas(index):
        text = _unfold(stanza, language)
        if len(letters.findall(text)) >= _FEWEST_LETTERS:
            yield stanza["Package"], text


def _unfold(stanza: Mapping[str, str], language: str) -> str:
    """The long description as running text; the short one, its first line, names the section."""
    _, *lines = stanza.get(f"Description-{language}", "").split("\n")
    paragraphs = "\n".join(line.strip() for line in lines).split("\n.\n")
    joint = "" if language == "ja" else " "
    return "\n".join(joint.join(paragraph.split("\n")) for paragraph in paragraphs).strip()
