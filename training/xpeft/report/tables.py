"""The report's tables, in Markdown."""

import json
import math
import re
from collections.abc import Sequence

import polars as pl

from xpeft.bootstrap import Estimate
from xpeft.report.claims import Claim, reference
from xpeft.report.groups import IN_SUITE, LEGEND, METHOD, SUITES, Group, group_runs, panels
from xpeft.report.intervals import MAE, difference, metrics_of, sample

NONE = "–"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> str:
    """Return a Markdown table. The columns in `numbers` are aligned to the right."""
    lines = [header, ["---:" if name in numbers else "---" for name in header], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def data_tables(runs: pl.DataFrame) -> str:
    """Return a table for each data set with profiles, with a row for each method and pool."""
    found = panels(group_runs(runs, "result").filter(~IN_SUITE))
    if not found:
        return "No results of data sets with profiles yet."
    return "\n\n".join(f"### {title}\n\n{data_table(groups)}" for title, groups in found.items()) + f"\n\n{LEGEND}"


def data_table(groups: Sequence[Group]) -> str:
    """Return the table of one panel: each method's figures, and the default's less them."""
    first, ours = groups[0], reference(groups)
    columns = [(metric, name) for metric in metrics_of(first) for name in (heading(metric), f"{ours['name']} less it" if ours else "")]
    header = ["method", "pool", "bytes a profile", "bytes a task", "settings tried", "seeds", *(name for _, name in columns if name)]
    rows = []
    for group in groups:
        sizes = [f"{group[name]:,}" for name in ("bytesPerProfile", "bytesPerTask", "settingsTried")]
        figures = []
        for metric in metrics_of(first):
            figures.append(figure(group, metric))
            if ours:
                figures.append(NONE if group is ours else less(ours, group, metric))
        rows.append([group["method"], group["pool"] or NONE, *sizes, f"{group['seeds']}{group['marks']}", *figures])
    counts = f"{first['profileCount']:,} profiles; {first['train']:,} training, {first['dev']:,} dev and {first['test']:,} test texts."
    return f"{counts}\n\n{table(header, rows, header[2:])}"


def heading(metric: str) -> str:
    """Return a metric's name in a table's header."""
    return f"{metric} x 100 (less is better)" if metric == MAE else metric


def figure(group: Group, metric: str) -> str:
    """Return a method's figure with its interval, in points; without the figures of profiles or texts, the mean over seeds alone."""
    found = sample(group, metric)
    if found is None:
        return f"{100 * group['value']:.1f}"
    value, low, high = found.estimate()
    return f"{-value:.1f} ({-high:.1f} to {-low:.1f})" if metric == MAE else f"{value:.1f} ({low:.1f} to {high:.1f})"


def less(ours: Group, theirs: Group, metric: str) -> str:
    """Return our figure less theirs with its interval, in points."""
    found = difference(ours, theirs, metric)
    return signed(found.estimate()) if found else NONE


def signed(found: Estimate) -> str:
    """Return a difference with its interval."""
    return f"{found.value:+.1f} ({found.low:+.1f} to {found.high:+.1f})"


def suite_table(runs: pl.DataFrame) -> str:
    """Return the table of GLUE and SuperGLUE: a row for each method and pool, a column for each task."""
    most = (pl.col("slice").is_null(), pl.col("split") == "test", "seeds")
    groups = group_runs(runs, "result").filter(IN_SUITE).sort(*most, maintain_order=True)
    shown = groups.unique(("method", "pool", "data"), keep="last").sort(*METHOD[:3], "data")
    if shown.is_empty():
        return "No results of GLUE or SuperGLUE yet."
    metrics = dict(shown.sort("data").select("data", "metric").iter_rows())
    header = ["method", "pool", "bytes a profile", *(f"{task} ({metric})" for task, metric in metrics.items())]
    rows = []
    for line in shown.partition_by("method", "pool", maintain_order=True):
        row = {group["data"]: group for group in line.rows(named=True)}
        sizes = line["bytesPerProfile"].unique().sort()
        size = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        values = [f"{figure(row[task], metric)}{row[task]['marks']}" if task in row else NONE for task, metric in metrics.items()]
        rows.append([line["method"][0], line["pool"][0] or NONE, size, *values])
    parts = shown.drop_nulls("slice").select(pl.format("{}: {}", pl.col("data").str.extract("/(.+)"), "slice")).to_series().unique().sort()
    notes = [f"Of {' and '.join(groups['split'].unique().sort())}, with intervals over texts and seeds."]
    notes += [
        "Of several runs of a task, the table shows those that say most.",
        LEGEND,
        *([f"Parts: {'; '.join(parts)}."] if len(parts) else []),
    ]
    return f"{table(header, rows, header[2:])}\n\n{' '.join(notes)}"


def suite_means(found: Sequence[Claim]) -> str:
    """Return the table of the suites' means: masks less the adapter."""
    rows = [
        [SUITES[claim.data], claim.method, f"{claim.bytes:,}", f"{claim.seeds}", signed(Estimate(claim.difference, claim.low, claim.high))]
        for claim in found
        if claim.data in SUITES
    ]
    header = ["suite", "method", "bytes a profile", "seeds", "less adapter, mean of tasks"]
    return table(header, rows, header[2:]) if rows else "No suite has runs of masks and adapter on all its tasks yet."


def search_table(runs: pl.DataFrame) -> str:
    """Return a row for each search: every setting that was tried, and the cross entropy that it was judged by."""
    searches = runs.filter(pl.col("purpose") == "search").sort("data", "slice", "split", *METHOD, maintain_order=True)
    rows = []
    for search in searches.partition_by("data", "slice", "split", *METHOD, maintain_order=True):
        recipes = [json.loads(recipe) for recipe in search["recipe"]]
        changed = [name for name in recipes[0] if any(recipe.get(name) != recipes[0][name] for recipe in recipes)]
        changed = changed or [name for name in recipes[0] if name.endswith("_lr")]
        settings = [", ".join(f"{name} {setting(recipe.get(name))}" for name in changed) or "the only one" for recipe in recipes]
        # Without a cross entropy, a setting is not the best.
        losses = pl.col("crossEntropy").fill_null(math.inf).mean()
        tried = search.with_columns(pl.Series("setting", settings)).group_by("setting", maintain_order=True).agg(losses)
        best = tried["crossEntropy"].min()
        texts = [f"**{name}: {value:.3f}**" if value == best else f"{name}: {value:.3f}" for name, value in tried.iter_rows()]
        first = search.row(0, named=True)
        rows.append(
            [first["data"], first["slice"] or "the whole", first["split"], first["method"], first["pool"] or NONE, "; ".join(texts)]
        )
    header = ["data", "part", "split", "method", "pool", "cross entropy of each setting (bold: the best, which the results use)"]
    return table(header, rows) if rows else "No searches yet."


def setting(value: object) -> str:
    """Return a setting's value as text: a number without the zeros that say nothing, anything else in JSON."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else json.dumps(value, allow_nan=False)


def command_table(runs: pl.DataFrame) -> str:
    """Return a row for each command: what it makes, with which seeds and from which commits."""
    commands = [re.sub(r"(--seed[ =])\d+", r"\1S", command) for command in runs["command"]]
    columns = ("data", "purpose", "method", "seed", "commit")
    found = (
        runs.with_columns(pl.Series("command", commands), pl.col("commit").str.head(8))
        .group_by("command")
        .agg(pl.col(columns).cast(pl.String).unique().sort().str.join(", "))
        .sort("data", "command")
    )
    rows = [[f"`{command}`", *cells] for command, *cells in found.iter_rows()]
    return table(["command", "data", "purpose", "methods", "seeds", "commits"], rows)
