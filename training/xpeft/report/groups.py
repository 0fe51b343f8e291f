"""Runs that differ only in their seed, as one row with mean, sample standard deviation and marks."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from xpeft.comparison.sets import SETS

# A row of `group_runs`.
Group = dict[str, Any]

PROFILE = {"seed": pl.Int64, "profile": pl.String, "accuracy": pl.Float64}
ENOUGH_SEEDS = 3
SLICE_MARK, SEEDS_MARK = "†", "‡"
LEGEND = f"{SLICE_MARK} part of the data set. {SEEDS_MARK} fewer than {ENOUGH_SEEDS} seeds."
SUITES = {"glue": "GLUE", "superglue": "SuperGLUE"}
IN_SUITE = pl.col("family").is_in(list(SUITES))
METHOD = ("base", "head", "pool", "bytesPerProfile")
SHARED = (
    *("method", "headBytes", "bytesBesideHead", "metric", "higherIsBetter"),
    *("profileCount", "train", "dev", "test", "chosen"),
)


def group_runs(runs: pl.DataFrame, purpose: str) -> pl.DataFrame:
    """Return a row for each method on each part of the data: whole sets before parts, test before dev, methods in their order.

    macro and value are means over seeds; macro_sd is None for one seed. on_dev is the same runs' macro accuracy on dev. runs has the
    seed, profiles and answers of each run, losses the entries of all.
    """
    same, figures = ("data", "slice", *METHOD, "textsPerProfile"), ("macro", "value")
    groups = (
        runs.filter(pl.col("purpose") == purpose)
        .sort("data", pl.col("slice").is_not_null(), "slice", pl.col("split") == "dev", *METHOD, "textsPerProfile", "seed")
        .group_by(*same, "split", maintain_order=True)
        .agg(
            pl.first(*SHARED),
            pl.max("bytesPerTask", "settingsTried"),
            pl.mean(*figures),
            pl.col("macro").std().name.suffix("_sd"),
            pl.col("seed").n_unique().alias("seeds"),
            pl.struct("seed", "profiles", "answers").alias("runs"),
            pl.col("losses").explode().drop_nulls(),
        )
        .with_columns(
            marks=pl.col("slice").is_null().replace_strict({True: "", False: SLICE_MARK})
            + (pl.col("seeds") >= ENOUGH_SEEDS).replace_strict({True: "", False: SEEDS_MARK}),
            part=pl.coalesce(pl.format("{}, {}", "data", "slice"), "data"),
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


def title(group: Group) -> str:
    """Return data set, split and part. Groups with the same title were measured on the same texts."""
    return f"{group['data']}, {group['split']}" + (f", {group['slice']} {SLICE_MARK}" if group["slice"] else "")


def of_measured_split(groups: pl.DataFrame) -> pl.DataFrame:
    """Return the groups of the split that figures are of: dev for data sets without test labels."""
    on_dev = [name for name, spec in SETS.items() if spec.measured == "dev"]
    return groups.filter((pl.col("split") == "dev") == pl.col("data").is_in(on_dev))


def best_variant(variants: Sequence[Group]) -> Group:
    """Return the variant of a method (pool, head, size) that is best on dev; where dev has no figures of all, the best as measured."""
    if all(variant["on_dev"] is not None for variant in variants):
        return max(variants, key=lambda variant: variant["on_dev"])
    return max(variants, key=lambda variant: variant["macro"] if variant["profileCount"] > 1 else variant["value"])


def all_marks(groups: list[Group]) -> str:
    """Return the marks that any of the groups has."""
    return "".join(sorted({mark for group in groups for mark in group["marks"]}))


def profile_differences(ours: Group, theirs: Group) -> list[float]:
    """Return the sorted differences of the profiles' accuracies, each a mean over the seeds that both groups have."""
    mine, other = (accuracies(group) for group in (ours, theirs))
    both = mine.join(other, on=["seed", "profile"])
    means = both.group_by("profile").agg((pl.col("accuracy") - pl.col("accuracy_right")).mean())
    return means["accuracy"].sort().to_list()


def accuracies(group: Group) -> pl.DataFrame:
    """Return a row for each seed and profile."""
    rows = [
        (run["seed"], profile, right / texts)
        for run in group["runs"]
        for profile, right, texts in zip(*(run["profiles"][name] for name in ("ids", "right", "texts")), strict=True)
    ]
    return pl.DataFrame(rows, PROFILE, orient="row")
