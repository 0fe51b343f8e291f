"""One adapter a profile (Pfeiffer et al., 2021), equal to `seq_bn` of the library `adapters`. tests/test_peers.py compares them."""

import torch
from torch import nn

from xpeft.batches import Batch
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.profile_model import ProfileModel, StepSettings, look_up

# The spread of BERT's and the library's first weights. Biases start at 0.
START = 0.02


class AdapterModel(ProfileModel):
    """Each profile learns an adapter with bottleneck b in every block: [P + 1, L * (d*b + b + b*d + d)]."""

    def __init__(self, encoder: AdapterEncoder, bottleneck: int, profiles: int, labels: int, seed: int) -> None:
        source = torch.Generator().manual_seed(seed)
        super().__init__(encoder, profiles, labels, source)
        d, b = encoder.hidden, bottleneck
        self.sizes = {"down": (d, b), "up": (b, d), "down_bias": (b,), "up_bias": (d,)}
        layers = len(encoder.blocks)
        # All profiles start alike, as separate runs with one seed would.
        parts = [
            torch.randn(layers, *size, generator=source).flatten() * START if len(size) == 2 else torch.zeros(layers * size[0])
            for size in self.sizes.values()
        ]
        self.profile_adapters = nn.Parameter(torch.cat(parts).repeat(profiles + 1, 1))

    def tables(self) -> list[nn.Parameter]:
        """Return the adapters."""
        return [self.profile_adapters]

    def bytes_a_profile(self) -> int:
        """Return the bytes of a profile: four a number."""
        return 4 * self.profile_adapters.shape[1]

    def adapters(self, rows: torch.Tensor) -> Adapters:
        """Return the adapters of table rows [G]."""
        layers = len(self.encoder.blocks)
        counts = [layers * int(torch.Size(size).numel()) for size in self.sizes.values()]
        parts = look_up(self.profile_adapters, rows).split(counts, dim=1)
        down, up, down_bias, up_bias = (part.view(-1, layers, *size) for part, size in zip(parts, self.sizes.values(), strict=True))
        return Adapters(down, up, norm=False, down_bias=down_bias, up_bias=up_bias)

    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d]."""
        return self.encode(batch, self.adapters(batch.rows), step)
