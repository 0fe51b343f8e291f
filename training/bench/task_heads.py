"""`python -m bench.task_heads FOLDER`: compares tasks that the edge learnt (bench/learn/tasks.ts) with scikit-learn's logistic regression.

scikit-learn gets the same features, and chooses C by its own cross-validation.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

BINS = 10
COLUMNS = ["data set", "texts", "runs", "majority", "Worker", "scikit-learn", "Worker minus scikit-learn", "held-out"]
COLUMNS += ["calibration error", "answered", "right of these"]


def right_and_score(scores: Floats, labels: Indices) -> tuple[Flags, Floats]:
    """Return whether each answer is right, and its score. scores: [texts, labels]."""
    return scores.argmax(1) == labels, scores.max(1)


def calibration_error(right: Flags, score: Floats) -> float:
    """Return the mean distance of score and accuracy over bins of equal width."""
    bins = np.minimum(BINS - 1, (BINS * score).astype(int))
    return float(sum(abs((score - right)[bins == one].sum()) for one in range(BINS)) / len(score))


def fitted(features: Floats, labels: Indices, seed: int) -> tuple[LogisticRegressionCV, Floats, float]:
    """Return scikit-learn's logistic regression with the C that cross-validation prefers, and the mean and scale of its inputs."""
    mean = features.mean(0)
    scale = float(np.sqrt(((features - mean) ** 2).sum(1).mean()))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    model = LogisticRegressionCV(Cs=np.logspace(-1, 3, 9), cv=folds, max_iter=500, scoring="accuracy", use_legacy_attributes=False)
    return model.fit((features - mean) / scale, labels), mean, scale


def compare(path: Path) -> dict[str, Any]:
    """Return the figures of a slice, for the edge and for scikit-learn."""
    record = json.loads(path.read_text())
    train, test = np.array(record["train"]), np.array(record["test"])
    features = np.fromfile(path.with_suffix(".f32"), "<f4").reshape(len(train) + len(test), -1).astype(np.float64)
    model, mean, scale = fitted(features[: len(train)], train, record["seed"])
    inputs = (features[len(train) :] - mean) / scale
    logits = np.array(record["logits"])
    scores = np.exp(logits - logits.max(1, keepdims=True))
    scores /= scores.sum(1, keepdims=True)
    right, score = right_and_score(scores, test)
    below = record["abstention"]["below"]
    answered = score >= below if below is not None else np.zeros(len(test), bool)
    return {
        "set": record["set"],
        "count": record["count"],
        "majority": float((test == np.bincount(train).argmax()).mean()),
        "edge": float(right.mean()),
        "scikit-learn": float((model.predict(inputs) == test).mean()),
        "held-out": record["heldOut"]["accuracy"],
        "answers": (right, score, answered),
        "seconds": record["seconds"],
    }


def main() -> None:
    """Print a row for each data set and number of texts."""
    warnings.filterwarnings("ignore")
    rows = [compare(path) for path in sorted(Path(sys.argv[1]).glob("*.json"))]
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for name, count in sorted({(row["set"], row["count"]) for row in rows}):
        some = [row for row in rows if (row["set"], row["count"]) == (name, count)]
        gains = np.array([row["edge"] - row["scikit-learn"] for row in some])
        right, score, answered = (np.concatenate([row["answers"][part] for row in some]) for part in range(3))
        error = gains.std(ddof=1) / np.sqrt(len(gains))
        shares = [np.mean([row[key] for row in some]) for key in ("majority", "edge", "scikit-learn", "held-out")]
        shares += [calibration_error(right, score), answered.mean(), right[answered].mean()]
        cells = [f"{100 * value:.1f}" for value in shares]
        cells.insert(3, f"{100 * gains.mean():+.1f} ± {100 * error:.1f}")
        print(f"| `{name}` | {count} | {len(some)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
