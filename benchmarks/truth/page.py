"""docs/results/how-often-wrong.md, from what the benchmark measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from truth.rates import BAR, rate_of
from truth.reviews import N_REVIEWS, REVIEWS_MARGIN
from truth.scenarios import MARGIN, SD

_INTRODUCTION = f"""\
# How often a verdict is wrong

Of a real study nobody knows the truth. So studies are made up whose truth is known, thousands of
them, and go through the comparison that makes the report. This page counts how often what the
report says is false. [How the report decides](../method.md) has the rule itself.

## What each word claims

The **typical difference** of two architectures is the one in the middle: draw two seeds, take the
mean of their two differences, and it lies above the typical difference as often as below (the
pseudo-median; of unpaired runs, the median of the difference of one run of each). A run that
collapses now and then hardly moves it, but does move the mean.

| the report says | it claims of the typical difference | it is false where that is |
| --- | --- | --- |
| better, worse | it lies above 0, below 0 | 0, or on the other side |
| equivalent; within the margin | it is smaller than the margin, up or down | the margin or more |
| beyond the margin | it is larger than the margin, on the side that is named | the margin or less |
| undetermined; about the margin | nothing | never |

No word speaks of the mean.

## How to read the tables

- A study counts **once**, however many of its pairs are named wrongly: four arms have six pairs,
  ten have 45.
- Each of the three questions (better or worse? within the margin? beyond it?) may go wrong in at
  most {100 * BAR:.0f} % of the studies. Where the truth is on the border (no difference at all, or
  exactly the margin) errors are most frequent; every scenario puts it there.
- In brackets is the Monte-Carlo error: between these two the rate lies, with 95 % confidence
  (Clopper and Pearson 1934). A rate is **too high** where even the lower one lies above
  {100 * BAR:.0f} %; of rates of exactly {100 * BAR:.0f} % one in forty would look so by chance.
- The margin is {100 * MARGIN:g} points, an arm's SD between seeds {100 * SD:g} points if nothing
  else is said, and scores are normal and independent. Where one arm collapses, the others do not,
  and the arm is moved so that its typical difference is as the table says, exactly.
