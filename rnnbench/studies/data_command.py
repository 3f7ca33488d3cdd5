"""`rnnbench data`: have reviews in the cache, say what is in a file, show what is cached."""

from shlex import quote
from typing import Annotated

import typer

from rnnbench.options import Dataset, Json, OwnFileChoices, flatten, given, this_command
from rnnbench.output.characters import plain

data = typer.Typer(
    no_args_is_help=True, help="Fetch reviews, describe your own file, or show what is cached."
)


@data.command("fetch")
def fetch(dataset: Dataset = "imdb") -> None:
    """Download (IMDB) or generate (synthetic) the reviews and prepare them."""
    from rnnbench.datasets import resolve_dataset
    from rnnbench.page.screen import Screen

    screen = Screen()
    found = resolve_dataset(dataset or "imdb", screen.downloaded)
    if found.notice:
        screen.warn(found.notice)
    screen.say(f"{found.name} ({found.origin}) is ready, content {found.fingerprint}")


@data.command("describe")
@flatten
def describe(
    file: Annotated[str, typer.Argument(help="Your .csv, .tsv, .jsonl or .parquet file.")],
    own: OwnFileChoices,
    json: Json = False,
) -> None:
    """Show what would be read from a file: columns, classes, words, lengths, duplicates."""
    from rnnbench.data.tables import OwnChoices
    from rnnbench.datasets import find_table, resolve_dataset
    from rnnbench.page.consoles import print_json
    from rnnbench.page.screen import Screen

    choices = OwnChoices(**given(own))
    found = resolve_dataset(str(find_table(file)), own=choices)
    if json:
        print_json(found)
        return
    screen = Screen()
    screen.show_dataset(found)
    again = this_command().replace("data describe", "run --all", 1)
    word = plain(quote(file))
    again = again.replace(f" {word}", f" --dataset {word}", 1)
    screen.say(f"To train on it: {again}")


@data.command("show")
def show(json: Json = False) -> None:
    """Show what is cached, with its fingerprint."""
    from rich.table import Table

    from rnnbench.data.cache import cache_folder, list_corpora
    from rnnbench.output.amounts import size
    from rnnbench.page.consoles import open_console, print_json

    corpora = list_corpora()
    if json:
        print_json(corpora)
        return
    console = open_console()
    console.print(f"cache: {cache_folder()}", soft_wrap=True)
    if not corpora:
        console.print("empty; `rnnbench data fetch` fills it")
        return
    table = Table("name", "fingerprint", "training half", "test half", "size")
    for entry in corpora:
        halves = (str(entry.n_train), str(entry.n_test))
        table.add_row(entry.name, entry.fingerprint[:16], *halves, size(entry.n_bytes))
    console.print(table)
