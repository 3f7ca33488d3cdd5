"""What `rnnbench data describe` prints: classes and parts, and how much a network would see."""

from collections.abc import Mapping

from rich import box
from rich.table import Column, Table

from rnnbench.data.corpus import PARTS, tell_share
from rnnbench.data.describe import MOST_SHOWN, Findings
from rnnbench.data.rows import shorten
from rnnbench.datasets import DatasetRef
from rnnbench.output.amounts import plural
from rnnbench.page.screen import Screen


def show_description(dataset: DatasetRef, screen: Screen) -> None:
    """Print what was noticed, and the tables."""
    screen.show_dataset(dataset, with_sizes=False)
    found = dataset.findings
    if found is None:
        return
    for table in (
        _classes(found),
        _shares("--max-len", "texts cut", found.cut_texts, found.max_len),
        _shares("--num-words", "words lost", found.lost_words, found.num_words),
    ):
        screen.say("")
        screen.console.print(table)
    screen.say("")
    screen.say(
        f"* chosen from the training part, which has {plural(found.n_words, 'different word')}"
    )


def _classes(found: Findings) -> Table:
    """A row for each of the largest classes, and one for all."""
    table = _table("class", *(_numbers(part) for part in (*PARTS, "share")))
    counts = {name: sum(parts) for name, parts in found.class_counts.items()}
    n_all = sum(counts.values())
    largest = sorted(counts, key=lambda name: -counts[name])[:MOST_SHOWN]
    shown = [name for name in counts if name in largest]
    for name in shown:
        parts = [f"{n:,}" for n in found.class_counts[name]]
        table.add_row(shorten(name), *parts, f"{tell_share(counts[name], n_all)} %")
    if len(shown) < len(counts):
        rest = [parts for name, parts in found.class_counts.items() if name not in shown]
        sums = [f"{sum(column):,}" for column in zip(*rest, strict=True)]
        table.add_row(f"{len(rest)} smaller ones", *sums, "")
    table.add_section()
    table.add_row("all", *(f"{n:,}" for n in found.part_sizes.values()), "100 %")
    return table


def _shares(name: str, what: str, shares: Mapping[int, float], chosen: int) -> Table:
    """The share at several values of an option, side by side."""
    table = _table(name, *(_numbers(f"{n:,}{' *' if n == chosen else ''}") for n in shares))
    table.add_row(what, *(f"{100 * share:.1f} %" for share in shares.values()))
    return table


def _table(*columns: str | Column) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)


def _numbers(title: str) -> Column:
    return Column(title, justify="right", no_wrap=True)
