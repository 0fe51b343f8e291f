"""What a profile changes of its task's head, and its bytes (docs/formats.md, "Label bias")."""

from dataclasses import dataclass

import numpy as np
import torch

from xpeft.data import NEVER
from xpeft.head_change import HeadChange, damaged
from xpeft.label_bias import STEP, stored_bias

MAX_RANK = 8


@dataclass(frozen=True)
class ProfileHead:
    """What a profile changes of the head.

    bias: float32 [labels]. It is NEVER where the profile does not know the label. change: None if there is none.
    """

    bias: torch.Tensor
    change: HeadChange | None = None

    @property
    def known(self) -> torch.Tensor:
        """Which labels the profile knows, bool [labels]."""
        return known_labels(self.bias)

    @property
    def has_parts(self) -> bool:
        """Whether a head change or known labels follow the label bias."""
        return self.change is not None or not bool(self.known.all())

    def pack(self) -> bytes:
        """Return the bytes: the label bias, then the head change and the known labels if the profile has them."""
        known = self.known
        steps = (stored_bias(self.bias.where(known, 0)) / STEP).to(torch.int8)
        bits = b"" if bool(known.all()) else np.packbits(known.numpy(), bitorder="little").tobytes()
        return steps.numpy().tobytes() + (self.change.pack() if self.change else b"") + bits


def known_labels(bias: torch.Tensor) -> torch.Tensor:
    """Return which labels profiles know by their label bias, bool of its shape."""
    return bias > NEVER / 2


def head_bytes_a_profile(labels: int, has_label_bias: bool, has_known_labels: bool) -> int:
    """Return the bytes of a profile's label bias with its known labels. A profile with known labels has a label bias, even of zeros."""
    return labels * (has_label_bias or has_known_labels) + -(-labels // 8) * has_known_labels


def unpack_profile_head(blob: bytes, labels: int, hidden: int) -> ProfileHead:
    """Return what a profile changes of the head. Raises XpeftError if the bytes break the format's rules."""
    rank_bytes, known_bytes = 4 + labels + hidden, -(-labels // 8)
    rank, rest = divmod(len(blob) - labels, rank_bytes)
    if len(blob) < labels or rest not in (0, known_bytes):
        raise damaged(f"has {len(blob)} bytes for {labels} labels")
    if rank > MAX_RANK:
        raise damaged(f"has a head change of rank {rank}, and the most is {MAX_RANK}")
    bias = torch.from_numpy(np.frombuffer(blob[:labels], dtype=np.int8).astype(np.float32)) * STEP
    change = HeadChange.unpack(blob[labels : labels + rank * rank_bytes], labels, hidden) if rank else None
    return ProfileHead(bias.where(unpack_known(blob[-rest:], labels), NEVER) if rest else bias, change)


def unpack_known(blob: bytes, labels: int) -> torch.Tensor:
    """Return which labels are known, bool [labels]. Raises XpeftError if none is, or a padding bit is set."""
    known = np.unpackbits(np.frombuffer(blob, dtype=np.uint8), bitorder="little").astype(bool)
    if not known.any():
        raise damaged("has known labels, but none is set")
    if known[labels:].any():
        raise damaged(f"knows more than {labels} labels: padding bits are set")
    return torch.from_numpy(known[:labels])
