"""Figures of methods and of pairs of methods with their intervals, in points: hundredths of the metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xpeft.bootstrap import Array, Estimate, Statistic, interval, mean_statistic, resample, whole
from xpeft.errors import XpeftError
from xpeft.report.groups import Group, title
from xpeft.report.metric_statistics import metric_statistic

MACRO = "macro accuracy"
MAE = "mae"


@dataclass(frozen=True)
class Sample:
    """A figure as a function of units, which are profiles, or the texts of a data set with one profile. Higher is better."""

    statistic: Statistic
    units: int
    seeds: int

    def resample(self, stream: int = 0) -> Array:
        """Return the figure of each resample, in points."""
        return 100 * resample(self.statistic, self.units, self.seeds, stream)

    def value(self) -> float:
        """Return the figure, in points."""
        return 100 * whole(self.statistic, self.units)

    def estimate(self) -> Estimate:
        """Return the figure with its interval, in points."""
        return Estimate(self.value(), *interval(self.resample()))


def metrics_of(group: Group) -> list[str]:
    """Return the metrics that a data set's methods are compared by: the first says which is better."""
    if group["profileCount"] == 1:
        return [group["metric"]]
    return [MACRO, *([MAE] if group["metric"] == MAE else [])]


def sample(group: Group, metric: str) -> Sample | None:
    """Return the sample of a method; None where its runs lack the metric's figures."""
    runs = group["runs"]
    if not has_figures(runs, metric):
        return None
    units = len(units_of(runs, metric, group))
    return Sample(statistic_of(runs, metric), units, len(runs))


def difference(ours: Group, theirs: Group, metric: str) -> Sample | None:
    """Return the sample of our figure less theirs, over the seeds of both; None where they share none, or runs lack the metric's figures.

    Raises XpeftError where the two were measured on different texts.
    """
    seeds = {run["seed"] for run in ours["runs"]} & {run["seed"] for run in theirs["runs"]}
    mine, other = ([run for run in group["runs"] if run["seed"] in seeds] for group in (ours, theirs))
    if not has_figures(mine, metric) or not has_figures(other, metric):
        return None
    units = len(units_of([*mine, *other], metric, theirs))
    first, second = statistic_of(mine, metric), statistic_of(other, metric)
    return Sample(lambda counts: first(counts) - second(counts), units, len(seeds))


def has_figures(runs: Sequence[dict[str, Any]], metric: str) -> bool:
    """Return whether there are runs, and all have what the metric is computed from."""
    if metric == MACRO:
        return bool(runs)
    return bool(runs) and all(run["profiles"]["absoluteErrors"] if metric == MAE else run["answers"] for run in runs)


def statistic_of(runs: Sequence[dict[str, Any]], metric: str) -> Statistic:
    """Return the metric of each run, an error with a minus, as a function of the counts of its units."""
    if metric in (MACRO, MAE):
        texts, right, errors = ([run["profiles"][name] for run in runs] for name in ("texts", "right", "absoluteErrors"))
        if metric == MACRO:
            return mean_statistic(np.array(right) / np.array(texts))
        return mean_statistic(-np.array(errors) / np.array(texts), texts[0])
    answers = [run["answers"] for run in runs]
    return metric_statistic(metric, np.array(answers[0]["truth"]), np.array([one["predicted"] for one in answers]))


def units_of(runs: Sequence[dict[str, Any]], metric: str, group: Group) -> list[Any]:
    """Return what the runs' figures are of: profiles with their texts, or the texts' right answers. group: names them in the error."""
    if metric in (MACRO, MAE):
        units = [list(zip(run["profiles"]["ids"], run["profiles"]["texts"], strict=True)) for run in runs]
    else:
        units = [run["answers"]["truth"] for run in runs]
    if any(one != units[0] for one in units):
        raise XpeftError(
            f"{title(group)}: runs of {group['name']} were not measured on the texts of the runs that they are compared with",
            "Figures are paired text by text: remove the runs of the older data, and make them again.",
        )
    return units[0]
