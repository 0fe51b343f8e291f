"""Trains one round of new profiles for a finished task."""

from pathlib import Path

import torch

from xpeft.bootstrap import Array
from xpeft.data import DataSet, Example, group_by_profile
from xpeft.evaluate_task import restore_shared
from xpeft.features import compute_groups
from xpeft.held_out import with_dev
from xpeft.label_bias import fit_bias, stored_bias
from xpeft.linear_fit import Targets
from xpeft.mask_model import MaskModel
from xpeft.profile_head import known_labels
from xpeft.recipe import AddRecipe
from xpeft.records import Split
from xpeft.scores import Indices
from xpeft.task_files import TrainedTask, write_profiles
from xpeft.train import Recipe, train
from xpeft.trunk_cache import TrunkCache
from xpeft.verdict import profile_figures, worth_keeping

# Start of the mask logits of the default profile's adapters: about ten steps of the learning rate, so that a few texts can flip a bit.
DEFAULT_MASK_LEAD = 0.3


class Round:
    """New profiles of a finished task, in place of the model's. The task's head and adapter stay the same."""

    def __init__(self, model: MaskModel, task: TrainedTask, data: DataSet, pad_id: int, folder: Path, quiet: bool) -> None:
        """folder: for what does not fit into memory."""
        self.model, self.task, self.data, self.pad_id, self.quiet = model, task, data, pad_id, quiet
        biases = task.label_bias[:-1]
        self.prior_std = biases.where(known_labels(biases), 0).std(0, correction=0).clamp(min=0.1)
        self.known_bias = data.label_set_bias()
        self.start = model.profile_masks.detach().clone()
        restore_shared(task, model)
        texts = [example for examples in data.splits.values() for example in examples]
        self.trunks = TrunkCache(model, texts, pad_id, folder, quiet)

    def learn(self, recipe: AddRecipe, seed: int, bf16: bool, checkpoint: Path, settings: object) -> None:
        """Give each profile its label bias, and masks of its own where texts that are not trained on prefer them to the default's.

        These are the dev texts. Without any, every fifth training text of each profile is held out, and then all are learnt from. With a
        single text, nothing can be held out: the default's masks stay.
        """
        schedule = Recipe(
            recipe.epochs,
            recipe.profiles_per_step,
            recipe.texts_per_profile,
            recipe.profile_lr,
            head_lr=0.0,
            noise=recipe.noise,
            tau=recipe.tau,
            bf16=bf16,
            seed=seed,
        )
        trial = with_dev(self.data)
        use = recipe.use
        if use == "auto" and (self.data.splits["dev"] or len(self.data.splits["train"]) > 1):
            self.keep_default_masks(trial)
            loss, figures = self.measure(trial)
            self.train_masks(trial, schedule, checkpoint, settings)
            own_loss, own_figures = self.measure(trial)
            use = "profile" if worth_keeping(own_loss, own_figures, loss, figures) else "shared"
            if use == "profile" and trial is self.data:
                return
            checkpoint = checkpoint.with_stem(f"{checkpoint.stem}-all")
        if use == "profile":
            self.train_masks(self.data, schedule, checkpoint, settings)
        else:
            self.keep_default_masks(self.data)

    def keep_default_masks(self, data: DataSet) -> None:
        """Give all profiles the default profile's masks, and the label biases that fit the training texts."""
        masks = self.task.masks[-1].flatten().to(self.model.device)
        with torch.no_grad():
            self.model.profile_masks.copy_(masks)
            self.model.has_masks.fill_(bool(masks.any()))
        self.fit_label_bias(data.splits["train"])

    def train_masks(self, data: DataSet, schedule: Recipe, checkpoint: Path, settings: object) -> None:
        """Train masks that start near the default profile's, and fit label biases before and after."""
        self.keep_default_masks(data)
        with torch.no_grad():
            self.model.profile_masks.mul_(DEFAULT_MASK_LEAD).add_(self.start)
            self.model.has_masks.fill_(True)
        texts = data.splits["train"]
        args = (schedule, self.pad_id, checkpoint, settings, checkpoint.exists(), self.quiet)
        train(self.model, texts, *args, with_default_profile=False, trunks=self.trunks)
        self.fit_label_bias(texts)

    def fit_label_bias(self, texts: list[Example]) -> None:
        """Set the known labels and, if the task has label biases, those that fit training texts."""
        bias = self.known_bias
        self.model.label_bias[:-1] = bias.to(self.model.device)
        if self.task.has_label_bias:
            bias = bias + stored_bias(fit_bias(self.logits(texts, biased=False), texts, len(self.data.profiles), self.prior_std))
            self.model.label_bias[:-1] = bias.to(self.model.device)

    def measure(self, data: DataSet) -> tuple[float, Array]:
        """Return the cross entropy of the dev texts, and the figures of their profiles, higher is better, [profiles]."""
        dev = data.splits["dev"]
        logits = self.logits(dev)
        return Targets.of(dev).loss(logits).item(), profile_figures(logits.argmax(1).numpy(), dev, data.labels)

    def predict(self, biased: bool = True) -> dict[Split, Indices]:
        """Return the label index of each dev and test text, with or without label biases; among equal logits, the lowest."""
        measured = [(split, texts) for split, texts in self.data.splits.items() if texts and split != "train"]
        return {split: self.logits(texts, biased).argmax(1).numpy() for split, texts in measured}

    def logits(self, texts: list[Example], biased: bool = True) -> torch.Tensor:
        """Return logits [texts, labels], each under its profile, with or without its label bias. Unknown labels are far below in both."""
        logits = compute_groups(self.model.logits, texts, group_by_profile(texts), self.pad_id, self.model.device, self.trunks)
        own = self.model.label_bias[:-1].cpu() - self.known_bias
        return logits if biased else logits - own[[example.profile for example in texts]]

    def write(self, draft: Path) -> None:
        """Write the profiles' lines."""
        write_profiles(draft, self.model, self.task.task, self.data.profiles, self.task.has_label_bias)
