"""The report's files: the page, as Markdown with figures, tables as CSV, and some as LaTeX."""

import shlex
from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path

from rnnbench.compare.page import paper_tables
from rnnbench.data.files import sweep_folders, temporary_folder
from rnnbench.errors import StoreError
from rnnbench.formats import why_failed
from rnnbench.page.drawing import write_png
from rnnbench.page.latex import render_latex
from rnnbench.page.render import render_html, render_markdown
from rnnbench.reports.compose import Report

FORMATS = ("html", "md", "csv")
LATEX = "latex"
"""The folder of the tables for a paper."""

_BEGUN = ".rnnbench-report-"


def write_report(
    report: Report, folder: Path, formats: Collection[str], *, latex: bool = False
) -> list[Path]:
    """The files written into `folder`, the page first: each is replaced whole or not at all.

    Args:
        latex: the tables for a paper too, of which there are none before a run has finished.

    Raises:
        StoreError: the folder cannot be written to; what was there is as it was.
    """
    contents = _render(report, formats)
    if latex:
        contents |= _render_latex(report)
    try:
        _replace_files(folder, contents)
    except OSError as err:
        raise StoreError(
            f"cannot write the report to {folder} ({why_failed(err)}); choose another folder "
            "with --out"
        ) from err
    return [folder / name for name in contents]


def _render(report: Report, formats: Collection[str]) -> dict[str, bytes]:
    """The bytes of each file by its path in the folder."""
    contents: dict[str, bytes] = {}
    has_csv = "csv" in formats
    if {"html", "md"} & set(formats):
        page = report.page()
        if "html" in formats:
            contents["index.html"] = render_html(page, has_csv=has_csv).encode()
        if "md" in formats:
            contents["index.md"] = render_markdown(page, has_csv=has_csv).encode()
            for picture in page.pictures:
                contents[f"figures/{picture.name}.png"] = write_png(picture.figure)
    if has_csv:
        contents |= {f"tables/{name}.csv": text.encode() for name, text in report.tables().items()}
    return contents


def _render_latex(report: Report) -> dict[str, bytes]:
    """The same of the tables for a paper."""
    command = shlex.join(("rnnbench", "report", report.study, "--latex"))
    made_by = f"rnnbench {version('rnnbench')}: {command}"
    found = paper_tables(report.comparison) if report.comparison else ()
    texts = {
        paper.name: render_latex(
            paper, study=report.study, made_by=made_by, warnings=report.warnings
        )
        for paper in found
    }
    return {f"{LATEX}/{name}.tex": text.encode() for name, text in texts.items()}


def _replace_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes all files aside, then renames them into place, what links to others last."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep_folders(folder, _BEGUN)
    # Inside the folder, because a rename works within one file system only.
    with temporary_folder(folder, _BEGUN) as aside:
        for name, content in contents.items():
            path = aside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for name in reversed(list(contents)):
            (folder / name).parent.mkdir(exist_ok=True)
            (aside / name).replace(folder / name)
