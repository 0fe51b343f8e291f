"""The training loop: many profiles in one batch, one shared head, checkpoints that a later run goes on from."""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm import tqdm

from xpeft.batches import collate, epoch_steps, random_source
from xpeft.checkpoint import Training, load_checkpoint, save_checkpoint, stop_requested
from xpeft.data import Example
from xpeft.model import ProfileModel

CHECKPOINT_STEPS = 100


@dataclass(frozen=True)
class Recipe:
    """How to train. The values suit profiles with a few dozen short texts; try others on the dev split."""

    epochs: int = 4
    groups_per_step: int = 16
    texts_per_group: int = 4
    mask_lr: float = 3e-2
    shared_lr: float = 0.0
    label_bias: bool = False
    head_lr: float = 2e-3
    warmup: float = 0.06
    noise: float = 0.2
    tau: float = 1.0
    bf16: bool = False
    seed: int = 0


def learning_rate_factor(progress: float, warmup: float) -> float:
    """Linear warm-up, then linear to 0; `progress` is the share of steps done, 0 to 1."""
    return progress / warmup if progress < warmup else max(0.0, (1 - progress) / (1 - warmup))


def train(
    model: ProfileModel,
    examples: list[Example],
    recipe: Recipe,
    pad_id: int,
    checkpoint: Path,
    setup: object,
    resume: bool,
    quiet: bool = False,
    with_default: bool = True,
) -> None:
    """Train the masks and the head in place; `with_default`: the default profile's masks too.

    Interrupted, it saves where it is and ends with KeyboardInterrupt; `resume` goes on from there.
    setup: all that a run which goes on must share with the one that was broken off (settings, data).
    """
    device = model.own.device
    optimizer = torch.optim.AdamW(
        [
            {"params": [model.own], "lr": recipe.mask_lr},
            {"params": [model.shared], "lr": recipe.shared_lr},
            {"params": model.head.parameters(), "lr": recipe.head_lr},
        ],
        weight_decay=0.0,
    )
    default_row = model.default_row if with_default else None
    plans = [
        epoch_steps(examples, recipe.groups_per_step, recipe.texts_per_group, default_row, random_source(recipe.seed, epoch))
        for epoch in range(recipe.epochs)
    ]
    steps = [step for plan in plans for step in plan]
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor((step + 1) / (len(steps) + 1), recipe.warmup)
    )
    training = Training(model, optimizer, scheduler, setup)
    first = load_checkpoint(checkpoint, training) if resume else 0
    with stop_requested() as stopped, tqdm(total=len(steps), initial=first, unit="step", desc="train", disable=quiet) as bar:
        for number in range(first, len(steps)):
            rows = [row for row, _ in steps[number]]
            batch = collate(rows, [examples[index] for _, texts in steps[number] for index in texts], pad_id, device)
            noise = recipe.noise * (1 - number / len(steps))
            source = random_source(recipe.seed, recipe.epochs, number)
            loss = F.cross_entropy(model.training_logits(batch, noise, recipe.tau, source, recipe.bf16), batch.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
            done = number + 1
            if stopped() or done % CHECKPOINT_STEPS == 0 or done == len(steps):
                save_checkpoint(checkpoint, training, done)
            if stopped():
                raise KeyboardInterrupt
