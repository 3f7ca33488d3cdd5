"""How every figure looks, and how one becomes SVG for the page and PNG for Markdown."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from rnnbench.stats.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnnbench.specs import EpochRow

# Okabe and Ito's palette: apart for colour-blind readers too.
BLUE, VERMILLION, GREEN = "#0072b2", "#d55e00", "#009e73"
ORANGE, SKY = "#e69f00", "#56b4e9"
INK, MUTED = "#1f2328", "#6e7781"

# On the page a colour is a variable, which dark mode sets to a lighter one.
_VARIABLES = {
    BLUE: "--blue",
    VERMILLION: "--vermillion",
    GREEN: "--green",
    ORANGE: "--orange",
    SKY: "--sky",
    INK: "--ink",
    MUTED: "--muted",
}
_WIDTH_INCHES = 10.0
_PNG_DPI = 150

_REFERENCE = re.compile(r"^#([\w.-]+)$|url\(#([\w.-]+)\)")
_FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawn figure and its words, all plain text.

    Args:
        name: of the file and of the anchor.
        title: what is seen.
        alt: one sentence with the main numbers, for who does not see it.
        caption: how to read it.
        figure: draws nothing until it is written as SVG or PNG.
    """

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    alt: str
    caption: str
    figure: Figure


@contextmanager
def house_style() -> Iterator[None]:
    """Inside the block, figures are made and written in the report's style."""
    import matplotlib

    # Names are shown as they are: a dollar sign in one starts no formula.
    with matplotlib.rc_context(
        {
            "text.parse_math": False,
            "text.color": INK,
            "font.family": "DejaVu Sans",
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelcolor": INK,
            "axes.edgecolor": MUTED,
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.facecolor": "none",
            "axes.axisbelow": True,
            "axes.formatter.useoffset": False,
            "figure.facecolor": "none",
            "grid.color": MUTED,
            "grid.alpha": 0.25,
            "grid.linewidth": 0.6,
            "xtick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.color": MUTED,
            "ytick.labelcolor": INK,
            "svg.fonttype": "none",
            "svg.hashsalt": "rnnbench",  # else every drawing gets identifiers of its own
        }
    ):
        yield


def stack_of_axes(n_rows: Sequence[int], row_inches: float = 0.4) -> tuple[Figure, list[Axes]]:
    """A figure of panels one below the other with a common x axis, each as high as its rows."""
    heights = [n + 1.1 for n in n_rows]
    figure = _new_figure(row_inches * sum(heights) + 0.6)
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    return figure, list(axes[:, 0])


