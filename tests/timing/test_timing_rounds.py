"""Rounds: who has its turn when, when there are enough, and which do not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from timed import make_arm, make_sample

from rnnbench.timing import rounds
from rnnbench.timing.arms import Arm
from rnnbench.timing.measure import Blocks
from rnnbench.timing.rounds import Outcomes, Wanted, measure_group
from rnnbench.timing.samples import Sample

PLAIN, AGAIN = make_arm(), make_arm(is_control=True)
PRECISE = Wanted()
FEW = Blocks(rounds=4, most_seconds=1e9, forward_rounds=2, warm_up_rounds=1)


class Machine:
    """A clock that blocks move on, and a process that answers; the wall clock may gain on it."""

    def __init__(self, *blocks: float, fails: str = "") -> None:
        self.now = self.gained = 0.0
        self.blocks: Iterator[float] = iter(blocks)
        self.asked: list[tuple[str, Arm]] = []
        self.fails = fails

    def ask(self, name: str, arm: Arm, *_: object) -> Any:
        self.asked.append((name, arm))
        if name == self.fails and arm == AGAIN:
            return "odd"
        if name == "describe":
            return make_sample(train_ms=(), evaluate_ms=(), predict_ms=())
        seconds = next(self.blocks, 0.01)
        self.now += seconds
        if seconds == 99.0:  # it slept, which the monotonic clock does not see
            self.now, self.gained = self.now - 98.99, self.gained + 98.99
            seconds = 0.01
        return 1_000 * seconds


@dataclass(frozen=True)
class Held:
    """An arm on a machine."""

    arm: Arm
    machine: Machine

    def ask(self, name: str) -> Any:
        return self.machine.ask(name, self.arm)


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Any:
    def carry_out(machine: Machine, wanted: Wanted = PRECISE, **options: Any) -> Outcomes:
        monkeypatch.setattr(
            rounds,
            "time",
            SimpleNamespace(
                monotonic=lambda: machine.now, time=lambda: machine.now + machine.gained
            ),
        )
        monkeypatch.setattr(rounds, "processes_at_work", lambda **_: 0.25)
        held = {arm: Held(arm, machine) for arm in (PLAIN, AGAIN)}
        return measure_group(held, 7, looks=True, blocks=FEW, wanted=wanted, **options)

    return carry_out


def sample_of(outcomes: Outcomes, arm: Arm = PLAIN) -> Sample:
    sample = outcomes[arm]
    assert isinstance(sample, Sample)
    return sample


def test_every_arm_has_a_block_in_every_round(measure: Any) -> None:
    machine = Machine()
    outcomes = measure(machine)
    trained = [arm for name, arm in machine.asked if name == "train"]
    assert all({*trained[n : n + 2]} == {PLAIN, AGAIN} for n in range(0, len(trained), 2))
    assert len(trained) == 2 * (FEW.warm_up_rounds + FEW.rounds)
    sample = sample_of(outcomes)
    assert (sample.process, sample.load) == (7, 0.25)
    assert sample.train_ms == (10.0,) * 4
    assert (len(sample.evaluate_ms), len(sample.predict_ms)) == (2, 2)
    assert sample_of(outcomes, AGAIN).evaluate_ms == ()


def test_rounds_are_added_while_the_ratio_is_not_precise(measure: Any) -> None:
    noisy = [0.01, 0.02, 0.02, 0.01] * 200
    few = len(sample_of(measure(Machine(*noisy), Wanted(precision=0.5))).train_ms)
    many = len(sample_of(measure(Machine(*noisy), Wanted(precision=0.1))).train_ms)
    assert FEW.rounds < few < many


def test_when_the_budget_is_over_the_fewest_rounds_are_enough(measure: Any) -> None:
    noisy = [0.01, 0.02, 0.02, 0.01] * 200
    found = measure(Machine(*noisy), Wanted(precision=0.01, until=0.0))
    assert len(sample_of(found).train_ms) == FEW.rounds


@pytest.mark.parametrize("pause", [30.0, 99.0])
def test_a_round_in_which_the_machine_paused_is_dropped(measure: Any, pause: float) -> None:
    """It stood still, or it slept."""
    blocks = [0.01] * 12
    blocks[9] = pause  # six settle and warm up; it is in the second round
    sample = sample_of(measure(Machine(*blocks)))
    assert len(sample.train_ms) == FEW.rounds - 1
    assert set(sample.train_ms) == {10.0}


def test_an_arm_that_fails_leaves_the_others_their_turns(measure: Any) -> None:
    outcomes = measure(Machine(fails="train"))
    assert outcomes[AGAIN] == "odd"
    assert len(sample_of(outcomes).train_ms) == FEW.rounds


def test_where_every_round_is_dropped_the_measurement_does_not_count(measure: Any) -> None:
    sample = sample_of(measure(Machine(*[99.0] * 40)))
    assert sample.problem == "the machine paused in every round"
