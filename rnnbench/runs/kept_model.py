"""A run's best model, what it was trained to read, and what should be known of its answers."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnnbench.architectures import display_name, installed_code
from rnnbench.compare.baseline import find_floor
from rnnbench.compare.comparison import find_unlearned
from rnnbench.data.cached_tokenizer import make_tokenizer, with_words
from rnnbench.data.corpus import FIRST_WORD
from rnnbench.data.text_summaries import TextSummary, summaries_at_hand
from rnnbench.data.tokenizer import Tokenizer
from rnnbench.errors import DataError, UsageError, WorkerError
from rnnbench.execution.devices import installed_backends
from rnnbench.execution.process import call_on
from rnnbench.ledger import Ledger
from rnnbench.metrics import USUAL_METRIC
from rnnbench.recorded_runs import RecordedRun, find_run, model_file
from rnnbench.specs import Form, PluginForm, RunSpec
from rnnbench.training.inference import predict_with


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """A run's best model.

    Args:
        file: the `.keras` file.
        tokenizer: without words where these are yet to be had; see `knows_words`.
        summaries: of texts that are not on this machine, by their fingerprint.
        notes: what keeps its answers from being worth what they seem, in sentences.
    """

    run: RecordedRun
    file: Path
    tokenizer: Tokenizer
    summaries: dict[str, TextSummary]
    notes: tuple[str, ...]

    @property
    def spec(self) -> RunSpec:
        """What was asked of the run."""
        return self.run.spec

    @property
    def title(self) -> str:
        """Architecture, seed and study in words."""
        return f"{display_name(self.spec.form)}, seed {self.spec.seed}, study {self.run.study}"

    def knows_words(self) -> "KeptModel":
        """The same with the words of IMDB, which are fetched, once, if they are not here.

        Raises:
            DataError: they cannot be had.
            UsageError: it learnt on numbers.
        """
        return replace(self, tokenizer=with_words(self.tokenizer, self.spec.data))

    def ask(self, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
        """`predict_with` in a process of its own; a plug-in's on the back end that trained it.

        Raises:
            DataError: the file is damaged, which may end a process that reads it.
        """
        spec = self.spec
        own = isinstance(spec.form, PluginForm) and spec.backend in installed_backends()
        try:
            return call_on(spec.backend if own else "jax", predict_with, self.file, spec, tokens)
        except WorkerError as err:
            raise DataError(f"{self.file} cannot be used: {err}") from err

    def ask_known(self, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 `(n_texts, n_classes)`: the probabilities of each class.

        NaN of a text of which it knows no word: of such it says the same whatever they say.

        Args:
            tokens: int32 `(n_texts, max_len)`.
        """
        is_known = (tokens >= FIRST_WORD).any(axis=1)
        found = np.full((len(tokens), len(self.tokenizer.classes)), np.nan, dtype=np.float32)
        if is_known.any():
            probability = self.ask(tokens[is_known])
            if probability.ndim == 1:
                probability = np.stack((1 - probability, probability), axis=1)
            found[is_known] = probability
        return found

    def cut_notes(self) -> tuple[str, ...]:
        """A sentence where ICU's dictionary may not be the one that cut the training texts."""
        then, now = self.tokenizer.icu, self.tokenizer.cutter.icu
        if then == now:
            return ()
        return (
            f"ICU {then} cut the training texts, ICU {now} cuts these: its dictionary may have "
            "other words",
        )


def open_model(
    words: str, root: Path, study: str | None = None, *, trusts_code: bool = False
) -> KeptModel:
    """The best model of the run that is meant.

    Args:
        trusts_code: whether code that came with a run from elsewhere may be run.

    Raises:
        UsageError: no such run, or it keeps no model, or its code is not trusted.
        DataError: nothing here tells how its texts were cut.
    """
    run = find_run(words, root, study)
    if not trusts_code:
        _refuse_code(run)
    file, data = model_file(run.entry), run.spec.data
    ledger = Ledger(root, writable=False)
    summaries = ledger.summaries([data.fingerprint])
    with summaries_at_hand(summaries):
        notes = (*_code_notes(run.spec.form), *_edit_notes(run, ledger))
        notes += _unlearned_notes(run, ledger)
    return KeptModel(
        run=run,
        file=file,
        tokenizer=run.entry.tokenizer() or make_tokenizer(data),
        summaries=summaries,
        notes=notes,
    )


def _refuse_code(run: RecordedRun) -> None:
    """See that the run's network is not code from elsewhere."""
    form, origin = run.spec.form, run.result.imported_from if run.result else None
    if isinstance(form, PluginForm) and form.is_of_file and origin is not None:
        raise UsageError(
            f"the network {display_name(form)} is code that came with this run from {origin}, and "
            f"would be run: read it with `rnnbench show {run.spec.fingerprint} --code`, then add "
            "--trust-code (in Python trust_code=True)"
        )


def _code_notes(form: Form) -> tuple[str, ...]:
    """A sentence where the code of a plug-in may not be what trained the model."""
    if not isinstance(form, PluginForm) or form.is_of_file:
        return ()
    if form.code == installed_code(form.name):
        return ()
    was = "was edited since it" if form.code else "may not be what"
    return (
        f"the code of {form.name} {was} trained this model, so its answers need not be those "
        "that were scored",
    )


def _edit_notes(run: RecordedRun, ledger: Ledger) -> tuple[str, ...]:
    """A sentence where later code of that name has runs here."""
    form = run.spec.form
    if not (isinstance(form, PluginForm) and form.is_of_file):
        return ()
    later = ledger.network_names().later(form.name)
    if not later:
        return ()
    return (f"the code was edited since; what it became is called {' and '.join(later)}",)


def _unlearned_notes(run: RecordedRun, ledger: Ledger) -> tuple[str, ...]:
    """A sentence where the run did not learn, as its study's report counts it."""
    declared = ledger.declarations(run.study)
    metric = declared[-1]["declaration"].get("metric", USUAL_METRIC) if declared else USUAL_METRIC
    if not find_unlearned([run], find_floor, metric):
        return ()
    return (
        "this run did not learn: on the validation part it did no better than a guess that never "
        "looks at the text, so its answers mean nothing",
    )
