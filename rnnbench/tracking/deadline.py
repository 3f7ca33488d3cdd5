"""How long a command waits for a server: one deadline for everything that it wants of it."""

import math
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

DEADLINE_SECONDS = 15.0
RUN_SECONDS = 5.0  # a server that needs no longer for a run is waited for
_TICK_SECONDS = 0.2

_Answer = TypeVar("_Answer")


class Deadline:
    """The seconds that a command still waits for a server.

    Only waiting uses them up, and each run, page of runs or study that the server has taken or
    given meanwhile returns some: a slow server with much to do is waited for, and one that drips
    is not. What waits for an answer that never comes is a thread, which is left behind.

    Args:
        seconds: infinite for a store that is no server.
    """

    def __init__(self, seconds: float = DEADLINE_SECONDS) -> None:
        self._seconds = seconds
        self._waited = 0.0  # written by who waits
        self._returned = 0.0  # written by who asks

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be asked."""
        return self._waited - self._returned >= self._seconds

    def hold(self) -> None:
        """From now on this thread asks on behalf of a command: no request after the deadline."""
        _HELD.set(self)

    def extend(self) -> None:
        """The server has taken or given something whole: a run, a page of them, a study."""
        self._returned = min(self._waited, self._returned + RUN_SECONDS)

    def wait(self, thread: threading.Thread, seconds: float = math.inf) -> bool:
        """Wait for a thread that asks; whether it ended in time.

        Args:
            seconds: to wait at most, whatever is left.
        """
        began = now = time.monotonic()
        try:
            while thread.is_alive() and not self.is_over and now - began < seconds:
                thread.join(_TICK_SECONDS)
                before, now = now, time.monotonic()
                self._waited += now - before
        except KeyboardInterrupt:
            self._waited = math.inf
            raise
        return not thread.is_alive()

    def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """What the question returns or raises.

        Raises:
            TimeoutError: it was not answered in time.
        """
        if math.isinf(self._seconds) or _HELD.get() is self:
            return question()  # nobody waits
        answers: list[_Answer] = []
        failures: list[BaseException] = []

        def put() -> None:
            self.hold()
            try:
                answers.append(question())
            except BaseException as err:
                failures.append(err)

        thread = threading.Thread(target=put, daemon=True, name="question")
        if not self.is_over:
            thread.start()
        if self.is_over or not self.wait(thread):
            raise TimeoutError(f"not within {self._seconds:g} s")
        if failures:
            raise failures[0]
        return answers[0]


_HELD: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def refuse_late_request() -> None:
    """Called before each request: a thread that was left behind changes nothing any more.

    Raises:
        TimeoutError: the command waits no longer.
    """
    deadline = _HELD.get()
    if deadline is not None and deadline.is_over:
        raise TimeoutError("the command waits no longer")
