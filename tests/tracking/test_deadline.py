"""How long a command waits for a server."""

from __future__ import annotations

import pickle
import threading
import time

import pytest

from rnnbench.tracking import deadline
from rnnbench.tracking.deadline import Deadline, refuse_late_request


def test_an_answer_in_time_is_passed_on_and_so_is_a_failure() -> None:
    waiting = Deadline(5.0)
    assert waiting.ask(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        waiting.ask(lambda: 1 // 0)
    assert not waiting.is_over


def test_a_question_without_an_answer_ends_and_what_asks_is_left_behind() -> None:
    answered, late = threading.Event(), list[str]()

    def ask() -> None:
        answered.wait()
        try:
            refuse_late_request()
        except TimeoutError as err:
            late.append(str(err))

    waiting = Deadline(0.05)
    with pytest.raises(TimeoutError, match=r"not within 0\.05 s"):
        waiting.ask(ask)
    answered.set()
    (thread,) = [each for each in threading.enumerate() if each.name == "question"]
    thread.join()
    assert late == ["the command waits no longer"]
    with pytest.raises(TimeoutError):
        waiting.ask(answered.wait)  # nothing more is asked
    refuse_late_request()  # nobody's deadline


def test_all_questions_of_a_command_share_its_patience() -> None:
    waiting = pickle.loads(pickle.dumps(Deadline(0.3)))  # a report is written by another process

    def ask_often() -> None:
        for _ in range(20):
            waiting.ask(lambda: time.sleep(0.1))

    with pytest.raises(TimeoutError):
        ask_often()
    assert waiting.is_over


def test_a_run_returns_some_patience_and_never_more_than_was_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadline, "RUN_SECONDS", 0.2)
    waiting = Deadline(0.3)
    waiting.extend()  # nothing was used yet

    def take_runs() -> None:
        for _ in range(5):
            time.sleep(0.1)
            waiting.extend()
        threading.Event().wait()

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        waiting.ask(take_runs)
    assert time.monotonic() - began > 0.55


def test_an_interrupt_ends_the_wait_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Deadline(60.0)

    class Interrupted(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            raise KeyboardInterrupt

    thread = Interrupted(target=threading.Event().wait, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        waiting.wait(thread)
    assert waiting.is_over
