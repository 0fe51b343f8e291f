"""Runs that differ only in their seed, together: mean and standard deviation, and the marks of what a figure is not."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from xpeft.report.records import METHODS, RunRecord

ENOUGH_SEEDS = 3
SLICE_MARK, SEEDS_MARK = "†", "‡"
LEGEND = f"{SLICE_MARK} of a part of the data set, not the whole. {SEEDS_MARK} fewer than {ENOUGH_SEEDS} seeds."


@dataclass(frozen=True)
class Mean:
    """Mean over seeds, and the sample standard deviation, or None of one seed."""

    value: float
    deviation: float | None

    def __str__(self) -> str:
        """As it stands in tables."""
        return f"{self.value:.3f}" if self.deviation is None else f"{self.value:.3f} ± {self.deviation:.3f}"


def mean(values: Sequence[float]) -> Mean:
    """The mean of one or more values."""
    return Mean(math.fsum(values) / len(values), stdev(values) if len(values) > 1 else None)


@dataclass(frozen=True)
class Group:
    """Runs of one purpose, in the order of their seeds, that share all but the seed and what was measured."""

    runs: tuple[RunRecord, ...]

    @property
    def first(self) -> RunRecord:
        """The run that stands for what all share."""
        return self.runs[0]

    @property
    def seeds(self) -> int:
        """How many seeds ran."""
        return len({run.seed for run in self.runs})

    @property
    def whole(self) -> bool:
        """Whether the whole data set was used."""
        return self.first.slice is None

    @property
    def complete(self) -> bool:
        """Whether the figures can carry a claim: the whole data set, and enough seeds."""
        return self.whole and self.seeds >= ENOUGH_SEEDS

    @property
    def marks(self) -> str:
        """The marks of LEGEND that fit."""
        return ("" if self.whole else SLICE_MARK) + ("" if self.seeds >= ENOUGH_SEEDS else SEEDS_MARK)

    @property
    def name(self) -> str:
        """Method and pool, in a few words."""
        return self.first.method if self.first.pool is None else f"{self.first.method} ({self.first.pool})"

    @property
    def micro(self) -> Mean:
        """Accuracy over texts."""
        return mean([run.micro for run in self.runs])

    @property
    def macro(self) -> Mean:
        """Mean of the profiles' accuracies."""
        return mean([run.macro for run in self.runs])

    @property
    def metric(self) -> Mean:
        """The data set's own metric."""
        return mean([run.metric.value for run in self.runs])

    @property
    def seconds(self) -> float:
        """Mean wall time."""
        return fmean(run.seconds for run in self.runs)


def method_order(run: RunRecord) -> tuple[int, str, str, int]:
    """Sort key for the rows of a table."""
    return METHODS.index(run.base), run.head, run.pool or "", run.bytesPerProfile


def grouped(runs: Sequence[RunRecord]) -> list[Group]:
    """Groups of runs, sorted by data set, then whole before part, test before dev, then method."""
    found: dict[tuple[object, ...], list[RunRecord]] = defaultdict(list)
    for run in runs:
        where = (run.data, run.slice is not None, run.slice or "", run.split == "dev", *method_order(run))
        found[(*where, run.textsPerProfile or 0, run.metric.name)].append(run)
    return [Group(tuple(sorted(found[key], key=lambda run: run.seed))) for key in sorted(found)]


def is_language_suite(data: str) -> bool:
    """Whether it is a task of GLUE or SuperGLUE, which have no profiles and go into a table of their own."""
    return data.startswith(("glue/", "superglue/"))


def panels(groups: Sequence[Group], wanted: Callable[[Group], bool] = lambda _: True) -> dict[str, list[Group]]:
    """Groups whose figures may stand in one table or plot: of one data set, slice and split; by title, in order."""
    found: dict[str, list[Group]] = defaultdict(list)
    for group in filter(wanted, groups):
        found[title(group)].append(group)
    return dict(found)


def title(group: Group) -> str:
    """Which data the group's figures are of."""
    run = group.first
    return f"{run.data}, {run.split}" + ("" if run.slice is None else f", {run.slice} {SLICE_MARK}")


def one_split(groups: Sequence[Group]) -> list[Group]:
    """The groups, once where they were measured on test and on dev: for what does not depend on that, as the training loss."""
    found: dict[tuple[object, ...], Group] = {}
    for group in groups:
        found.setdefault((group.first.data, group.first.slice, *method_order(group.first)), group)
    return list(found.values())
