"""Chromium without a window, as a browser that has never been used."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["NEEDS_CHROMIUM", "browse", "text_of"]

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]


def browse(
    address: str, folder: Path, *options: str, budget_ms: int
) -> subprocess.CompletedProcess[str]:
    """What the browser prints of an address, once it is drawn.

    Args:
        folder: for its profile.
        budget_ms: the time that the page believes to have passed by then.
    """
    assert CHROMIUM is not None
    profile = f"--user-data-dir={folder / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *QUIET, profile, f"--virtual-time-budget={budget_ms}", *options, address],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )


def text_of(page: str) -> str:
    """The words of a page, with single spaces between them."""
    without_style = re.sub(r"<style.*?</style>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", without_style).split())
