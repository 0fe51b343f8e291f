"""The encoder as the edge's kernels compute it, in torch: 7-bit weights, and activations that are quantized to 8 bits by token."""

import numpy as np
import torch
from torch import nn

from xpeft.bundle.graph import quantize_columns
from xpeft.bundle.packed import PackedLinear, packed_linears
from xpeft.encoder import AdapterEncoder
from xpeft.plm import PLM


class QuantizedLinear(nn.Module):
    """A linear layer with weights of 7 bits, and inputs of 8 bits by row."""

    def __init__(self, packed: PackedLinear, outputs: slice) -> None:
        super().__init__()
        # Sums of the steps of up to 2,096 inputs stay below 2^24, so float32 is exact.
        self.steps = torch.from_numpy(packed.steps[:, outputs].astype(np.float32))
        self.factors, self.bias = (torch.from_numpy(numbers[outputs]) for numbers in (packed.factors, packed.biases))
        self.inverses = torch.from_numpy(packed.inverses)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, float32."""
        smooth = rows * self.inverses
        scale = smooth.abs().amax(-1, keepdim=True) / 127
        inverse = torch.where(1 / scale < torch.inf, 1 / scale, 0)
        return ((smooth * inverse).round() @ self.steps) * (scale * self.factors) + self.bias


def quantized_encoder(plm: PLM) -> AdapterEncoder:
    """Return the encoder as the kernels compute it. Numbers that rounding moves to the next step of a quantization differ."""
    encoder = AdapterEncoder(plm)
    words, scales = quantize_columns(plm.words.detach().numpy().T)
    encoder.words = torch.from_numpy(words.T.astype(np.float32) * scales[:, None])
    encoder.gelu = "tanh"
    for block, linears in zip(encoder.blocks, packed_linears(plm), strict=True):
        for place, name in enumerate(("query", "key", "value")):
            setattr(block, name, QuantizedLinear(linears["query"], slice(place * plm.hidden, (place + 1) * plm.hidden)))
        for name in ("attention_out", "up", "down"):
            setattr(block, name, QuantizedLinear(linears[name], slice(None)))
    return encoder
