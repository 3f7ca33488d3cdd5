"""Everything that can go wrong, as one tree.

RnnbenchError                what a user can act on; its text is one sentence
├── UsageError               bad input: exit code 2
│   ├── ArchiveError         a study from elsewhere that is refused
│   ├── StudyError           a study, an architecture or a value that cannot be
│   └── ArmError             options of a timing arm that exclude each other
├── UnavailableError         data or service not reachable: exit code 3
│   ├── DataError            the reviews are missing, damaged or refused
│   └── StoreError           the tracking store cannot be used
│       └── DamagedError     a file of the ledger cannot be read
└── WorkerError              a worker process ended without a word
"""

import difflib
from collections.abc import Iterable

from rnnbench.output.characters import sentence

MOST_SHOWN = 200  # characters of a name that came
MOST_TOLD = 1000  # characters of a sentence


class RnnbenchError(Exception):
    """Base of every error that the program raises on purpose."""

    def __str__(self) -> str:
        """The sentence; of what came from outside, however long, its beginning and its end."""
        text = sentence(super().__str__())
        return text if len(text) <= MOST_TOLD else f"{text[: MOST_TOLD - 300]} … {text[-250:]}"

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of the traceback; IPython asks for it by this name."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(RnnbenchError):
    """The request cannot be carried out as it was written."""


class ArchiveError(UsageError):
    """A file that should hold a study is damaged, foreign, or holds what is refused."""


class StudyError(UsageError):
    """A study, an architecture or a hyperparameter has a value that cannot be."""


class ArmError(UsageError):
    """Options of an arm that are sound by themselves and cannot go together."""


class UnavailableError(RnnbenchError):
    """Something outside the program is missing or does not answer."""


class DataError(UnavailableError):
    """The reviews are missing, damaged, or hold something that is refused."""


class StoreError(UnavailableError):
    """The tracking store, or the folder that holds it, cannot be used."""


class DamagedError(StoreError):
    """A file of the ledger is torn, foreign or a link; the message names it."""


class WorkerError(RnnbenchError):
    """A worker process ended without saying why."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """A sentence that names what came, the nearest valid name, and all valid ones."""
    choices = sorted(known)
    name = name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 1]}…"
    nearest = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    hint = f" (did you mean '{nearest[0]}'?)" if nearest else ""
    return f"unknown {kind} '{name}'{hint}; choose from {', '.join(choices)}"
