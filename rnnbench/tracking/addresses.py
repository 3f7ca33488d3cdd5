"""Addresses of stores, and what stores say, as they may be shown: short, and without passwords."""

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from rnnbench.output.characters import plain

_USER = re.compile(r"(?<=://)(?!/)[^\s'\"<>]*@")
_QUERY = re.compile(r"([?&;][\w.%+-]+=)[^\s'\"<>&;]+")
_NAMED = re.compile(r"(?i)\b(\w*(?:password|passwd|pwd|token|secret)=)[^\s'\"<>&;,)]+")
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
_SHORTEST_SECRET = 4  # what is shorter would be found in every other word
_LONGEST_TEXT = 5000


def mask(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """A text without the users, passwords and parameters of the addresses in it.

    Args:
        environ: what it says of the tracking store is hidden wherever it stands, since a password
            that cannot be parsed comes back in pieces.
    """
    for secret in sorted(_secrets(environ), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _USER.sub("***@", text)
    return _NAMED.sub(r"\1***", _QUERY.sub(r"\1***", text))


def show_address(address: str) -> str:
    """A store's address for people and for files; the path of a database here is left as it is."""
    return address if address.startswith("sqlite:///") else mask(address)


def reason(err: BaseException, longest: int = 200) -> str:
    """What an exception says: one line that a terminal shows as it is, without passwords.

    Of an error of the network it is what the system said first, not what others made of that.

    Args:
        longest: in characters; a server's answer may be part of it.
    """
    first = _first_network_error(err)
    text = str(getattr(first, "strerror", None) or first or type(err).__name__)
    lines = [plain(line.strip()) for line in mask(text[:_LONGEST_TEXT]).splitlines()]
    line = next((line for line in lines if line), type(err).__name__)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _first_network_error(err: BaseException) -> BaseException:
    found, above = err, err.__cause__ or err.__context__
    while above is not None:
        found = above if isinstance(above, OSError) else found
        above = above.__cause__ or above.__context__
    return found


def _secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """The password of the tracking store, whole and in the pieces that a parser makes of it."""
    user, at, _ = environ.get("MLFLOW_TRACKING_URI", "").partition("://")[2].rpartition("@")
    name, colon, password = user.partition(":")
    given = [password if colon else name if at else "", *(environ.get(key, "") for key in _SECRETS)]
    for secret in given:
        for piece in (secret.strip(), unquote(secret), *re.split(r"[/?#@:\s]", secret)):
            if len(piece) >= _SHORTEST_SECRET:
                yield piece
