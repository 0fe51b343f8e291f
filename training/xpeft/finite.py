"""The check that numbers are finite. Masks of NaN would be stored like any others, and answer wrongly."""

import torch

from xpeft.errors import NotFinite


def check_finite(values: torch.Tensor, what: str) -> None:
    """Raise NotFinite, with `what` as the values' name, if one is infinite or not a number."""
    if not values.isfinite().all():
        raise NotFinite(f"{what} is not finite", "Train again with lower learning rates. If that does not help, build the bundle again.")
