"""The training loop: many profiles in a batch, one shared head, and checkpoints to resume from."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch

from xpeft.batches import collate, epoch_steps, seeded_generator
from xpeft.checkpoint import TrainingState, load_checkpoint, save_checkpoint, stop_requested
from xpeft.data import Example
from xpeft.errors import NotFinite
from xpeft.profile_model import ProfileModel, StepSettings, target_loss
from xpeft.progress import progress
from xpeft.row_adam import RowAdam
from xpeft.trunk_cache import TrunkCache

CHECKPOINT_STEPS = 100
MAX_LOSSES = 50

# Steps done, and the mean loss since the previous entry.
Losses = list[tuple[int, float]]


@dataclass(frozen=True)
class Recipe:
    """The hyperparameters. The defaults suit profiles with a few dozen short texts; try others on the dev split.

    profile_lr: learning rate of what a profile learns, such as its masks. shared_lr: of what all profiles share beside the head, such as
    shared masks; 0 for none. head_lr: of the head. warmup: fraction of the steps in which the rates rise. noise, tau: Gumbel noise and
    softmax temperature of the masks.
    """

    epochs: int = 4
    groups_per_step: int = 16
    texts_per_group: int = 4
    profile_lr: float = 3e-2
    shared_lr: float = 0.0
    label_bias: bool = False
    head_lr: float = 2e-3
    warmup: float = 0.06
    noise: float = 0.2
    tau: float = 1.0
    bf16: bool = False
    seed: int = 0


def learning_rate_factor(progress: float, warmup: float) -> float:
    """Return the factor of all learning rates: a linear warm-up, then a linear fall to 0. `progress` is the fraction of steps done."""
    return progress / warmup if progress < warmup else max(0.0, (1 - progress) / (1 - warmup))


def train(
    model: ProfileModel,
    examples: list[Example],
    recipe: Recipe,
    pad_id: int,
    checkpoint: Path,
    settings: object,
    resume: bool,
    quiet: bool = False,
    with_default_profile: bool = True,
    trunks: TrunkCache | None = None,
) -> Losses:
    """Train the profiles' parameters and the head in place, and return the mean loss over the course of training.

    On Ctrl-C or SIGTERM, it saves a checkpoint and raises KeyboardInterrupt; `resume` continues from there, if there is a checkpoint.
    Raises NotFinite if the training diverges; the last good checkpoint stays.
    settings: everything that must be equal in the resumed run, such as the recipe and the data. with_default_profile: whether to train
    the default profile too. trunks: the cache of the texts' residuals; without one, each step computes them.
    """
    if trunks:
        trunks.check(model)
    optimizers = (
        torch.optim.AdamW(
            [{"params": model.shared(), "lr": recipe.shared_lr}, {"params": model.task_parts(), "lr": recipe.head_lr}],
            weight_decay=0.0,
        ),
        RowAdam(model.tables(), recipe.profile_lr),
    )
    default_row = model.default_row if with_default_profile else None
    epochs = [
        epoch_steps(examples, recipe.groups_per_step, recipe.texts_per_group, default_row, seeded_generator(recipe.seed, epoch))
        for epoch in range(recipe.epochs)
    ]
    steps = [step for epoch in epochs for step in epoch]
    schedulers = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor((step + 1) / (len(steps) + 1), recipe.warmup))
        for optimizer in optimizers
    ]
    training = TrainingState(model, optimizers, schedulers, settings)
    first, losses = load_checkpoint(checkpoint, training) if resume and checkpoint.exists() else (0, [])
    saved = first

    def check(finite: bool, what: str, done: int) -> None:
        if not finite:
            raise diverged(what, done, [len(epoch) for epoch in epochs], recipe, checkpoint if saved else None)

    every = max(1, len(steps) // MAX_LOSSES)
    recent: list[float] = []
    with stop_requested() as stopped, progress(range(first, len(steps)), "train", "step", quiet, done=first) as bar:
        for number in bar:
            rows = [row for row, _ in steps[number]]
            batch = collate(rows, [examples[index] for _, texts in steps[number] for index in texts], pad_id, model.device, trunks)
            noise = recipe.noise * (1 - number / len(steps))
            step = StepSettings(noise, recipe.tau, seeded_generator(recipe.seed, recipe.epochs, number), recipe.bf16)
            loss = target_loss(model.logits(batch, step), batch.labels, batch.next_label_weights)
            recent.append(loss.item())
            check(math.isfinite(recent[-1]), f"the loss is {recent[-1]}", number + 1)
            loss.backward()
            for optimizer, scheduler in zip(optimizers, schedulers, strict=True):
                optimizer.step()
                optimizer.zero_grad()
                scheduler.step()
            bar.set_postfix(loss=f"{recent[-1]:.3f}", refresh=False)
            done = number + 1
            if done % every == 0:
                losses.append((done, round(sum(recent) / len(recent), 4)))
                recent.clear()
            if stopped() or done % CHECKPOINT_STEPS == 0 or done == len(steps):
                finite = all(bool(parameter.isfinite().all()) for parameter in training.parameters.values())
                check(finite, "a parameter is not a finite number", done)
                save_checkpoint(checkpoint, training, done, losses)
                saved = done
            if stopped():
                raise KeyboardInterrupt
    return losses


def diverged(what: str, step: int, steps_of_passes: Sequence[int], recipe: Recipe, checkpoint: Path | None) -> NotFinite:
    """Return the error of a training in which something is not finite at a step, from 1. checkpoint: the last good one, if there is one."""
    number = bisect_left(list(accumulate(steps_of_passes)), step) + 1
    rates = {"profile_lr": recipe.profile_lr, "shared_lr": recipe.shared_lr, "head_lr": recipe.head_lr}
    lower = ", ".join(f"{name} {rate:g}" for name, rate in rates.items() if rate)
    hint = f"Lower the learning rates ({lower}), or raise tau ({recipe.tau:g}), and start again."
    if checkpoint:
        hint += f" {checkpoint} is from before it diverged."
    return NotFinite(
        f"the training diverged in pass {number} of {len(steps_of_passes)}, at step {step} of {sum(steps_of_passes)}: {what}", hint
    )
