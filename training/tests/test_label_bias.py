import torch

from xpeft.data import Example
from xpeft.label_bias import bias_from_counts, fit_bias


def test_counts_raise_the_labels_that_a_profile_gives_more_often() -> None:
    def said(profile: int, label: int) -> Example:
        return Example(profile, label, [], [])

    examples = [said(0, 0)] * 30 + [said(1, 1)] * 30
    bias = bias_from_counts(examples, 3, 2)
    assert bias[0, 0] > 0 > bias[0, 1]
    assert torch.allclose(bias[0].flip(0), bias[1])
    assert torch.allclose(bias[2], torch.zeros(2), atol=1e-6)


def test_a_fitted_bias_follows_the_labels_and_stays_small_where_biases_are_small() -> None:
    examples = [Example(0, 1, [], [])] * 20 + [Example(1, 0, [], []), Example(1, 1, [], [])]
    logits = torch.zeros(len(examples), 2)
    wide = fit_bias(logits, examples, 3, torch.tensor([2.0, 2.0]))
    narrow = fit_bias(logits, examples, 3, torch.tensor([0.1, 0.1]))
    assert wide[0, 1] > 1 > narrow[0, 1] > 0
    assert torch.allclose(wide[1:], torch.zeros(2, 2), atol=1e-3)
