"""Scores of predictions: for each profile, over all texts (micro), and as the mean over profiles (macro)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xpeft.data import Example, group_by_profile
from xpeft.labels import label_values

Indices = NDArray[np.int64]


# micro, macro: accuracies between 0 and 1; mae only where all labels are numbers.
Scores = dict[str, float]


def score(predicted: Indices, examples: Sequence[Example], labels: Sequence[str]) -> Scores:
    """Return the scores of predicted label indices."""
    truth = np.array([example.label for example in examples])
    accuracies = profile_accuracies(predicted, examples)
    scores = Scores(micro=float(np.mean(predicted == truth)), macro=float(np.mean(list(accuracies.values()))))
    values = label_values(labels)
    if values is not None:
        scores["mae"] = float(np.mean(np.abs(values[predicted] - values[truth])))
    return scores


def profile_accuracies(predicted: Indices, examples: Sequence[Example]) -> dict[int, float]:
    """Return the accuracy of each profile that has an example."""
    truth = np.array([example.label for example in examples])
    return {profile: float(np.mean(predicted[indices] == truth[indices])) for profile, indices in group_by_profile(examples).items()}


def majority(train: Sequence[Example], examples: Sequence[Example]) -> Indices:
    """Return, for each example, the label that its profile has most often in training; on a tie, the smallest index.

    A profile without training texts has the label that all profiles together have most often.
    """
    all_labels = np.array([example.label for example in train])
    most = {profile: int(np.bincount(all_labels[indices]).argmax()) for profile, indices in group_by_profile(train).items()}
    overall = int(np.bincount(all_labels).argmax())
    return np.array([most.get(example.profile, overall) for example in examples])
