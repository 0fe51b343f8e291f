"""How the plots look, and that the same runs give the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xpeft.report.groups import Group

# Okabe and Ito's colours, which the colour-blind can tell apart; their yellow is too pale for a line, so two dark ones of Tol's are added.
COLOURS = {
    "hard": "#0072B2",
    "soft": "#56B4E9",
    "adapter": "#D55E00",
    "lora": "#009E73",
    "ia3": "#E69F00",
    "bitfit": "#CC79A7",
    "vera": "#332288",
    "vblora": "#882255",
    "head": "#000000",
    "majority": "#888888",
}
MARKERS = {"hard": "o", "soft": "s", "adapter": "D", "lora": "^", "ia3": "v", "bitfit": "P", "vera": "<", "vblora": "X"}
MUTED = "#666666"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "xpeft",
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}
LABEL_INCHES = 0.155


@dataclass(frozen=True)
class Label:
    """Text for a point, in data coordinates."""

    x: float
    y: float
    text: str
    colour: str


def colour(group: Group) -> str:
    """The method's colour."""
    return COLOURS[group.first.base]


def line_style(group: Group) -> str:
    """Dashed with a label bias or head of its own, so that a method keeps its colour."""
    return "--" if group.first.head else "-"


def label_text(group: Group, many_pools: bool) -> str:
    """Method and marks; its pool too, where the plot has several."""
    return (group.name if many_pools else group.first.method) + group.marks


def many_pools(groups: Sequence[Group]) -> bool:
    """Whether the groups use more than one pool."""
    return len({group.first.pool for group in groups if group.first.pool is not None}) > 1


def grid(count: int, columns: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """A figure with one panel for each of `count` plots, of so many inches each."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in axes[count:]:
        empty.remove()
    return figure, axes[:count]


def panel_height(labels: int) -> float:
    """Inches that a panel needs for its labels."""
    return max(3.2, LABEL_INCHES * labels + 1.0)


def margin_labels(axes: Axes, labels: Sequence[Label], height: float) -> None:
    """Write labels to the right of the panel, in the order of their points and apart from each other, each with a line to its point."""
    axes.autoscale_view()
    low, high = axes.get_ylim()
    step = (high - low) * LABEL_INCHES / (height - 0.9)
    ranked = sorted(labels, key=lambda label: (label.y, label.text))
    places = spread([label.y for label in ranked], step, low + step / 2, high - step / 2)
    axes.set_ylim(low, high)
    for label, y in zip(ranked, places, strict=True):
        fraction = (y - low) / (high - low)
        axes.annotate(
            label.text,
            xy=(label.x, label.y),
            xytext=(1.03, fraction),
            textcoords=axes.transAxes,
            color=label.colour,
            fontsize=7.5,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": label.colour,
                "alpha": 0.4,
                "linewidth": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 2,
            },
        )


def spread(wanted: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Places nearest to those wanted, which rise, at least `step` apart and, if they fit, between low and high."""
    # Labels that would touch become a block around the mean of what they want; blocks that touch join.
    blocks: list[list[float]] = []
    for index, place in enumerate(wanted):
        blocks.append([place - index * step])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    top = max(low, high - step * (len(wanted) - 1))
    starts = [min(max(fmean(block), low), top) for block in blocks for _ in block]
    return [start + index * step for index, start in enumerate(starts)]


def save(figure: Figure, path: Path) -> None:
    """Write an SVG without what changes from one run to the next."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
