"""Networks of the user's own under the names that their code has in a folder."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from rnnbench.ledger import Ledger
from rnnbench.specs import PluginForm, RunSpec
from rnnbench.study import Study


def name_networks(study: Study, ledger: Ledger, say: Callable[[str], object]) -> Study:
    """The study with each network under the name that runs of its code have, or a new one.

    Args:
        ledger: that of the folder's runs.
        say: called with a sentence on each that is called otherwise than its file.
    """
    if not study.networks:
        return study
    known = ledger.network_names()
    names = {}
    for old, network in study.networks.items():
        is_new = network.code not in known
        names[old] = known.name(old, network.code)
        if names[old] != old:
            what = f"other code than that of {old}, whose runs stay" if is_new else "as before"
            say(f"network   {network.source.entry} is called {names[old]}: {what}")
    return study.with_network_names(names)


def name_runs(specs: Iterable[RunSpec], study: Study) -> tuple[RunSpec, ...]:
    """The runs with their networks called as the study calls them; fingerprints stay."""
    names = {network.code: network.name for network in study.networks.values()}
    return tuple(
        replace(spec, form=replace(spec.form, name=names[spec.form.code]))
        if isinstance(spec.form, PluginForm) and spec.form.is_of_file
        else spec
        for spec in specs
    )
