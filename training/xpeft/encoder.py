"""The encoder with an adapter in each block, in torch, with gradients. `bundle/graph.py` is its int8 form for the edge."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from xpeft.plm import PLM
from xpeft.pooling import Pooling

ADAPTER_NORM_EPS = 1e-5


@dataclass(frozen=True)
class Dropout:
    """Sets a fraction `rate` of numbers to 0 and scales the others, so that their expectation stays."""

    rate: float
    generator: torch.Generator  # of the values' device: a GPU would wait for numbers from the CPU

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Return values with some dropped."""
        kept = torch.rand(values.shape, generator=self.generator, device=values.device) >= self.rate
        return values * kept / (1 - self.rate)


@dataclass(frozen=True)
class Adapters:
    """A bottleneck adapter for each of G groups of texts in each of L blocks.

    X-PEFT's merged adapter has a LayerNorm in the bottleneck, with or without an affine. The adapter of Pfeiffer et al. (2021) has biases
    instead, `down_bias` and `up_bias`.
    """

    down: torch.Tensor  # [G, L, d, b]
    up: torch.Tensor  # [G, L, b, d]
    norm: bool = True
    affine: torch.Tensor | None = None  # [G, L, 2 (gain, shift), b]
    down_bias: torch.Tensor | None = None  # [G, L, b]
    up_bias: torch.Tensor | None = None  # [G, L, d]
    dropout: Dropout | None = None  # of the bottleneck

    @staticmethod
    def from_merged(merged: torch.Tensor, hidden: int, affine: torch.Tensor | None = None, dropout: Dropout | None = None) -> "Adapters":
        """Return the adapters of merged matrices [G, L, 2, d*b] for hidden size d."""
        groups, layers = merged.shape[:2]
        down, up = merged[:, :, 0].reshape(groups, layers, hidden, -1), merged[:, :, 1].reshape(groups, layers, -1, hidden)
        return Adapters(down, up, affine=affine, dropout=dropout)

    def apply(self, block: int, hidden: torch.Tensor) -> torch.Tensor:
        """Return what the adapters of a block add, [G, M*T, d], for inputs [G, M*T, d]."""
        bottleneck = torch.bmm(hidden, self.down[:, block])
        if self.down_bias is not None:
            bottleneck = bottleneck + self.down_bias[:, block, None]
        if self.norm:
            bottleneck = F.layer_norm(bottleneck, bottleneck.shape[-1:], eps=ADAPTER_NORM_EPS)
        if self.affine is not None:
            bottleneck = bottleneck * self.affine[:, block, 0, None] + self.affine[:, block, 1, None]
        active = F.relu(bottleneck)
        added = torch.bmm(self.dropout(active) if self.dropout else active, self.up[:, block])
        return added if self.up_bias is None else added + self.up_bias[:, block, None]


def merge(weights: torch.Tensor, pool: torch.Tensor) -> torch.Tensor:
    """Return merged adapters [G, L, 2, d*b] of mask weights [G, L, 2, N] over a pool [L, 2, N, d*b]."""
    groups, layers, sides, size = weights.shape
    flat = weights.permute(1, 2, 0, 3).reshape(layers * sides, groups, size)
    merged = torch.bmm(flat, pool.reshape(layers * sides, size, -1))
    return merged.reshape(layers, sides, groups, -1).permute(2, 0, 1, 3)


def apply_linear(linear: nn.Module, hidden: torch.Tensor, bf16: bool) -> torch.Tensor:
    """Return linear(hidden) in float32, computed in bfloat16 if `bf16`."""
    if not bf16 or not isinstance(linear, nn.Linear):
        out: torch.Tensor = linear(hidden)  # as a module: calibration hooks its inputs, and PEFT replaces it
        return out
    return F.linear(hidden.bfloat16(), *cast_weights(linear)).float()


