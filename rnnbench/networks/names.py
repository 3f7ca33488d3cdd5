"""What networks of the user's own are called: one name for one code, one code for one name."""

import re
from collections.abc import Iterable

from rnnbench.specs import PluginForm

_VERSION = re.compile(r" v[0-9]+$")


class NetworkNames:
    """The names in use.

    Args:
        forms: those of runs that are kept.
    """

    def __init__(self, forms: Iterable[PluginForm]) -> None:
        self._by_code: dict[str, str] = {}
        for form in forms:
            if form.is_of_file:
                self._by_code.setdefault(form.code, form.name)

    def __contains__(self, code: str) -> bool:
        """Whether runs of that code have a name."""
        return code in self._by_code

    def later(self, name: str) -> list[str]:
        """The names of what became of a network when it was edited, the oldest first."""
        base = _VERSION.sub("", name)
        versions = [each for each in self._by_code.values() if _VERSION.sub("", each) == base]
        return sorted((each for each in versions if _number(each) > _number(name)), key=_number)

    def name(self, wanted: str, code: str) -> str:
        """What the code is called from here on: as before, else `wanted`, or `wanted v2`."""
        if code not in self._by_code:
            base, used = _VERSION.sub("", wanted), {*self._by_code.values()}
            name, version = base, 1
            while name in used:
                version += 1
                name = f"{base} v{version}"
            self._by_code[code] = name
        return self._by_code[code]


def _number(name: str) -> int:
    found = _VERSION.search(name)
    return int(found[0].removeprefix(" v")) if found else 1
