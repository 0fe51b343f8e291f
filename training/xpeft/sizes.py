"""What a profile costs at the shape of any PLM, by X-PEFT's own arithmetic (section 3 of the paper) and by ours."""

from dataclasses import dataclass

from xpeft.masks import mask_bytes
from xpeft.pool import PoolShape

FLOAT = 4


@dataclass(frozen=True)
class Sizes:
    """Numbers trained for a profile, and bytes stored for it; heads, which are the same for all methods, are left out."""

    method: str
    parameters: int
    bytes: int


def sizes(shape: PoolShape) -> list[Sizes]:
    """One adapter, and masks over a pool of adapters of the same bottleneck.

    As in the paper, masks come with gain and shift of the bottleneck's LayerNorm, 2(N + b)L numbers; as served by the edge, without.
    """
    adapter = shape.layers * (2 * shape.hidden * shape.bottleneck + shape.bottleneck + shape.hidden)
    masks, affine = 2 * shape.size * shape.layers, 2 * shape.bottleneck * shape.layers
    name = f"N = {shape.size}"
    return [
        Sizes("one adapter", adapter, FLOAT * adapter),
        Sizes(f"soft masks, {name}, as in the paper", masks + affine, FLOAT * (masks + affine)),
        Sizes(f"hard masks, {name}, as in the paper", masks + affine, mask_bytes(shape) + FLOAT * affine),
        Sizes(f"hard masks, {name}, as served", masks, mask_bytes(shape)),
    ]
