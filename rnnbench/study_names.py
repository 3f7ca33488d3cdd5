"""What a study may be called: its name is a folder's and an MLflow experiment's too."""

import hashlib
import unicodedata

from rnnbench.errors import StudyError

_MOST_CHARACTERS = 64
_MOST_BYTES = 200  # in UTF-8; file systems take 255 for a name
_CUSTOM = "-custom"
_DIGITS = 6  # of a digest, enough to tell a person's files apart


def check_study_name(name: str) -> str:
    """The name in composed letters, so that it is one however it was typed.

    Raises:
        StudyError: it could not be a folder.
    """
    name = unicodedata.normalize("NFC", name)
    if not (name[:1].isalnum() and all(map(_is_safe, name)) and _fits(name)):
        raise StudyError(
            "a study's name takes letters of any script, digits, '.', '_' and '-' only, starts "
            f"with a letter or digit, and has {_MOST_CHARACTERS} characters at most, got '{name}'"
        )
    return name


def name_after_file(study: str, stem: str) -> str:
    """`textbook-reviews`: what a study is called on a file of the user's of that stem.

    Another for each stem, and short enough that `-custom` can follow.
    """
    whole = unicodedata.normalize("NFC", f"{study}-{stem}")
    safe = "".join(c if _is_safe(c) else "-" for c in whole).rstrip("-._")
    if safe == whole and _fits(safe + _CUSTOM) and not safe.endswith(_CUSTOM):
        return safe
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    while not _fits(f"{safe}-{digest}{_CUSTOM}"):
        safe = safe[:-1]
    return f"{safe.rstrip('-._')}-{digest}"


def _is_safe(character: str) -> bool:
    return (
        character.isalnum()
        or character in "._-"
        or unicodedata.category(character).startswith("M")  # vowels of Hindi and others
    )


def _fits(name: str) -> bool:
    return len(name) <= _MOST_CHARACTERS and len(name.encode()) <= _MOST_BYTES
