"""Chooses the input channels of a linear layer that stay in fp32: the decomposition of LLM.int8() (arXiv 2208.07339), channels fixed.

Dynamic int8 has one range for a whole activation tensor. A few large channels, the same for every text, take the resolution from all
others; 16 channels of each input stay in fp32. SmoothQuant moves their scale into the weights and gained less in our trial: the weights
lose what the activations gain. The packed encoder, whose ranges are those of single tokens, uses that (`xpeft.bundle.packed`).
"""

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.bundle.calibration import input_ranges
from xpeft.plm import PLM

OUTLIERS = 16

# The attention's output has no such channels: plain int8 costs it 0.01.
SITES = ("query", "up", "down")


def outlier_channels(plm: PLM, count: int) -> list[dict[str, NDArray[np.int64]]]:
    """Return, for each layer, the `count` largest input channels of `query` (also key's and value's), `up` and `down`, ascending."""
    return [{site: np.sort(torch.topk(seen[site], count).indices.numpy()) for site in SITES} for seen in input_ranges(plm, SITES)]