def cast_weights(linear: nn.Linear) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weight and bias in bfloat16. They are cast once, because frozen weights change only if the module is moved or edited."""
    key = (linear.weight.data_ptr(), linear.weight._version)
    cached: tuple[object, torch.Tensor, torch.Tensor] | None = linear.__dict__.get("cast")
    if cached is None or cached[0] != key:
        cached = linear.__dict__["cast"] = (key, linear.weight.bfloat16(), linear.bias.bfloat16())
    return cached[1:]


def real_tokens(lengths: torch.Tensor, tokens: int) -> torch.Tensor:
    """Return which of `tokens` places hold a token and no padding, bool [texts, tokens]. lengths: [texts]."""
    return torch.arange(tokens, device=lengths.device) < lengths[:, None]


class AdapterEncoder(nn.Module):
    """Computes pooled features of texts, each group of texts under its own adapters. The PLM is frozen."""

    relative: torch.Tensor | None
    gelu: str = "none"  # how torch approximates it

    def __init__(self, plm: PLM) -> None:
        super().__init__()
        self.heads = plm.heads
        self.hidden = plm.hidden
        self.pooling = plm.pooling
        for name, table in (("words", plm.words), ("positions", plm.positions), ("types", plm.types)):
            self.register_buffer(name, table.detach())
        self.register_buffer("relative", plm.relative)
        self.norm = plm.norm
        self.blocks = nn.ModuleList(nn.ModuleDict(vars(layer)) for layer in plm.layers)
        self.requires_grad_(False)

    def forward(
        self, ids: torch.Tensor, types: torch.Tensor, lengths: torch.Tensor, adapters: Adapters | None, bf16: bool = False
    ) -> torch.Tensor:
        """Return pooled features, float32 [G*M, d].

        ids, types: [G*M, T], M texts for each of G groups, padded on the right. lengths: [G*M], tokens without padding.
        adapters: those of the G groups, or None for the PLM alone. bf16: whether to multiply by the PLM's weights in bfloat16.
        """
        return self.tail(self.trunk(ids, types, lengths, None, 0, bf16), lengths, adapters, 0, bf16)

    def trunk(
        self, ids: torch.Tensor, types: torch.Tensor, lengths: torch.Tensor, adapters: Adapters | None, layer: int, bf16: bool = False
    ) -> torch.Tensor:
        """Return the residual of block `layer`, float32 [G*M, T, d]: its output before its adapter and its last LayerNorm.

        adapters: those of the blocks below `layer`, or None. The other arguments are as in `forward`. A residual depends on no adapter
        of `layer` or above, so one text's residual serves all profiles that share the adapters below.
        """
        real = real_tokens(lengths, ids.shape[1])
        hidden: torch.Tensor = self.get_buffer("words")[ids] + self.get_buffer("positions")[: ids.shape[1]]
        hidden = self.norm(hidden + self.get_buffer("types")[types])
        for index in range(layer):
            hidden = self._adapted(index, self._residual(index, hidden, real, bf16), adapters, index)
        return self._residual(layer, hidden, real, bf16)

    def tail(
        self, residual: torch.Tensor, lengths: torch.Tensor, adapters: Adapters | None, layer: int, bf16: bool = False
    ) -> torch.Tensor:
        """Return pooled features, float32 [G*M, d], of residuals [G*M, T, d] of block `layer`.

        adapters: those of the blocks from `layer` on, or None. Padding may hold any finite numbers.
        """
        real = real_tokens(lengths, residual.shape[1])
        hidden = self._adapted(layer, residual, adapters, 0)
        for index in range(layer + 1, len(self.blocks)):
            hidden = self._adapted(index, self._residual(index, hidden, real, bf16), adapters, index - layer)
        return self._pool(hidden, real)

    def _adapted(self, index: int, residual: torch.Tensor, adapters: Adapters | None, place: int) -> torch.Tensor:
        """Return the output of block `index`, [G*M, T, d], from its residual. place: the block's place among the adapters' blocks."""
        norm = self.blocks[index].get_submodule("norm")
        hidden: torch.Tensor = norm(residual)
        if adapters is None:
            return hidden
        # Pfeiffer's placement: the adapter reads the block's output and is added before a second LayerNorm.
        added = adapters.apply(place, hidden.reshape(len(adapters.down), -1, hidden.shape[-1]))
        adapted: torch.Tensor = norm(residual + added.view_as(residual))
        return adapted

    def _pool(self, hidden: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return features [G*M, d] of the last layer's output [G*M, T, d]: the mean of the real tokens, or the first token."""
        if self.pooling is Pooling.cls:
            return hidden[:, 0]
        weights = real.to(hidden.dtype)[..., None]
        return (hidden * weights).sum(1) / weights.sum(1)

    def _attention_mask(self, real: torch.Tensor) -> torch.Tensor:
        """Return which keys are real, [G*M, 1, 1, T]; for a PLM with relative positions, what its logits get, [G*M, heads, T, T]."""
        keys = real[:, None, None, :]
        if self.relative is None:
            return keys
        places = torch.arange(real.shape[1], device=real.device)
        distances = places - places[:, None] + len(self.relative) // 2
        return torch.where(keys, self.relative[distances].permute(2, 0, 1), -torch.inf)

    def _residual(self, index: int, hidden: torch.Tensor, real: torch.Tensor, bf16: bool) -> torch.Tensor:
        """Return a block's output before its last LayerNorm, [G*M, T, d], of its input [G*M, T, d]."""
        part = dict(self.blocks[index].named_children())
        texts, tokens, size = hidden.shape
        query, key, value = (
            apply_linear(part[name], hidden, bf16).view(texts, tokens, self.heads, -1).transpose(1, 2) for name in ("query", "key", "value")
        )
        context = F.scaled_dot_product_attention(query, key, value, attn_mask=self._attention_mask(real))
        context = context.transpose(1, 2).reshape(texts, tokens, size)
        attended = part["attention_norm"](apply_linear(part["attention_out"], context, bf16) + hidden)
        raised = F.gelu(apply_linear(part["up"], attended, bf16), approximate=self.gelu)
        residual: torch.Tensor = apply_linear(part["down"], raised, bf16) + attended
        return residual
