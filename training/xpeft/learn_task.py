"""Learns a task step by step, from a head to masks of each profile's own, and keeps what held-out texts say is better."""

from dataclasses import replace

import torch

from xpeft.best_epoch import BestEpoch
from xpeft.checkpoint import CHECKPOINT
from xpeft.data import DataSet
from xpeft.encoder import AdapterEncoder
from xpeft.features import profile_features
from xpeft.heads import HeadKind, search_head
from xpeft.held_out import with_dev
from xpeft.linear_fit import Targets
from xpeft.mask_model import MaskModel
from xpeft.masks import mask_bytes
from xpeft.pool_model import PoolModel
from xpeft.profile_head import head_bytes_a_profile
from xpeft.progress import remark
from xpeft.recipe import MasksRecipe, TaskAdapterRecipe, TaskPoolRecipe, TaskRecipe
from xpeft.scores import majority
from xpeft.shared_adapter import Regularization, train_shared_adapter
from xpeft.task_adapter import rounded_task_adapter
from xpeft.task_files import fits_row
from xpeft.task_steps import ADAPTER, HEAD, LABEL_BIAS, MAJORITY, PROFILE_MASKS, SHARED_MASKS, TASK_POOL, Learnt, Run, kept
from xpeft.train import Recipe, train
from xpeft.trunk_cache import TrunkCache
from xpeft.verdict import Step, measure_steps, profile_figures

# In the run's folder: of the masks' training, of their second training with all texts, and of the adapter's. Those of pools have numbers.
CHECKPOINTS = f"*{CHECKPOINT}"
SECOND_CHECKPOINT, ADAPTER_CHECKPOINT = f"second-{CHECKPOINT}", f"adapter-{CHECKPOINT}"


