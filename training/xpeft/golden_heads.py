"""Heads that scikit-learn fits, which the edge's fit must reproduce."""

import numpy as np
from sklearn.linear_model import LogisticRegression


def head_fit_case(texts: int, hidden: int, labels: int, weight_precision: float, bias_precision: float) -> dict[str, object]:
    """Return a fit of random features and targets, with the weights [labels, hidden] and biases [labels] of scikit-learn.

    A target between labels is a row for each label, with a part of the text's weight. A bias is the weight of a constant input, whose
    size gives it its own precision.
    """
    random = np.random.default_rng(100 * texts + labels)
    features = random.standard_normal((texts, hidden)).round(3)
    targets = random.dirichlet(np.full(labels, 0.3), texts).round(2)
    targets[:, -1] = (1 - targets[:, :-1].sum(1)).round(2)
    text_weights = random.uniform(0, 2, texts).round(2)
    constant = np.sqrt(weight_precision / bias_precision)
    inputs = np.column_stack([features, np.full(texts, constant)])
    rows, names = np.repeat(np.arange(texts), labels), np.tile(np.arange(labels), texts)
    # For two labels scikit-learn has one weight vector, the difference of ours: half of its penalty is the sum of theirs.
    strength = (2 if labels == 2 else 1) / weight_precision
    model = LogisticRegression(C=strength, fit_intercept=False, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(inputs[rows], names, sample_weight=(targets * text_weights[:, None]).ravel())
    weights = np.concatenate([-model.coef_, model.coef_]) / 2 if labels == 2 else model.coef_ - model.coef_.mean(0)
    return {
        "hidden": hidden,
        "labels": labels,
        "weightPrecision": weight_precision,
        "biasPrecision": bias_precision,
        "features": features.tolist(),
        "targets": targets.tolist(),
        "sampleWeights": text_weights.tolist(),
        "weight": weights[:, :-1].round(7).tolist(),
        "bias": (weights[:, -1] * constant).round(7).tolist(),
    }


def head_fit_cases() -> list[dict[str, object]]:
    """Return fits with fewer texts than features and with more, of two labels and of several."""
    return [head_fit_case(6, 9, 3, 0.5, 0.1), head_fit_case(12, 4, 4, 2.0, 0.02), head_fit_case(8, 5, 2, 0.1, 1.0)]
