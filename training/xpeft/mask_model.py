"""X-PEFT: a profile is its masks, which say which adapters of a frozen pool to average (section 3 of the paper)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from xpeft.batches import Batch
from xpeft.bundle.load import pool_entries
from xpeft.bundle.manifest import Manifest
from xpeft.encoder import AdapterEncoder, Adapters, merge
from xpeft.masks import gumbel_topk, hard_weights, mask_bytes
from xpeft.plm import PLM
from xpeft.pool import PoolShape
from xpeft.profile_model import ProfileModel, StepSettings, look_up
from xpeft.task_pool import TaskPool

Affine = Literal["none", "shared", "own"]


@dataclass(frozen=True)
class MaskKind:
    """The kind of masks. The edge serves the default: hard masks without an affine.

    affine: gain and shift of the bottleneck's LayerNorm. There are none, the task's, or each profile's own, as in the paper.
    """

    soft: bool = False
    affine: Affine = "none"

    @property
    def description(self) -> str:
        """What a report adds to the pool's name."""
        return "" if self.affine == "none" else f" {self.affine} affine"


class MaskModel(ProfileModel):
    """A model whose mask logits are the sum of profile masks, [P + 1, K*2*N], and shared masks, [K, 2, N].

    Masks cover the pool's K layers, which are the encoder's last ones. task_adapter: [L, 2, d*b], the task's own adapter, which is frozen
    and added to the merged adapters. Layers below the pool's run under it alone, or without an adapter where there is none. has_masks:
    bool [P + 1], whether each table row has masks; a row without masks has the task adapter alone in all layers. task_pool: the stored form
    of `pool` if it is the task's own.
    """

    pool: torch.Tensor
    task_adapter: torch.Tensor | None
    has_masks: torch.Tensor

    def __init__(
        self,
        encoder: AdapterEncoder,
        pool: torch.Tensor,
        shape: PoolShape,
        profiles: int,
        labels: int,
        seed: int,
        kind: MaskKind | None = None,
        task_adapter: torch.Tensor | None = None,
        task_pool: TaskPool | None = None,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        # Small values: the first gradients, not the start, decide which adapters a mask chooses.
        start = torch.randn(profiles + 1, shape.layers * 2 * shape.size, generator=generator) * 0.01
        super().__init__(encoder, profiles, labels, generator)
        self.kind = kind or MaskKind()
        self.shape = shape
        self.first_layer = shape.first_layer
        self.register_buffer("pool", pool)
        self.task_pool = task_pool
        self.register_buffer("task_adapter", task_adapter)
        self.register_buffer("has_masks", torch.ones(profiles + 1, dtype=torch.bool))
        self.profile_masks = nn.Parameter(start)
        self.shared_masks = nn.Parameter(torch.zeros(shape.layers, 2, shape.size))
        rows = {"none": 0, "shared": 1, "own": profiles + 1}[self.kind.affine]
        unit = torch.stack([torch.ones(shape.layers, shape.bottleneck), torch.zeros(shape.layers, shape.bottleneck)], dim=1)
        self.affine = nn.Parameter(unit.flatten().repeat(rows, 1))

    def tables(self) -> list[nn.Parameter]:
        """Return the profile masks, and the affine if each profile has its own."""
        return [self.profile_masks, *([self.affine] if self.kind.affine == "own" else [])]

    def shared(self) -> list[nn.Parameter]:
        """Return the shared masks."""
        return [self.shared_masks]

    def task_parts(self) -> list[nn.Parameter]:
        """Return the head, and the affine if it is shared."""
        return [*super().task_parts(), *([self.affine] if self.kind.affine == "shared" else [])]

    def shared_bytes(self) -> int:
        """Return the bytes of a shared affine. Shared masks cost nothing: a profile stores the sum."""
        return 4 * self.affine.numel() if self.kind.affine == "shared" else 0

    def bytes_a_profile(self) -> int:
        """Return a bit for each hard mask logit or four bytes for each soft one, and four bytes for each number of its own affine."""
        masks = 4 * self.profile_masks.shape[1] if self.kind.soft else mask_bytes(self.shape)
        return masks + (4 * self.affine.shape[1] if self.kind.affine == "own" else 0)

    def mask_logits(self, rows: torch.Tensor) -> torch.Tensor:
        """Return mask logits [G, K, 2, N] of table rows [G]."""
        return look_up(self.profile_masks, rows).view(-1, *self.shared_masks.shape) + self.shared_masks

    def weights(self, rows: torch.Tensor, step: StepSettings | None) -> torch.Tensor:
        """Return the weights [G, K, 2, N] of the pool's adapters; 0 for rows without masks."""
        return self._weights(self.mask_logits(rows), step) * self.has_masks[rows, None, None, None]

    def _weights(self, logits: torch.Tensor, step: StepSettings | None) -> torch.Tensor:
        if self.kind.soft:
            return torch.softmax(logits, dim=-1)
        if step is None:
            return hard_weights(logits, self.shape.chosen)
        exponential = torch.empty_like(logits).exponential_(generator=step.generator)
        return gumbel_topk(logits, self.shape.chosen, step.noise * -exponential.log(), step.tau)

    def trunk_adapters(self) -> Adapters | None:
        """Return the task adapter as adapters of one group, or None."""
        return None if self.task_adapter is None else Adapters.from_merged(self.task_adapter[None], self.shape.hidden)

    def adapters(self, rows: torch.Tensor, step: StepSettings | None = None) -> Adapters:
        """Return the merged adapters of table rows [G] in the pool's layers."""
        affine = None
        if self.kind.affine != "none":
            numbers = look_up(self.affine, rows) if self.kind.affine == "own" else self.affine.expand(len(rows), -1)
            affine = numbers.view(-1, self.shape.layers, 2, self.shape.bottleneck)
        merged = merge(self.weights(rows, step), self.pool)
        if self.task_adapter is not None:
            merged = merged + self.task_adapter[self.first_layer :]
        return Adapters.from_merged(merged, self.shape.hidden, affine)

    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d] under the masks; in a training step, the masks have Gumbel noise."""
        return self.encode(batch, self.adapters(batch.rows, step), step)


def new_model(
    bundle: Path,
    manifest: Manifest,
    plm: PLM,
    profiles: int,
    labels: int,
    seed: int,
    device: torch.device,
    task_pool: TaskPool | None = None,
) -> MaskModel:
    """Return a model of a bundle's PLM and a task's pool, or the bundle's without one, with untrained masks and no task adapter."""
    shape = manifest.pool_shape
    pool = task_pool.entries() if task_pool else pool_entries(bundle, manifest)
    sizes = task_pool.shape(shape) if task_pool else shape
    return MaskModel(AdapterEncoder(plm), pool, sizes, profiles, labels, seed, task_pool=task_pool).to(device)
