"""Answers of servers: of a bounded size, and each request made once."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.util import Retry

from rnnbench.tracking.deadline import refuse_late_request

LARGEST_ANSWER = 8 * 2**20  # bytes, unpacked; a page of 200 runs takes less than one
LARGEST_FILE = 2**28  # the predictions of a run; those of ours have 0.05 MiB
_PIECE = 2**16
_Adapter = TypeVar("_Adapter", bound=HTTPAdapter)


class _Bounded(HTTPAdapter):
    """Takes no more of an answer than `LARGEST_ANSWER`, of a file `LARGEST_FILE`.

    An answer with an error is not asked for again: urllib3 would first take all of it, however
    long, and then wait for as long as the server says.
    """

    def __init__(self, *, max_retries: Retry, **kwargs: Any) -> None:  # Any: requests'
        once = max_retries.new(
            status_forcelist=(),
            respect_retry_after_header=False,
            # What makes a run is not sent twice: the first may have arrived.
            allowed_methods=Retry.DEFAULT_ALLOWED_METHODS,
        )
        super().__init__(max_retries=once, **kwargs)

    def send(
        self, request: PreparedRequest, stream: bool = False, *args: Any, **kwargs: Any
    ) -> Response:
        """See `requests`."""
        refuse_late_request()
        response = super().send(request, stream, *args, **kwargs)
        if stream:
            response.iter_content = _bounded_pieces(response, LARGEST_FILE)  # type: ignore[assignment, method-assign]  # of this answer alone
        else:
            response._content = b"".join(_bounded_pieces(response, LARGEST_ANSWER)(_PIECE))
        return response


def bounded(adapter: type[_Adapter]) -> type[_Adapter]:
    """The adapter, bounded; one that is so already is returned as it is."""
    if issubclass(adapter, _Bounded):
        return adapter
    return type(f"Bounded{adapter.__name__}", (_Bounded, adapter), {})


def _bounded_pieces(response: Response, most: int) -> Callable[[int], Iterator[bytes]]:
    """The answer's `iter_content`, which ends where the answer is too large or too late."""
    read = response.iter_content

    def iter_content(chunk_size: int) -> Iterator[bytes]:
        size = 0
        for piece in read(chunk_size):
            refuse_late_request()
            size += len(piece)
            if size > most:
                response.close()
                raise RequestException(f"an answer of more than {most >> 20} MiB")
            yield piece

    return iter_content
