"""Which input channels of a linear layer stay in fp32 (the decomposition of LLM.int8(), arXiv 2208.07339, with fixed channels).

Dynamic int8 has one range for a whole activation tensor, so a few large channels, the same ones for every text, cost all others
their resolution. So 16 channels of each input are kept apart. SmoothQuant, which moves them into the weights instead, gained less when it
was tried, as the weights then lose what the activations gain.
"""

from collections import defaultdict
from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.encoder import AdapterEncoder
from xpeft.plm import PLM

OUTLIERS = 16

# The attention's output has no such channels: int8 as it is costs it 0.01.
SITES = ("query", "up", "down")


def calibration_texts() -> list[str]:
    """The project's own sentences, one a line: news, comments, reviews, requests, so that no data set is needed to build a bundle."""
    return resources.files("xpeft.bundle").joinpath("calibration.txt").read_text("utf-8").splitlines()


def outlier_channels(plm: PLM, count: int) -> list[dict[str, NDArray[np.int64]]]:
    """For each layer the `count` largest input channels of `query` (shared by key and value), `up` and `down`, ascending."""
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
