"""Label biases: their start, their fit for a new profile, and the steps that they are stored in."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from xpeft.data import DataSet, Example

STEP = 1 / 16
# Pseudo-count: texts with the label distribution of all profiles, added to each profile's counts.
PRIOR_TEXTS = 5.0


def bias_from_counts(examples: Sequence[Example], profiles: int, labels: int) -> torch.Tensor:
    """Return the smoothed log-ratio of each profile's label frequencies to those of all profiles, [profiles, labels].

    During mask training the label bias is fixed to it, so that masks learn what counts do not tell.
    """
    places = torch.tensor([example.profile * labels + example.label for example in examples], dtype=torch.int64)
    counts = places.bincount(minlength=profiles * labels).view(profiles, labels).float()
    overall = (counts.sum(0) + 1) / (counts.sum() + labels)
    smoothed = (counts + PRIOR_TEXTS * overall) / (counts.sum(1, keepdim=True) + PRIOR_TEXTS)
    return smoothed.log() - overall.log()


def first_bias(data: DataSet, learnt: bool) -> torch.Tensor:
    """Return the bias [profiles, labels] before training: it keeps profiles to their labels, and starts at the counts if it is learnt."""
    bias = data.label_set_bias()
    return bias + bias_from_counts(data.splits["train"], *bias.shape) if learnt else bias


def fit_bias(logits: torch.Tensor, examples: Sequence[Example], profiles: int, prior_std: torch.Tensor) -> torch.Tensor:
    """Return the most probable label bias of each profile, [profiles, labels], with the head fixed.

    logits: the head's logits [texts, labels] of `examples`. prior_std: [labels], the standard deviation of biases among profiles. It keeps
    the bias of a profile with few texts small.
    """
    rows = torch.tensor([example.profile for example in examples])
    truth = torch.tensor([example.label for example in examples])
    bias = torch.zeros(profiles, logits.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        value = F.cross_entropy(logits + bias[rows], truth, reduction="sum") + ((bias / prior_std) ** 2).sum() / 2
        value.backward()
        return value.item()

    optimizer.step(loss)
    return bias.detach()


def stored_bias(bias: torch.Tensor) -> torch.Tensor:
    """Return the bias as its bytes store it: rounded to steps, within int8's range, in the same shape."""
    return (bias / STEP).round().clamp(-128, 127) * STEP
