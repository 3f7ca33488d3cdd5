"""Optuna's journal changed by the hundred: read, or refused in a sentence that names it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from made_searches import carry_out, open_search
from project import Count

from rnnbench.errors import RnnbenchError
from rnnbench.tuning.storage import JOURNAL

pytestmark = pytest.mark.campaign
N_TIMES = 500
JUNK = (None, 3, -1, "x", [], {}, [1], {"a": 1}, True, 1e308, 10**30, "9" * 200)


def test_a_changed_journal_is_read_or_refused(tmp_path: Path, count: Count) -> None:
    carry_out(tmp_path, trials=8)
    path = tmp_path / JOURNAL
    content = path.read_bytes()
    for seed in range(N_TIMES):
        path.write_bytes(change(content, random.Random(seed)))
        (tmp_path / f"{JOURNAL}.lock").unlink(missing_ok=True)
        refusal = ""
        try:
            search = open_search(tmp_path)
            search.next_batch()
            search.pruning()([1.0] * 12)
        except RnnbenchError as err:
            refusal = str(err)
        is_named = JOURNAL in refusal or "was started with other settings" in refusal
        assert not refusal or is_named, f"seed {seed}: {refusal}"
        count(f"a changed journal {'refused' if refusal else 'read'}")


def change(content: bytes, draw: random.Random) -> bytes:
    """Cut off, bytes flipped, a line or a value of it replaced, left out, doubled or moved."""
    kind = draw.randrange(7)
    if kind == 0:
        return content[: draw.randrange(len(content))]
    if kind == 1:
        flipped = bytearray(content)
        for _ in range(draw.choice((1, 3, 20))):
            flipped[draw.randrange(len(flipped))] = draw.randrange(256)
        return bytes(flipped)
    lines = content.splitlines()
    at = draw.randrange(len(lines))
    values = json.loads(lines[at])
    inner = [part for part in values.values() if isinstance(part, dict) and part]
    changed = draw.choice(inner) if kind == 2 and inner else values
    key = draw.choice(list(changed))
    if kind == 6:
        lines[at:at] = draw.choice(([], [lines[0]], [lines[at]]))
        del lines[draw.randrange(len(lines))]
    elif kind == 5:
        del changed[key]
        lines[at] = json.dumps(values).encode()
    elif kind == 4:
        lines[at] = json.dumps(draw.choice(JUNK)).encode()
    else:
        changed[key] = draw.choice(JUNK)
        lines[at] = json.dumps(values).encode()
    return b"\n".join([*lines, b""])
