"""A model whose adapter pool is trained together with the masks: the pool of a task of its own."""

import torch
from torch import nn

from xpeft.batches import Batch
from xpeft.encoder import AdapterEncoder, Dropout
from xpeft.mask_model import MaskModel
from xpeft.pool import PoolShape
from xpeft.profile_model import StepSettings
from xpeft.stored_pool import StoredPool
from xpeft.task_pool import TaskPool

# Of the down and up matrices at the start. Small up matrices keep training near the features that the head was fitted to.
DOWN_START, UP_START = 0.02, 0.002
# Masks of the start differ, so that adapters learn from different profiles.
MASK_START = 0.1


class PoolModel(MaskModel):
    """A mask model that trains its pool [K, 2, N, d*b] at the rate `shared_lr`. Profiles share no mask logits.

    Profiles that are alike come to choose the same adapters, and each adapter learns from all profiles that choose it.
    """

    def __init__(
        self,
        encoder: AdapterEncoder,
        shape: PoolShape,
        profiles: int,
        labels: int,
        seed: int,
        task_adapter: torch.Tensor | None,
        dropout: float,
    ) -> None:
        source = torch.Generator().manual_seed(seed)
        sizes = shape.layers, shape.size, shape.hidden * shape.bottleneck
        # The mean of k random adapters is smaller than one of them.
        wide = DOWN_START if task_adapter is not None else DOWN_START * shape.chosen**0.5
        start = torch.stack([torch.randn(sizes, generator=source) * wide, torch.randn(sizes, generator=source) * UP_START], dim=1)
        super().__init__(encoder, start, shape, profiles, labels, seed, task_adapter=task_adapter)
        del self.pool
        self.pool = nn.Parameter(start)
        self.dropout = dropout
        with torch.no_grad():
            self.profile_masks.copy_(torch.randn(self.profile_masks.shape, generator=source) * MASK_START)

    def shared(self) -> list[nn.Parameter]:
        """Return the pool."""
        return [self.get_parameter("pool")]

    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d]; in a training step, with dropout."""
        features = super().features(batch, step)
        return Dropout(self.dropout, step.generator)(features) if step else features

    def stored_pool(self) -> TaskPool:
        """Return the pool as a task stores it."""
        return TaskPool(StoredPool.quantize(self.pool.detach().cpu()), self.shape.chosen)
