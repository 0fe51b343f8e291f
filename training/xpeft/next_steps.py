"""What to try after a training, from its report: each advice has a reason in the figures."""

from typing import Any

from xpeft.bootstrap import paired_difference
from xpeft.task_steps import ADAPTER, HEAD, MAJORITY, PROFILE_MASKS, SHARED_MASKS, TASK_POOL
from xpeft.verdict import HELD_OUT, key

# On fewer texts the interval of a gain is wider than what most steps bring.
FEW_TEXTS = 500


def next_steps(report: dict[str, Any]) -> list[str]:
    """Return what to try next, a sentence or two each. report: `report.json` of `train`."""
    found = [few_texts(report), adapter_passes(report), left_out_masks(report), no_gain(report)]
    return [advice for advice in found if advice]


def few_texts(report: dict[str, Any]) -> str | None:
    """Return advice for a choice that rests on few texts."""
    texts = report["chosen_on_texts"]
    if texts >= FEW_TEXTS:
        return None
    return f"The steps were chosen on {texts} texts, which show large gains only. Hold out more: `python -m xpeft prepare --dev 0.2`."


def adapter_passes(report: dict[str, Any]) -> str | None:
    """Return advice for an adapter that was best in its last or its first pass."""
    losses, plan = report["adapter_epochs"], report["recipe"]["task_adapter"]
    if len(losses) < 2 or key(ADAPTER) not in report["cross_entropy"]:
        return None
    best = losses.index(min(losses)) + 1
    if best == plan["epochs"]:
        return f"The task adapter was still improving in its last pass. Try more: `[task_adapter] epochs = {2 * best}` in a recipe."
    if best == 1:
        return f"The task adapter was best after its first pass. Try a smaller rate: `[task_adapter] lr = {plan['lr'] / 2:g}` in a recipe."
    return None


def left_out_masks(report: dict[str, Any]) -> str | None:
    """Return advice for masks that were tried and left out."""
    if key(PROFILE_MASKS) not in report["cross_entropy"] or report["kept"] in (key(SHARED_MASKS), key(PROFILE_MASKS), key(TASK_POOL)):
        return None
    return (
        "Masks brought nothing, so profiles have none. More texts of each profile may change that, and another rate:"
        f" `[masks] profile_lr = {report['recipe']['masks']['profile_lr'] * 2:g}` in a recipe."
    )


def no_gain(report: dict[str, Any]) -> str | None:
    """Return advice for profiles that are not clearly better than their most frequent label, or than one head for all."""
    split = "dev" if "dev" in report else HELD_OUT
    profiles, kept = list(report[split]["profiles"].values()), report["kept"]
    if len(profiles) < 2 or kept == key(MAJORITY):
        return None
    if kept == key(HEAD) and not report.get("known_labels"):
        return "All profiles share one head, and nothing of their own helped. One classifier for all may do: docs/concepts.md."
    gain = paired_difference([profile[kept] for profile in profiles], [profile[key(MAJORITY)] for profile in profiles])
    if gain.low > 0:
        return None
    return "The result is not clearly better than each profile's most frequent label. More training texts help most."
