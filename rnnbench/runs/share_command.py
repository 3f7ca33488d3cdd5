"""`rnnbench export`, `import` and `relocate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnnbench.options import here

__all__ = ["export", "import_", "relocate"]


def export(
    study: Annotated[str, typer.Argument(help="The study's name, as `rnnbench list runs` has it.")],
    file: Annotated[Path, typer.Argument(help="The zip file to be written.")],
) -> None:
    """Write a study's runs into one file, for another machine."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.share import export_study

    export_study(study, file, Screen(), here())


def import_(
    file: Annotated[Path, typer.Argument(help="What `rnnbench export` wrote elsewhere.")],
) -> None:
    """Take in the runs of another machine, each once; the file is checked before anything is."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.share import import_study

    import_study(file, Screen(), here())


def relocate() -> None:
    """Mend artifact addresses in MLflow after this folder was moved or copied, as run and ui do."""
    from rnnbench.page.screen import Screen
    from rnnbench.runs.share import relocate_store

    relocate_store(Screen(), here())
