"""Whether a network's runs come out the same again: two short trainings in one process."""

import random

import numpy as np

from rnnbench.data.dataset import Part
from rnnbench.specs import RunSpec
from rnnbench.training.engine import Arrays, Variables, Work
from rnnbench.training.engines import open_program

N_BATCHES = 2
_MOST_IN_A_BATCH = 16


def is_reproducible(spec: RunSpec) -> bool:
    """Whether the weights are the same after both, whatever else draws numbers in between.

    Python's and NumPy's global generators are elsewhere when the second one begins, as they are
    where a worker has trained other runs before. This process's back end is the spec's.
    """
    first = _train(spec, n_drawn=0)
    second = _train(spec, n_drawn=7)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))


def _train(spec: RunSpec, n_drawn: int) -> Arrays:
    rng = np.random.default_rng(0)
    n_texts = N_BATCHES * min(spec.recipe.batch_size, _MOST_IN_A_BATCH)
    part = Part(
        tokens=rng.integers(0, spec.data.num_words, (n_texts, spec.data.max_len)).astype(np.int32),
        labels=rng.integers(0, spec.data.n_classes, n_texts).astype(np.float32),
    )
    program = open_program(spec)
    variables = program.initial(spec)
    for _ in range(n_drawn):
        random.random()
        np.random.random()  # noqa: NPY002  # the generator that a network may draw from
    (outcome,) = program.run_epochs([_work(variables, n_texts)], part)
    assert outcome is not None
    return outcome.variables.weights


def _work(variables: Variables, n_texts: int) -> Work:
    return Work(variables=variables, order=np.arange(n_texts), dropout_seed=1)
