"""Hard masks: their gradient (X-PEFT section 3, Gumbel top-k straight-through) and their bytes (docs/formats.md)."""

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.errors import XpeftError
from xpeft.pool import PoolShape


def topk_ones(logits: torch.Tensor, chosen: int) -> torch.Tensor:
    """Return 1.0 at the `chosen` largest logits of the last axis and 0.0 elsewhere, in the shape of `logits`."""
    return torch.zeros_like(logits).scatter_(-1, logits.topk(chosen, dim=-1).indices, 1.0)


def hard_weights(logits: torch.Tensor, chosen: int) -> torch.Tensor:
    """Return the weights [..., N] of the merged adapter at inference: k of them are 1/k, the others 0."""
    return topk_ones(logits, chosen) / chosen


def gumbel_topk(logits: torch.Tensor, chosen: int, noise: torch.Tensor | float, tau: float) -> torch.Tensor:
    """Return weights [..., N] with the hard mask's values and the softmax's gradient.

    logits: [..., N]. noise: Gumbel noise of any strength, for exploration. tau: the softmax's temperature.
    """
    noisy = logits + noise
    soft = torch.softmax(noisy / tau, dim=-1)
    # Straight-through estimator.
    return hard_weights(noisy.detach(), chosen) + soft - soft.detach()


def mask_bytes(shape: PoolShape) -> int:
    """Return the bytes of one profile's mask blob."""
    return 2 * shape.layers * -(-shape.size // 8)


def pack_masks(ones: NDArray[np.bool_], shape: PoolShape) -> bytes:
    """Return the mask blob of boolean masks [K, 2 (down, up), N]. Without a one, they are no masks, and the blob is empty."""
    if not ones.any():
        return b""
    if ones.shape != (shape.layers, 2, shape.size) or not (ones.sum(axis=-1) == shape.chosen).all():
        raise ValueError(f"masks must be [{shape.layers}, 2, {shape.size}] with {shape.chosen} ones each")
    return np.packbits(ones, axis=-1, bitorder="little").tobytes()


def unpack_masks(blob: bytes, shape: PoolShape) -> NDArray[np.bool_]:
    """Return the boolean masks [K, 2, N] of a mask blob; none is set if it is empty. Raises XpeftError if it breaks the format's rules."""
    if not blob:
        return np.zeros((shape.layers, 2, shape.size), dtype=bool)
    hint = "The blob is damaged, or belongs to another bundle. Train or fetch the profile again."
    if len(blob) != mask_bytes(shape):
        raise XpeftError(f"mask blob has {len(blob)} bytes, not {mask_bytes(shape)}", hint)
    packed = np.frombuffer(blob, dtype=np.uint8).reshape(shape.layers, 2, -1)
    bits = np.unpackbits(packed, axis=-1, bitorder="little").astype(bool)
    if bits[..., shape.size :].any():
        raise XpeftError(f"mask blob has a bit set past adapter {shape.size - 1}", hint)
    counts = bits.sum(axis=-1)
    if (counts != shape.chosen).any():
        raise XpeftError(f"a mask of the blob chooses {int(counts[counts != shape.chosen][0])}, not {shape.chosen}", hint)
    return bits[..., : shape.size]
