"""A profile's label bias: how it starts, how a new profile's is fitted, and how it is stored (docs/formats.md, "Label bias")."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from xpeft.data import Example
from xpeft.errors import XpeftError

STEP = 1 / 16
# Texts, spread as everybody's labels are, that are added to a profile's own before its labels are counted.
PRIOR_TEXTS = 5.0


def bias_from_counts(examples: Sequence[Example], profiles: int, labels: int) -> torch.Tensor:
    """Log of how much more often than everybody each profile gives each label, [profiles, labels].

    With it fixed from the start, masks need not spend themselves on what counting tells.
    """
    counts = torch.zeros(profiles, labels)
    for example in examples:
        counts[example.profile, example.label] += 1
    everybody = (counts.sum(0) + 1) / (counts.sum() + labels)
    own = (counts + PRIOR_TEXTS * everybody) / (counts.sum(1, keepdim=True) + PRIOR_TEXTS)
    return own.log() - everybody.log()


def fit_bias(logits: torch.Tensor, examples: Sequence[Example], profiles: int, spread: torch.Tensor) -> torch.Tensor:
    """The likeliest label bias of each profile, [profiles, labels], beside a head that stays as it is.

    logits: the head's, [texts, labels], of `examples`. spread: [labels], the standard deviation that biases have among profiles; it is
    what keeps the bias of a profile with few texts small.
    """
    rows = torch.tensor([example.profile for example in examples])
    truth = torch.tensor([example.label for example in examples])
    bias = torch.zeros(profiles, logits.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        value = F.cross_entropy(logits + bias[rows], truth, reduction="sum") + ((bias / spread) ** 2).sum() / 2
        value.backward()
        return value.item()

    optimizer.step(loss)
    return bias.detach()


def stored_bias(bias: torch.Tensor) -> torch.Tensor:
    """The bias as it comes back from its bytes: in steps, and at most as far as int8 goes; same shape."""
    return (bias / STEP).round().clamp(-128, 127) * STEP


def pack_bias(bias: torch.Tensor) -> bytes:
    """One int8 for each label of a bias [labels]."""
    return (stored_bias(bias) / STEP).to(torch.int8).numpy().tobytes()


def unpack_bias(blob: bytes, labels: int) -> torch.Tensor:
    """Label bias [labels] of its bytes; XpeftError where their number is another."""
    if len(blob) != labels:
        raise XpeftError(f"label bias has {len(blob)} bytes for {labels} labels", "The file was damaged: train the profile again.")
    return torch.from_numpy(np.frombuffer(blob, dtype=np.int8).astype(np.float32)) * STEP