"""

_GROUPS = {
    "no difference": (
        "No typical difference",
        "Every two arms have a typical difference of 0: *better* and *worse* are false.",
    ),
    "at the margin": (
        "Exactly at the margin",
        "Some arms lie exactly the margin above or below the others: there *equivalent*, *within* "
        "and *beyond* are all false.",
    ),
    "unpaired": (
        "Unpaired runs, one arm with more of them",
        "Two arms; the seeds column has the runs of each. With an SD ratio of 10 the first arm has "
        "the larger SD.",
    ),
    "looks": (
        "Looked at again and again",
        "Seeds are added and the report is read each time; a study counts if it says anything "
        "false at any of these looks. *As many as needed* adds what the report itself names under "
        "*seeds needed* for the pairs that are open, up to 60 seeds and five looks, with arms "
        "that spread twice as much.",
    ),
    "limits": (
        "Where the rule ends",
        "Collapses that are no exception any more. The signed-rank test takes the differences for "
        "symmetric around the typical one; with one run in five, or in three, far below they are "
        "not, and the typical difference itself lies near the gap between the two kinds of runs. "
        "These rates have no bar: read them as a warning. Look at the dots of such an arm, and say "
        "how often it collapses.",
    ),
}


def write_page(result: Mapping[str, Any]) -> str:
    """The page, Markdown.

    Args:
        result: what `benchmarks/simulated_truth.py` writes as JSON.
    """
    rates = result["rates"]
    parts = [_INTRODUCTION, "## How often each word is false\n", _worst(rates)]
    for group, (title, text) in _GROUPS.items():
        cells = [cell for cell in rates if cell["group"] == group]
        parts += [f"### {title}\n", f"{text}\n", _table(_rate_rows(cells))]
    means = [cell for cell in rates if cell["group"] == "means"]
    parts += [*_means_part(means), *_reviews_part(result["reviews"])]
    parts += [*_power_part(result["power"]), *_source_part(result)]
    return "\n".join(parts)


def _worst(cells: Sequence[Mapping[str, Any]]) -> str:
    """The highest rate, and all that are too high."""
    found = [
        (rate, cell, name)
        for cell in cells
        if cell["group"] not in ("means", "limits")
        for name, rate in cell["rates"].items()
    ]
    high, cell, name = max(found, key=lambda one: one[0]["share"])
    lines = [
        f"Of the {len(found)} rates of the first four tables the highest is {_percent(high)}: "
        f"{_words(name)}, {_place(cell)}. "
    ]
    missed = [one for one in found if one[0]["low"] > BAR]
    if not missed:
        lines[0] += f"None is too high, that is, above {100 * BAR:.0f} % by more than its error. "
        counts = [cell["n_studies"] for _, cell, _ in found]
        few, many = (f"{100 * _first_too_high(n):.1f} %" for n in (min(counts), max(counts)))
        lines[0] += (
            f"With {min(counts):,} studies one would be from {few} on, with {max(counts):,} from "
            f"{many}; less than that goes unnoticed."
        )
        return lines[0] + "\n"
    lines[0] += f"**Too high** (above {100 * BAR:.0f} % by more than the error): {len(missed)}.\n"
    lines += [f"- {_percent(rate)}: {_words(name)}, {_place(cell)}" for rate, cell, name in missed]
    return "\n".join(lines) + "\n"


def _first_too_high(n_studies: int) -> float:
    """The lowest share of so many studies that would be called too high."""
    return next(n / n_studies for n in range(n_studies) if not rate_of(n, n_studies).is_met)


def _rate_rows(cells: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    yield ["scenario", "arms", "seeds", "studies", "better, worse", "equivalent, within", "beyond"]
    yield ["---", *["---:"] * 6]
    for cell in cells:
        rates = [_percent(cell["rates"][name]) for name in ("difference", "within", "beyond")]
        yield [*_labels(cell), *rates]


def _means_part(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Better, with equal means\n"
    yield (
        "This is no error, and a reader has to know it. The first arm is typically better, but "
        "one of its runs in ten collapses by 25 points, so that both **means are equal**. How "
        "often the report calls the first arm better:\n"
    )
    rows = [["scenario", "arms", "seeds", "studies", "called better"], ["---", *["---:"] * 4]]
    rows += [[*_labels(cell), _percent(cell["rates"]["better"])] for cell in cells]
    yield _table(rows)
    yield (
        "It is true of typical runs: train one of each, and the first is ahead nine times in ten. "
        "Whoever pays for the collapses too, because every run is used as it comes out, reads the "
        "means and their interval beside it.\n"
    )


def _reviews_part(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## For new test reviews as well\n"
    yield (
        f"Two arms judge {N_REVIEWS:,} reviews, some of which are harder for one arm than for the "
        f"other whatever the seed; the margin is {100 * REVIEWS_MARGIN:g} point. Seeds and "
        "reviews are both drawn anew in every study. The test is one of means, and nothing is said "
        "that the pair's own verdict does not say too, which is of **typical** runs. In the last "
        "rows the means are equal, but one run of the first arm in ten lies 28 points lower. Often "
        "none of ten seeds does; then what is said is true of typical runs and false of the means, "
        "which the rows count. They have no bar.\n"
    )
    heads = ["scenario", "seeds", "studies", "better, worse", "equivalent, within", "beyond"]
    rows = [heads, ["---", *["---:"] * 5]]
    for cell in sorted(cells, key=lambda cell: bool(cell["does_collapse"])):
        name = cell["name"] + (", one arm collapses" if cell["does_collapse"] else "")
        rates = [_percent(cell["rates"][name]) for name in ("difference", "within", "beyond")]
        rows.append([name, str(cell["n_seeds"]), f"{cell['n_studies']:,}", *rates])
    yield _table(rows)


def _power_part(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## What is found\n"
    yield (
        "Four arms, normal, with an SD of the differences of 0.25 points; two arms lie apart, the "
        "others in the middle between them. Beside this rule stands the one before it: the "
        "sign-flip test of the mean, Holm at 5 %, and for *equivalent* the 95 % t interval of the "
        "difference, each pair for itself. *Needed* is what the report names for that difference.\n"
    )
    heads = ["difference", "seeds", "needed", "studies", "found", "by the old rule", "lost"]
    rows = [heads, ["---:"] * 7]
    for cell in (cell for cell in cells if cell["goal"] == "better"):
        rows.append(
            [
                f"{100 * cell['difference']:.2f} points",
                str(cell["n_seeds"]),
                str(cell["planned_seeds"]),
                *_power_row(cell),
            ]
        )
    yield _table(rows)
    yield "Equal arms, and how often a pair of them is called equivalent:\n"
    heads = ["seeds", "studies", "equivalent", "by the old rule", "lost"]
    rows = [heads, ["---:"] * 5]
    for cell in (cell for cell in cells if cell["goal"] == "equivalent"):
        rows.append([str(cell["n_seeds"]), *_power_row(cell)])
    yield _table(rows)


def _power_row(cell: Mapping[str, Any]) -> list[str]:
    lost = f"{100 * cell['lost']:.1f} ± {100 * cell['lost_error']:.1f} points"
    found = [_percent(cell["rates"][name]) for name in ("rule", "old_rule")]
    return [f"{cell['n_studies']:,}", *found, lost]


def _source_part(result: Mapping[str, Any]) -> Iterator[str]:
    machine, versions = result["machine"], result["versions"]
    yield "## How it was measured\n"
    yield f"```sh\n{result['command']}\n```\n"
    yield (
        f"On {result['measured_on']}, {result['seconds'] / 60:.0f} minutes on {machine['cores']} "
        f"cores of an {machine['processor']}; "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + ". The command writes this page too, and all its numbers come from "
        "`benchmarks/results/simulated_truth.json`.\n"
    )
    yield (
        "Source: Clopper, Pearson (1934). The use of confidence or fiducial limits illustrated in "
        "the case of the binomial. *Biometrika* 26, 404–413."
    )
    yield ""


def _labels(cell: Mapping[str, Any]) -> list[str]:
    return [cell["name"], str(cell["n_arms"]), _seeds(cell), f"{cell['n_studies']:,}"]


def _place(cell: Mapping[str, Any]) -> str:
    return f"{cell['group']}, {cell['name']}, {cell['n_arms']} arms, {_seeds(cell)} seeds"


def _seeds(cell: Mapping[str, Any]) -> str:
    numbers = cell["n_seeds"]
    return str(numbers[0]) if len({*numbers}) == 1 else " and ".join(map(str, numbers))


def _words(question: str) -> str:
    return {
        "difference": "better or worse",
        "within": "equivalent or within the margin",
        "beyond": "beyond the margin",
    }[question]


def _percent(rate: Mapping[str, Any]) -> str:
    share, low, high = (100 * rate[name] for name in ("share", "low", "high"))
    return f"{share:.1f} % ({low:.1f}–{high:.1f})"


def _table(rows: Iterator[list[str]] | Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"
