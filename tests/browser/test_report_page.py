"""The report's page in a real browser: opened from disk, alone, at two widths."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import chromium
import pytest
from chromium import NEEDS_CHROMIUM, text_of
from made_reports import HOSTILE, changed, make_report, make_responses

from rnnbench.reports.writer import write_report

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = changed(make_report(hostile=HOSTILE), responses=make_responses())
    (path,) = write_report(report, tmp_path_factory.mktemp("report"), ["html"])
    return path


def test_the_page_tells_the_verdicts(page: Path, tmp_path: Path) -> None:
    words = text_of(browse(page, tmp_path, "--dump-dom").stdout)
    for verdict in ("better, about the margin", "supported", "contradicted", "not measured"):
        assert verdict in words
    assert "textbook&lt;script&gt;alert(1)&lt;/script&gt;" in words


def test_no_console_error_and_no_request(page: Path, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    done = browse(page, tmp_path, "--dump-dom", f"--log-net-log={log}", "--enable-logging=stderr")
    assert "CONSOLE" not in done.stderr, done.stderr
    assert requests_in(log) == []


def test_the_console_is_heard(page: Path, tmp_path: Path) -> None:
    """The test above would pass on a browser that says nothing: this one speaks."""
    broken = tmp_path / "broken.html"
    text = page.read_text("utf-8")
    broken.write_text(text.replace("</body>", "<script>alert(1)</script></body>"), "utf-8")
    done = browse(broken, tmp_path, "--dump-dom", "--enable-logging=stderr")
    assert "CONSOLE" in done.stderr
    assert "Content Security Policy" in done.stderr


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_never_scrolls_sideways(page: Path, width: int, tmp_path: Path) -> None:
    """In a frame, because headless Chromium has no window narrower than 500 pixels."""
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)), "utf-8")
    (tmp_path / "page.html").write_bytes(page.read_bytes())
    options = ("--dump-dom", "--allow-file-access-from-files", "--window-size=1600,1000")
    found = re.search(r"<title>(.*?)</title>", browse(frame, tmp_path, *options).stdout)
    assert found is not None
    shown, needed = json.loads(found[1])
    assert shown == width
    assert needed <= shown


FRAME = """<!DOCTYPE html><title>?</title>
<iframe src="page.html" style="width: WIDTHpx; height: 900px; border: 0"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {
  const root = frame.contentDocument.documentElement;
  document.title = JSON.stringify([frame.clientWidth, root.scrollWidth]);
};
</script>
"""


def browse(page: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return chromium.browse(page.as_uri(), folder, *options, budget_ms=10_000)


def requests_in(log: Path) -> list[str]:
    """The addresses that the page itself asked for, over any network."""
    text = log.read_text("utf-8")
    addresses = re.findall(r'"url":"((?:https?|wss?|ftp)://[^"]+)"', text)
    # The browser's own housekeeping, which no page causes.
    own = ("google.com", "googleapis.com", "gvt1.com")
    return sorted({a for a in addresses if not any(host in a.split("/")[2] for host in own)})
