"""Metrics of the comparison, and the figures of each profile."""

import pytest
import torch

from xpeft.comparison.metrics import metric_value, profile_figures
from xpeft.data import DataSet, Example


def test_metrics_are_what_their_names_say() -> None:
    def examples(*labels: float) -> list[Example]:
        return [Example(0, int(label), [], [], label - int(label)) for label in labels]

    certain = torch.eye(3)[[0, 1, 1, 2]] * 100
    assert metric_value("accuracy", certain, examples(0, 1, 2, 2), ["1", "2", "4"]) == 0.75
    assert metric_value("mae", certain, examples(0, 1, 2, 2), ["1", "2", "4"]) == 0.5
    assert metric_value("f1", certain[:3, :2], examples(0, 1, 0), ["0", "1"]) == pytest.approx(2 / 3)
    assert metric_value("matthews", certain[:3, :2], examples(1, 0, 0), ["0", "1"]) == pytest.approx(-1)
    between = torch.tensor([[0.5, 0.5, 0], [0.1, 0.8, 0.1], [0, 0.5, 0.5]]).log()
    assert metric_value("pearson-spearman", between, examples(0.5, 1, 1.5), ["0", "1", "2"]) == pytest.approx(1)
    # Of constants there is no correlation. It counts as none.
    assert metric_value("pearson-spearman", between[:1].repeat(3, 1), examples(0.5, 1, 1.5), ["0", "1", "2"]) == 0
    assert metric_value("pearson-spearman", between, examples(1, 1, 1), ["0", "1", "2"]) == 0
    pairs = torch.tensor([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0], [3.0, 0.0]])
    assert metric_value("choice-accuracy", pairs, examples(0, 1, 0, 1), ["wrong", "right"]) == 0.5


def test_a_profile_keeps_its_texts_right_answers_and_errors() -> None:
    examples = [Example(profile, label, [], []) for profile, label in ((2, 0), (0, 1), (2, 2))]
    data = DataSet(["a", "b", "c"], ["1", "2", "4"], {"test": examples})
    figures = profile_figures("mae", torch.eye(3)[[0, 0, 0]], examples, data)
    assert figures.model_dump() == {"ids": ["a", "c"], "texts": [1, 2], "right": [0, 1], "absoluteErrors": [1.0, 3.0]}
    assert profile_figures("accuracy", torch.eye(3)[[0, 0, 0]], examples, data).absoluteErrors is None
