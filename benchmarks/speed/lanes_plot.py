"""Draws what `lanes.py` measured: throughput against lanes, with both estimates and `fit`.

    python benchmarks/speed/lanes_plot.py lanes.json FILE.png

Needs matplotlib.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnbench.page.drawing import (
    BLUE,
    GREEN,
    MUTED,
    VERMILLION,
    grid_of_axes,
    house_style,
    write_png,
)


def main() -> None:
    """Draw the file of the first argument into that of the second."""
    result, picture = (Path(word) for word in sys.argv[1:])
    picture.write_bytes(plot(json.loads(result.read_text("utf-8"))))


def plot(result: Mapping[str, Any]) -> bytes:  # Any: JSON values
    """PNG bytes: the lines, each named beside it."""
    lanes = result["lanes"]
    styles = {  # and where the name stands: at which width, to which side of it, points above it
        "measured": (BLUE, "o-", (-1, "right", -16)),
        "estimate: launch-bound": (VERMILLION, "--", (-2, "right", 6)),
        "estimate: memory-bound": (GREEN, ":", (0, "left", 4)),
        "Keras fit": (MUTED, "-", (-1, "right", 4)),
    }
    with house_style():
        figure, (axes,) = grid_of_axes([4.2], n_columns=1)
        for name, values in lines_of(result).items():
            colour, style, (at, side, above) = styles[name]
            axes.plot(lanes, values, style, color=colour)
            axes.annotate(
                name,
                (lanes[at], values[at]),
                xytext=(0, above),
                textcoords="offset points",
                horizontalalignment=side,
                color=colour,
            )
        axes.set(xscale="log", yscale="log", xlabel="lanes", ylabel="reviews a second")
        axes.set_xticks(lanes, [f"{n:,}" for n in lanes])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_title(result["machine"].get("gpu") or result["machine"]["processor"])
    return write_png(figure)


def lines_of(result: Mapping[str, Any]) -> dict[str, list[float]]:  # Any: JSON values
    """Reviews a second at each width: those that the plot shows, by name."""
    lanes, speed = result["lanes"], result["reviews_a_second"]
    lines = {
        "measured": [
            speed.get(f"fleet, {n} lanes") or speed[f"fleet, {n} lanes, profiled"] for n in lanes
        ],
        "estimate: launch-bound": [result["launch_bound"].get(str(n)) for n in lanes],
        "estimate: memory-bound": [result["memory_bound"]] * len(lanes),
        "Keras fit": [speed.get("Keras fit")] * len(lanes),
    }
    return {name: values for name, values in lines.items() if all(values)}


if __name__ == "__main__":
    main()
