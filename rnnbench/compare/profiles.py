"""The figure of performance profiles: which share of an arm's runs scores above each value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from rnnbench.compare.comparison import Comparison
from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    SKY,
    VERMILLION,
    Picture,
    house_style,
    limits_around,
    stack_of_axes,
)
from rnnbench.page.panels import reach_of
from rnnbench.page.tables import by_section
from rnnbench.page.texts import brief_per_cent, short
from rnnbench.stats.intervals import Interval
from rnnbench.stats.profiles import Profile, performance_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_PANELS = 6
_MAX_STEPS = 300
_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, SKY, MUTED)
_MAX_ARMS = len(_COLOURS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmProfile:
    """One curve; all scores are in per cent.

    Args:
        scores: of the finished runs, rising; at least two.
    """

    arm: str
    scores: tuple[float, ...]
    profile: Profile

    @property
    def words(self) -> str:
        """`10 runs, 79.8 to 80.7 %`."""
        return f"{len(self.scores):,} runs, {_from_to(self.scores)}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProfilePanel:
    """The curves of one section."""

    heading: str
    arms: tuple[ArmProfile, ...]


def find_profiles(comparison: Comparison) -> tuple[ProfilePanel, ...]:
    """What the figure shows; an arm with fewer than two finished runs has no curve."""
    metric = comparison.declared.metric
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for seed in comparison.seeds:
        scores[seed.section, seed.arm].append(100 * seed.score(metric))
    trained = [row for row in comparison.arms if not row.is_baseline]
    panels = (
        ProfilePanel(
            heading=heading,
            arms=tuple(_profiles((row.arm, scores[row.section, row.arm]) for row in rows)),
        )
        for heading, rows in by_section(trained, comparison.sections)
    )
    return tuple(panel for panel in panels if panel.arms)


def picture_profiles(comparison: Comparison) -> Picture | None:
    """Every arm a falling step function with its band; None without two runs of any arm."""
    found, words = find_profiles(comparison), comparison.declared.words
    if not found:
        return None
    panels = [replace(panel, arms=panel.arms[:_MAX_ARMS]) for panel in found[:_MAX_PANELS]]
    limits = _limits_of(panels)
    return Picture(
        name="profile",
        title=f"Share of runs that score above each {words}",
        alt=_describe(found, words),
        caption=_caption(found, panels, limits, words.removeprefix("test ")),
        figure=_draw(panels, limits, words),
    )


def _profiles(scores_by_arm: Iterable[tuple[str, Sequence[float]]]) -> Iterator[ArmProfile]:
    for arm, scores in scores_by_arm:
        profile = performance_profile(scores)
        if profile is not None and len(scores) > 1:
            yield ArmProfile(arm=arm, scores=tuple(sorted(scores)), profile=profile)


def _caption(
    found: Sequence[ProfilePanel], panels: Sequence[ProfilePanel], limits: Interval, score: str
) -> str:
    parts = [
        f"At each {score}, how many of an arm's finished runs score above it; a run that learnt"
        " nothing is a step far to the left. Shaded: the exact 95 % interval of that share"
        f" (Clopper and Pearson), pointwise: it holds at each {score} by itself, not for the whole"
        " curve at once. Dashed: the interval's end where every run lies above, or none."
    ]
    if any(not limits.contains(score) for score in _scores(panels)):
        parts.append("An arrow head: runs that lie far from the rest, outside the picture.")
    n_left_out = max(len(panel.arms) for panel in found[:_MAX_PANELS]) - _MAX_ARMS
    if n_left_out > 0:
        n_found = sum(len(panel.arms) for panel in found)
        n_shown = sum(len(panel.arms) for panel in panels)
        parts.append(
            f"At most {_MAX_ARMS} arms a panel are shown, {n_shown:,} of {n_found:,}; the CSV file"
            " of seeds has all."
        )
    if len(panels) < len(found):
        parts.append(f"The first {len(panels)} of {len(found):,} panels are shown.")
    return " ".join(parts)


def _describe(panels: Sequence[ProfilePanel], words: str) -> str:
    found = [(panel.heading, each) for panel in panels for each in panel.arms]
    subject = f"{words[0].upper()}{words[1:]} of the runs"
    start = f"{subject}: "
    if len(found) > 8:
        found.sort(key=lambda item: item[1].scores[0] - median(item[1].scores))
        start = (
            f"{subject} of {len(found):,} arms; those whose lowest run lies"
            " farthest below the median: "
        )
        found = found[:3]
    texts = [
        f"{f'{heading}, ' if heading else ''}{each.arm} {each.words},"
        f" median {brief_per_cent(median(each.scores))} %"
        for heading, each in found
    ]
    return f"{start}{'; '.join(texts)}."


def _draw(panels: Sequence[ProfilePanel], limits: Interval, words: str) -> Figure:
    with house_style():
        figure, all_axes = stack_of_axes([_MAX_ARMS] * len(panels))
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel, limits)
        all_axes[-1].set(xlabel=f"{words} (%)", xlim=(limits.low, limits.high))
    return figure


def _draw_panel(axes: Axes, panel: ProfilePanel, limits: Interval) -> None:
    for each, colour in zip(panel.arms, _COLOURS, strict=False):
        _draw_profile(axes, each.profile, colour, limits)
    axes.set_title(short(panel.heading, 90))
    axes.set_ylabel("runs above (%)")
    axes.set_yticks(range(0, 101, 25))
    axes.set_ylim(-3, 103)
    axes.grid()
    _name_arms(axes, panel.arms)
    _name_far_runs(axes, panel.arms, limits)


def _draw_profile(axes: Axes, profile: Profile, colour: str, limits: Interval) -> None:
    """The curve, its band where it falls, and the one end of it left and right of that.

    Where all or no runs lie above, the bands of all arms would lie on each other.
    """
    scores, shares, low, high = _steps(profile)
    left, right = min(limits.low, scores[0]), max(limits.high, scores[-1])
    axes.fill_between(scores, low[1:], high[1:], step="post", color=colour, alpha=0.12, linewidth=0)
    thin: dict[str, Any] = {"color": colour, "linewidth": 0.8, "linestyle": (0, (4, 3))}
    axes.plot([left, scores[0]], [low[0], low[0]], **thin)
    axes.plot([scores[-1], right], [high[-1], high[-1]], **thin)
    axes.plot(
        [left, *scores, right],
        [*shares, shares[-1]],
        color=colour,
        linewidth=2,
        drawstyle="steps-post",
    )


def _steps(profile: Profile) -> tuple[list[float], list[float], list[float], list[float]]:
    """Scores, shares and both ends of the band in per cent, of at most `_MAX_STEPS` steps."""
    import numpy as np

    n_steps = len(profile.scores)
    picked = np.linspace(0, n_steps - 1, min(n_steps, _MAX_STEPS)).round().astype(int)
    after = np.append(0, picked + 1)
    return (
        profile.scores[picked].tolist(),
        (100 * profile.shares[after]).tolist(),
        (100 * profile.low[after]).tolist(),
        (100 * profile.high[after]).tolist(),
    )


def _name_arms(axes: Axes, arms: Sequence[ArmProfile]) -> None:
    """Right of the panel, each in its curve's colour, and below it what its runs score."""
    look: dict[str, Any] = {
        "xy": (1, 1),
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "verticalalignment": "top",
    }
    for place, (each, colour) in enumerate(zip(arms, _COLOURS, strict=False)):
        top = -2 - 27 * place
        name = short(each.arm, 28)
        axes.annotate(name, xytext=(10, top), color=colour, weight="bold", **look)
        axes.annotate(each.words, xytext=(10, top - 12), **look)


