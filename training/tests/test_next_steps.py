"""What a training advises: each sentence has its reason in the report, and no report without a reason has a sentence."""

from typing import Any

import pytest

from xpeft.next_steps import next_steps

# Eight profiles of which each is better than its most frequent label.
STEPS = {"majority_label": 0.4, "shared_head": 0.4, "label_bias": 0.5, "task_adapter": 0.8, "profile_masks": 0.8}
GOOD = {str(number): STEPS for number in range(8)}


def report(**changes: Any) -> dict[str, Any]:
    losses = {"shared_head": 1.0, "label_bias": 0.9, "task_adapter": 0.8, "profile_masks": 0.7}
    recipe = {"task_adapter": {"epochs": 6, "lr": 0.002}, "masks": {"profile_lr": 0.01}}
    return {
        "kept": "profile_masks",
        "chosen_on_texts": 900,
        "cross_entropy": losses,
        "adapter_epochs": [0.9, 0.8, 0.85, 0.86],
        "recipe": recipe,
        "dev": {"profiles": GOOD},
        **changes,
    }


def test_nothing_is_advised_without_a_reason() -> None:
    assert next_steps(report()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"chosen_on_texts": 499}, "chosen on 499 texts"),
        ({"adapter_epochs": [0.9, 0.88, 0.87, 0.86, 0.85, 0.84]}, "epochs = 12"),
        ({"adapter_epochs": [0.8, 0.85, 0.9]}, "lr = 0.001`"),
        ({"kept": "task_adapter"}, "profile_lr = 0.02"),
        ({"kept": "shared_head", "cross_entropy": {"shared_head": 1.0}}, "share one head"),
        ({"dev": {"profiles": {name: {**found, "majority_label": 0.8} for name, found in GOOD.items()}}}, "most frequent label"),
    ],
)
def test_advice_names_its_reason(changes: dict[str, Any], said: str) -> None:
    (advice,) = next_steps(report(**changes))
    assert said in advice


def test_steps_that_were_not_tried_have_no_advice() -> None:
    assert next_steps(report(kept="label_bias", adapter_epochs=[], cross_entropy={"shared_head": 1.0, "label_bias": 0.9})) == []


def test_a_shared_head_is_enough_for_profiles_with_labels_of_their_own() -> None:
    made = report(kept="shared_head", cross_entropy={"shared_head": 1.0})
    made["dev"] = {"profiles": {name: {**found, "majority_label": 0.1} for name, found in GOOD.items()}}
    assert next_steps({**made, "known_labels": True}) == []
    assert next_steps(made) != []


def test_held_out_texts_and_a_single_profile() -> None:
    made = report()
    made["held_out"] = {"profiles": dict(list(made.pop("dev")["profiles"].items())[:1])}
    assert next_steps(made) == []
