"""Logistic and ridge regression by scikit-learn. A profile's label bias is the weight of an input that is on for its texts alone."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression, Ridge

from xpeft.data import DataSet
from xpeft.features import Features
from xpeft.heads import Head, HeadKind
from xpeft.linear_fit import Targets, descend
from xpeft.peers.feature_method import Fitted, Stored, choose, standardized
from xpeft.progress import progress

PENALTIES = (2000.0, 500.0, 200.0, 50.0)
# The profile's input, when it is on: the larger, the less its weights cost.
PROFILE_INPUTS = (3.0, 10.0)
MAX_STEPS = 300

# Penalty, inputs, labels and weights of texts -> weights [labels, inputs] and biases [labels] of the labels that there are.
Fit = Callable[[float, Any, Any, Any], tuple[Any, Any, Any]]


def logistic(data: DataSet, features: Features, kind: HeadKind, quiet: bool) -> Fitted:
    """Return the best logistic regression."""

    def fit(penalty: float, inputs: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
        model = LogisticRegression(C=1 / penalty, max_iter=MAX_STEPS, tol=1e-3).fit(inputs, labels, sample_weight=weights)
        if len(model.classes_) > 2:
            return model.classes_, model.coef_, model.intercept_
        return model.classes_, np.concatenate([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2

    return fit_linear(data, features, kind, fit, "logistic regression", quiet)


def ridge(data: DataSet, features: Features, kind: HeadKind, quiet: bool) -> Fitted:
    """Return the best ridge regression on labels as numbers 0 and 1, scaled so that its outputs serve as logits."""

    def fit(penalty: float, inputs: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
        classes = np.unique(labels)
        model = Ridge(alpha=penalty).fit(inputs, (labels[:, None] == classes).astype(np.float32), sample_weight=weights)
        return classes, model.coef_, model.intercept_

    return fit_linear(data, features, kind, fit, "ridge regression", quiet)


def fit_linear(data: DataSet, features: Features, kind: HeadKind, fit: Fit, name: str, quiet: bool) -> Fitted:
    """Return the fit whose penalty, and size of the profile's input, dev prefers."""
    inputs, _, _ = standardized(features)
    targets = Targets.of(data.splits["train"])
    between = targets.next_label_weights
    # A score between two labels is a text of each, with a part of a text's weight.
    rows = torch.cat([torch.arange(len(between)), between.nonzero()[:, 0]])
    labels = torch.cat([targets.labels, targets.labels[between > 0] + 1]).clamp(max=len(data.labels) - 1)
    weights = torch.cat([1 - between, between[between > 0]])
    on = F.one_hot(targets.profiles, len(data.profiles)).float()

    def tried() -> Iterator[Fitted]:
        sizes = PROFILE_INPUTS if kind == "bias" else (0.0,)
        for penalty, size in progress([(penalty, size) for penalty in PENALTIES for size in sizes], name, "setting", quiet):
            with_profile = torch.cat([inputs["train"], size * on], dim=1) if size else inputs["train"]
            classes, coefficients, intercepts = fit(penalty, with_profile[rows].numpy(), labels.numpy(), weights.numpy())
            learnt, d = torch.tensor(coefficients).float(), inputs["train"].shape[1]
            weight, bias, profile_bias = torch.zeros(len(data.labels), d), torch.full((len(data.labels),), -20.0), data.label_set_bias()
            weight[classes], bias[classes] = learnt[:, :d], torch.tensor(intercepts).float()
            if size:
                profile_bias[:, classes] += size * learnt[:, d:].T
            head = calibrated(data, inputs, Head(weight, bias, profile_bias))
            head = head.stored() if kind == "bias" else head
            yield Fitted({split: head.split_logits(data, inputs, split) for split in inputs}, Stored())

    return choose(data, tried())


def calibrated(data: DataSet, features: Features, head: Head) -> Head:
    """Return the head times the factor with the least cross entropy on dev. It changes no answer."""
    dev, factor = Targets.of(data.splits["dev"]), torch.ones(1)
    allowed = data.label_set_bias()[dev.profiles]
    logits = head.split_logits(data, features, "dev") - allowed
    descend([factor], lambda: dev.loss(logits * factor + allowed))
    return Head(head.weight * factor, head.bias * factor, (head.profile_bias - data.label_set_bias()) * factor + data.label_set_bias())