def _name_far_runs(axes: Axes, arms: Sequence[ArmProfile], limits: Interval) -> None:
    """An arrow head where a curve goes on outside; in the empty corner, what lies there."""
    coloured = [*zip(arms, _COLOURS, strict=False)]
    low = [(each, [at for at in each.scores if at < limits.low], look) for each, look in coloured]
    high = [(each, [at for at in each.scores if at > limits.high], look) for each, look in coloured]
    for is_low, far in ((True, low), (False, high)):
        inward = 1 if is_low else -1
        for place, (each, outside, colour) in enumerate(item for item in far if item[1]):
            n, n_outside = len(each.scores), len(outside)
            axes.plot(
                limits.low if is_low else limits.high,
                100 * (n - n_outside if is_low else n_outside) / n,
                "<" if is_low else ">",
                color=colour,
                markersize=7,
                clip_on=False,
            )
            axes.annotate(
                f"outside: {short(each.arm, 28)}, {n_outside:,} of {n:,} runs, {_from_to(outside)}",
                (0, 0) if is_low else (1, 1),
                xytext=(8 * inward, inward * (8 + 13 * place)),
                xycoords="axes fraction",
                textcoords="offset points",
                horizontalalignment="left" if is_low else "right",
                verticalalignment="bottom" if is_low else "top",
                color=colour,
            )


def _limits_of(panels: Sequence[ProfilePanel]) -> Interval:
    """Around the runs that do not lie far from the rest of their arm."""
    near: list[float] = []
    for scores in (each.scores for panel in panels for each in panel.arms):
        reach = reach_of(scores)
        is_spread = reach.low < reach.high
        near += [score for score in scores if not is_spread or reach.contains(score)]
    return limits_around(near, ())


def _scores(panels: Sequence[ProfilePanel]) -> Iterator[float]:
    return (score for panel in panels for each in panel.arms for score in each.scores)


def _from_to(rising: Sequence[float]) -> str:
    """`53.2 %`, `79.8 to 80.7 %`."""
    first, last = brief_per_cent(rising[0]), brief_per_cent(rising[-1])
    return f"{first} %" if first == last else f"{first} to {last} %"