def grid_of_axes(
    panel_inches: Sequence[float], *, n_columns: int, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of panels in rows of `n_columns`, a row as high as its highest panel.

    `shared` goes to `Figure.subplots`.
    """
    n_panels = len(panel_inches)
    heights = [max(panel_inches[at : at + n_columns]) for at in range(0, n_panels, n_columns)]
    figure = _new_figure(sum(heights) + 0.2)
    grid = figure.subplots(len(heights), n_columns, squeeze=False, height_ratios=heights, **shared)
    axes = list(grid.flat)
    for empty in axes[n_panels:]:
        empty.set_visible(False)
        if shared.get("sharex"):  # what it would have shown, the panel above shows instead
            axes[axes.index(empty) - n_columns].tick_params(labelbottom=True)
    return figure, axes[:n_panels]


def name_lines(axes: Axes, names: Iterable[tuple[str, str]]) -> None:
    """Names in their lines' colours, in the upper right corner: falling losses leave it empty."""
    for line, (name, colour) in enumerate(names):
        axes.annotate(
            name,
            (1, 1),
            xytext=(-2, -2 - 12 * line),
            xycoords="axes fraction",
            textcoords="offset points",
            horizontalalignment="right",
            verticalalignment="top",
            color=colour,
        )


def limits_around(values: Iterable[float], bounds: Iterable[Interval | None]) -> Interval:
    """Where an axis begins and ends: around `values`, and around interval ends not too far away.

    With two or three seeds an interval can be many times as wide as anything measured; drawn
    whole, it would press all else into a line.
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    room = (high - low) or 0.02 * abs(high) or 1.0
    ends = [
        min(max(end, low - room), high + room)
        for interval in bounds
        if interval is not None
        for end in (interval.low, interval.high)
        if math.isfinite(end)
    ]
    low, high = min(low, *ends, low), max(high, *ends, high)
    margin = 0.04 * (high - low) or room
    return Interval(low - margin, high + margin)


def write_svg(picture: Picture) -> str:
    """The `<svg>` element for the page, where several can stand; it holds no font and no address.

    Its identifiers begin with the picture's name; its size and font are the page's.
    """
    drawn = _save(picture.figure, format="svg", dpi=_PNG_DPI, metadata={"Date": None})
    root = ElementTree.fromstring(drawn)
    _remove(root, {"metadata", "style"})
    used = set(_references(root))
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _rewrite(value, picture.name)
            for key, value in element.attrib.items()
            if key != "id" or value in used
        }
        if "id" in element.attrib:
            element.attrib["id"] = f"{picture.name}-{element.attrib['id']}"
    view = root.get("viewBox", "")
    root.attrib = {"viewBox": view, "role": "img", "aria-label": picture.alt}
    return ElementTree.tostring(root, encoding="unicode")


def write_png(figure: Figure) -> bytes:
    """The figure on white, for a place that knows no dark mode."""
    software = {"Software": None}  # otherwise the library's version changes the bytes
    return _save(figure, format="png", dpi=_PNG_DPI, facecolor="white", metadata=software)


def draw_loss_curve(history: Sequence[EpochRow], title: str) -> bytes:
    """PNG bytes of one run: training and validation loss against the epoch, the best one marked."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=110)
    FigureCanvasAgg(figure)
    # Every run has a curve: a layout that fits itself would draw each twice.
    axes = figure.add_axes((0.12, 0.13, 0.86, 0.79))
    epochs = [row.epoch for row in history]
    for name, colour, label in (
        ("loss", BLUE, "training (running average)"),
        ("val_loss", VERMILLION, "validation"),
    ):
        values = [getattr(row, name) for row in history]
        axes.plot(epochs, values, color=colour, label=label, marker="." if len(epochs) < 3 else "")
    best = min(history, key=lambda row: row.val_loss)
    label = f"best: {best.val_loss:.4f} in epoch {best.epoch}"
    axes.plot(best.epoch, best.val_loss, "o", color=VERMILLION, label=label)
    axes.set(title=title, xlabel="epoch", ylabel="cross-entropy")
    axes.margins(y=0.12)
    axes.legend(frameon=False, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _new_figure(height_inches: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(_WIDTH_INCHES, height_inches), layout="constrained")


def _fix_layout(figure: Figure) -> None:
    """Finds the places of all parts once; it would be done for each file, and takes most time."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine(None)


def _save(figure: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with house_style(), warnings.catch_warnings():
        # A name may be written in characters that the font does not have.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        _fix_layout(figure)
        figure.savefig(buffer, **options)
    return buffer.getvalue()


def _local(name: str) -> str:
    """`{namespace}name` without its namespace: HTML knows it by the element."""
    return name.rpartition("}")[2]


def _remove(element: Element, names: set[str]) -> None:
    for child in list(element):
        if _local(child.tag) in names:
            element.remove(child)
        else:
            _remove(child, names)


def _references(root: Element) -> Iterator[str]:
    """The identifiers that something in the drawing points to."""
    for element in root.iter():
        for value in element.attrib.values():
            for whole, inside in _REFERENCE.findall(value):
                yield whole or inside


def _rewrite(value: str, name: str) -> str:
    """An attribute that points to this figure's identifiers, in the page's colours and font."""
    if value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = _FONT_FAMILY.sub("", value.replace("url(#", f"url(#{name}-"))
    for colour, variable in _VARIABLES.items():
        value = value.replace(colour, f"var({variable})")
    return value
