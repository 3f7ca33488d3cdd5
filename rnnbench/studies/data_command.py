"""`rnnbench data`: have reviews in the cache, say what is in a file, show what is cached."""

from shlex import quote
from typing import Annotated

import typer

from rnnbench.errors import UsageError
from rnnbench.options import Json, flatten, this_command
from rnnbench.output.characters import plain
from rnnbench.own_options import Dataset, OwnFileChoices

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
    file: Annotated[
        str | None,
        typer.Argument(help="Your file or folder, or - for standard input; --train names it too."),
    ] = None,
    json: Json = False,
    *,
    own: OwnFileChoices,
) -> None:
    """Show what would be read from your texts, and what may spoil a result."""
    from rnnbench.datasets import describe_table
    from rnnbench.page.consoles import print_json
    from rnnbench.page.screen import Screen
    from rnnbench.studies.description import show_description

    named = own.dataset(file)
    if named is None:
        raise UsageError("nothing to describe: name a file, a folder, or - for standard input")
    found = describe_table(named, own.reading())
    if json:
        print_json(found)
        return
    screen = Screen()
    show_description(found, screen)
    again = this_command().replace("data describe", "run --all", 1)
    word = plain(quote(file)) if file else ""
    again = again.replace(f" {word}", f" --dataset {word}", 1) if file else again
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
