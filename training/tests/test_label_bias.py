import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xpeft.data import Example
from xpeft.errors import XpeftError
from xpeft.label_bias import STEP, bias_from_counts, fit_bias, pack_bias, stored_bias, unpack_bias


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=40))
def test_a_stored_bias_is_rounded_to_the_nearest_step_within_the_range(values: list[float]) -> None:
    bias = torch.tensor(values)
    back = unpack_bias(pack_bias(bias), len(values))
    assert torch.equal(back, stored_bias(bias))
    assert ((back - bias.clamp(-128 * STEP, 127 * STEP)).abs() <= STEP / 2).all()


def test_bytes_are_sixteenths() -> None:
    assert pack_bias(torch.tensor([0.0, 0.0625, 7.9375, -8.0, -0.0625, 100.0])) == bytes([0, 1, 127, 128, 255, 127])


def test_another_length_is_rejected() -> None:
    with pytest.raises(XpeftError, match="2 bytes for 3 labels"):
        unpack_bias(b"ab", 3)


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