class TaskLearner:
    """Tries the steps of a recipe on a data set.

    steps: those that were tried, in order. adapter_epochs: cross entropy of the dev texts after each pass of the adapter's training.
    """

    def __init__(self, data: DataSet, recipe: TaskRecipe, run: Run) -> None:
        """Without dev texts in `data`, every fifth training text of each profile is held out to choose on."""
        self.whole, self.data, self.recipe, self.run = data, with_dev(data), recipe, run
        measured = {split: examples for split, examples in self.data.splits.items() if examples}
        self.steps = [Step(MAJORITY, {split: majority(self.data.splits["train"], examples) for split, examples in measured.items()}, 1)]
        self.adapter_epochs: list[float] = []
        # What can fail in the report fails before the training.
        measure_steps(self.steps, self.data)

    def learn(self) -> Learnt:
        """Return the best of all steps. Raises NotFinite, or KeyboardInterrupt where the run stops early."""
        best = self.learn_heads()
        if self.recipe.task_adapter.use is not False:
            best = kept(self.recipe.task_adapter.use, self.learn_adapter(best), best)
        without_masks = best
        if self.recipe.masks.use is not False:
            best = self.learn_masks(best)
        if self.tries_pool():
            best = kept(self.recipe.task_pool.use, self.learn_pool(without_masks, best.name), best)
        if self.data is not self.whole:
            best = self.learn_again(best)
        return best

    def learn_heads(self) -> Learnt:
        """Return the better of a head alone and a head with label biases, on the PLM's own features."""
        model = self.new_model(None, masks=False)
        trunks = self.trunks(model)
        alone = self.finish(HEAD, model, trunks, "shared", MAJORITY)
        # Where profiles know only their own labels, label biases would have no shared labels to tell apart.
        if self.recipe.label_bias is False or self.data.label_sets is not None:
            return alone
        return kept(self.recipe.label_bias, self.finish(LABEL_BIAS, model, trunks, "bias", HEAD), alone)

    def learn_adapter(self, before: Learnt) -> Learnt:
        """Return a head on the features of an adapter that all profiles train."""
        plan, run, shape = self.recipe.task_adapter, self.run, self.run.shape
        recipe = replace(self.loop_recipe(plan, plan.head_lr, plan.lr), label_bias=before.kind == "bias")
        trained, best = train_shared_adapter(
            before.model.encoder,
            self.data,
            shape.bottleneck,
            recipe,
            run.plm.pad_id,
            run.out / ADAPTER_CHECKPOINT,
            run.settings,
            run.resume,
            run.quiet,
            Regularization(plan.dropout, plan.weight_decay, plan.patience, plan.averaging),
        )
        self.adapter_epochs = best.losses
        model = self.new_model(rounded_task_adapter(trained.adapter.detach(), shape), masks=False)
        return self.finish(ADAPTER, model, self.trunks(model), before.kind, before.name)

    def learn_masks(self, before: Learnt) -> Learnt:
        """Return the best of no masks, the default profile's masks for all, and masks of each profile's own."""
        use, best, model = self.recipe.masks.use, before, self.train_masks(self.data, before)
        if use != "profile":
            shared = self.finish(SHARED_MASKS, self.with_default_masks(model), before.trunks, before.kind, best.name)
            best = kept(use == "shared" or "auto", shared, best)
        if use != "shared":
            own = self.finish(PROFILE_MASKS, model, before.trunks, before.kind, best.name)
            best = kept(use == "profile" or "auto", own, best)
        return best

    def tries_pool(self) -> bool:
        """Return whether a pool of the task's own is tried: the recipe wants it, or leaves masks and pool to the texts to choose on."""
        plan = self.recipe.task_pool
        if plan.use != "auto" or self.recipe.masks.use != "auto":
            return plan.use is True
        if fits_row(self.data.labels, plan.shape(self.run.shape)):
            return True
        remark(f"a pool of {plan.size} adapters is larger than a row of the database: not tried", self.run.quiet)
        return False

    def learn_pool(self, start: Learnt, against: str) -> Learnt:
        """Return masks over a pool that the profiles train together, from a step without masks. against: the best step before."""
        tried = [self.train_pool(start, rate, f"pool-{number}-{CHECKPOINT}") for number, rate in enumerate(self.recipe.task_pool.lr)]
        trained, _ = min(tried, key=lambda found: min(found[1].losses))
        pool, run = trained.stored_pool(), self.run
        sizes = len(self.data.profiles), len(self.data.labels)
        adapter = start.model.task_adapter
        encoder, shape = AdapterEncoder(run.plm), pool.shape(run.shape)
        model = MaskModel(encoder, pool.entries(), shape, *sizes, run.seed, task_adapter=adapter, task_pool=pool).to(run.device)
        with torch.no_grad():
            model.profile_masks.copy_(trained.profile_masks)
        return self.finish(TASK_POOL, model, start.trunks, start.kind, against)

    def train_pool(self, start: Learnt, rate: float, checkpoint: str) -> tuple[PoolModel, BestEpoch]:
        """Return a model with a trained pool and masks, at its best epoch, and that epoch's losses."""
        plan, run = self.recipe.task_pool, self.run
        recipe = replace(self.loop_recipe(plan, plan.profile_lr, rate), noise=plan.noise, tau=plan.tau)
        sizes = len(self.data.profiles), len(self.data.labels)
        encoder, shape = AdapterEncoder(run.plm), plan.shape(run.shape)
        model = PoolModel(encoder, shape, *sizes, run.seed, start.model.task_adapter, plan.dropout).to(run.device)
        model.set_head(start.head.weight, start.head.bias, start.head.profile_bias)
        best = BestEpoch(model, self.data.splits["dev"], run.plm.pad_id, plan.patience, start.trunks, plan.averaging)
        train(
            model,
            self.data.splits["train"],
            recipe,
            run.plm.pad_id,
            run.out / checkpoint,
            run.settings,
            run.resume,
            run.quiet,
            trunks=start.trunks,
            best=best,
            weight_decay=plan.weight_decay,
        )
        return model, best

    def train_masks(self, data: DataSet, start: Learnt) -> MaskModel:
        """Return a model with masks trained on the train split, over the trunk and from the head of a step without masks."""
        plan, run = self.recipe.masks, self.run
        recipe = replace(self.loop_recipe(plan, plan.profile_lr, plan.shared_lr), noise=plan.noise, tau=plan.tau)
        model = self.new_model(start.model.task_adapter)
        model.set_head(start.head.weight, start.head.bias, start.head.profile_bias)
        texts = data.splits["train"]
        checkpoint = run.out / (CHECKPOINT if data is self.data else SECOND_CHECKPOINT)
        train(model, texts, recipe, run.plm.pad_id, checkpoint, run.settings, run.resume, run.quiet, trunks=start.trunks)
        return model

    def loop_recipe(self, plan: TaskAdapterRecipe | MasksRecipe | TaskPoolRecipe, profile_lr: float, shared_lr: float) -> Recipe:
        """Return the training loop's hyperparameters for a table of the recipe."""
        sizes = plan.epochs, plan.profiles_per_step, plan.texts_per_profile
        return Recipe(*sizes, profile_lr, shared_lr, head_lr=plan.head_lr, bf16=self.run.bf16, seed=self.run.seed)

    def learn_again(self, best: Learnt) -> Learnt:
        """Return the best step, with masks and head learnt from the texts that were held out too."""
        model, run, data = best.model, self.run, self.whole
        if best.name in (SHARED_MASKS, PROFILE_MASKS):
            model = self.train_masks(data, best)
            model = model if best.name == PROFILE_MASKS else self.with_default_masks(model)
        features = profile_features(model, data, run.plm.pad_id, run.quiet, best.trunks)
        head = search_head(data, features, best.kind, "train", "head from all texts", run.quiet, run.device)
        head = head.stored() if best.kind == "bias" else head
        if data.splits["test"]:
            test = head.predict(data, features, "test")
            self.steps = [
                replace(step, predictions={**step.predictions, "test": test}) if step.name == best.name else step for step in self.steps
            ]
        return replace(best, model=model, head=head)

    def finish(self, name: str, model: MaskModel, trunks: TrunkCache, kind: HeadKind, against: str) -> Learnt:
        """Fit the head on a model's features, note the step, and return what it has learnt."""
        run, data = self.run, self.data
        features = profile_features(model, data, run.plm.pad_id, run.quiet, trunks)
        head = search_head(data, features, kind, "dev", f"head of {name}", run.quiet, run.device)
        head = head.stored() if kind == "bias" else head
        logits = {split: head.split_logits(data, features, split) for split in features}
        predictions = {split: logits[split].argmax(1).numpy() for split in features}
        loss = Targets.of(data.splits["dev"]).loss_at_best_scale(logits["dev"])
        self.steps.append(Step(name, predictions, self.bytes_a_profile(model, kind), against, loss))
        return Learnt(name, model, trunks, head, kind, loss, profile_figures(predictions["dev"], data.splits["dev"], data.labels))

    def bytes_a_profile(self, model: MaskModel, kind: HeadKind) -> int:
        """Return the bytes of a profile's masks, label bias and known labels."""
        masks = mask_bytes(model.shape) if bool(model.has_masks.any()) else 0
        return masks + head_bytes_a_profile(len(self.data.labels), kind == "bias", self.data.label_sets is not None)

    def new_model(self, adapter: torch.Tensor | None, masks: bool = True) -> MaskModel:
        """Return a model of the data's profiles, with untrained masks or without any. adapter: the task's, [L, 2, d*b]."""
        sizes = len(self.data.profiles), len(self.data.labels)
        encoder, shape = AdapterEncoder(self.run.plm), self.run.shape
        model = MaskModel(encoder, self.run.pool, shape, *sizes, self.run.seed, task_adapter=adapter).to(self.run.device)
        model.has_masks.fill_(masks)
        return model

    def with_default_masks(self, model: MaskModel) -> MaskModel:
        """Return a model in which every profile has the default profile's masks."""
        shared = self.new_model(model.task_adapter)
        with torch.no_grad():
            shared.shared_masks.copy_(model.shared_masks)
            shared.profile_masks.copy_(model.profile_masks[-1])
        return shared

    def trunks(self, model: MaskModel) -> TrunkCache:
        """Return the residuals of all texts below the layers that masks change."""
        texts = [example for examples in self.data.splits.values() for example in examples]
        return TrunkCache(model, texts, self.run.plm.pad_id, self.run.out, self.run.quiet)
