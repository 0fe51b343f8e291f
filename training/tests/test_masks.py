import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from xpeft.errors import XpeftError
from xpeft.masks import gumbel_topk, hard_weights, mask_bytes, pack_masks, unpack_masks
from xpeft.pool import PoolShape


@st.composite
def shapes(draw: st.DrawFn) -> PoolShape:
    size = draw(st.integers(1, 40))
    return PoolShape(draw(st.integers(1, 4)), 8, 4, size, draw(st.integers(1, size)))


def random_ones(shape: PoolShape, seed: int) -> NDArray[np.bool_]:
    ones: NDArray[np.bool_] = np.random.default_rng(seed).random((shape.layers, 2, shape.size)).argsort(axis=-1) < shape.chosen
    return ones


@given(shapes(), st.integers(0, 1000))
@settings(deadline=None)
def test_packed_masks_come_back(shape: PoolShape, seed: int) -> None:
    ones = random_ones(shape, seed)
    blob = pack_masks(ones, shape)
    assert len(blob) == mask_bytes(shape)
    assert (unpack_masks(blob, shape) == ones).all()


@given(shapes(), st.integers(0, 1000), st.data())
@settings(deadline=None)
def test_any_flipped_bit_is_noticed(shape: PoolShape, seed: int, data: st.DataObject) -> None:
    blob = bytearray(pack_masks(random_ones(shape, seed), shape))
    bit = data.draw(st.integers(0, 8 * len(blob) - 1))
    blob[bit >> 3] ^= 1 << (bit & 7)
    with pytest.raises(XpeftError):
        unpack_masks(bytes(blob), shape)


@pytest.mark.parametrize("bit", range(9))
def test_a_blob_of_another_length_is_rejected(bit: int) -> None:
    shape = PoolShape(6, 384, 24, 100, 50)
    assert mask_bytes(shape) == 156
    blob = pack_masks(random_ones(shape, 0), shape)
    with pytest.raises(XpeftError, match="bytes, not 156"):
        unpack_masks((blob * 4)[: 156 ^ (1 << bit)], shape)


def test_masks_with_too_many_ones_are_not_packed() -> None:
    shape = PoolShape(1, 8, 4, 10, 3)
    with pytest.raises(ValueError, match="3 ones"):
        pack_masks(np.ones((1, 2, 10), dtype=bool), shape)


def test_the_value_is_hard_and_the_gradient_is_the_softmaxs() -> None:
    logits = torch.tensor([0.3, -0.2, 0.9, 0.1], requires_grad=True)
    weights = gumbel_topk(logits, 2, 0.0, 0.7)
    assert weights.detach().numpy() == pytest.approx([0.5, 0.0, 0.5, 0.0], abs=1e-7)
    assert torch.equal(hard_weights(logits.detach(), 2), torch.tensor([0.5, 0.0, 0.5, 0.0]))
    slope = torch.tensor([1.0, 2.0, -1.0, 0.5])
    (weights * slope).sum().backward()
    soft = logits.detach().clone().requires_grad_()
    (torch.softmax(soft / 0.7, 0) * slope).sum().backward()
    assert logits.grad is not None
    assert soft.grad is not None
    torch.testing.assert_close(logits.grad, soft.grad)
