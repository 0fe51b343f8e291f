"""Golden residuals of the packed encoder, to which the edge's kernels are held after each block."""

import numpy as np
import torch

from xpeft.bundle.manifest import Manifest
from xpeft.encoder import Adapters
from xpeft.plm import PLM
from xpeft.quantized_encoder import quantized_encoder

LENGTHS = (1, 2, 3, 4, 5, 6, 7, 32, 130)
ADAPTER_ENTRY = 0.02
# Numbers of a token that are kept.
KEPT = 16


def packed_cases(plm: PLM, manifest: Manifest) -> list[dict[str, object]]:
    """Return texts of random words with the beginnings of their first and last token's residuals, by block.

    Types are 0 and 1 in turn. The texts are read under adapters with entries of 0.02 sin i, in each of the two inputs of the graph.
    A bundle without a packed encoder has no such cases, and texts that are too long for it are omitted.
    """
    if not manifest.packed:
        return []
    bottleneck = manifest.bottleneck
    layers = len(plm.layers)
    entries = (ADAPTER_ENTRY * np.sin(np.arange(layers * plm.hidden * bottleneck))).astype(np.float32)
    flat = torch.from_numpy(entries)
    adapters = Adapters(flat.view(1, layers, plm.hidden, bottleneck), flat.view(1, layers, bottleneck, plm.hidden))
    encoder, generator = quantized_encoder(plm), torch.Generator().manual_seed(0)

    def beginning(row: torch.Tensor) -> list[float]:
        found: list[float] = row[:KEPT].double().round(decimals=5).tolist()
        return found

    def case(length: int) -> dict[str, object]:
        ids = torch.randint(len(plm.words), (1, length), generator=generator)
        types = torch.arange(length)[None] % 2
        residuals = [encoder.trunk(ids, types, torch.tensor([length]), adapters, layer)[0] for layer in range(layers)]
        return {"ids": ids[0].tolist(), "residuals": [[beginning(one[0]), beginning(one[-1])] for one in residuals]}

    with torch.no_grad():
        return [case(length) for length in LENGTHS if length <= manifest.maxTokens]
