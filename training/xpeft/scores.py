"""Predictions and how good they are: per profile, over all texts (micro) and as the mean of the profiles (macro)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, mean_absolute_error

from xpeft.data import Example, group_by_profile

Indices = NDArray[np.int64]


# micro, macro: accuracies between 0 and 1; mae only where all labels are numbers.
Scores = dict[str, float]


def score(predicted: Indices, examples: Sequence[Example], labels: Sequence[str]) -> Scores:
    """Scores of predicted label indices."""
    truth = np.array([example.label for example in examples])
    accuracies = profile_accuracies(predicted, examples)
    scores = Scores(micro=float(accuracy_score(truth, predicted)), macro=float(np.mean(list(accuracies.values()))))
    values = label_values(labels)
    if values is not None:
        scores["mae"] = float(mean_absolute_error(values[truth], values[predicted]))
    return scores


def profile_accuracies(predicted: Indices, examples: Sequence[Example]) -> dict[int, float]:
    """Accuracy of each profile that has an example."""
    truth = np.array([example.label for example in examples])
    return {profile: float(accuracy_score(truth[own], predicted[own])) for profile, own in group_by_profile(examples).items()}


def label_values(labels: Sequence[str]) -> NDArray[np.float64] | None:
    """The labels as numbers, or None where one is not."""
    try:
        return np.array([float(label) for label in labels])
    except ValueError:
        return None


def majority(train: Sequence[Example], asked: Sequence[Example]) -> Indices:
    """For each example, the label that its profile has most often in training; the smallest index of several."""
    most = {profile: int(np.bincount([train[index].label for index in own]).argmax()) for profile, own in group_by_profile(train).items()}
    return np.array([most[example.profile] for example in asked])
