"""The verdict of a training: what each step from the majority label to each profile's own masks brought, and what was kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xpeft.bootstrap import Array, paired_difference
from xpeft.data import DataSet, Example, group_by_profile
from xpeft.labels import label_values
from xpeft.records import Split
from xpeft.scores import Indices, profile_accuracies, score

POINTS = 100
HELD_OUT = "held_out"
# Smallest relative fall of the cross entropy that is worth bytes: about a standard error on a thousand texts.
LEAST_GAIN = 0.01
# The same of a pool. The texts to choose on have also chosen its rate and its epoch: on offense they preferred pools by 1.3% and 1.5%
# that were no better on test.
LEAST_POOL_GAIN = 0.03


@dataclass(frozen=True)
class Step:
    """A step of a training, and the label index that it predicts for each text of the measured splits.

    bytes_a_profile: stored bytes of a profile's masks and label bias. against: name of the step that it adds to, if there is one. loss:
    cross entropy of the texts to choose on, where steps are chosen.
    """

    name: str
    predictions: dict[Split, Indices]
    bytes_a_profile: int
    against: str | None = None
    loss: float | None = None


def measure_steps(steps: Sequence[Step], data: DataSet, held_out: bool = False) -> dict[str, object]:
    """Return the parts of `report.json` that measure steps: bytes, and for each split scores, gains and each profile's accuracies.

    held_out: whether the dev texts are held out of the training texts, so that the steps were chosen on them but the file has no dev split.
    """
    measured = {split: measure_split(steps, data, split) for split in ("dev", "test") if split in steps[0].predictions}
    splits = {HELD_OUT if split == "dev" and held_out else split: part for split, part in measured.items()}
    losses = {key(step.name): round(step.loss, 4) for step in steps if step.loss is not None}
    return {"bytes_a_profile": {key(step.name): step.bytes_a_profile for step in steps}, "cross_entropy": losses, **splits}


def measure_split(steps: Sequence[Step], data: DataSet, split: Split) -> dict[str, object]:
    """Return a split's part of `report.json`. A gain is in points of macro accuracy, or a fall of the mean absolute error."""
    examples, labels = data.splits[split], data.labels
    figures = {step.name: profile_figures(step.predictions[split], examples, labels) for step in steps}
    gains = {
        key(step.name): {"over": key(step.against), **paired_difference(figures[step.name], figures[step.against])._asdict()}
        for step in steps
        # A single profile has no interval.
        if step.against is not None and len(figures[step.name]) > 1
    }
    accuracies = {key(step.name): profile_accuracies(step.predictions[split], examples) for step in steps}
    profiles = {
        data.profiles[profile]: {name: round(found[profile], 4) for name, found in accuracies.items()}
        for profile in sorted({example.profile for example in examples})
    }
    methods = {key(step.name): score(step.predictions[split], examples, labels) for step in steps}
    return {"methods": methods, "gains": gains, "profiles": profiles}


def key(name: str) -> str:
    """Return a step's key in `report.json`."""
    return name.replace(" ", "_")


def profile_figures(predicted: Indices, examples: Sequence[Example], labels: Sequence[str]) -> Array:
    """Return a figure of each profile, higher is better, [profiles]: its accuracy in points, or its mean absolute error with a minus."""
    truth = np.array([example.label for example in examples])
    values = label_values(labels)
    figures = (predicted == truth) * float(POINTS) if values is None else -np.abs(values[predicted] - values[truth])
    return np.array([figures[indices].mean() for indices in group_by_profile(examples).values()])


def worth_keeping(loss: float, figures: Array, before: float, figures_before: Array, least: float = LEAST_GAIN) -> bool:
    """Return whether a step helps the texts to choose on: a lower cross entropy than before, and no clearly lower figures, [profiles].

    Of few texts, accuracies differ by chance more than cross entropies do. least: the smallest relative fall of the cross entropy.
    """
    return loss < before * (1 - least) and not clearly_lower(figures, figures_before)


def clearly_lower(ours: Array, theirs: Array) -> bool:
    """Return whether the interval of our figures less theirs, each [profiles], lies below 0. A single profile has no interval."""
    return paired_difference(ours, theirs).high < 0 if len(ours) > 1 else bool(ours.mean() < theirs.mean())


def measured_splits(report: dict[str, Any]) -> list[str]:
    """Return the keys of the splits that a report measures."""
    return [split for split in ("dev", HELD_OUT, "test") if split in report]


def gain_text(gains: dict[str, Any], name: str) -> str:
    """Return a step's gain with its interval, or nothing if it has none."""
    return "{value:+.2f} ({low:+.2f} to {high:+.2f}) over {over}".format(**gains[name]) if name in gains else ""


def verdict_lines(report: dict[str, Any]) -> list[str]:
    """Return the table of a report: a line for each step and split, with the gain over the step that it adds to."""
    lines = []
    for split in measured_splits(report):
        methods, gains = report[split]["methods"], report[split]["gains"]
        columns = list(methods[report["kept"]])
        lines.append(
            f"{split.replace('_', ' '):<16}" + "".join(f"{column:>8}" for column in columns) + f"{'bytes':>8}   gain (95% interval)"
        )
        for name, scores in methods.items():
            figures = "".join(f"{scores[column]:>8.3f}" for column in columns) + f"{report['bytes_a_profile'][name]:>8}"
            notes = [gain_text(gains, name), "kept" if name == report["kept"] else ""]
            lines.append("   ".join([f"{name:<16}{figures}", *filter(None, notes)]).replace("_", " "))
    return lines
