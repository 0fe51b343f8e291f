"""Parameters and bytes of a profile for any PLM's sizes, counted as in section 3 of the paper and as the edge stores them."""

from dataclasses import dataclass, replace

from xpeft.masks import mask_bytes
from xpeft.pool import PoolShape

FLOAT = 4


@dataclass(frozen=True)
class Sizes:
    """Numbers trained and bytes stored for a profile, without heads, which are the same for all methods."""

    method: str
    parameters: int
    bytes: int


def sizes(shape: PoolShape) -> list[Sizes]:
    """Return the sizes of one adapter, and of masks over a pool of adapters with the same bottleneck.

    In the paper, masks cover every layer and include gain and shift of the bottleneck's LayerNorm: 2(N + b)L numbers. The edge serves
    masks of the personal layers, without gain and shift.
    """
    whole = replace(shape, layers=shape.encoder_layers, first_layer=0)
    adapter = whole.layers * (2 * shape.hidden * shape.bottleneck + shape.bottleneck + shape.hidden)
    masks, affine = 2 * shape.size * whole.layers, 2 * shape.bottleneck * whole.layers
    name = f"N = {shape.size}"
    return [
        Sizes("one adapter", adapter, FLOAT * adapter),
        Sizes(f"soft masks, {name}, as in the paper", masks + affine, FLOAT * (masks + affine)),
        Sizes(f"hard masks, {name}, as in the paper", masks + affine, mask_bytes(whole) + FLOAT * affine),
        Sizes(f"hard masks, {name}, as served", 2 * shape.size * shape.layers, mask_bytes(shape)),
    ]
