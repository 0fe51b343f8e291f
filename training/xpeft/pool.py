"""Random pools. The edge serves the sign pool, which takes no bytes: a seed gives it (docs/formats.md, "Sign pool")."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray


@dataclass(frozen=True)
class PoolShape:
    """The sizes of a pool: K personal layers, hidden size d, bottleneck b, N adapters, of which each mask chooses k.

    first_layer: F, the encoder layer of the pool's first layer. The encoder has L = F + K layers.
    """

    layers: int
    hidden: int
    bottleneck: int
    size: int
    chosen: int
    first_layer: int = 0

    @property
    def encoder_layers(self) -> int:
        """The number of the encoder's layers, L."""
        return self.first_layer + self.layers

    @property
    def matrix_bytes(self) -> int:
        """The bytes of one d x b sign matrix as bits."""
        return -(-self.hidden * self.bottleneck // 8)


def default_scale(chosen: int) -> float:
    """Return the scale that gives the weights of a merged adapter a standard deviation of 0.02, as BERT's initial weights have."""
    return float(0.02 * np.sqrt(chosen))


def sign_bits(seed: int, shape: PoolShape) -> NDArray[np.uint8]:
    """Return the packed bits of the pool, [K, 2 (down, up), N, matrix_bytes]."""
    key = hashlib.sha256(f"xpeft-sign-pool/1:{seed}".encode("ascii")).digest()[:16]
    keystream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    count = shape.layers * 2 * shape.size * shape.matrix_bytes
    packed = np.frombuffer(keystream.update(bytes(count)), dtype=np.uint8)
    return packed.reshape(shape.layers, 2, shape.size, shape.matrix_bytes)


def sign_pool(seed: int, shape: PoolShape, scale: float) -> torch.Tensor:
    """Return the pool's entries, ±scale, float32 [K, 2, N, d*b]. On the second axis, 0 is down [d, b] and 1 is up [b, d], row-major."""
    entries = shape.hidden * shape.bottleneck
    bits = np.unpackbits(sign_bits(seed, shape), axis=-1, count=entries, bitorder="little")
    return torch.from_numpy(bits).float().mul_(2 * scale).sub_(scale)


def gaussian_pool(seed: int, shape: PoolShape, scale: float) -> torch.Tensor:
    """Return a pool as in the paper, float32 [K, 2, N, d*b]: normal entries with standard deviation `scale`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape.layers, 2, shape.size, shape.hidden * shape.bottleneck, generator=generator) * scale
