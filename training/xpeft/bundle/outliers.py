"""Chooses the input channels of a linear layer that stay in fp32: the decomposition of LLM.int8() (arXiv 2208.07339), channels fixed.

Dynamic int8 has one range for a whole activation tensor. A few large channels, the same for every text, take the resolution from all
others; 16 channels of each input stay in fp32. SmoothQuant moves their scale into the weights and gained less in our trial: the weights
lose what the activations gain.
"""

from collections import defaultdict
from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.encoder import AdapterEncoder
from xpeft.plm import PLM

OUTLIERS = 16

# The attention's output has no such channels: plain int8 costs it 0.01.
SITES = ("query", "up", "down")


def calibration_texts() -> list[str]:
    """Return this project's calibration sentences: news, comments, reviews and requests. Building a bundle needs no data set."""
    return resources.files("xpeft.bundle").joinpath("calibration.txt").read_text("utf-8").splitlines()


def outlier_channels(plm: PLM, count: int) -> list[dict[str, NDArray[np.int64]]]:
    """Return, for each layer, the `count` largest input channels of `query` (also key's and value's), `up` and `down`, ascending."""
    encoder = AdapterEncoder(plm)
    ranges: list[dict[str, torch.Tensor]] = [defaultdict(lambda: torch.zeros(1)) for _ in plm.layers]
    hooks = []
    for layer, seen in zip(plm.layers, ranges, strict=True):
        for site in SITES:

            def watch(_module: object, inputs: tuple[torch.Tensor], seen: dict[str, torch.Tensor] = seen, site: str = site) -> None:
                seen[site] = torch.maximum(seen[site], inputs[0].abs().amax(dim=(0, 1)))

            hooks.append(getattr(layer, site).register_forward_pre_hook(watch))
    with torch.no_grad():
        for text in calibration_texts():
            ids = torch.tensor([plm.tokenizer.encode(text).ids])
            encoder(ids, torch.zeros_like(ids), torch.tensor([ids.shape[1]]), None)
    for hook in hooks:
        hook.remove()
    return [{site: np.sort(torch.topk(seen[site], count).indices.numpy()) for site in SITES} for seen in ranges]
