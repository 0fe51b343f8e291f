"""The stored form of the adapter that all profiles of a task share: int8 steps with a scale for each matrix (docs/formats.md)."""

import numpy as np
import torch

from xpeft.errors import XpeftError
from xpeft.finite import check_finite
from xpeft.pool import PoolShape

LARGEST = 127


def task_adapter_bytes(shape: PoolShape) -> int:
    """Return the bytes of a task adapter, which has every layer of the encoder."""
    return 2 * shape.encoder_layers * (4 + shape.hidden * shape.bottleneck)


def pack_task_adapter(entries: torch.Tensor) -> bytes:
    """Return the bytes of a task adapter, float [L, 2 (down, up), d*b]: the scales, then the steps. Raises NotFinite."""
    check_finite(entries, "the task's adapter")
    entries = entries.detach().float().cpu()
    scale = entries.abs().amax(-1, keepdim=True) / LARGEST
    # A scale below the normal numbers is too coarse to divide by; the matrix is as good as zero.
    scale = torch.where(scale < torch.finfo(torch.float32).tiny, 0.0, scale)
    steps = torch.where(scale > 0, entries / scale, 0.0).round()
    return scale.numpy().astype("<f4").tobytes() + steps.to(torch.int8).numpy().tobytes()


def unpack_task_adapter(blob: bytes, shape: PoolShape) -> torch.Tensor:
    """Return the entries of a task adapter's bytes, float32 [L, 2, d*b]. Raises XpeftError if they break the format's rules."""
    hint = "The adapter is damaged, or belongs to another bundle. Train or fetch the task again."
    if len(blob) != task_adapter_bytes(shape):
        raise XpeftError(f"the task's adapter has {len(blob)} bytes, not {task_adapter_bytes(shape)}", hint)
    matrices = 2 * shape.encoder_layers
    scale = np.frombuffer(blob, "<f4", matrices)
    if not (np.isfinite(scale) & (scale >= 0)).all():
        raise XpeftError("a scale of the task's adapter is negative or not finite", hint)
    steps = np.frombuffer(blob, np.int8, offset=scale.nbytes).reshape(matrices, -1)
    return torch.from_numpy(steps * scale[:, None]).view(shape.encoder_layers, 2, -1)


def rounded_task_adapter(entries: torch.Tensor, shape: PoolShape) -> torch.Tensor:
    """Return a task adapter as the edge reads it, float32 [L, 2, d*b] on the same device. Raises NotFinite."""
    return unpack_task_adapter(pack_task_adapter(entries), shape).to(entries.device)
