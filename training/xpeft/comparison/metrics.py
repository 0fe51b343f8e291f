"""The data sets' own metrics, and the figures that a run's file keeps for paired differences."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, mean_absolute_error

from xpeft.bootstrap import Array
from xpeft.comparison.records import Answers, ProfileFigures
from xpeft.data import DataSet, Example, group_by_profile
from xpeft.labels import label_values
from xpeft.scores import Indices

MetricName = Literal["accuracy", "mae", "matthews", "f1", "pearson-spearman", "choice-accuracy"]
LOWER_IS_BETTER: tuple[MetricName, ...] = ("mae",)
# Metrics that are not the accuracy of single texts. Micro and macro are the metric then.
WITHOUT_ACCURACY: tuple[MetricName, ...] = ("pearson-spearman", "choice-accuracy")
# A prediction's digits in a run's file.
DIGITS = 6


def correlation(truth: Array, predicted: Array) -> float:
    """Return the mean of Pearson's and Spearman's correlation. That with a constant is 0, as it tells nothing."""
    if np.ptp(predicted) == 0 or np.ptp(truth) == 0:
        return 0.0
    return float((pearsonr(predicted, truth).statistic + spearmanr(predicted, truth).statistic) / 2)


METRICS: dict[MetricName, Callable[[Array, Array], float]] = {
    "accuracy": accuracy_score,
    "mae": mean_absolute_error,
    "matthews": matthews_corrcoef,
    "f1": f1_score,
    "pearson-spearman": correlation,
    "choice-accuracy": accuracy_score,
}


def metric_value(name: MetricName, logits: torch.Tensor, examples: Sequence[Example], labels: Sequence[str]) -> float:
    """Return the metric's value of logits [texts, labels], as GLUE's and SuperGLUE's own programs compute it."""
    return float(METRICS[name](*truth_and_prediction(name, logits, examples, labels)))


def truth_and_prediction(name: MetricName, logits: torch.Tensor, examples: Sequence[Example], labels: Sequence[str]) -> tuple[Array, Array]:
    """Return what the metric compares: the right and the predicted answer of each text."""
    truth = np.array([example.label for example in examples])
    if name == "pearson-spearman":
        # The predicted score is the mean of the scale under the head's probabilities.
        expected = (logits.softmax(1) * torch.arange(logits.shape[1])).sum(1).numpy()
        return truth + np.array([example.next_label_weight for example in examples]), expected.astype(np.float64)
    if name == "choice-accuracy":
        # A text's two endings follow each other; the likelier one is the answer.
        likelier = (logits[:, 1] - logits[:, 0]).view(-1, 2).argmax(1).numpy()
        return truth.reshape(-1, 2).argmax(1).astype(np.float64), likelier.astype(np.float64)
    predicted: Indices = logits.argmax(1).numpy()
    if name == "mae":
        values = label_values(labels)
        if values is None:
            raise ValueError("mae needs labels that are numbers")
        return values[truth], values[predicted]
    return truth.astype(np.float64), predicted.astype(np.float64)


def answers(name: MetricName, logits: torch.Tensor, examples: Sequence[Example], labels: Sequence[str]) -> Answers:
    """Return the answers as a run's file has them."""
    truth, predicted = (figures.round(DIGITS).tolist() for figures in truth_and_prediction(name, logits, examples, labels))
    return Answers(truth=truth, predicted=predicted)


def profile_figures(name: MetricName, logits: torch.Tensor, examples: Sequence[Example], data: DataSet) -> ProfileFigures:
    """Return the figures of each profile that has an example. logits: [texts, labels]."""
    truth, predicted = np.array([example.label for example in examples]), logits.argmax(1).numpy()
    groups = sorted(group_by_profile(examples).items())
    values = label_values(data.labels) if name == "mae" else None
    errors = None if values is None else np.abs(values[predicted] - values[truth])
    return ProfileFigures(
        ids=[data.profiles[profile] for profile, _ in groups],
        texts=[len(indices) for _, indices in groups],
        right=[int((predicted == truth)[indices].sum()) for _, indices in groups],
        absoluteErrors=None if errors is None else [round(float(errors[indices].sum()), DIGITS) for _, indices in groups],
    )


def better(name: MetricName) -> int:
    """Return 1 where more is better, -1 where less is."""
    return -1 if name in LOWER_IS_BETTER else 1
