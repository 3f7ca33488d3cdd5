"""Standard output and standard error that end no command, whatever is written and wherever to."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Self, TextIO, cast

from rnnbench.output.characters import encodable, plain_lines

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class SteadyStream:
    """A text stream that takes every character, and goes on where nothing can be written.

    Args:
        stream: what is written to; it stays open.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.problem: Exception | None = None
        """What first kept something from being written."""

    def write(self, text: str) -> int:
        """Write what can be; the number of characters that came."""
        encoding = getattr(self._stream, "encoding", None)
        self._attempt(lambda: self._stream.write(encodable(text, encoding)))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand over what was kept back."""
        self._attempt(self._stream.flush)

    @property
    def buffer(self) -> BinaryIO:
        """Takes bytes, which come out as text does."""
        return cast(BinaryIO, _Bytes(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()

    def __getattr__(self, name: str) -> Any:  # Any: whatever the stream has
        if name == "detach":  # a way round
            raise AttributeError(f"a {type(self).__name__} has no {name}")
        return getattr(self._stream, name)

    def _attempt(self, call: Callable[[], object]) -> None:
        try:
            call()
        except (OSError, ValueError) as err:  # ValueError: it was closed
            self.problem = self.problem or err


class PlainStream(SteadyStream):
    """The same for text from anywhere: nothing but lines and colours reaches a terminal.

    What moves the cursor on purpose is written to `steady`.
    """

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(stream)
        self.steady = SteadyStream(stream)

    def write(self, text: str) -> int:
        """Write the text, made plain."""
        super().write(plain_lines(text))
        return len(text)


def steady(stream: IO[str]) -> IO[str]:
    """The stream, so that styled text which is plain already never fails in it."""
    if isinstance(stream, PlainStream):
        return cast(IO[str], stream.steady)
    return stream if isinstance(stream, SteadyStream) else cast(IO[str], SteadyStream(stream))


def steady_output() -> None:
    """From here on nothing that this process writes to its standard streams ends it."""
    _open_what_is_closed()
    sys.stdout, sys.stderr = _plain(sys.stdout), _plain(sys.stderr)


def output_problem() -> Exception | None:
    """What kept something from being written to standard output; a reader that left is none."""
    out = sys.stdout
    if not isinstance(out, PlainStream):
        return None
    out.flush()
    problem = out.problem or out.steady.problem
    return None if isinstance(problem, BrokenPipeError) else problem


class _Bytes(io.BufferedIOBase):
    """The bytes of a text, in UTF-8 or else the stream's own encoding."""

    def __init__(self, stream: SteadyStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        found = bytes(data)
        try:
            text = found.decode()
        except UnicodeDecodeError:
            text = found.decode(self._stream.encoding or "ascii", "backslashreplace")
        self._stream.write(text)
        return len(found)

    def flush(self) -> None:
        self._stream.flush()


class _Nowhere(io.TextIOBase):
    """Takes all that is written, and forgets it."""

    def write(self, text: str) -> int:
        return len(text)


def _plain(stream: TextIO | None) -> TextIO:
    if isinstance(stream, PlainStream):
        return stream
    found = cast(TextIO, _Nowhere()) if stream is None else stream  # None: closed before Python
    return cast(TextIO, PlainStream(found))


def _open_what_is_closed() -> None:
    """Else the next file that is opened takes the number, and gets what others print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
