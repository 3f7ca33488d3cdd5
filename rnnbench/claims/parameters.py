"""Verdicts on claims about numbers of parameters: by the formula, and as Keras counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rnnbench.architectures import make_form, model_parameters, recurrent_parameters
from rnnbench.claims.kinds import ParametersRatioTest, ParametersTest
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import ClaimVerdict
from rnnbench.specs import PluginForm, RunSpec
from rnnbench.tracking.runs import TrackedRun

__all__ = ["Finding", "judge_parameters", "judge_ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict, the sentence behind it, and which runs it comes from."""

    verdict: ClaimVerdict
    numbers: str
    runs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """Parameters of an architecture's recurrent part, behind an embedding of 16.

    Args:
        formula: None for a plug-in, which only Keras can count.
        counted: of the runs' models as Keras counted them, less the other layers.
    """

    formula: int | None
    counted: tuple[int, ...]
    studies: tuple[str, ...]

    @property
    def counts(self) -> set[int]:
        """Every number that was found; one, where the formula is right."""
        return set(self.counted) | (set() if self.formula is None else {self.formula})


def judge_ratio(test: ParametersRatioTest, runs: Sequence[TrackedRun]) -> Finding:
    """Whether one recurrent part has exactly so many times the parameters of another."""
    layers = {name: _count_layer(name, runs) for name in (test.a, test.b)}
    a, b = layers[test.a], layers[test.b]

    def holds() -> bool:
        return all(n_a == test.ratio * n_b for n_a in a.counts for n_b in b.counts)

    times = "" if a.formula is None or b.formula is None else f": {a.formula / b.formula:g} times"
    return _find_parameters(layers, holds, times)


def judge_parameters(test: ParametersTest, runs: Sequence[TrackedRun]) -> Finding:
    """Whether recurrent parts have so many parameters."""
    layers = {name: _count_layer(name, runs) for name in test.expect}

    def holds() -> bool:
        return all(layers[name].counts == {number} for name, number in test.expect.items())

    return _find_parameters(layers, holds, "")


def _count_layer(architecture: str, runs: Iterable[TrackedRun]) -> _Layer:
    form = make_form(architecture)
    if isinstance(form, PluginForm):
        return _Layer(formula=None, counted=(), studies=())
    formula = sum(recurrent_parameters(form))
    counted: dict[RunSpec, int] = {}  # a run that two studies share counts once
    studies: dict[str, None] = {}
    for run in runs:
        spec, result = run.spec, run.result
        if spec.form != form or spec.embedding_size != 16:
            continue
        data = spec.data
        whole = model_parameters(form, num_words=data.num_words, n_classes=data.n_classes)
        if whole is not None and result is not None and result.n_parameters is not None:
            counted[spec] = result.n_parameters - (whole - formula)
            studies[run.study] = None
    return _Layer(formula=formula, counted=tuple(counted.values()), studies=tuple(studies))


def _find_parameters(
    layers: Mapping[str, _Layer], holds: Callable[[], bool], remark: str
) -> Finding:
    unknown = [name for name, layer in layers.items() if layer.formula is None]
    if unknown:
        numbers = f"only Keras can count the parameters of {' and '.join(unknown)}"
        return Finding(verdict="undetermined", numbers=numbers)
    words = " and ".join(f"{layer.formula:,} with {name}" for name, layer in layers.items())
    n_runs = sum(len(layer.counted) for layer in layers.values())
    odd = [
        f"{number:,} with {name}"
        for name, layer in layers.items()
        for number in sorted(layer.counts - {layer.formula})
    ]
    keras = f"; Keras counted the same in {plural(n_runs, 'run')}" if n_runs else ""
    if odd:
        keras = f"; but Keras counted {' and '.join(odd)}"
    studies = dict.fromkeys(study for layer in layers.values() for study in layer.studies)
    return Finding(
        verdict="supported" if holds() else "contradicted",
        numbers=f"parameters by the formula: {words}{remark}{keras}",
        runs=f"{', '.join(studies)}: {plural(n_runs, 'run')}" if n_runs else "none needed",
    )
