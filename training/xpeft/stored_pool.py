"""The stored form of a pool of trained adapters: int8 with a scale for each matrix (docs/formats.md, "Trained pool")."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from xpeft.atomic_files import atomic_file
from xpeft.errors import UnreadableFile, XpeftError
from xpeft.pool import PoolShape

FORMAT = "xpeft-trained-pool/1"
LARGEST = 127


@dataclass(frozen=True)
class StoredPool:
    """A quantized pool: steps int8 [K, 2, N, d*b] and scale float32 [K, 2, N]. An entry is steps * scale."""

    steps: NDArray[np.int8]
    scale: NDArray[np.float32]

    @staticmethod
    def quantize(pool: torch.Tensor) -> "StoredPool":
        """Quantize a pool [K, 2, N, d*b]."""
        scale = pool.abs().amax(-1).clamp(min=1e-12) / LARGEST
        return StoredPool((pool / scale[..., None]).round().to(torch.int8).numpy(), scale.numpy())

    def entries(self) -> torch.Tensor:
        """Return the pool, float32 [K, 2, N, d*b]."""
        return torch.from_numpy(self.steps.astype(np.float32) * self.scale[..., None])

    def pack(self) -> bytes:
        """Return the bytes that a bundle holds: the scales, then the steps."""
        return self.scale.astype("<f4").tobytes() + self.steps.tobytes()

    @staticmethod
    def unpack(raw: bytes, shape: PoolShape) -> "StoredPool":
        """Return the pool of a bundle's bytes. Raises XpeftError if they do not have this shape."""
        matrices, entries = (shape.layers, 2, shape.size), shape.hidden * shape.bottleneck
        count = int(np.prod(matrices))
        if len(raw) != count * (4 + entries):
            raise XpeftError(
                f"the bundle's pool has {len(raw)} bytes where its sizes make {count * (4 + entries)}", "Build the bundle again."
            )
        scale = np.frombuffer(raw, "<f4", count).reshape(matrices)
        return StoredPool(np.frombuffer(raw, np.int8, offset=4 * count).reshape(*matrices, entries), scale)


def save_pool(path: Path, pool: torch.Tensor) -> None:
    """Write a pool [K, 2, N, d*b] in int8."""
    stored = StoredPool.quantize(pool)
    with atomic_file(path) as file:
        file.write(save({"steps": stored.steps, "scale": stored.scale}, {"format": FORMAT}))


def load_pool(path: Path, shape: PoolShape) -> StoredPool:
    """Return the personal layers of a file's pool, which has every layer of the encoder.

    Raises UnreadableFile, or XpeftError if the pool has other sizes.
    """
    hint = "Make one with `python -m xpeft pool`."
    try:
        with safe_open(path, framework="np") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise UnreadableFile(f"{path} is not a trained pool", hint)
            steps, scale = file.get_tensor("steps"), file.get_tensor("scale")
    except (OSError, SafetensorError) as error:
        raise UnreadableFile(f"{path} cannot be read: {error}", hint) from error
    wanted = (shape.encoder_layers, 2, shape.size, shape.hidden * shape.bottleneck)
    if steps.shape != wanted or scale.shape != wanted[:-1]:
        raise XpeftError(
            f"{path} holds a pool {list(steps.shape)}, not {list(wanted)}",
            "Give the pool size and bottleneck that it has, or train another pool.",
        )
    return StoredPool(steps[shape.first_layer :], scale[shape.first_layer :])
