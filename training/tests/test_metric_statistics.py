"""Metrics of many resamples at once are those of scikit-learn and SciPy of each resample."""

import numpy as np
import pytest

from xpeft.bootstrap import Array, draws
from xpeft.comparison.metrics import METRICS, MetricName
from xpeft.report.metric_statistics import metric_statistic

TEXTS = 40


def answers(name: MetricName) -> tuple[Array, Array]:
    """Right answers, and those of two seeds."""
    rng = np.random.default_rng(0)
    if name == "pearson-spearman":
        # Scores of a scale have ties.
        truth = rng.integers(0, 11, TEXTS) / 2
        return truth, truth + rng.normal(0, 1, (2, TEXTS)).round(1)
    truth = rng.integers(0, 2, TEXTS).astype(float)
    return truth, np.abs(truth - (rng.random((2, TEXTS)) < 0.3))


@pytest.mark.parametrize("name", ["accuracy", "choice-accuracy", "f1", "matthews", "pearson-spearman"])
def test_each_resample_has_the_metric_of_its_texts(name: MetricName) -> None:
    truth, predicted = answers(name)
    counts, _ = draws(TEXTS, 2, 0)[0]
    found = metric_statistic(name, truth, predicted)(counts[:50])
    for resample, figures in zip(counts.astype(int), found, strict=False):
        drawn = np.repeat(np.arange(TEXTS), resample)
        assert figures == pytest.approx([METRICS[name](truth[drawn], one[drawn]) for one in predicted])


@pytest.mark.parametrize("name", ["f1", "matthews", "pearson-spearman"])
def test_a_method_that_always_says_the_same_has_nothing(name: MetricName) -> None:
    truth, predicted = answers(name)
    assert metric_statistic(name, truth, np.zeros_like(predicted))(np.ones((1, TEXTS))).tolist() == [[0, 0]]


def test_a_metric_of_profiles_is_rejected() -> None:
    with pytest.raises(ValueError, match="mae has no intervals over texts"):
        metric_statistic("mae", *answers("accuracy"))
