"""What is taken of a server's answer."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3 import HTTPResponse
from urllib3.util import Retry

from rnnbench.tracking.answers import LARGEST_ANSWER, bounded

TOO_MUCH = LARGEST_ANSWER + 1


class Endless(io.RawIOBase):
    """Zeros; it fails where more is read than must be."""

    n_read = 0

    def read(self, n: int = -1) -> bytes:
        assert n > 0, "read to the end"
        self.n_read += n
        assert self.n_read < LARGEST_ANSWER + 2**20
        return bytes(n)

    def readinto(self, buffer: Any) -> int:
        buffer[:] = self.read(len(buffer))
        return len(buffer)


class Answering(HTTPAdapter):
    """Stands for the network."""

    raw: HTTPResponse

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        return self.build_response(request, self.raw)


def get(body: Any, stream: bool = False, **headers: str) -> requests.Response:
    adapter = bounded(Answering)(max_retries=Retry(1, status_forcelist=[503]))
    adapter.raw = HTTPResponse(body, headers=headers, status=200, preload_content=False)
    with requests.Session() as session:
        session.mount("http://", adapter)
        return session.get("http://host/", stream=stream)


def test_an_answer_is_taken_whole() -> None:
    assert get(io.BytesIO(b"{}" * 99)).content == b"{}" * 99
    packed = gzip.compress(b"[1, 2]")
    assert get(io.BytesIO(packed), **{"Content-Encoding": "gzip"}).json() == [1, 2]


def packed(times: int) -> Iterator[tuple[bytes, str]]:
    body = bytes(TOO_MUCH)
    for n in range(1, times + 1):
        body = gzip.compress(body)
        yield body, ", ".join(["gzip"] * n)


@pytest.mark.parametrize(("body", "encoding"), [*packed(2)], ids=["once", "twice"])
def test_an_answer_that_unpacks_to_too_much_is_refused(body: bytes, encoding: str) -> None:
    with pytest.raises(RequestException, match="an answer of more than 8 MiB"):
        get(io.BytesIO(body), **{"Content-Encoding": encoding})


def test_an_endless_answer_is_refused() -> None:
    with pytest.raises(RequestException, match="an answer of more than 8 MiB"):
        get(Endless())


def test_a_stream_is_left_to_the_caller() -> None:
    assert next(get(Endless(), stream=True).iter_content(9)) == bytes(9)


def test_an_error_is_not_asked_for_again_and_no_server_says_when_to_come_back() -> None:
    once = bounded(HTTPAdapter)(max_retries=Retry(2, status_forcelist=[503], allowed_methods=None))
    assert not once.max_retries.is_retry("GET", 503, has_retry_after=True)
    assert once.max_retries.connect is None
    assert once.max_retries.total == 2
    assert once.max_retries.allowed_methods == Retry.DEFAULT_ALLOWED_METHODS
    assert bounded(type(once)) is type(once)
