"""The documentation's pages, and the commands that they name."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in DOCS.glob("*.md")))


def documented_commands() -> list[str]:
    """Every `rnnbench` command in a shell block, comments left out, each once."""
    found: dict[str, None] = {}
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            for line in block.splitlines():
                words = line.split("  #")[0].split(" # ")[0].strip()
                # Installing the completion would change the shell's own files.
                if words.startswith("rnnbench ") and "--install-completion" not in words:
                    found[words] = None
    return list(found)
