"""Servers that go wrong in every way a server can, one address behind which each of them can be."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from itertools import count as numbers

from project import PATIENCE_S, Project

__all__ = ["BROKEN", "DEAD", "Gateway", "open_gateway", "tracked_at"]

Behaviour = Callable[[socket.socket], None]
"""What a server does with one connection; it is over when the client hangs up."""

DEAD = "nobody listens"
_DRIP_S = 2.0
_LATE_S = 20.0


class Gateway:
    """One address behind which there is a broken server, or a sound one.

    Args:
        sound: host and port of the sound one.
    """

    def __init__(self, sound: tuple[str, int] | None = None) -> None:
        self._sound = sound
        self._behaviour: Behaviour = self._pass_on
        self._pause_s = 0.0
        self._listener: socket.socket | None = None
        self.port = 0

    def break_as(self, name: str) -> str:
        """Be broken as `BROKEN` tells from now on; the address that a client uses."""
        self._listen()
        if name == DEAD:
            self.close()
        else:
            self._behaviour = BROKEN[name]
        return f"{'https' if name.startswith('TLS') else 'http'}://127.0.0.1:{self.port}"

    def mend(self, pause_s: float = 0.0) -> str:
        """Be the sound server from now on, each answer so late; its address here."""
        self._listen()
        self._behaviour, self._pause_s = self._pass_on, pause_s
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = int(self._listener.getsockname()[1])
            threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            self._behaviour(connection)

    def _pass_on(self, connection: socket.socket) -> None:
        assert self._sound is not None
        with closing(socket.create_connection(self._sound)) as sound:
            pipe = threading.Thread(
                target=_pipe, args=(sound, connection, self._pause_s), daemon=True
            )
            pipe.start()
            _pipe(connection, sound)
            pipe.join()


@contextmanager
def open_gateway(sound: tuple[str, int] | None = None) -> Iterator[Gateway]:
    """A gateway on a free port while the block runs."""
    with closing(Gateway(sound)) as gateway:
        yield gateway


def tracked_at(project: Project, address: str) -> Project:
    """The project with its runs tracked there."""
    return replace(project, environment=project.environment | {"MLFLOW_TRACKING_URI": address})


def _pipe(source: socket.socket, target: socket.socket, pause_s: float = 0.0) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            time.sleep(pause_s)
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _say(answer: bytes) -> Behaviour:
    """The same answer to every request, then the end of the connection."""

    def behave(connection: socket.socket) -> None:
        _read_request(connection)
        connection.sendall(answer)

    return behave


def _answer(
    body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def _endless(head: bytes, piece: bytes, *, pause_s: float = 0.0) -> Behaviour:
    """A piece again and again, until the client hangs up."""

    def behave(connection: socket.socket) -> None:
        _read_request(connection)
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause_s)

    return behave


def _read_request(connection: socket.socket) -> bytes:
    """The request with its body, so that a client never waits for us to take it."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            missing = int(line.partition(b":")[2]) - len(body)
            while missing > 0 and (piece := connection.recv(65536)):
                missing -= len(piece)
    return request


