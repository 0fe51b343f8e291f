"""The encoder with a merged adapter in each block, in torch, with gradients; `bundle/graph.py` is the same in int8 for the edge."""

import torch
import torch.nn.functional as F
from torch import nn

from xpeft.plm import PLM, Layer

ADAPTER_NORM_EPS = 1e-5


def merge(weights: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    """Merged adapters [G, L, 2, d*b] of mask weights [G, L, 2, N] over a pool [L, 2, N, d*b]."""
    groups, layers, sides, size = weights.shape
    flat = weights.permute(1, 2, 0, 3).reshape(layers * sides, groups, size)
    merged = torch.bmm(flat, pool.reshape(layers * sides, size, -1))
    return merged.reshape(layers, sides, groups, -1).permute(2, 0, 1, 3)


def product(linear: nn.Linear, hidden: torch.Tensor, bf16: bool) -> torch.Tensor:
    """linear(hidden) in float32, or computed in bfloat16 and answered in float32."""
    if not bf16:
        out: torch.Tensor = linear(hidden)  # the module itself, so that calibration can watch its inputs
        return out
    return F.linear(hidden.bfloat16(), linear.weight.bfloat16(), linear.bias.bfloat16()).float()


class AdapterEncoder(nn.Module):
    """Pooled features of texts, each group of texts under its own merged adapters. The PLM is frozen."""

    def __init__(self, plm: PLM) -> None:
        super().__init__()
        self.heads = plm.heads
        for name, table in (("words", plm.words), ("positions", plm.positions), ("types", plm.types)):
            self.register_buffer(name, table.detach())
        self.norm = plm.norm
        self.layers = plm.layers
        # Held a second time where torch looks for modules, so that `.to(device)` finds them.
        self.blocks = nn.ModuleList(nn.ModuleDict(vars(layer)) for layer in plm.layers)
        self.requires_grad_(False)

    def forward(
        self, ids: torch.Tensor, types: torch.Tensor, lengths: torch.Tensor, adapters: torch.Tensor | None, bf16: bool = False
    ) -> torch.Tensor:
        """Mean-pooled features, float32 [G*M, d].

        ids, types: [G*M, T], M texts for each of G groups, padded on the right. lengths: [G*M], real tokens of each.
        adapters: merged adapters [G, L, 2, d*b], or None for the plain PLM. bf16: multiply by the PLM's weights in bfloat16.
        """
        real = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        hidden: torch.Tensor = self.get_buffer("words")[ids] + self.get_buffer("positions")[: ids.shape[1]]
        hidden = self.norm(hidden + self.get_buffer("types")[types])
        for index, layer in enumerate(self.layers):
            hidden = self._block(hidden, layer, real, None if adapters is None else adapters[:, index], bf16)
        weights = real.to(hidden.dtype)[..., None]
        return (hidden * weights).sum(1) / weights.sum(1)

    def _block(self, hidden: torch.Tensor, layer: Layer, real: torch.Tensor, adapter: torch.Tensor | None, bf16: bool) -> torch.Tensor:
        texts, tokens, size = hidden.shape
        query, key, value = (
            product(part, hidden, bf16).view(texts, tokens, self.heads, -1).transpose(1, 2)
            for part in (layer.query, layer.key, layer.value)
        )
        context = F.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
        context = context.transpose(1, 2).reshape(texts, tokens, size)
        attended = layer.attention_norm(product(layer.attention_out, context, bf16) + hidden)
        residual = product(layer.down, F.gelu(product(layer.up, attended, bf16)), bf16) + attended
        normed: torch.Tensor = layer.norm(residual)
        if adapter is None:
            return normed
        # Pfeiffer's placement: the adapter reads the block's output and joins before its LayerNorm is taken again.
        groups = adapter.shape[0]
        down = adapter[:, 0].reshape(groups, size, -1)
        up = adapter[:, 1].reshape(groups, -1, size)
        bottleneck = F.layer_norm(torch.bmm(normed.reshape(groups, -1, size), down), down.shape[-1:], eps=ADAPTER_NORM_EPS)
        adapted: torch.Tensor = layer.norm(residual + torch.bmm(F.relu(bottleneck), up).view_as(residual))
        return adapted
