"""Runs that differ only in their seed, as one row with mean, sample standard deviation and marks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import bootstrap

from xpeft.report.runs import PROFILE

# A row of `group_runs`.
Group = dict[str, Any]

ENOUGH_SEEDS = 3
SLICE_MARK, SEEDS_MARK = "†", "‡"
LEGEND = f"{SLICE_MARK} part of the data set. {SEEDS_MARK} fewer than {ENOUGH_SEEDS} seeds."
SUITES = {"glue": "GLUE", "superglue": "SuperGLUE"}
IN_SUITE = pl.col("family").is_in(list(SUITES))
METHOD = ("base", "head", "pool", "bytesPerProfile")
SHARED = (
    *("method", "headBytes", "bytesBesideHead", "metric", "higherIsBetter", "trainedParameters"),
    *("profileCount", "train", "dev", "test", "chosen"),
)


def group_runs(runs: pl.DataFrame, purpose: str) -> pl.DataFrame:
    """Return a row for each method on each part of the data: whole sets before parts, test before dev, methods in their order.

    micro, macro and value are means over seeds; micro_sd, macro_sd and value_sd are None for one seed. on_dev is the same
    runs' macro accuracy on dev. profiles and losses hold the entries of all runs.
    """
    same, figures = ("data", "slice", *METHOD, "textsPerProfile"), ("micro", "macro", "value")
    groups = (
        runs.filter(pl.col("purpose") == purpose)
        .sort("data", pl.col("slice").is_not_null(), "slice", pl.col("split") == "dev", *METHOD, "textsPerProfile", "seed")
        .group_by(*same, "split", maintain_order=True)
        .agg(
            pl.first(*SHARED),
            pl.mean(*figures, "seconds"),
            pl.col(*figures).std().name.suffix("_sd"),
            pl.col("seed").n_unique().alias("seeds"),
            pl.col("device").unique().sort().str.join(", "),
            pl.col("profiles", "losses").explode().drop_nulls(),
        )
        .with_columns(
            complete=pl.col("slice").is_null() & (pl.col("seeds") >= ENOUGH_SEEDS),
            marks=pl.col("slice").is_null().replace_strict({True: "", False: SLICE_MARK})
            + (pl.col("seeds") >= ENOUGH_SEEDS).replace_strict({True: "", False: SEEDS_MARK}),
            name=pl.coalesce(pl.format("{} ({})", "method", "pool"), "method"),
            family=pl.col("data").str.extract("^([^/]+)"),
        )
    )
    on_dev = groups.filter(pl.col("split") == "dev").select(*same, on_dev="macro")
    return groups.join(on_dev, on=same, how="left", nulls_equal=True, maintain_order="left")


def panels(groups: pl.DataFrame) -> dict[str, list[Group]]:
    """Return the groups that one table or plot may show, by title: those of one data set, slice and split."""
    return {
        title(part.row(0, named=True)): part.rows(named=True) for part in groups.partition_by("data", "slice", "split", maintain_order=True)
    }


def select(groups: Sequence[Group], base: str, head: str) -> list[Group]:
    """Return the groups of one method with one kind of head."""
    return [group for group in groups if (group["base"], group["head"]) == (base, head)]


def title(group: Group) -> str:
    """Return data set, split and part. Groups with the same title were measured on the same texts."""
    return f"{group['data']}, {group['split']}" + (f", {group['slice']} {SLICE_MARK}" if group["slice"] else "")


def weight(group: Group) -> tuple[bool, bool, int]:
    """Return a sort key for how much a group's figures say. Dev comes after test even with more seeds, as choices were made on it."""
    return group["slice"] is None, group["split"] == "test", group["seeds"]


def figure(group: Group, name: str = "macro") -> str:
    """Return a mean with its standard deviation and marks, as tables show it."""
    deviation = group[f"{name}_sd"]
    return f"{group[name]:.3f}{'' if deviation is None else f' ± {deviation:.3f}'}{group['marks']}"


def all_marks(groups: list[Group]) -> str:
    """Return the marks that any of the groups has."""
    return "".join(sorted({mark for group in groups for mark in group["marks"]}))


def paired_differences(ours: Group, theirs: Group) -> list[float]:
    """Return the sorted differences of the profiles' accuracies, each a mean over the seeds that both groups have."""
    mine, other = (pl.DataFrame(group["profiles"], PROFILE) for group in (ours, theirs))
    both = mine.join(other, on=["seed", "profile"])
    means = both.group_by("profile").agg((pl.col("accuracy") - pl.col("accuracy_right")).mean())
    return means["accuracy"].sort().to_list()


def interval(differences: list[float]) -> str:
    """Return the 95% bootstrap interval of a mean paired difference, in words; "" for fewer than two profiles."""
    if len(differences) < 2:
        return ""
    found = bootstrap((differences,), np.mean, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    return f", 95% bootstrap interval over {len(differences)} profiles {found.low:+.4f} to {found.high:+.4f}"
