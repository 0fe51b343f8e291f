"""Runs the PLM on this project's own sentences, to see how large each input channel of its linear layers gets."""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from importlib import resources

import torch

from xpeft.encoder import AdapterEncoder
from xpeft.plm import PLM


def calibration_texts() -> list[str]:
    """Return this project's calibration sentences: news, comments, reviews and requests. Building a bundle needs no data set."""
    return resources.files("xpeft.bundle").joinpath("calibration.txt").read_text("utf-8").splitlines()


def input_ranges(plm: PLM, sites: Sequence[str]) -> list[dict[str, torch.Tensor]]:
    """Return, for each layer, the greatest absolute value of each input channel of some linear layers, float64 [in] by site.

    The PLM runs in float64, so that what is rounded of it is the same on every machine.

    sites: names of `Layer`'s linear layers. `query` stands for key and value too, which have the same input.
    """
    encoder = deepcopy(AdapterEncoder(plm)).double()
    ranges: list[dict[str, torch.Tensor]] = [defaultdict(lambda: torch.zeros(1, dtype=torch.float64)) for _ in plm.layers]
    for block, seen in zip(encoder.blocks, ranges, strict=True):
        for site in sites:

            def watch(_module: object, inputs: tuple[torch.Tensor], seen: dict[str, torch.Tensor] = seen, site: str = site) -> None:
                seen[site] = torch.maximum(seen[site], inputs[0].abs().amax(dim=(0, 1)))

            block.get_submodule(site).register_forward_pre_hook(watch)
    with torch.no_grad():
        for text in calibration_texts():
            ids = torch.tensor([plm.tokenizer.encode(text).ids])
            encoder(ids, torch.zeros_like(ids), torch.tensor([ids.shape[1]]), None)
    return ranges