def _never_answer(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def _take_nothing(connection: socket.socket) -> None:
    """Neither read nor answered."""
    time.sleep(PATIENCE_S)


def _hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def _answer_late(connection: socket.socket) -> None:
    _read_request(connection)
    time.sleep(_LATE_S)
    connection.sendall(_answer(b"{}"))


def _redirect(connection: socket.socket) -> None:
    _read_request(connection)
    connection.sendall(_answer(b"", status="307 Temporary Redirect", more="Location: /again\r\n"))


def _page_for_ever(connection: socket.socket) -> None:
    """Every search finds a page full of runs, and there is always another page."""
    request = _read_request(connection)
    tags = [{"key": "rnnbench.kind", "value": "run"}, {"key": "padding", "value": "x" * 2000}]
    info = {"run_id": "0" * 32, "experiment_id": "1", "status": "FINISHED"}
    run = {"info": info, "data": {"tags": tags}}
    experiment = {"experiment_id": "1", "name": "small", "lifecycle_stage": "active"}
    answer: dict[str, object] = {"experiment": experiment, "experiments": [experiment], "run": run}
    if b"search" in request.split(b"\r\n")[0]:
        answer |= {"runs": [run] * 1000, "next_page_token": str(next(_PAGES))}
    connection.sendall(_answer(json.dumps(answer).encode()))


def _shout(connection: socket.socket) -> None:
    """An error of a megabyte, in which there is what a terminal obeys."""
    _read_request(connection)
    text = "\x1b[2J\x1b]0;title\x07\r\n" + "very wrong\x00 " * 100_000
    body = json.dumps({"error_code": "INTERNAL_ERROR", "message": text}).encode()
    connection.sendall(_answer(body, status="500 Internal Server Error"))


_PAGES = numbers()
_OPEN_END = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_UNAVAILABLE = "503 Service Unavailable"
_MEBIBYTE = b" " * 2**20
_ZEROS = gzip.compress(bytes(2**30 // 8), 9) * 32  # members one after the other: 4 GiB
_TWICE = gzip.compress(_ZEROS, 9)

BROKEN: Mapping[str, Behaviour] = {
    DEAD: _hang_up,
    "503, come back in an hour": _say(
        _answer(b"{}", status=_UNAVAILABLE, more="Retry-After: 3600\r\n")
    ),
    "429, come back in an hour": _say(
        _answer(b"{}", status="429 Too Many Requests", more="Retry-After: 3600\r\n")
    ),
    "a body that drips": _endless(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" ", pause_s=_DRIP_S
    ),
    "headers that drip": _endless(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y", pause_s=_DRIP_S),
    "an endless body": _endless(_OPEN_END, _MEBIBYTE),
    "an endless chunked body": _endless(_CHUNKED, b"100000\r\n" + _MEBIBYTE + b"\r\n"),
    "an endless body with a 503": _endless(f"HTTP/1.1 {_UNAVAILABLE}\r\n\r\n".encode(), _MEBIBYTE),
    "an endless line of a header": _endless(b"HTTP/1.1 200 OK\r\nX-Long: ", _MEBIBYTE),
    "a flood of headers": _endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 1000),
    "for ever 100 Continue": _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a gzip bomb": _say(_answer(_ZEROS, more="Content-Encoding: gzip\r\n")),
    "a gzip bomb within another": _say(_answer(_TWICE, more="Content-Encoding: gzip, gzip\r\n")),
    "pages without end": _page_for_ever,
    "never answers": _never_answer,
    "takes nothing": _take_nothing,
    "answers late": _answer_late,
    "hangs up at once": _hang_up,
    "hangs up within the body": _say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
    "a page of a portal": _say(_answer(b"<html>log in, please</html>", kind="text/html")),
    "an image": _say(_answer(b"\x89PNG\r\n\x1a\n\x00", kind="image/png")),
    "no JSON": _say(_answer(b'{"experiment": {')),
    "a list for an object": _say(_answer(b"[1, 2]")),
    "an empty object": _say(_answer(b"{}")),
    "an object of another shape": _say(
        _answer(b'{"experiment": {"experiment_id": "1", "name": [5]}, "run": 7, "runs": {}}')
    ),
    "ids without runs": _say(_answer(b'{"experiment": {"experiment_id": "1"}}')),
    "a nest of lists": _say(_answer(b"[" * 2_000_000)),
    "redirects to itself": _redirect,
    "401": _say(_answer(b"who are you?", status="401 Unauthorized", kind="text/plain")),
    "500 that shouts": _shout,
    "no HTTP": _say(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "TLS that is never shaken": _never_answer,
    "TLS that drips": _endless(b"\x16\x03\x03\x40\x00", b"\x02", pause_s=_DRIP_S),
}
"""By what goes wrong."""
