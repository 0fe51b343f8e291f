"""Plots of what single profiles gain, and of what their masks choose; empty dicts where there are no runs for them."""

from collections.abc import Sequence
from statistics import fmean

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from xpeft.report.figures import COLOURS, MUTED, grid, label_text, line_style
from xpeft.report.groups import Group, one_split, panels, title
from xpeft.report.plots import Figures
from xpeft.report.records import HEADS


def gain_plots(results: Sequence[Group]) -> Figures:
    """Each profile's accuracy under hard masks less that of an adapter, and of the shared head, sorted."""
    found = panels(results, lambda group: len(group.first.profiles) > 1)
    pairs = {name: [(other, gain_pairs(groups, other)) for other in ("adapter", "head")] for name, groups in found.items()}
    shown = [(name, other, lines) for name, columns in pairs.items() for other, lines in columns if lines]
    if not shown:
        return {}
    figure, axes = grid(len(shown), 2, 5.2, 3.2)
    for panel, (name, other, lines) in zip(axes, shown, strict=True):
        panel.axhline(0, color=MUTED, linewidth=0.9)
        for number, (hard, theirs) in enumerate(lines):
            values = gains(hard, theirs)
            width = 1 / max(1, len(values) - 1)
            places = [index * width for index in range(len(values))]
            panel.plot(places, values, color=COLOURS["hard"], linestyle=line_style(hard))
            won, lost = (sum(sign * value > 1e-9 for value in values) for sign in (1, -1))
            style = "dashed" if hard.first.head else "solid"
            marks = "".join(sorted({*hard.marks, *theirs.marks}))
            text = f"{style}: {hard.first.method} - {theirs.first.method}{marks}, mean {fmean(values):+.3f}; {won} gain, {lost} lose"
            panel.text(0.03, 0.96 - 0.075 * number, text, transform=panel.transAxes, fontsize=7.5, va="top")
        low, high = panel.get_ylim()
        # Room for the text above the curves, which rise to the right.
        panel.set_ylim(low, high + 0.12 * len(lines) * (high - low))
        panel.set_title(f"{name}: hard - {other}")
        panel.set_xlabel("profiles, sorted by gain")
        panel.xaxis.set_major_formatter(PercentFormatter(1.0))
        panel.set_ylabel("gain in accuracy")
    return {"gains.svg": figure}


def gain_pairs(groups: Sequence[Group], other: str) -> list[tuple[Group, Group]]:
    """Hard masks and the other method with the same head, where both ran; of several pools or sizes, sign and the smallest."""
    pairs = []
    for head in HEADS:
        hards = [group for group in groups if (group.first.base, group.first.head) == ("hard", head)]
        hards.sort(key=lambda group: not (group.first.pool or "").startswith("sign"))
        others = [group for group in groups if (group.first.base, group.first.head) == (other, head)]
        if hards and others and gains(hards[0], others[0]):
            pairs.append((hards[0], others[0]))
    return pairs


def gains(ours: Group, theirs: Group) -> list[float]:
    """Sorted differences of the profiles' accuracies, each the mean over the seeds that both ran with."""
    found: dict[str, list[float]] = {}
    others = {run.seed: run.profiles for run in theirs.runs}
    for run in ours.runs:
        for profile, accuracy in run.profiles.items():
            if profile in others.get(run.seed, {}):
                found.setdefault(profile, []).append(accuracy - others[run.seed][profile])
    return sorted(fmean(values) for values in found.values())


def mask_plots(results: Sequence[Group]) -> Figures:
    """Which adapters of the pool profiles choose, layer by layer, of each group's first seed."""
    figures = {}
    with_masks = [group for group in one_split(results) if group.first.chosen is not None]
    for name in sorted({file_part(group) for group in with_masks}):
        rows = [group for group in with_masks if file_part(group) == name]
        figure = Figure(figsize=(10, 1.7 * len(rows) + 0.6), layout="constrained")
        axes = figure.subplots(len(rows), 2, squeeze=False)
        for group, row in zip(rows, axes, strict=True):
            for side, panel in zip((0, 1), row, strict=True):
                shares = [layer[side] for layer in group.first.chosen or []]
                extent = (-0.5, len(shares[0]) - 0.5, len(shares) + 0.5, 0.5)
                image = panel.imshow(shares, aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="none", extent=extent)
                panel.grid(False)
                panel.set_yticks(range(1, len(shares) + 1, max(1, len(shares) // 6)))
                panel.set_ylabel("layer")
                panel.set_title(f"{title(group)}: {label_text(group, True)}, {('down', 'up')[side]}", fontsize=7.5)
        for panel in axes[-1]:
            panel.set_xlabel("adapter of the pool")
        figure.colorbar(image, ax=axes, label="share of profiles", aspect=12 * len(rows))
        figures[f"masks-{name}.svg"] = figure
    return figures


def file_part(group: Group) -> str:
    """Which file a group's heat maps go into: its data set's, or its suite's."""
    return group.first.data.partition("/")[0]
