"""Finding, fetching and reading the IMDB reviews."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnbench.data import imdb
from rnnbench.data.corpus import Corpus
from rnnbench.errors import DataError


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the data, the caches or the proxy of whoever runs it."""
    monkeypatch.setenv("RNNBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("RNNBENCH_DATA", raising=False)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def write_reviews(path: Path, n_train: int, n_test: int, seed: int = 0) -> Path:
    """A small `imdb.npz` of random reviews, some of them empty."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    for half, n_reviews in (("train", n_train), ("test", n_test)):
        reviews = np.empty(n_reviews, dtype=object)
        reviews[:] = [rng.integers(1, 2_000, n).tolist() for n in rng.integers(0, 40, n_reviews)]
        arrays |= {f"x_{half}": reviews, f"y_{half}": rng.integers(0, 2, n_reviews)}
    np.savez_compressed(path, allow_pickle=True, **arrays)
    return path


# Reading, beside Keras


@pytest.fixture
def assert_as_keras(keras_on_jax: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """That a corpus is what Keras's own code makes of the file, with so many words."""
    from keras.src.datasets import imdb as of_keras

    def check(corpus: Corpus, path: Path, num_words: int | None = None) -> None:
        monkeypatch.setattr(of_keras, "get_file", lambda *args, **kwargs: str(path))
        halves = of_keras.load_data(num_words=num_words)
        for half, (rows, labels) in zip((corpus.train, corpus.test), halves, strict=True):
            known = num_words is None or half.tokens < num_words
            words = np.concatenate([np.array(row, np.int32) for row in rows])
            np.testing.assert_array_equal(np.where(known, half.tokens, 2), words)
            np.testing.assert_array_equal(np.diff(half.offsets), [len(row) for row in rows])
            np.testing.assert_array_equal(half.labels, labels)

    return check


@pytest.mark.parametrize("num_words", [None, 500])
def test_sequences_are_those_of_keras(
    num_words: int | None, assert_as_keras: Callable[..., None], tmp_path: Path
) -> None:
    path = write_reviews(tmp_path / "small.npz", 37, 21)
    corpus = imdb.read_imdb(path)
    assert corpus.name == "imdb"
    assert_as_keras(corpus, path, num_words)


def test_the_sequences_of_the_real_file_are_those_of_keras(
    real_reviews: Corpus, real_imdb: Path, assert_as_keras: Callable[..., None]
) -> None:
    assert real_reviews.name == "imdb"
    assert_as_keras(real_reviews, real_imdb)


def test_a_review_starts_with_1_and_the_rarest_word_is_unknown(tmp_path: Path) -> None:
    one = np.empty(1, dtype=object)
    one[:] = [[4, 6, 5]]
    np.savez(
        tmp_path / "imdb.npz", allow_pickle=True, x_train=one, y_train=[1], x_test=one, y_test=[0]
    )
    assert imdb.read_imdb(tmp_path / "imdb.npz").train.tokens.tolist() == [1, 7, 2, 8]


def test_a_refused_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "imdb.npz").write_bytes(b"<html>404</html>")
    with pytest.raises(DataError, match=r"imdb\.npz is refused: it is not a zip archive"):
        imdb.read_imdb(tmp_path / "imdb.npz")


# Finding


def place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"reviews")
    return path


def test_nothing_is_found_where_nothing_is() -> None:
    assert imdb.find_imdb() is None


def test_a_given_path_may_be_a_file_or_its_folder(tmp_path: Path) -> None:
    named = place(tmp_path / "data" / "imdb.npz")
    other = place(tmp_path / "data" / "reviews.npz")
    assert imdb.find_imdb(tmp_path / "data") == named
    assert imdb.find_imdb(other) == other


def test_the_nearest_place_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded = place(tmp_path / "cache" / "downloads" / "imdb.npz")
    assert imdb.find_imdb() == downloaded
    in_keras = place(tmp_path / "keras" / "datasets" / "imdb.npz")
    assert imdb.find_imdb() == in_keras
    in_data = place(tmp_path / "data" / "imdb.npz")
    monkeypatch.setenv("RNNBENCH_DATA", str(tmp_path / "data"))
    assert imdb.find_imdb() == in_data
    given = place(tmp_path / "given.npz")
    assert imdb.find_imdb(given) == given


