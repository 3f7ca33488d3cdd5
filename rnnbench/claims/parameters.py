"""Verdicts on claims about numbers of parameters: by the formula, and as Keras counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rnnbench.architectures import make_form, model_parameters, recurrent_parameters
from rnnbench.claims.kinds import Finding, ParametersRatioTest, ParametersTest
from rnnbench.output.amounts import plural
from rnnbench.specs import CanonicalForm, RunSpec
from rnnbench.tracking.runs import TrackedRun

__all__ = ["judge_parameters"]


def judge_parameters(
    test: ParametersRatioTest | ParametersTest, runs: Iterable[TrackedRun]
) -> Finding:
    """Whether recurrent parts, behind an embedding of 16, have the claimed parameters."""
    names = (test.a, test.b) if isinstance(test, ParametersRatioTest) else tuple(test.expect)
    forms = {name: form for name in names if isinstance(form := make_form(name), CanonicalForm)}
    if unknown := [name for name in names if name not in forms]:
        numbers = f"only Keras can count the parameters of {' and '.join(unknown)}"
        return Finding(verdict="undetermined", numbers=numbers)
    formula = {name: sum(recurrent_parameters(form)) for name, form in forms.items()}
    counted = _count_layers(forms, runs)
    counts = {name: {formula[name], *counted[name].values()} for name in names}
    words = " and ".join(f"{formula[name]:,} with {name}" for name in names)
    if isinstance(test, ParametersRatioTest):
        words += f": {formula[test.a] / formula[test.b]:g} times"
        holds = all(a == test.ratio * b for a in counts[test.a] for b in counts[test.b])
    else:
        holds = all(counts[name] == {number} for name, number in test.expect.items())
    # A run that two studies share counts once.
    n_runs = len({spec for of_name in counted.values() for _, spec in of_name})
    studies = dict.fromkeys(study for of_name in counted.values() for study, _ in of_name)
    odd = [f"{n:,} with {name}" for name in names for n in sorted(counts[name] - {formula[name]})]
    keras = f"; Keras counted the same in {plural(n_runs, 'run')}" if n_runs else ""
    if odd:
        keras = f"; but Keras counted {' and '.join(odd)}"
    return Finding(
        verdict="supported" if holds else "contradicted",
        numbers=f"parameters by the formula: {words}{keras}",
        runs=f"{', '.join(studies)}: {plural(n_runs, 'run')}" if n_runs else "none needed",
    )


def _count_layers(
    forms: Mapping[str, CanonicalForm], runs: Iterable[TrackedRun]
) -> dict[str, dict[tuple[str, RunSpec], int]]:
    """What Keras counted, less the other layers: by architecture, and by study and run."""
    counted: dict[str, dict[tuple[str, RunSpec], int]] = {name: {} for name in forms}
    for run in runs:
        n_counted = run.result.n_parameters if run.result is not None else None
        for name, form in forms.items():
            if run.spec.form != form or run.spec.embedding_size != 16 or n_counted is None:
                continue
            data = run.spec.data
            whole = model_parameters(form, num_words=data.num_words, n_classes=data.n_classes)
            assert whole is not None
            others = whole - sum(recurrent_parameters(form))
            counted[name][run.study, run.spec] = n_counted - others
    return counted
