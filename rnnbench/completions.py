"""What a shell offers when TAB is pressed: architectures, studies and runs, each with a few words.

Each function takes what is typed so far. What a folder holds and cannot be read is not offered.
"""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_Offers = Iterable[tuple[str, str]]


def offer_architectures(incomplete: str) -> Iterator[tuple[str, str]]:
    """Names of presets and of installed plug-ins."""
    from rnnbench.architectures import architecture_names

    return _beginning_with(incomplete, ((name, "") for name in architecture_names()))


def offer_studies(incomplete: str) -> Iterator[tuple[str, str]]:
    """The bundled studies, and TOML files of this folder that are studies."""
    from rnnbench.errors import StudyError
    from rnnbench.study_files import bundled_studies, load_study

    own = {path.name: path for path in sorted(Path.cwd().glob("*.toml"))}
    for name, path in {**bundled_studies(), **own}.items():
        if name.startswith(incomplete):
            with suppress(StudyError):  # another program's TOML file
                yield name, load_study(path).description


def offer_begun_studies(incomplete: str) -> Iterator[tuple[str, str]]:
    """The studies that have runs in this folder."""
    from rnnbench.errors import StoreError
    from rnnbench.ledger import Ledger

    with suppress(StoreError):
        names = sorted(Ledger(Path.cwd(), writable=False).studies())
        yield from _beginning_with(incomplete, ((name, "") for name in names))


def offer_runs(incomplete: str) -> Iterator[tuple[str, str]]:
    """The architectures that have runs in this folder; the runs, once one letter is typed."""
    from rnnbench.architectures import display_name, name_without_units
    from rnnbench.errors import RnnbenchError
    from rnnbench.ledger import Ledger

    with suppress(RnnbenchError):
        found = [(each, each.spec()) for each in Ledger(Path.cwd(), writable=False).entries()]
        names = dict.fromkeys(
            name_without_units(spec.form) if spec.data.is_own else display_name(spec.form)
            for _, spec in found
        )
        plain = ((name, "the best run of it") for name in names if name == shlex.quote(name))
        yield from _beginning_with(incomplete, plain)  # no shell quotes what it is offered
        if incomplete:
            runs = (
                (each.fingerprint, f"{display_name(spec.form)}, seed {spec.seed}, {each.study}")
                for each, spec in found
            )
            yield from _beginning_with(incomplete, runs)


def _beginning_with(incomplete: str, offers: _Offers) -> Iterator[tuple[str, str]]:
    return (offer for offer in offers if offer[0].startswith(incomplete))
