"""The report's plots. Each function returns figures by file name; where no run fits, it returns none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib.style
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xpeft.atomic_files import atomic_file, make_folder
from xpeft.report.claims import best_variants, reference
from xpeft.report.groups import IN_SUITE, METHOD, Group, all_marks, group_runs, panels, profile_differences, title

Figures = dict[str, Figure]

# Colour and marker of the methods in most panels. The colours are Okabe and Ito's, which colour-blind readers can tell apart. Their
# yellow is too pale for a line, so VeRA and VB-LoRA have two dark ones of Tol's.
LOOKS = {
    "profile": ("#0072B2", "*"),
    "hard": ("#0072B2", "o"),
    "soft": ("#56B4E9", "s"),
    "adapter": ("#D55E00", "D"),
    "lora": ("#009E73", "^"),
    "ia3": ("#E69F00", "v"),
    "bitfit": ("#CC79A7", "P"),
    "vera": ("#332288", "<"),
    "vblora": ("#882255", "X"),
    "head": ("#000000", "."),
    "majority": ("#888888", "."),
}
OTHER_LOOKS = ("#666666", "x")
LABEL_INCHES = 0.155


@dataclass(frozen=True)
class Series:
    """A line or point of a panel, and the label at its last point."""

    group: Group
    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    errors: Sequence[float] | None = None
    style: dict[str, Any] = field(default_factory=dict)
    ticks: Sequence[int] = ()


def write_plots(runs: pl.DataFrame, folder: Path) -> list[Path]:
    """Write all plots as SVG, remove those of runs that are gone, and return the paths."""
    make_folder(folder)
    with matplotlib.rc_context():
        # A user's own matplotlibrc must not show in committed plots.
        matplotlib.rcdefaults()
        matplotlib.style.use(Path(__file__).with_name("plots.mplstyle"))
        results = group_runs(runs, "result")
        # The training loss and the masks do not depend on the split that a run was measured on.
        once = results.unique(("data", "slice", *METHOD), keep="first", maintain_order=True)
        figures: Figures = {}
        for kind, of_kind in (("profiles", ~IN_SUITE), ("glue", IN_SUITE)):
            sizes = {name: size_series(groups) for name, groups in panels(results.filter(of_kind)).items()}
            figures |= draw(f"size-{kind}.svg", sizes, "bytes a profile", "macro accuracy", xscale="log")
            losses = panels(once.filter(of_kind, pl.col("losses").list.len() > 0))
            series = {name: loss_series(groups) for name, groups in losses.items()}
            figures |= draw(f"loss-{kind}.svg", series, "step", "training loss")
        with_profiles = panels(results.filter(pl.col("profileCount") > 1)).items()
        others = ("adapter", "head", "head+bias")
        gains = {f"{name}: less {other}": gain_series(groups, other) for name, groups in with_profiles for other in others}
        figures |= draw("gains.svg", gains, "share of profiles, sorted by gain", "gain in accuracy")
        figures |= mask_plots(once)
        curves = {name: curve_series(groups) for name, groups in panels(group_runs(runs, "curve")).items()}
        figures |= draw("texts.svg", curves, "labelled texts of each new profile", "macro accuracy", xscale="log")
        for name, figure in figures.items():
            with atomic_file(folder / name) as file:
                figure.savefig(file, format="svg", metadata={"Date": None})
    paths = [folder / name for name in figures]
    for old in set(folder.glob("*.svg")) - set(paths):
        old.unlink()
    return paths


def draw(name: str, lines: dict[str, list[Series]], xlabel: str, ylabel: str, xscale: str = "linear") -> Figures:
    """Return a figure with a panel for each title that has series, two in a row, and a label for each of its series."""
    lines = {title: series for title, series in lines.items() if series}
    if not lines:
        return {}
    height = max(3.2, LABEL_INCHES * max(map(len, lines.values())) + 1.0)
    columns, rows = min(2, len(lines)), -(-len(lines) // 2)
    figure = Figure(figsize=(5.6 * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, (name_of_panel, shown) in zip(axes, lines.items(), strict=False):
        for one in shown:
            colour, marker = LOOKS.get(one.group["base"], OTHER_LOOKS)
            style = {"color": colour, "marker": marker, "linestyle": "--" if one.group["head"] else "-", "elinewidth": 0.8}
            panel.errorbar(one.xs, one.ys, yerr=one.errors, **style | one.style)
        panel.set(title=name_of_panel, xlabel=xlabel, ylabel=ylabel, xscale=xscale)
        if ticks := shown[0].ticks:
            panel.set_xticks(ticks, map(str, ticks))
            panel.minorticks_off()
        margin_labels(panel, shown)
    for empty in axes[len(lines) :]:
        empty.remove()
    return {name: figure}


def margin_labels(axes: Axes, shown: Sequence[Series]) -> None:
    """Write labels to the right of the panel, evenly spaced in the order of their points, each with a line to its point."""
    for number, one in enumerate(sorted(shown, key=lambda one: (one.ys[-1], one.label))):
        colour = LOOKS.get(one.group["base"], OTHER_LOOKS)[0]
        line = {"arrowstyle": "-", "color": colour, "alpha": 0.4, "linewidth": 0.6, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 2}
        text: dict[str, Any] = {"color": colour, "fontsize": 7.5, "va": "center", "annotation_clip": False, "arrowprops": line}
        axes.annotate(one.label, (one.xs[-1], one.ys[-1]), (1.03, (number + 0.5) / len(shown)), textcoords=axes.transAxes, **text)


def label(group: Group, groups: Sequence[Group]) -> str:
    """Return method and marks, and the pool where the groups have several."""
    several = len({other["pool"] for other in groups if other["pool"]}) > 1
    return str(group["name"] if several else group["method"]) + str(group["marks"])


def size_series(groups: list[Group]) -> list[Series]:
    """Return a point for each method. A log axis has no 0, so a method without bytes is a dotted line."""
    sizes = [group["bytesPerProfile"] for group in groups if group["bytesPerProfile"]] or [1, 10]
    ends = (min(sizes) / 1.6, max(sizes) * 1.6)
    series = []
    for group in groups:
        macro, text = group["macro"], label(group, groups)
        if group["bytesPerProfile"] == 0:
            series.append(Series(group, f"{text}, 0 bytes", ends, (macro, macro), style={"linestyle": ":", "marker": "", "linewidth": 0.9}))
            continue
        style = {"markersize": 6, "elinewidth": 0.9} | ({"markerfacecolor": "white"} if group["head"] else {})
        series.append(Series(group, text, [group["bytesPerProfile"]], [macro], [group["macro_sd"] or 0], style))
    return series


def loss_series(groups: list[Group]) -> list[Series]:
    """Return the training loss against steps, a mean over the seeds that wrote a step down."""
    series = []
    for group in groups:
        means = pl.DataFrame(group["losses"]).group_by("step").agg(pl.mean("loss")).sort("step")
        series.append(Series(group, label(group, groups), means["step"].to_list(), means["loss"].to_list(), style={"marker": ""}))
    return series


def curve_series(groups: list[Group]) -> list[Series]:
    """Return macro accuracy of newly added profiles against the labelled texts of each: a line for each method and pool."""
    ticks = sorted({group["textsPerProfile"] for group in groups})
    series = []
    for name in dict.fromkeys(group["name"] for group in groups):
        line = [group for group in groups if group["name"] == name]
        xs, ys, errors = ([group[key] or 0 for group in line] for key in ("textsPerProfile", "macro", "macro_sd"))
        series.append(Series(line[0], label(line[-1], groups), xs, ys, errors, ticks=ticks))
    return series


def gain_series(groups: list[Group], other: str) -> list[Series]:
    """Return each profile's accuracy under the default, or hard masks, less that under the other method, sorted."""
    ours, theirs = reference(groups), best_variants(groups).get(other)
    gains = profile_differences(ours, theirs) if ours and theirs else []
    if not ours or not theirs or not gains:
        return []
    won, lost = (sum(sign * gain > 1e-9 for gain in gains) for sign in (1, -1))
    text = f"{ours['method']}{all_marks([ours, theirs])}:\nmean {fmean(gains):+.3f}\n{won} gain, {lost} lose"
    shares = [index / max(1, len(gains) - 1) for index in range(len(gains))]
    return [Series(ours, text, shares, gains, style={"marker": ""})]


