"""Predictions and how good they are: per profile, over all texts (micro) and as the mean of the profiles (macro)."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, mean_absolute_error

from xpeft.batches import Batch, collate
from xpeft.data import Example

Indices = NDArray[np.int64]


# micro, macro: accuracies between 0 and 1; mae only where all labels are numbers.
Scores = dict[str, float]


def by_profile(examples: Sequence[Example]) -> dict[int, list[int]]:
    """Indices of the examples of each profile."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        groups[example.profile].append(index)
    return groups


@torch.no_grad()
def run_groups(
    compute: Callable[[Batch], torch.Tensor], examples: Sequence[Example], groups: dict[int, list[int]], pad_id: int, device: torch.device
) -> torch.Tensor:
    """`compute` for every example, in order, [examples, …]; each group's examples are computed under the group's row, 64 at a time."""
    parts: list[torch.Tensor] = []
    order: list[int] = []
    for row, indices in groups.items():
        ranked = sorted(indices, key=lambda index: len(examples[index].ids))
        for start in range(0, len(ranked), 64):
            chunk = ranked[start : start + 64]
            parts.append(compute(collate([row], [examples[index] for index in chunk], pad_id, device)).float().cpu())
            order.extend(chunk)
    out = torch.empty((len(examples), *parts[0].shape[1:]))
    out[torch.tensor(order)] = torch.cat(parts)
    return out


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
    return {profile: float(accuracy_score(truth[own], predicted[own])) for profile, own in by_profile(examples).items()}


def label_values(labels: Sequence[str]) -> NDArray[np.float64] | None:
    """The labels as numbers, or None where one is not."""
    try:
        return np.array([float(label) for label in labels])
    except ValueError:
        return None


def majority(train: Sequence[Example], asked: Sequence[Example]) -> Indices:
    """For each example, the label that its profile has most often in training; the smallest index of several."""
    most = {profile: int(np.bincount([train[index].label for index in own]).argmax()) for profile, own in by_profile(train).items()}
    return np.array([most[example.profile] for example in asked])
