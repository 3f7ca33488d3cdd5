"""The model card: what the models of an exported study are, in Markdown for people.

Every number comes from the runs, by the functions that the report calls; no verdict is given.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from rnnbench.architectures import display_name
from rnnbench.compare.arms import describe_arm
from rnnbench.compare.baseline import find_baselines, find_floor, with_article
from rnnbench.compare.comparison import Declaration, describe_baselines, find_unlearned
from rnnbench.compare.rows import ArmRow, in_section
from rnnbench.compare.sections import divide_runs
from rnnbench.output.amounts import listed, plural
from rnnbench.page.render import escape_line, escape_markdown
from rnnbench.page.texts import NONE, count, number, per_cent, with_sd, within
from rnnbench.recorded_runs import MODEL, RecordedRun
from rnnbench.reports.facts import describe_study, warn_of_texts
from rnnbench.specs import SYNTHETIC, SYNTHETIC_NOTICE, PluginForm, RunSpec

_OF_DATA = ("classes", "seen by the networks", "split")
_OF_RECIPE = ("recipe", "embedding size", "back end and engine", "versions", "hardware")


def write_card(study: str, runs: Sequence[RecordedRun], declared: Declaration, archive: str) -> str:
    """The model card of a study's runs that are exported.

    Args:
        archive: what the file is called that holds them.
    """
    rows = _describe_arms(runs, declared)
    facts = dict(describe_study(runs, declared, ""))
    is_synthetic = any(run.spec.data.dataset == SYNTHETIC for run in runs)
    parts = (
        () if is_synthetic else ("---\npipeline_tag: text-classification\n---",),
        (f"# {escape_markdown(study)}",),
        (f"> **{SYNTHETIC_NOTICE}**",) if is_synthetic else (),
        (escape_line(declared.description),) if declared.description else (),
        (_tell_models(runs),),
        ("## Data", _table(_data_facts(facts)), "None of the texts is in this archive."),
        ("## Recipe", _table([(name, facts[name]) for name in _OF_RECIPE])),
        ("## Scores", *_tell_scores(rows, declared)),
        ("## How it was measured", *_tell_measured(runs)),
        ("## Limits", _bullets(_list_limits(runs, rows))),
        ("## How to use", *_tell_use(study, runs, archive)),
        ("## Licence", _LICENCE),
    )
    return "\n\n".join(str(block) for part in parts for block in part) + "\n"


_LICENCE = (
    "To be chosen by you, who hand these models on. The texts that they learnt from may have terms "
    "of their own."
)


def _describe_arms(runs: Sequence[RecordedRun], declared: Declaration) -> list[ArmRow]:
    """The rows of the report's table."""
    sections = divide_runs(
        runs,
        declared.contrast,
        vary_split=declared.vary_split,
        tuned=declared.tuned,
        unlearned=find_unlearned(runs, find_floor, declared.metric) or frozenset(),
    )
    baselines = partial(find_baselines, fits=False)
    return [
        row
        for section in sections
        for row in (
            *(describe_arm(section.name, arm, declared.metric) for arm in section.arms),
            *describe_baselines(section, baselines),
        )
    ]


def _tell_models(runs: Sequence[RecordedRun]) -> str:
    return (
        f"{plural(sum(map(_has_model, runs)), 'network')} for classifying texts, trained and "
        "measured with rnnbench"
        + (
            ", each with what cuts texts into the tokens that it reads."
            if _reads_texts(runs)
            else "."
        )
    )


def _data_facts(facts: dict[str, str]) -> list[tuple[str, str]]:
    (texts,) = (name for name in facts if "fingerprint" in name)
    return [(texts, facts[texts]), *((name, facts[name]) for name in _OF_DATA)]


def _tell_scores(rows: Sequence[ArmRow], declared: Declaration) -> Iterator[str]:
    words, metric = declared.words, declared.metric
    header = (
        *(declared.contrast, "runs that learned", "left out", "parameters"),
        *(f"{words}, mean ± SD (%)", "95 % t interval (%)", "test loss"),
    )
    cells = [
        (
            in_section(row.section, row.arm),
            NONE if row.is_baseline else count(row.n),
            NONE if row.is_baseline else _left_out(row),
            count(row.n_parameters),
            with_sd(row.score(metric).mean, row.score(metric).sd, per_cent),
            within(row.score(metric).t, per_cent),
            with_sd(row.test_loss, row.test_loss_sd, partial(number, digits=4)),
        )
        for row in rows
    ]
    yield _table(cells, header)
    others = listed([with_article(row.arm) for row in rows if row.is_baseline][:1])
    yield (
        "Means over the seeds whose runs learned, their standard deviation, and the 95 % t "
        "interval of the mean, which says how far other seeds may lead, not other texts."
        + (f" Rows without runs, such as {others}, are what a network has to beat." * bool(others))
    )


