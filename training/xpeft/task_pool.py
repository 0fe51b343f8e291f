"""A task's own adapter pool: adapters that all its profiles train together with their masks (docs/formats.md, "Task adapter")."""

import struct
from dataclasses import dataclass, replace

import numpy as np
import torch

from xpeft.bounds import MAX_TASK_POOL_SIZE
from xpeft.errors import XpeftError
from xpeft.pool import PoolShape
from xpeft.stored_pool import StoredPool

SIZES = struct.Struct("<HH")
HINT = "The adapter is damaged, or belongs to another bundle. Train or fetch the task again."


@dataclass(frozen=True)
class TaskPool:
    """A quantized pool of the personal layers, from which each mask chooses `chosen` adapters. It takes the place of the bundle's pool."""

    stored: StoredPool
    chosen: int

    def shape(self, bundle: PoolShape) -> PoolShape:
        """Return the sizes of the pool, with those that it shares with the bundle's."""
        return replace(bundle, size=self.stored.scale.shape[-1], chosen=self.chosen)

    def entries(self) -> torch.Tensor:
        """Return the pool, float32 [K, 2, N, d*b]."""
        return self.stored.entries()

    def pack(self) -> bytes:
        """Return the bytes that follow the task adapter's: N and k, the scales, the steps."""
        return SIZES.pack(self.stored.scale.shape[-1], self.chosen) + self.stored.pack()

    @staticmethod
    def unpack(raw: bytes, bundle: PoolShape) -> "TaskPool":
        """Return the pool of the bytes that follow a task adapter. Raises XpeftError if they break the format's rules."""
        if len(raw) < SIZES.size:
            raise XpeftError(f"the task's pool has {len(raw)} bytes", HINT)
        size, chosen = SIZES.unpack_from(raw)
        if size > MAX_TASK_POOL_SIZE:
            raise XpeftError(f"the task's pool has {size} adapters; the most are {MAX_TASK_POOL_SIZE}", HINT)
        if not 1 <= chosen <= size:
            raise XpeftError(f"masks choose {chosen} of the {size} adapters in the task's pool", HINT)
        shape = replace(bundle, size=size, chosen=chosen)
        if len(raw) != task_pool_bytes(shape):
            raise XpeftError(f"the task's pool has {len(raw)} bytes, not {task_pool_bytes(shape)}", HINT)
        stored = StoredPool.unpack(raw[SIZES.size :], shape)
        if not (np.isfinite(stored.scale) & (stored.scale > 0)).all():
            raise XpeftError("a scale of the task's pool is not a positive number", HINT)
        return TaskPool(stored, chosen)


def task_pool_bytes(shape: PoolShape) -> int:
    """Return the bytes of a task's own pool."""
    return SIZES.size + 2 * shape.layers * shape.size * (4 + shape.hidden * shape.bottleneck)
