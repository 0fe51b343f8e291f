"""The metrics of data sets with one profile, of many resamples of their texts at once."""

import numpy as np
from numpy.typing import NDArray

from xpeft.bootstrap import Array, Statistic, mean_statistic


def metric_statistic(name: str, truth: Array, predicted: Array) -> Statistic:
    """Return the metric of each seed as a function of the counts of texts. truth: [texts], predicted: [seeds, texts]."""
    if name in ("accuracy", "choice-accuracy"):
        return mean_statistic((predicted == truth).astype(np.float64))
    if name in ("f1", "matthews"):
        return binary_statistic(name, truth == 1, predicted == 1)
    if name == "pearson-spearman":
        return correlation_statistic(truth, predicted)
    raise ValueError(f"{name} has no intervals over texts")


def binary_statistic(name: str, truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Statistic:
    """Return F1 or Matthews' coefficient of the label 1. It is 0 where it is not defined, as in scikit-learn."""
    cells = [(predicted == said) & (truth == meant) for said, meant in ((True, True), (True, False), (False, True), (False, False))]
    matrices = [cell.T.astype(np.float64) for cell in cells]

    def statistic(counts: Array) -> Array:
        hits, false_hits, misses, rest = (counts @ matrix for matrix in matrices)
        if name == "f1":
            return ratio(2 * hits, 2 * hits + false_hits + misses)
        sides = (hits + false_hits) * (hits + misses) * (rest + false_hits) * (rest + misses)
        return ratio(hits * rest - false_hits * misses, np.sqrt(sides))

    return statistic


def correlation_statistic(truth: Array, predicted: Array) -> Statistic:
    """Return the mean of Pearson's and Spearman's correlation; 0 with a constant."""

    def statistic(counts: Array) -> Array:
        true_ranks, total = centred_ranks(counts, truth), counts.sum(1)
        figures = []
        for one in predicted:
            first, second = truth - truth.mean(), one - one.mean()
            sums = counts @ np.stack([first, second, first * second, first**2, second**2], 1) / total[:, None]
            mean, other, product, square, other_square = sums.T
            pearson = correlation(product - mean * other, square - mean**2, other_square - other**2)
            said = centred_ranks(counts, one)
            moments = [
                np.einsum("rt,rt->r", counts * left, right) for left, right in ((true_ranks, said), (true_ranks, true_ranks), (said, said))
            ]
            figures.append((pearson + correlation(*moments)) / 2)
        return np.stack(figures, 1)

    return statistic


def correlation(covariance: Array, variance: Array, other_variance: Array) -> Array:
    """Return the correlations of resamples. Less than 1e-12 is a variance of 0 with rounding."""
    varies = (variance > 1e-12) & (other_variance > 1e-12)
    return np.where(varies, ratio(covariance, np.sqrt(np.abs(variance * other_variance))), 0.0)


def centred_ranks(counts: Array, values: Array) -> Array:
    """Return the rank of each text among a resample's texts less the mean rank, [resamples, texts]. Equal values have their mean rank."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=np.nan) != 0)
    of_groups = np.add.reduceat(counts[:, order], starts, axis=1)
    ranks: Array = np.cumsum(of_groups, 1) - of_groups / 2 - counts.sum(1, keepdims=True) / 2
    return ranks[:, np.searchsorted(values[order][starts], values)]


def ratio(above: Array, below: Array) -> Array:
    """Return quotients, 0 where the divisor is 0."""
    quotients: Array = np.where(below == 0, 0.0, above / np.where(below == 0, 1.0, below))
    return quotients