def _tell_measured(runs: Sequence[RecordedRun]) -> Iterator[str]:
    patience = listed(sorted({f"{run.spec.recipe.patience:,}" for run in runs}), "or")
    yield (
        "A run's seed draws initial weights, the order of the texts and dropout. Training ended at "
        "the limit of epochs, or when the validation loss had not gone below its lowest for "
        f"{patience} epochs. The test part was read once for each run, by the model of "
        "the epoch with the lowest validation loss, which is the model that is kept here."
    )
    yield (
        "`rnnbench report` on the imported study writes the whole analysis: every seed, pairs of "
        "networks, learning curves, and what can be concluded at this number of seeds."
    )


def _left_out(row: ArmRow) -> str:
    counts = {
        "did not learn": row.n_unlearned,
        "diverged": row.n_diverged,
        "failed": row.n_failed,
    }
    return ", ".join(f"{n:,} {word}" for word, n in counts.items() if n) or "0"


def _list_limits(runs: Sequence[RecordedRun], rows: Sequence[ArmRow]) -> Iterator[str]:
    data = {run.spec.data for run in runs}
    yield (
        "Other texts: the scores hold for the test part of these data. Texts from elsewhere, of "
        "another time, subject or language, were not measured."
    )
    n_seeds, splits = len({run.spec.seed for run in runs}), {each.split_seed for each in data}
    split = ", all on one split of the texts" if len(splits) == 1 else ""
    others = "The interval tells of others as far as so few can."
    yield f"Seeds: {n_seeds:,}{split}. {others if n_seeds > 1 else 'Others were not measured.'}"
    seen = sorted({(each.max_len, each.num_words) for each in data})
    reach = listed(
        [f"{words:,} different tokens in the last {length:,} of a text" for length, words in seen],
        "or",
    )
    yield (
        f"Sight: a network tells {reach} apart, the few that pad and mark among them."
        + " A text of which it knows no word gets no answer." * _reads_texts(runs)
    )
    if n_lost := sum(row.n_unlearned for row in rows):
        yield (
            f"{plural(n_lost, 'run')} did not learn: in validation no better than a guess that "
            "never looks at the text. `rnnbench predict` says so of each."
        )
    if n_at_limit := sum(row.n_at_limit for row in rows):
        yield f"{plural(n_at_limit, 'run')} stopped at the limit of epochs, not by themselves."
    yield (
        "Not measured: whether probabilities are calibrated, and whether mistakes fall on some "
        "authors or subjects more than on others."
    )
    yield from warn_of_texts(runs)


def _tell_use(study: str, runs: Sequence[RecordedRun], archive: str) -> Iterator[str]:
    """Commands that use the run with the lowest validation loss, where one keeps a model."""
    best = _find_best(runs)
    name = best.fingerprint if best else ""
    has_code = best is not None and isinstance(best.form, PluginForm) and best.form.is_of_file
    flag, argument = (" --trust-code", ", trust_code=True") if has_code else ("", "")
    if best:
        of = f"of {display_name(best.form)} with seed {best.seed}"
        yield f"`{name}` is the run {of}: the one with the lowest validation loss."
    yield "With rnnbench installed, in a folder of its own:"
    yield _code(
        "sh",
        f"rnnbench import {shlex.quote(archive)}",
        *([f"rnnbench show {name} --code"] if has_code else ()),
        *([f"rnnbench predict {name} 'a text'{flag}"] if best else ()),
        *([f"rnnbench predict {name} --file texts.csv{flag}"] if best else ()),
        f"rnnbench report {shlex.quote(study)}",
    )
    if has_code:
        yield (
            "The network is code that its author wrote, and to predict runs it: read what "
            "`rnnbench show` prints first, then let it run with `--trust-code`. The report runs "
            "none of it."
        )
    if best:
        yield "In Python:"
        asked = f'rnnbench.predict("{name}", ["a text"]{argument})'
        yield _code("python", "import rnnbench", "", asked)


def _find_best(runs: Sequence[RecordedRun]) -> RunSpec | None:
    """What was asked of the run with the lowest validation loss; only models of texts count."""
    scored = [
        (run.result.val_loss, run.spec.fingerprint, run.spec)
        for run in runs
        if run.result is not None
        and run.result.val_loss is not None
        and _has_model(run)
        and _reads_texts([run])
    ]
    return min(scored)[2] if scored else None


def _reads_texts(runs: Iterable[RecordedRun]) -> bool:
    """Whether the networks learnt on words: synthetic reviews are numbers."""
    return all(run.spec.data.dataset != SYNTHETIC for run in runs)


def _has_model(run: RecordedRun) -> bool:
    return (run.entry.folder / MODEL).exists()


def _code(language: str, *lines: str) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _table(rows: Sequence[Sequence[str]], header: Sequence[str] = ("", "")) -> str:
    """A table in Markdown."""
    rule = ["---", *["---:" if header[0] else "---"] * (len(header) - 1)]
    cells = [[escape_markdown(cell) for cell in row] for row in (header, *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:]))


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape_line(sentence)}" for sentence in sentences)
