"""Plots of methods beside each other. Each function gives figures by file name, and an empty dict where there are no runs for it."""

from collections.abc import Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xpeft.report.figures import (
    MARKERS,
    Label,
    colour,
    grid,
    label_text,
    line_style,
    many_pools,
    margin_labels,
    panel_height,
)
from xpeft.report.groups import Group, is_language_suite, one_split, panels

Figures = dict[str, Figure]


def by_kind(groups: Sequence[Group]) -> dict[str, dict[str, list[Group]]]:
    """Panels of the data sets with profiles, and those of GLUE and SuperGLUE, for a plot each; by what the file's name ends with."""
    kinds = {
        "profiles": panels(groups, lambda group: not is_language_suite(group.first.data)),
        "glue": panels(groups, lambda group: is_language_suite(group.first.data)),
    }
    return {kind: found for kind, found in kinds.items() if found}


def size_plots(results: Sequence[Group]) -> Figures:
    """Macro accuracy against bytes a profile."""
    figures = {}
    for kind, found in by_kind(results).items():
        height = panel_height(max(len(groups) for groups in found.values()))
        figure, axes = grid(len(found), 2, 5.6, height)
        for panel, (title, groups) in zip(axes, found.items(), strict=True):
            size_panel(panel, groups, height)
            panel.set_title(title)
        figures[f"size-{kind}.svg"] = figure
    return figures


def size_panel(axes: Axes, groups: Sequence[Group], height: float) -> None:
    """A point for each method; one without bytes of its own is a line, for log axes have no 0."""
    sizes = [group.first.bytesPerProfile for group in groups if group.first.bytesPerProfile]
    low, high = (min(sizes) / 1.6, max(sizes) * 1.6) if sizes else (1, 10)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    labels = []
    for group in groups:
        size, macro, shade = group.first.bytesPerProfile, group.macro, colour(group)
        if size == 0:
            axes.axhline(macro.value, color=shade, linewidth=0.9, linestyle=":")
        else:
            face = "white" if group.first.head else shade
            marker = MARKERS.get(group.first.base, ".")
            axes.errorbar(
                size, macro.value, yerr=macro.deviation, fmt=marker, color=shade, markerfacecolor=face, markersize=6, elinewidth=0.9
            )
        text = label_text(group, many_pools(groups)) + (", 0 bytes" if size == 0 else "")
        labels.append(Label(size or high, macro.value, text, shade))
    margin_labels(axes, labels, height)
    axes.set_xlabel("bytes a profile")
    axes.set_ylabel("macro accuracy")


def curve_plots(curves: Sequence[Group]) -> Figures:
    """Macro accuracy of newly added profiles against how many labelled texts each has."""
    found = panels(curves)
    if not found:
        return {}
    lines = {title: by_method(groups) for title, groups in found.items()}
    height = panel_height(max(len(methods) for methods in lines.values()))
    figure, axes = grid(len(found), 2, 5.6, height)
    for panel, (title, methods) in zip(axes, lines.items(), strict=True):
        labels = []
        for groups in methods:
            xs = [group.first.textsPerProfile or 1 for group in groups]
            ys = [group.macro.value for group in groups]
            errors = [group.macro.deviation or 0 for group in groups]
            shade, marker = colour(groups[0]), MARKERS.get(groups[0].first.base, ".")
            panel.errorbar(xs, ys, yerr=errors, color=shade, linestyle=line_style(groups[0]), marker=marker, markersize=4, elinewidth=0.8)
            labels.append(Label(xs[-1], ys[-1], label_text(groups[-1], many_pools(found[title])), shade))
        panel.set_xscale("log")
        ticks = sorted({group.first.textsPerProfile or 1 for group in found[title]})
        panel.set_xticks(ticks, [str(tick) for tick in ticks])
        panel.minorticks_off()
        margin_labels(panel, labels, height)
        panel.set_title(title)
        panel.set_xlabel("labelled texts of each new profile")
        panel.set_ylabel("macro accuracy")
    return {"texts.svg": figure}


def by_method(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups of one method and pool together, in the order of their numbers of texts."""
    lines: dict[tuple[str, str | None], list[Group]] = {}
    for group in groups:
        lines.setdefault((group.first.method, group.first.pool), []).append(group)
    return [sorted(line, key=lambda group: group.first.textsPerProfile or 1) for line in lines.values()]


def loss_plots(results: Sequence[Group]) -> Figures:
    """Training loss against step, mean over seeds."""
    figures = {}
    for kind, found in by_kind([group for group in one_split(results) if any(run.losses for run in group.runs)]).items():
        height = panel_height(max(len(groups) for groups in found.values()))
        figure, axes = grid(len(found), 2, 5.6, height)
        for panel, (title, groups) in zip(axes, found.items(), strict=True):
            labels = []
            for group in groups:
                steps, losses = mean_losses(group)
                panel.plot(steps, losses, color=colour(group), linestyle=line_style(group), linewidth=1.2)
                labels.append(Label(steps[-1], losses[-1], label_text(group, many_pools(groups)), colour(group)))
            margin_labels(panel, labels, height)
            panel.set_title(title)
            panel.set_xlabel("step")
            panel.set_ylabel("training loss")
        figures[f"loss-{kind}.svg"] = figure
    return figures


def mean_losses(group: Group) -> tuple[list[int], list[float]]:
    """Steps that a seed wrote down, and the mean over the seeds that did."""
    found: dict[int, list[float]] = {}
    for run in group.runs:
        for step, loss in run.losses:
            found.setdefault(step, []).append(loss)
    steps = sorted(found)
    return steps, [fmean(found[step]) for step in steps]