def test_a_named_place_without_the_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path / "keras" / "datasets" / "imdb.npz")
    with pytest.raises(DataError, match=r"the given path names .*nowhere, but there is no file"):
        imdb.find_imdb(tmp_path / "nowhere")
    monkeypatch.setenv("RNNBENCH_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"RNNBENCH_DATA names .* no file .*imdb\.npz"):
        imdb.find_imdb()


# Fetching

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Host:
    """A server on loopback that answers request `i` with `answers[i]`, and then with the last."""

    address: str
    answers: list[Callable[[BaseHTTPRequestHandler], None]]
    requests: list[str] = field(default_factory=list)


def answer(status: int = 200, content: bytes = CONTENT, n_sent: int | None = None) -> Any:
    """Sends `content`, or stops short after `n_sent` bytes of it."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        # A client that has heard enough hangs up.
        with suppress(ConnectionError):
            handler.wfile.write(b"" if handler.command == "HEAD" else content[:n_sent])

    return send


def stay_silent(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.recv(1)  # until the client hangs up


@pytest.fixture
def host() -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests.append(f"{self.command} {self.path}")
            found.answers[min(len(found.requests), len(found.answers)) - 1](self)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Host(f"http://127.0.0.1:{server.server_port}/imdb.npz", [answer()])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(host: Host, **changed: Any) -> Path:
    settings: dict[str, Any] = {"address": host.address, "sha256": SHA256, "timeout_s": 5.0}
    return imdb.download_imdb(**settings | {"backoff_s": 0.0} | changed)


def leftovers(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.glob("cache/downloads/*"))


def test_a_download_lands_in_the_cache_and_is_found_there(host: Host, tmp_path: Path) -> None:
    path = fetch(host)
    assert path.read_bytes() == CONTENT
    assert imdb.find_imdb() == path
    assert leftovers(tmp_path) == ["imdb.npz"]


def test_what_is_there_already_is_not_fetched_again(host: Host) -> None:
    assert fetch(host) == fetch(host)
    assert host.requests == ["GET /imdb.npz"]


def test_a_damaged_download_is_replaced(host: Host) -> None:
    path = fetch(host)
    path.write_bytes(b"torn")
    assert fetch(host).read_bytes() == CONTENT


def test_progress_tells_the_bytes_so_far_and_in_all(host: Host) -> None:
    seen: list[tuple[int, int | None]] = []
    fetch(host, on_progress=lambda n_bytes, total: seen.append((n_bytes, total)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [n_bytes for n_bytes, _ in seen] == sorted(n_bytes for n_bytes, _ in seen)


PASSING = {
    "a server's bad moment": answer(503),
    "a broken-off body": answer(n_sent=700_000),
    "no answer": lambda handler: None,
    "silence": stay_silent,
}


@pytest.mark.parametrize("first", PASSING.values(), ids=PASSING.keys())
def test_a_failure_that_may_pass_is_tried_again(host: Host, first: Any, tmp_path: Path) -> None:
    host.answers = [first, first, answer()]
    assert fetch(host, retries=2, timeout_s=0.3).read_bytes() == CONTENT
    assert len(host.requests) == 3
    assert leftovers(tmp_path) == ["imdb.npz"]


def test_retries_come_to_an_end_and_tell_the_reason(host: Host, tmp_path: Path) -> None:
    host.answers = [answer(n_sent=100)]
    reason = r"ended after 100 of 1,024,000 bytes\); set RNNBENCH_DATA .* or use --dataset synth"
    with pytest.raises(DataError, match=reason):
        fetch(host, retries=1)
    assert len(host.requests) == 2
    assert leftovers(tmp_path) == []


def test_a_refusal_is_not_tried_again(host: Host) -> None:
    host.answers = [answer(404)]
    with pytest.raises(DataError, match=r"HTTP 404 Not Found\); set RNNBENCH_DATA"):
        fetch(host)
    assert len(host.requests) == 1


def test_a_file_with_another_hash_is_refused_and_not_kept(host: Host, tmp_path: Path) -> None:
    host.answers = [answer(content=b"<html>sign in to the hotel's network</html>")]
    with pytest.raises(DataError, match=f"gave a file with SHA-256 .*, not {SHA256[:12]}"):
        fetch(host)
    assert leftovers(tmp_path) == []
    assert len(host.requests) == 1


def test_a_body_that_is_far_too_long_is_not_read(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imdb, "MAX_FILE_BYTES", 1_000)
    with pytest.raises(DataError, match="1,024,000 bytes are offered, of at most 1,000"):
        fetch(host)


def test_an_address_beside_the_web_is_refused(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "imdb.npz", 3, 3)
    with pytest.raises(DataError, match="not an http address"):
        imdb.download_imdb(address=path.as_uri(), sha256=SHA256)


# Reaching


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_host_that_answers_is_reached(host: Host) -> None:
    assert imdb.can_reach(host.address)
    assert host.requests == ["HEAD /imdb.npz"]


@pytest.mark.parametrize(("status", "reached"), [(403, False), (404, False), (405, True)])
def test_a_refusal_counts_as_out_of_reach(host: Host, status: int, reached: bool) -> None:
    host.answers = [answer(status)]
    assert imdb.can_reach(host.address) is reached


def test_a_closed_port_is_out_of_reach_at_once() -> None:
    address = f"http://127.0.0.1:{closed_port()}/imdb.npz"
    assert not imdb.can_reach(address, timeout_s=3600)  # more than a test may take


def test_a_name_that_never_resolves_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = threading.Event()

    def hang(*args: object, **kwargs: object) -> Any:
        resolved.wait()
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert not imdb.can_reach("http://reviews.invalid/imdb.npz", timeout_s=0.3)
    resolved.set()


def test_a_proxy_is_used_where_one_is_set(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", host.address.removesuffix("/imdb.npz"))
    assert imdb.can_reach("http://reviews.invalid/imdb.npz")
    assert fetch(host, address="http://reviews.invalid/imdb.npz").read_bytes() == CONTENT
    assert host.requests[0] == "HEAD http://reviews.invalid/imdb.npz"


def test_the_address_and_hash_are_those_of_keras() -> None:
    spec = importlib.util.find_spec("keras")  # without importing it, which takes seconds
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "src" / "datasets" / "imdb.py").read_text()
    folder, name = imdb.KERAS_ADDRESS.rsplit("/", 1)
    assert f'"{folder}/"' in source
    assert name in source
    assert f'"{imdb.KERAS_SHA256}"' in source
