"""Bootstrap intervals over profiles (or texts) and seeds, paired between two methods."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 10_000
COVERAGE = 0.95
MOST_UNITS = 1000
# Entries of the counts that a statistic gets at once: few enough for the cache.
CHUNK = 2**17

Array = NDArray[np.float64]
# The figure of each seed, [resamples, seeds], when each unit occurs as often as the counts [resamples, units] say.
Statistic = Callable[[Array], Array]


class Estimate(NamedTuple):
    """A figure of all units and seeds, and its 95% percentile interval."""

    value: float
    low: float
    high: float


def paired_difference(ours: ArrayLike, theirs: ArrayLike, sizes: ArrayLike | None = None) -> Estimate:
    """Return our mean less theirs with its interval, which resamples profiles and seeds together.

    ours, theirs: the figure of each profile, [profiles] or [seeds, profiles], for the same profiles and seeds in the same order. Higher is
    better: pass errors with a minus. sizes: texts of each profile, [profiles], for a mean over texts; without them each profile counts the
    same. Texts may take the profiles' place. Raises ValueError where shapes differ or there are fewer than two profiles.
    """
    our_figures, their_figures = (np.asarray(figures, dtype=np.float64) for figures in (ours, theirs))
    if our_figures.shape != their_figures.shape:
        raise ValueError(f"figures of shape {our_figures.shape} cannot be paired with figures of shape {their_figures.shape}")
    return mean_estimate(our_figures - their_figures, sizes)


def mean_estimate(figures: ArrayLike, sizes: ArrayLike | None = None) -> Estimate:
    """Return the mean of figures, [profiles] or [seeds, profiles], with its interval. sizes: as for `paired_difference`."""
    values = np.atleast_2d(np.asarray(figures, dtype=np.float64))
    statistic = mean_statistic(values, sizes)
    if values.shape[1] <= MOST_UNITS:
        return estimate(statistic, values.shape[1], values.shape[0])
    # Random blocks in place of single profiles leave the mean's variance as it is, and 100,000 profiles take no longer than 1,000.
    weights = np.ones(values.shape[1]) if sizes is None else np.asarray(sizes, dtype=np.float64)
    block = np.random.default_rng(0).permutation(np.arange(values.shape[1]) % MOST_UNITS)
    totals = np.bincount(block, weights)
    means = np.stack([np.bincount(block, weights * row) for row in values]) / totals
    return Estimate(whole(statistic, values.shape[1]), *interval(resample(mean_statistic(means, totals), *means.shape[::-1])))


def mean_statistic(values: Array, sizes: ArrayLike | None = None) -> Statistic:
    """Return the statistic that is the mean of values [seeds, units]. sizes: weights of the units, [units]."""
    weights = np.ones(values.shape[-1]) if sizes is None else np.asarray(sizes, dtype=np.float64)
    if values.ndim != 2 or weights.shape != values.shape[-1:]:
        raise ValueError(f"figures of shape {values.shape} and sizes of shape {weights.shape} are not [seeds, profiles] and [profiles]")
    if not np.isfinite(values).all() or not (weights > 0).all():
        raise ValueError("figures must be finite and sizes positive")
    weighted = (values * weights).T
    return lambda counts: (counts @ weighted) / (counts @ weights)[:, None]


def estimate(statistic: Statistic, units: int, seeds: int) -> Estimate:
    """Return a statistic's mean over seeds with its interval."""
    return Estimate(whole(statistic, units), *interval(resample(statistic, units, seeds)))


def whole(statistic: Statistic, units: int) -> float:
    """Return a statistic's mean over seeds, with each unit once."""
    return float(statistic(np.ones((1, units))).mean())


def interval(resampled: Array) -> tuple[float, float]:
    """Return the 95% percentile interval of resampled figures."""
    low, high = np.quantile(resampled, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return float(low), float(high)


def resample(statistic: Statistic, units: int, seeds: int, stream: int = 0) -> Array:
    """Return the statistic of RESAMPLES resamples of units and seeds. Figures to be added up need streams of their own."""
    if units < 2 or seeds < 1:
        raise ValueError(f"{units} units and {seeds} seeds have no interval: it needs two units and a seed")
    return np.concatenate(
        [(statistic(unit_counts) * seed_counts).sum(1) / seeds for unit_counts, seed_counts in draws(units, seeds, stream)]
    )


# Most pairs of methods have the same profiles and seeds.
@lru_cache(maxsize=1)
def draws(units: int, seeds: int, stream: int) -> list[tuple[Array, Array]]:
    """Return how often each unit and each seed occurs in each resample, in parts: [resamples, units] and [resamples, seeds]."""
    rng, rows = np.random.default_rng(stream), max(1, CHUNK // units)
    sizes = [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]
    return [(draw(rng, size, units), draw(rng, size, seeds)) for size in sizes]


def draw(rng: np.random.Generator, rows: int, units: int) -> Array:
    """Return how often each unit occurs in resamples with replacement, [rows, units]."""
    drawn = rng.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(np.float64)
