"""The part of a report on single classes: their scores, a matrix of what is taken for what, and the
mistakes that the networks are surest of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rnnbench.compare.classes import ArmClasses, ClassRow, ConfusionRow, MistakeRow
from rnnbench.compare.rows import in_section
from rnnbench.output.amounts import plural
from rnnbench.page.blocks import Block, Paragraph, Part, Subheading, make_part
from rnnbench.page.csv_files import write_rows
from rnnbench.page.drawing import BLUE, MUTED, VERMILLION, Picture, grid_of_axes, house_style
from rnnbench.page.tables import Column, Table, by_section
from rnnbench.page.texts import chance, count, number, per_cent, plain, short, with_sd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CLASSES = 20
"""In a matrix that can be read; of more, the worst pairs are listed."""
_SIDE_BY_SIDE = 6  # classes up to which the matrices of several arms are drawn
_MOST_PANELS = 6
_N_PAIRS = 20
_N_MISTAKES = 10
_N_TOLD = 3
_TEXT_LENGTH = 240  # characters
_NO_TEXTS = "The texts are not on this machine, so that they cannot be shown."
_LINE_LENGTH = 90
_MOST_SECTIONS = 4


def classes_part(arms: Sequence[ArmClasses]) -> Part:
    """The part; there must be an arm."""
    return make_part("classes", "Class by class", _blocks(arms))


def classes_tables(arms: Sequence[ArmClasses]) -> dict[str, str]:
    """The CSV text of every table, by the stem of its file."""
    return {
        "classes": write_rows(ClassRow, (row for arm in arms for row in arm.rows())),
        "confusions": write_rows(ConfusionRow, (cell for arm in arms for cell in arm.cells())),
        "mistakes": write_rows(MistakeRow, (row for arm in arms for row in arm.mistakes)),
    }


def class_columns() -> list[Column[ClassRow]]:
    """How a table has the scores of classes; one run has no spread."""
    return [
        Column("class", lambda row: short(row.class_name), is_number=False),
        Column("texts", lambda row: count(row.n_texts)),
        Column("predicted", lambda row: _mean_count(row.n_predicted)),
        Column("precision (%)", lambda row: with_sd(row.precision, row.precision_sd, _score)),
        Column("recall (%)", lambda row: with_sd(row.recall, row.recall_sd, _score)),
        Column("F1 (%)", lambda row: with_sd(row.f1, row.f1_sd, _score)),
    ]


def tell_mistake(row: MistakeRow) -> str:
    """A mistake on one line."""
    text = short(row.text, _LINE_LENGTH)
    told = f"'{short(row.truth)}' taken for '{short(row.predicted)}' ({chance(row.probability)})"
    return f"{told}: {text}" if text else told


def tell_worst(arm: ArmClasses) -> str:
    """Which classes come out worst, and what they are taken for, in a sentence."""
    known = [row for row in arm.rows() if row.n_texts and row.f1 < 1]
    if not known:
        return "Every test text was given its class."
    confused: dict[str, ConfusionRow] = {}
    for cell in arm.worst_confusions():
        confused.setdefault(cell.truth, cell)
    n_told = min(_N_TOLD, max(1, len(arm.names) // 2))
    worst = sorted(known, key=lambda row: row.f1)[:n_told]
    told = "; ".join(_tell_class(row, confused.get(row.class_name)) for row in worst)
    return f"{'Lowest F1' if len(worst) == 1 else 'Lowest F1 scores'}: {told}."


def _tell_class(row: ClassRow, cell: ConfusionRow | None) -> str:
    name = f"'{short(row.class_name)}'"
    if not row.n_predicted:
        told = f"{name}, which is never predicted ({plural(row.n_texts, 'test text')}"
    else:
        told = f"{name} with {_score(row.f1)} % ({plural(row.n_texts, 'test text')}"
    taken = f", {chance(cell.share)} of them taken for '{short(cell.predicted)}'" if cell else ""
    return f"{told}{taken})"


def _blocks(arms: Sequence[ArmClasses]) -> Iterator[Block | None]:
    best = max(arms, key=lambda arm: arm.macro_f1)
    names = f" of {_name(best)}" if len(arms) > 1 else ""
    yield Paragraph(" ".join([*_lead(arms, best), tell_worst(best)]))
    groups = [(f"{_name(arm)} ({_runs(arm)})", arm.rows()) for arm in arms]
    yield Table("Scores of each class", "classes", class_columns(), groups)
    runs = "runs that learned" if best.has_learned else "finished runs, none of which learned,"
    yield Paragraph(
        f"Means over the {runs} ± their standard deviation. Precision: of the texts that"
        " were given the class, how many have it. Recall: of the texts that have it, how many were"
        " given it. F1: their harmonic mean; macro-F1 is the mean over the classes, each counting"
        " the same. A dash: the class was never predicted, or no test text has it."
    )
    if len(best.names) <= MOST_CLASSES:
        yield picture_confusions(arms)
    if len(best.names) > _SIDE_BY_SIDE:
        yield _tabulate_pairs(best, names)
    if best.mistakes:
        yield Subheading(f"The surest mistakes{names}")
        yield _tabulate_mistakes(best)
        shown = (
            "Each text is shown as the network saw it: its last words, in lower case, [?] for a"
            " word that is not in the vocabulary. Look for labels that are wrong, and for texts"
            " that two classes would fit."
        )
        is_shown = any(each.text for each in best.mistakes)
        yield Paragraph(
            f"By the mean of the runs' probabilities. {shown if is_shown else _NO_TEXTS}"
        )


def _lead(arms: Sequence[ArmClasses], best: ArmClasses) -> Iterator[str]:
    """Which arm is ahead in each section, level ones together; and which is told more of."""
    if not best.has_learned:
        yield "No run learned; this is what they make of the test texts."
    sections = by_section(arms, ())
    told = [_tell_highest(own) for _, own in sections if len(own) > 1 and best.has_learned]
    yield from told[:_MOST_SECTIONS]
    if len(arms) > 1 and told != [f"{_name(best)} has the highest mean macro-F1."]:
        yield f"In detail: {_name(best)}."


def _tell_highest(arms: Sequence[ArmClasses]) -> str:
    """Of one section."""
    highest = max(arm.macro_f1 for arm in arms)
    first, *level = (arm for arm in arms if arm.macro_f1 > highest - 1e-12)
    if not level:
        return f"{_name(first)} has the highest mean macro-F1."
    names = [_name(first), *(plain(arm.arm) for arm in level)]
    return f"{', '.join(names[:-1])} and {names[-1]} have the same highest mean macro-F1."


def picture_confusions(arms: Sequence[ArmClasses]) -> Picture:
    """The matrices of several arms if they are small, else that of the best one."""
    best = max(arms, key=lambda arm: arm.macro_f1)
    is_small = len(best.names) <= _SIDE_BY_SIDE
    shown = [arm for arm in arms if len(arm.names) == len(best.names)] if is_small else [best]
    shown = shown[:_MOST_PANELS]
    rest = f" Shown: {_listed(shown)}; the CSV file has all." if len(shown) < len(arms) else ""
    n_columns = min(2, len(shown))
    with house_style():
        heights = [1.3 + 0.42 * len(arm.names) for arm in shown]
        figure, all_axes = grid_of_axes(heights, n_columns=n_columns)
        for axes, arm in zip(all_axes, shown, strict=True):
            _draw_matrix(axes, arm)
    return Picture(
        name="confusions",
        title="Which class is taken for which",
        alt=_describe_confusions(best),
        caption=(
            "A row is a true class. In each cell: the share of its test texts that were given the"
            " class of the column, in per cent, and below it how many texts that are, the mean over"
            f" the runs. Blue is right, orange is wrong; empty cells are 0.{rest}"
        ),
        figure=figure,
    )


def _draw_matrix(axes: Axes, arm: ArmClasses) -> None:
    n = len(arm.names)
    for at, cell in enumerate(arm.cells()):
        row, column = divmod(at, n)
        if not cell.n_predicted:
            continue
        colour = BLUE if row == column else VERMILLION
        # The ink on it stays readable, on a dark page too.
        axes.fill_between(
            (column - 0.5, column + 0.5),
            row - 0.5,
            row + 0.5,
            color=colour,
            alpha=0.03 + 0.55 * cell.share,
            linewidth=0,
        )
        words = f"{_whole_share(cell.share)}\n{_mean_count(cell.n_predicted)}"
        axes.text(column, row, words, ha="center", va="center", fontsize=9 if n < 9 else 7)
    labels = [short(name, 18) for name in arm.names]
    is_turned = n > 3 and max(map(len, labels)) * n > 50
    axes.set_yticks(range(n), labels)
    axes.set_xticks(
        range(n), labels, rotation=35 if is_turned else 0, ha="right" if is_turned else "center"
    )
    axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), xlabel="predicted", ylabel="true class")
    for edge in range(n + 1):
        axes.axhline(edge - 0.5, color=MUTED, linewidth=0.4, alpha=0.5)
        axes.axvline(edge - 0.5, color=MUTED, linewidth=0.4, alpha=0.5)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(short(f"{_name(arm)} ({_runs(arm)})", 60))


def _describe_confusions(arm: ArmClasses) -> str:
    told = [
        f"{chance(cell.share)} of '{short(cell.truth)}' for '{short(cell.predicted)}'"
        for cell in arm.worst_confusions()[:5]
    ]
    if not told:
        return f"{_name(arm)} takes no class for another."
    return f"What {_name(arm)} takes most often for what: {'; '.join(told)}."


def _tabulate_pairs(arm: ArmClasses, names: str) -> Table[ConfusionRow]:
    columns: list[Column[ConfusionRow]] = [
        Column("true class", lambda cell: short(cell.truth), is_number=False),
        Column("taken for", lambda cell: short(cell.predicted), is_number=False),
        Column("texts", lambda cell: _mean_count(cell.n_predicted)),
        Column("of", lambda cell: count(cell.n_texts)),
        Column("share (%)", lambda cell: _score(cell.share)),
    ]
    rows = arm.worst_confusions()[:_N_PAIRS]
    caption = f"The commonest confusions{names}"
    return Table(
        caption, "confusions", columns, [("", rows)], f"{caption} ({plural(len(rows), 'pair')})"
    )


def _tabulate_mistakes(arm: ArmClasses) -> Table[MistakeRow]:
    columns: list[Column[MistakeRow]] = [
        Column("true class", lambda row: short(row.truth), is_number=False),
        Column("predicted", lambda row: short(row.predicted), is_number=False),
        Column("probability", lambda row: chance(row.probability)),
        Column("wrong in", lambda row: f"{row.n_wrong:,} of {row.n_runs:,}"),
        Column("text", lambda row: short(row.text, _TEXT_LENGTH) or "–", is_number=False),
    ]
    return Table("Texts", "mistakes", columns, [("", arm.mistakes[:_N_MISTAKES])])


def _name(arm: ArmClasses) -> str:
    return plain(in_section(arm.section, arm.arm))


def _runs(arm: ArmClasses) -> str:
    return plural(arm.n_runs, "run")


def _listed(arms: Sequence[ArmClasses]) -> str:
    return ", ".join(map(_name, arms))


def _score(share: float | None) -> str:
    return per_cent(share, 1)


def _whole_share(share: float) -> str:
    """In whole per cent, where neither none nor all is said of some."""
    text = f"{100 * share:.0f}"
    return "< 1" if text == "0" else "> 99" if text == "100" and share < 1 else text


def _mean_count(value: float) -> str:
    """`12`, `12.3` of a mean."""
    return number(value, 1).removesuffix(".0")
