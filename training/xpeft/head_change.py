"""A profile's change of its task's head: a matrix of low rank (docs/formats.md, "Head change")."""

from dataclasses import dataclass

import numpy as np
import torch

from xpeft.errors import XpeftError


@dataclass(frozen=True)
class HeadChange:
    """A change of low rank of the head's weight: the sum over ranks of scale * left * right, in the numbers that are stored.

    scale: float32 [r], each finite and above 0. left: int8 [r, labels]. right: int8 [r, d].
    """

    scale: np.ndarray
    left: np.ndarray
    right: np.ndarray

    def weight(self) -> torch.Tensor:
        """Return what is added to the head's weight, float32 [labels, d]."""
        left = torch.from_numpy(self.left.astype(np.float32) * self.scale[:, None])
        return left.T @ torch.from_numpy(self.right.astype(np.float32))

    def pack(self) -> bytes:
        """Return the bytes of all ranks."""
        ranks = zip(self.scale.astype("<f4"), self.left, self.right, strict=True)
        return b"".join(scale.tobytes() + left.tobytes() + right.tobytes() for scale, left, right in ranks)

    @staticmethod
    def unpack(blob: bytes, labels: int, hidden: int) -> "HeadChange":
        """Return the head change of its bytes. Raises XpeftError for a scale that breaks the rule."""
        kind = np.dtype([("scale", "<f4"), ("left", "i1", (labels,)), ("right", "i1", (hidden,))])
        ranks = np.frombuffer(blob, dtype=kind)
        for scale in ranks["scale"]:
            if not (np.isfinite(scale) and scale > 0):
                raise damaged(f"has a head change with the scale {scale}; a scale is finite and above 0")
        return HeadChange(ranks["scale"].copy(), ranks["left"].copy(), ranks["right"].copy())


def damaged(fault: str) -> XpeftError:
    """Return the error of a label bias that breaks the format's rules."""
    return XpeftError(f"label bias {fault}", "The file is damaged. Train the profile again.")
