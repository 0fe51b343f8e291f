"""What the runs say of the default against each other method: paired differences with their intervals, and `claims.json`."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from xpeft.bootstrap import Estimate, interval
from xpeft.comparison.records import DEFAULT_METHOD
from xpeft.comparison.sets import SETS
from xpeft.report.groups import SUITES, Group, best_variant, group_runs, of_measured_split, panels
from xpeft.report.intervals import difference, metrics_of

# Made so that what train teaches is wrong on dev.
APART = "glue/wnli"
RANDOM_POOL_MASKS = ("hard", "soft")
MASKS = (DEFAULT_METHOD, *RANDOM_POOL_MASKS)
DIGITS = 2


@dataclass(frozen=True)
class Claim:
    """A paired difference of two methods, in points of the metric. Above 0, `method` is better, for errors too.

    data: the data set, with its part, or a suite. bytes: what a profile takes under `method`.
    """

    data: str
    method: str
    against: str
    metric: str
    difference: float
    low: float
    high: float
    seeds: int
    bytes: int

    @property
    def verdict(self) -> str:
        """What the interval shows."""
        if self.low > 0:
            return "above"
        if self.high < 0:
            return "below"
        return "equal" if self.low > -1 and self.high < 1 else "undecided"


def claims(runs: pl.DataFrame) -> list[Claim]:
    """Return the claims of each data set and suite."""
    found = panels(of_measured_split(group_runs(runs, "result"))).values()
    sets = [claim for groups in found for claim in set_claims(groups)]
    return [*sets, *(claim for suite in SUITES for claim in suite_claims(suite, found))]


def claims_json(found: Iterable[Claim]) -> str:
    """Return the text of claims.json."""
    return json.dumps([asdict(claim) for claim in found], indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def set_claims(groups: Sequence[Group]) -> Iterator[Claim]:
    """Yield the claims on one data set: the default against the best variant of each other method, by each metric."""
    best = best_variants(groups)
    ours = best.pop(DEFAULT_METHOD, None)
    if ours is None:
        return
    for against, theirs in best.items():
        for metric in metrics_of(ours):
            if found := difference(ours, theirs, metric):
                yield claim(ours["part"], DEFAULT_METHOD, against, metric, found.estimate(), found.seeds, ours["bytesPerProfile"])


def suite_claims(suite: str, found: Collection[Sequence[Group]]) -> Iterator[Claim]:
    """Yield the claims on a suite's mean: the default, hard and soft masks against one adapter, where all tasks have both."""
    tasks = suite_tasks(suite)
    for method in MASKS:
        pairs: dict[str, tuple[Group, Group]] = {}
        for groups in found:
            best = best_variants(groups)
            if method in best and "adapter" in best:
                # Whole sets come before their parts.
                pairs.setdefault(groups[0]["data"], (best[method], best["adapter"]))
        samples = [difference(*pairs[task], pairs[task][0]["metric"]) for task in tasks if task in pairs]
        whole = [one for one in samples if one]
        if len(whole) < len(tasks):
            continue
        mean = sum(one.value() for one in whole) / len(tasks)
        resampled = np.mean([one.resample(stream) for stream, one in enumerate(whole)], axis=0)
        size = max(pairs[task][0]["bytesPerProfile"] for task in tasks)
        found_mean = Estimate(mean, *interval(resampled))
        yield claim(suite, method, "adapter", f"mean of {len(tasks)} tasks", found_mean, min(one.seeds for one in whole), size)


def suite_tasks(suite: str) -> list[str]:
    """Return the data sets that a suite's mean is of."""
    return [name for name in SETS if name.startswith(f"{suite}/") and name != APART]


def claim(data: str, method: str, against: str, metric: str, found: Estimate, seeds: int, size: int) -> Claim:
    """Return a claim with rounded figures."""
    value, low, high = (round(figure, DIGITS) for figure in found)
    return Claim(data, method, against, metric, value, low, high, seeds, size)


def best_variants(groups: Sequence[Group]) -> dict[str, Group]:
    """Return the best variant of each method by name. A shared head, a label bias beside it and own heads are methods of their own."""
    variants: dict[str, list[Group]] = {}
    for group in groups:
        variants.setdefault(group["method"] if group["base"] == "head" else group["base"], []).append(group)
    return {name: best_variant(found) for name, found in variants.items()}


def reference(groups: Sequence[Group]) -> Group | None:
    """Return the method that tables compare others with: the default, or the hard masks that are best on dev."""
    best = best_variants(groups)
    return best.get(DEFAULT_METHOD) or best.get("hard")
