"""The data sets' own metrics, of logits [texts, labels]."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, mean_absolute_error

from xpeft.data import Example
from xpeft.labels import label_values
from xpeft.scores import Indices

MetricName = Literal["accuracy", "mae", "matthews", "f1", "pearson-spearman", "choice-accuracy"]
LOWER_IS_BETTER: tuple[MetricName, ...] = ("mae",)
# Metrics that are not the accuracy of single texts. Micro and macro are the metric then.
WITHOUT_ACCURACY: tuple[MetricName, ...] = ("pearson-spearman", "choice-accuracy")


def metric_value(name: MetricName, logits: torch.Tensor, examples: Sequence[Example], labels: Sequence[str]) -> float:
    """Return the metric's value, as GLUE's and SuperGLUE's own programs compute it."""
    truth = np.array([example.label for example in examples])
    if name == "pearson-spearman":
        # The predicted score is the mean of the scale under the head's probabilities.
        expected = (logits.softmax(1) * torch.arange(logits.shape[1])).sum(1).numpy()
        scores = truth + np.array([example.next_label_weight for example in examples])
        if np.ptp(expected) == 0 or np.ptp(scores) == 0:
            # As for Matthews' coefficient: what never changes tells nothing of the other. Its correlation would be NaN.
            return 0.0
        return float((pearsonr(expected, scores).statistic + spearmanr(expected, scores).statistic) / 2)
    if name == "choice-accuracy":
        # A text's two endings follow each other; the likelier one is the answer.
        right = (logits[:, 1] - logits[:, 0]).view(-1, 2).argmax(1).numpy()
        return float(accuracy_score(truth.reshape(-1, 2).argmax(1), right))
    predicted: Indices = logits.argmax(1).numpy()
    if name == "mae":
        values = label_values(labels)
        if values is None:
            raise ValueError("mae needs labels that are numbers")
        return float(mean_absolute_error(values[truth], values[predicted]))
    of_labels: dict[str, Callable[[Indices, Indices], float]] = {"accuracy": accuracy_score, "matthews": matthews_corrcoef, "f1": f1_score}
    return float(of_labels[name](truth, predicted))


def better(name: MetricName) -> int:
    """Return 1 where more is better, -1 where less is."""
    return -1 if name in LOWER_IS_BETTER else 1
