"""Gives the blocks of each family of PLMs the same names. Families differ in names and positions, not in what a block computes."""

from dataclasses import dataclass, fields
from typing import Any, cast

import torch
from torch import nn


@dataclass(frozen=True)
class Layer:
    """The parts of an encoder block. Linear weights are [out, in], as in torch."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_out: nn.Linear
    attention_norm: nn.LayerNorm
    up: nn.Linear
    down: nn.Linear
    norm: nn.LayerNorm


@dataclass(frozen=True)
class Family:
    """Where transformers keeps the blocks, and the parts of a block in the order of Layer."""

    blocks: str
    parts: tuple[str, ...]


FEED_FORWARD = ("intermediate.dense", "output.dense", "output.LayerNorm")
BERT = Family(
    "encoder.layer",
    (
        *("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm"),
        *FEED_FORWARD,
    ),
)
DISTILBERT = Family(
    "transformer.layer",
    (
        *("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm"),
        *("ffn.lin1", "ffn.lin2", "output_layer_norm"),
    ),
)
MPNET = Family(
    "encoder.layer",
    ("attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o", "attention.LayerNorm", *FEED_FORWARD),
)

FAMILIES = {
    "bert": BERT,
    "electra": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "camembert": BERT,
    "distilbert": DISTILBERT,
    "mpnet": MPNET,
}


def layers_of(model: nn.Module, family: Family) -> list[Layer]:
    """Return the blocks of a model of transformers, by layer."""
    names = [field.name for field in fields(Layer)]

    def layer_of(block: nn.Module) -> Layer:
        parts: dict[str, Any] = {name: block.get_submodule(path) for name, path in zip(names, family.parts, strict=True)}
        return Layer(**parts)

    return [layer_of(block) for block in model.get_submodule(family.blocks).children()]


def positions_of(embeddings: nn.Module) -> torch.Tensor:
    """Return the position embeddings [longest input, d]. Families with a padding position count from the next one."""
    table = cast(nn.Embedding, embeddings.get_submodule("position_embeddings"))
    return table.weight[0 if table.padding_idx is None else table.padding_idx + 1 :]


def types_of(embeddings: nn.Module, hidden: int) -> torch.Tensor:
    """Return the type embeddings [2 or more, d]. PLMs without a second type read both texts of a pair as the same type."""
    table = getattr(embeddings, "token_type_embeddings", None)
    weight: torch.Tensor = torch.zeros(1, hidden) if table is None else table.weight
    return weight.expand(2, -1) if len(weight) == 1 else weight


def relative_of(model: nn.Module, longest: int) -> torch.Tensor | None:
    """Return MPNet's bias of attention logits by the key's position minus the query's, [2 · longest - 1, heads], from 1 - longest on."""
    encoder: Any = getattr(model, "encoder", None)
    if not hasattr(encoder, "relative_attention_bias"):
        return None
    bias: torch.Tensor = encoder.relative_attention_bias(encoder.relative_position_bucket(torch.arange(1 - longest, longest)))
    return bias.detach()
