"""What anybody would try for a new profile with a few texts, without masks: the choices that learning is held against."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from xpeft.data import Example
from xpeft.label_bias import fit_bias, stored_bias

# The edge's prior standard deviation of label biases (src/learn/recipe.ts).
BIAS_SPREAD = 1.0
NEIGHBOURS = 3
# The inverse of scikit-learn's C. The features of a text have a squared length of 30 to 120.
PENALTY = 10.0

Indices = np.ndarray[tuple[int], np.dtype[np.int64]]


def simple_choices(
    plain: tuple[torch.Tensor, torch.Tensor], logits: tuple[torch.Tensor, torch.Tensor], train: list[Example]
) -> dict[str, Indices]:
    """Return the label indices of one profile's test texts by each choice.

    plain: features [texts, d] of train and test texts under the plain PLM. logits: their logits [texts, labels] under the task's default.
    """
    (features, test_features), (train_logits, test_logits) = plain, logits
    truth = np.array([example.label for example in train])
    labels = test_logits.shape[1]
    counts = np.bincount(truth, minlength=labels)
    one_profile = [replace(example, profile=0) for example in train]
    bias = stored_bias(fit_bias(train_logits, one_profile, 1, torch.full((labels,), BIAS_SPREAD)))[0]
    near, test_near = F.normalize(features, dim=1).numpy(), F.normalize(test_features, dim=1).numpy()
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(truth)), weights="distance").fit(near, truth)
    regression = LogisticRegression(C=1 / PENALTY, max_iter=1000).fit(features.numpy(), truth)
    return {
        "majority": np.full(len(test_logits), counts.argmax()),
        "default": test_logits.argmax(1).numpy(),
        "label bias": (test_logits + bias).argmax(1).numpy(),
        "nearest neighbours": neighbours.predict(test_near),
        "logistic regression": regression.predict(test_features.numpy()),
    }
