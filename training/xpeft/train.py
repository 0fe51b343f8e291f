"""The training loop: many profiles in a batch, one shared head, and checkpoints to resume from."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from xpeft.batches import Batch, Step, collate, epoch_steps, seeded_generator, steps_per_epoch
from xpeft.best_epoch import BestEpoch
from xpeft.checkpoint import CheckpointClock, TrainingState, load_checkpoint, save_checkpoint, stop_requested
from xpeft.data import Example
from xpeft.errors import NotFinite, XpeftError
from xpeft.profile_model import ProfileModel, StepSettings, target_loss
from xpeft.progress import progress
from xpeft.row_adam import RowAdam
from xpeft.trunk_cache import TrunkCache

MAX_LOSSES = 50
# How often the losses are checked. Steps after a loss that is not finite are lost time.
CHECK_STEPS = 50

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


def refuse_torchrun() -> None:
    """Raise XpeftError in one of several processes of torchrun: each would train the whole task and write the same files."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes > 1:
        hint = "Run train without torchrun. `torchrun -m xpeft add` divides new profiles among its processes."
        raise XpeftError(f"train runs in one process, and torchrun starts {processes}", hint)


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
    best: BestEpoch | None = None,
    weight_decay: float = 0.0,
) -> Losses:
    """Train the profiles' parameters and the head in place, and return the mean loss over the course of training.

    On Ctrl-C or SIGTERM, it saves a checkpoint and raises KeyboardInterrupt; `resume` continues from there, if there is a checkpoint.
    Raises NotFinite if the training diverges; the last good checkpoint stays.
    settings: everything that must be equal in the resumed run, such as the recipe and the data. with_default_profile: whether to train
    the default profile too. trunks: the cache of the texts' residuals; without one, each step computes them. best: keeps the epoch that
    is best on dev, and stops early; without it, the last epoch stays. weight_decay: of the head and of what all profiles share.
    """
    if trunks:
        trunks.check(model)
    optimizers = (
        torch.optim.AdamW(
            [{"params": model.shared(), "lr": recipe.shared_lr}, {"params": model.task_parts(), "lr": recipe.head_lr}],
            weight_decay=weight_decay,
        ),
        RowAdam(model.tables(), recipe.profile_lr),
    )
    default_row = model.default_row if with_default_profile else None
    sizes = recipe.groups_per_step, recipe.texts_per_group
    per_epoch = steps_per_epoch(examples, *sizes)
    total = per_epoch * recipe.epochs
    schedulers = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor((step + 1) / (total + 1), recipe.warmup))
        for optimizer in optimizers
    ]
    training = TrainingState(model, optimizers, schedulers, settings, best)
    first, losses = load_checkpoint(checkpoint, training) if resume and checkpoint.exists() else (0, torch.zeros(0))
    # On the model's device: to read a number in each step would make a GPU wait for the CPU.
    losses = torch.cat([losses.to(model.device), torch.zeros(total - first, device=model.device)])
    clock, done = CheckpointClock(saved=first > 0), first
    steps: list[Step] = []

    def stop_if_not(finite: bool, what: str, step: int) -> None:
        if not finite:
            raise diverged(what, step, per_epoch, recipe, checkpoint if clock.saved else None)

    def check_losses() -> None:
        bad = (~losses[:done].isfinite()).nonzero().flatten().tolist()
        stop_if_not(not bad, f"the loss is {losses[bad[0]] if bad else 0:g}", bad[0] + 1 if bad else 0)
        bar.set_postfix(loss=f"{losses[max(0, done - CHECK_STEPS) : done].mean():.3f}", refresh=False)

    with stop_requested() as stopped, progress(range(first, total), "train", "step", quiet, done=first) as bar:
        for number in bar:
            if best and best.stop:
                break
            epoch, place = divmod(number, per_epoch)
            if not place or not steps:
                steps = epoch_steps(examples, *sizes, default_row, seeded_generator(recipe.seed, epoch))
            texts = [examples[index] for index in steps[place].texts.ravel()]
            batch = collate(steps[place].rows, texts, pad_id, model.device, trunks)
            noise = recipe.noise * (1 - number / total)
            source = seeded_generator(recipe.seed, recipe.epochs, number, device=model.device)
            step = StepSettings(noise, recipe.tau, source, recipe.bf16)
            losses[number] = make_step(training, batch, step)
            if best:
                best.follow()
            done, ends_epoch = number + 1, place + 1 == per_epoch
            interrupted = stopped()
            due = interrupted or clock.due(done)
            if due or ends_epoch or done % CHECK_STEPS == 0:
                check_losses()
            if ends_epoch and best:
                best.measure()
            if due or done == total or (best and best.stop):
                finite = all(bool(parameter.isfinite().all()) for parameter in training.parameters.values())
                stop_if_not(finite, "a parameter is not a finite number", done)
                with clock.saving():
                    save_checkpoint(checkpoint, training, done, losses[:done].cpu())
            if interrupted:
                break
        if stopped():
            raise KeyboardInterrupt
    if best:
        best.restore()
    return loss_curve(losses[:done], total)


def make_step(training: TrainingState, batch: Batch, step: StepSettings) -> torch.Tensor:
    """Change the parameters by one step, and return its loss, a number on the model's device."""
    with short_products():
        loss = target_loss(training.model.logits(batch, step), batch.labels, batch.next_label_weights)
        loss.backward()
    for optimizer, scheduler in zip(training.optimizers, training.schedulers, strict=True):
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
    return loss.detach()


@contextmanager
def short_products() -> Iterator[None]:
    """Let a GPU multiply matrices in TF32, with 10 bits of mantissa, several times as fast as in fp32.

    Gradients need no more. What is measured and stored is computed outside, in fp32.
    """
    products = torch.backends.cuda.matmul
    before, products.allow_tf32 = products.allow_tf32, True
    try:
        yield
    finally:
        products.allow_tf32 = before


def loss_curve(losses: torch.Tensor, total: int) -> Losses:
    """Return the mean losses of equal parts of a run of `total` steps, from the losses of the steps that it made."""
    every = max(1, total // MAX_LOSSES)
    parts = losses[: len(losses) // every * every].view(-1, every)
    return [((number + 1) * every, round(mean, 4)) for number, mean in enumerate(parts.double().mean(1).tolist())]


def diverged(what: str, step: int, per_epoch: int, recipe: Recipe, checkpoint: Path | None) -> NotFinite:
    """Return the error of a training in which something is not finite at a step, from 1. checkpoint: the last good one, if there is one."""
    rates = {"profile_lr": recipe.profile_lr, "shared_lr": recipe.shared_lr, "head_lr": recipe.head_lr}
    lower = ", ".join(f"{name} {rate:g}" for name, rate in rates.items() if rate)
    hint = f"Lower the learning rates ({lower}), or raise tau ({recipe.tau:g}), and start again."
    if checkpoint:
        hint += f" {checkpoint} is from before it diverged."
    place = f"in pass {-(-step // per_epoch)} of {recipe.epochs}, at step {step} of {per_epoch * recipe.epochs}"
    return NotFinite(f"the training diverged {place}: {what}", hint)
