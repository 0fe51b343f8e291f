"""The report's tables, in Markdown."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from xpeft.report.claims import SUITES, short, trust
from xpeft.report.groups import LEGEND, Group, grouped, is_language_suite, method_order, panels
from xpeft.report.records import RunRecord


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[str] = ()) -> str:
    """A Markdown table; the columns named in `numbers` are aligned to the right."""
    lines = [header, ["---:" if name in numbers else "---" for name in header], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def data_tables(runs: Sequence[RunRecord]) -> str:
    """One table for each data set with profiles."""
    found = panels(grouped([run for run in runs if run.purpose == "result"]), lambda group: not is_language_suite(group.first.data))
    if not found:
        return "No results of data sets with profiles yet."
    return "\n\n".join(f"### {title}\n\n{data_table(groups)}" for title, groups in found.items()) + f"\n\n{LEGEND}"


def data_table(groups: Sequence[Group]) -> str:
    """A row for each method and pool."""
    first = groups[0].first
    metric = first.metric.name if first.metric.higherIsBetter else f"{first.metric.name} (less is better)"
    numbers = ["bytes a profile", "trained parameters", "seeds", "micro", "macro", metric, "seconds"]
    header = ["method", "pool", *numbers, "device"]
    rows = []
    for group in groups:
        run = group.first
        cells = [f"{run.bytesPerProfile:,}", f"{run.trainedParameters:,}", f"{group.seeds}"]
        means = [f"{mean}{group.marks}" for mean in (group.micro, group.macro, group.metric)]
        devices = ", ".join(sorted({run.device for run in group.runs}))
        rows.append([run.method, run.pool or "–", *cells, *means, f"{group.seconds:,.0f}", devices])
    count = f"{first.profileCount:,} profiles; {first.texts.train:,} training, {first.texts.dev:,} dev and {first.texts.test:,} test texts."
    return f"{count}\n\n{table(header, rows, numbers)}"


def suite_table(runs: Sequence[RunRecord]) -> str:
    """GLUE and SuperGLUE: a row for each method and pool, a column for each task, and each suite's mean."""
    groups = grouped([run for run in runs if run.purpose == "result" and is_language_suite(run.data)])
    if not groups:
        return "No results of GLUE or SuperGLUE yet."
    tasks = sorted({group.first.data for group in groups})
    names = {group.first.data: f"{group.first.data} ({group.first.metric.name})" for group in groups}
    suites = [suite for suite in SUITES if any(task.startswith(f"{suite}/") for task in tasks)]
    cells: dict[tuple[str, str | None], dict[str, Group]] = defaultdict(dict)
    for group in sorted(groups, key=lambda group: (*method_order(group.first)[:3], trust(group))):
        cells[group.first.method, group.first.pool][group.first.data] = group
    header = ["method", "pool", "bytes a profile", *(names[task] for task in tasks), *(f"mean of {SUITES[suite]}" for suite in suites)]
    rows = []
    for (method, pool), row in cells.items():
        sizes = sorted({group.first.bytesPerProfile for group in row.values()})
        size = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        values = [f"{row[task].metric}{row[task].marks}" if task in row else "–" for task in tasks]
        means = [suite_mean([row.get(task) for task in tasks if task.startswith(f"{suite}/")]) for suite in suites]
        rows.append([method, pool or "–", size, *values, *means])
    splits = " and ".join(sorted({group.first.split for group in groups}))
    parts = sorted({f"{short(run.data)}: {run.slice}" for row in cells.values() for group in row.values() if (run := group.first).slice})
    notes = f"Of {splits}. No mean where a task has not run. Of several runs of a task, those that say most are shown. {LEGEND}"
    return f"{table(header, rows, header[2:])}\n\n{notes}" + (f" Parts: {'; '.join(parts)}." if parts else "")


def suite_mean(row: Sequence[Group | None]) -> str:
    """The mean over a suite's tasks, with all their marks."""
    there = [group for group in row if group is not None]
    if len(there) < len(row):
        return "–"
    marks = "".join(sorted({mark for group in there for mark in group.marks}))
    return f"{fmean(group.metric.value for group in there):.3f}{marks}"


def search_table(runs: Sequence[RunRecord]) -> str:
    """A row for each choice of a learning rate: every setting that was tried, and the cross entropy that it was judged by."""
    found: dict[tuple[object, ...], list[RunRecord]] = defaultdict(list)
    for run in runs:
        if run.purpose == "search":
            found[(run.data, run.slice or "", run.split, method_order(run))].append(run)
    if not found:
        return "No searches yet."
    rows = []
    for key in sorted(found):
        tried = found[key]
        run = tried[0]
        changed = [name for name in run.recipe if len({json.dumps(other.recipe.get(name)) for other in tried}) > 1]
        changed = changed or [name for name in run.recipe if "lr" in name.lower() or "rate" in name.lower()]
        values: dict[str, list[float]] = defaultdict(list)
        for other in tried:
            values[", ".join(f"{name} {json.dumps(other.recipe.get(name))}" for name in changed) or "as it is"].append(
                other.crossEntropy if other.crossEntropy is not None else math.inf
            )
        means = {setting: fmean(scores) for setting, scores in values.items()}
        best = min(means.values())
        tries = "; ".join(f"**{name}: {value:.3f}**" if value == best else f"{name}: {value:.3f}" for name, value in means.items())
        rows.append([run.data, run.slice or "the whole", run.split, run.method, run.pool or "–", tries])
    return table(["data", "part", "split", "method", "pool", "cross entropy of the settings tried (in bold: taken)"], rows)


def command_table(runs: Sequence[RunRecord]) -> str:
    """Every command, with S where only the seed differs."""
    found: dict[tuple[str, ...], list[RunRecord]] = defaultdict(list)
    for run in runs:
        command = re.sub(r"(--seed[ =])\d+", r"\1S", run.command)
        found[run.data, run.purpose, command].append(run)
    rows = []
    for (data, purpose, command), made in sorted(found.items()):
        seeds = ", ".join(str(seed) for seed in sorted({run.seed for run in made}))
        rows.append([data, purpose, seeds, ", ".join(sorted({run.commit[:8] for run in made})), f"`{command}`"])
    return table(["data", "purpose", "seeds S", "commit", "command"], rows)
