"""What is learnt: mask logits, each profile's and shared ones, and one head for the task. The PLM and the pool stay frozen."""

import torch
from torch import nn

from xpeft.batches import Batch
from xpeft.encoder import AdapterEncoder, merge
from xpeft.masks import gumbel_topk, hard_weights
from xpeft.pool import PoolShape


class ProfileModel(nn.Module):
    """Logits of texts, each under its own profile's masks and label bias.

    own [P + 1, L, 2, N] and shared [L, 2, N] add up to the profiles' mask logits; the last row is the task's default profile.
    label_bias [P + 1, labels] is set, not learnt with the masks; the default profile's stays 0.
    """

    pool: torch.Tensor
    label_bias: torch.Tensor

    def __init__(self, encoder: AdapterEncoder, pool: torch.Tensor, shape: PoolShape, profiles: int, labels: int, seed: int) -> None:
        super().__init__()
        source = torch.Generator().manual_seed(seed)
        self.encoder = encoder
        self.shape = shape
        self.register_buffer("pool", pool)
        # Small, so that the first gradients, not the start, decide which adapters are in.
        start = torch.randn(profiles + 1, shape.layers, 2, shape.size, generator=source) * 0.01
        self.own = nn.Parameter(start)
        self.shared = nn.Parameter(torch.zeros(shape.layers, 2, shape.size))
        self.head = nn.Linear(shape.hidden, labels)
        nn.init.normal_(self.head.weight, std=0.02, generator=source)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("label_bias", torch.zeros(profiles + 1, labels))

    @property
    def default_row(self) -> int:
        """Row of the default profile in the mask table."""
        return len(self.own) - 1

    def mask_logits(self, rows: torch.Tensor) -> torch.Tensor:
        """Mask logits [G, L, 2, N] of table rows [G]."""
        return self.own[rows] + self.shared

    def scores(self, features: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Logits [G*M, labels] of features [G*M, d] that belong to table rows [G], M each."""
        logits: torch.Tensor = self.head(features)
        return logits + self.label_bias[rows].repeat_interleave(len(features) // len(rows), dim=0)

    def training_logits(self, batch: Batch, noise: float, tau: float, source: torch.Generator, bf16: bool) -> torch.Tensor:
        """Logits [G*M, labels] under masks sampled with Gumbel noise."""
        # Drawn on the CPU, so that one seed means one thing on every device.
        exponential = torch.empty((len(batch.rows), *self.own.shape[1:])).exponential_(generator=source)
        gumbel = -exponential.log().to(self.own.device)
        weights = gumbel_topk(self.mask_logits(batch.rows), self.shape.chosen, noise * gumbel, tau)
        features = self.encoder(batch.ids, batch.types, batch.lengths, merge(weights, self.pool), bf16)
        return self.scores(features, batch.rows)

    def merged(self, rows: torch.Tensor) -> torch.Tensor:
        """Merged adapters [G, L, 2, d*b] of table rows [G], under hard masks without noise."""
        return merge(hard_weights(self.mask_logits(rows), self.shape.chosen), self.pool)

    def features(self, batch: Batch) -> torch.Tensor:
        """Pooled features [G*M, d] under hard masks without noise."""
        features: torch.Tensor = self.encoder(batch.ids, batch.types, batch.lengths, self.merged(batch.rows))
        return features

    def logits(self, batch: Batch) -> torch.Tensor:
        """Logits [G*M, labels] as they are served: hard masks, no noise."""
        return self.scores(self.features(batch), batch.rows)