def mask_plots(groups: pl.DataFrame) -> Figures:
    """Return heat maps of the adapters that profiles choose, layer by layer, for the smallest seed: a file for each data set or suite."""
    figures = {}
    for part in groups.filter(pl.col("chosen").is_not_null()).partition_by("family", maintain_order=True):
        rows = part.rows(named=True)
        figure = Figure(figsize=(10, 1.7 * len(rows) + 0.6), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False)
        for group, row in zip(rows, axes, strict=True):
            for side, (direction, panel) in enumerate(zip(("down", "up"), row, strict=True)):
                shares = [layer[side] for layer in group["chosen"]]
                extent = (-0.5, len(shares[0]) - 0.5, len(shares) + 0.5, 0.5)
                image = panel.imshow(shares, aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="none", extent=extent)
                panel.grid(visible=False)
                panel.set_yticks(range(1, len(shares) + 1, max(1, len(shares) // 6)))
                panel.set_ylabel("layer")
                panel.set_title(f"{title(group)}: {group['name']}{group['marks']}, {direction}", fontsize=7.5)
        for panel in axes[-1]:
            panel.set_xlabel("adapter of the pool")
        figure.colorbar(image, ax=axes, label="share of profiles", aspect=12 * len(rows))
        figures[f"masks-{rows[0]['family']}.svg"] = figure
    return figures
