"""The recipe of a training: what `train` and `add` try, and how they learn. A TOML file can change it (`--recipe`)."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xpeft import bounds
from xpeft.errors import BadValue, UnknownKey, UnreadableFile
from xpeft.pool import PoolShape

Rate = Annotated[float, Field(gt=0, le=bounds.MAX_RATE)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Epochs = Annotated[int, Field(ge=1, le=bounds.MAX_EPOCHS)]
ProfilesPerStep = Annotated[int, Field(ge=1, le=bounds.MAX_PROFILES_PER_STEP)]
TextsPerProfile = Annotated[int, Field(ge=1, le=bounds.MAX_TEXTS_PER_PROFILE)]
Noise = Annotated[float, Field(ge=0, le=bounds.MAX_NOISE)]
Tau = Annotated[float, Field(ge=bounds.MIN_TAU, le=bounds.MAX_TAU)]
# Whether a part is trained and kept. "auto": held-out texts decide.
Choice = Literal["auto", True, False]


class Part(BaseModel):
    """A table of the recipe. It rejects unknown keys and converts no types, except whole numbers to fractions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class TaskAdapterRecipe(Part):
    """How the adapter that all profiles of the task share is trained."""

    use: Choice = "auto"
    """Whether the task has an adapter: true, false or "auto"."""
    lr: Rate = 8e-3
    """Learning rate."""
    epochs: Epochs = 8
    """Most passes over the training texts. The best one is kept."""
    patience: Epochs = 3
    """Training stops after this many passes that bring nothing."""
    head_lr: Rate = 2e-3
    """Learning rate of head and label biases beside the adapter."""
    profiles_per_step: ProfilesPerStep = 16
    """Groups of texts in a step. All texts of a group have one profile."""
    texts_per_profile: TextsPerProfile = 4
    """Texts in a group."""
    dropout: Fraction = 0.1
    """Dropout in the bottleneck and on the features."""
    weight_decay: Annotated[float, Field(ge=0, le=bounds.MAX_RATE)] = 1.0
    """Weight decay of adapter and head."""
    averaging: Fraction = 0.97
    """How much of a running mean of what is trained stays in each step. The mean is what is kept. 0: the last step's values."""


class MasksRecipe(Part):
    """How masks are trained."""

    use: Literal["auto", "profile", "shared", False] = "auto"
    """Whose masks profiles have: their own ("profile"), those of the default profile ("shared"), or "auto"; false trains none."""
    profile_lr: Rate = 1e-2
    """Learning rate of each profile's own masks."""
    shared_lr: Annotated[float, Field(ge=0, le=bounds.MAX_RATE)] = 1e-2
    """Learning rate of the masks that all profiles share; 0 for none."""
    head_lr: Rate = 1e-3
    """Learning rate of the head beside the masks."""
    epochs: Epochs = 8
    """Passes over the training texts."""
    profiles_per_step: ProfilesPerStep = 8
    """Groups of texts in a step. All texts of a group have one profile."""
    texts_per_profile: TextsPerProfile = 8
    """Texts in a group."""
    noise: Noise = 0.2
    """Strength of the Gumbel noise at the start. It falls linearly to 0."""
    tau: Tau = 1.0
    """Temperature of the softmax that gives masks their gradient."""


class TaskPoolRecipe(Part):
    """How a pool of the task's own is trained, together with masks that choose from it."""

    use: Choice = "auto"
    """Whether the task has a pool of its own: true, false or "auto". "auto" tries it if `masks.use` is "auto"."""
    size: Annotated[int, Field(ge=1, le=bounds.MAX_TASK_POOL_SIZE)] = 32
    """Adapters N in each personal layer."""
    chosen: Annotated[int, Field(ge=1, le=bounds.MAX_TASK_POOL_SIZE)] = 8
    """Adapters k that each mask chooses."""
    lr: Annotated[list[Rate], Field(min_length=1)] = [1e-2, 2e-2, 4e-2]
    """Learning rates of the pool. All are tried, and the one with the lowest cross entropy on held-out texts is used."""
    profile_lr: Rate = 1e-1
    """Learning rate of each profile's masks."""
    head_lr: Rate = 1e-3
    """Learning rate of the head beside the pool."""
    epochs: Epochs = 16
    """Most passes over the training texts. The best one is kept."""
    patience: Epochs = 4
    """Training stops after this many passes that bring nothing."""
    profiles_per_step: ProfilesPerStep = 8
    """Groups of texts in a step. All texts of a group have one profile."""
    texts_per_profile: TextsPerProfile = 8
    """Texts in a group."""
    dropout: Fraction = 0.3
    """Dropout on the features."""
    weight_decay: Annotated[float, Field(ge=0, le=bounds.MAX_RATE)] = 3.0
    """Weight decay of pool and head."""
    averaging: Fraction = 0.99
    """How much of a running mean of pool, masks and head stays in each step. The mean is what is kept. 0: the last step's values."""
    noise: Noise = 0.2
    """Strength of the Gumbel noise at the start. It falls linearly to 0."""
    tau: Tau = 1.0
    """Temperature of the softmax that gives masks their gradient."""

    def shape(self, bundle: PoolShape) -> PoolShape:
        """Return the sizes of the pool over a bundle's encoder."""
        return replace(bundle, size=self.size, chosen=self.chosen)


class AddRecipe(Part):
    """How `add` trains the masks of new profiles. The task's head and adapter stay the same."""

    use: Literal["auto", "profile", "shared"] = "auto"
    """Whose masks new profiles have: their own ("profile"), those of the default profile ("shared"), or "auto"."""
    profile_lr: Rate = 3e-2
    """Learning rate of each profile's own masks."""
    epochs: Epochs = 10
    """Passes over the training texts."""
    profiles_per_step: ProfilesPerStep = 16
    """Groups of texts in a step. All texts of a group have one profile."""
    texts_per_profile: TextsPerProfile = 4
    """Texts in a group."""
    noise: Noise = 0.2
    """Strength of the Gumbel noise at the start. It falls linearly to 0."""
    tau: Tau = 1.0
    """Temperature of the softmax that gives masks their gradient."""
    known_labels: Choice = "auto"
    """Whether new profiles know only the labels of their own texts: true, false or "auto", as the task's profiles do."""


class TaskRecipe(Part):
    """The recipe of a task. Its defaults need no knowledge of the data."""

    label_bias: Choice = "auto"
    """Whether each profile has a label bias: true, false or "auto". With known labels there is none."""
    known_labels: Choice = "auto"
    """Whether profiles know only the labels of their own texts: true, false or "auto", which is true if no two profiles share a label."""
    task_adapter: TaskAdapterRecipe = TaskAdapterRecipe()
    """Table of the task's adapter."""
    masks: MasksRecipe = MasksRecipe()
    """Table of the masks."""
    task_pool: TaskPoolRecipe = TaskPoolRecipe()
    """Table of the task's own pool."""
    add: AddRecipe = AddRecipe()
    """Table of `add`."""


def with_known_labels(recipe: TaskRecipe, known_labels: bool | None) -> TaskRecipe:
    """Return a recipe with the option --known-labels, if it is given, in place of its keys. Raises BadValue."""
    if known_labels is None:
        return recipe
    add = recipe.add.model_copy(update={"known_labels": known_labels})
    changed = recipe.model_copy(update={"known_labels": known_labels, "add": add})
    check_exclusive(changed, "--known-labels")
    return changed


def check_exclusive(recipe: TaskRecipe, source: str) -> None:
    """Raise BadValue if the recipe demands both label biases and known labels. source: names it in the error."""
    if recipe.label_bias is True and recipe.known_labels is True:
        hint = "Remove one of them. Where profiles know only their own labels, they have no label bias."
        raise BadValue(f"{source}: label_bias = true and known_labels = true exclude each other", hint)


def read_recipe(path: Path | None) -> TaskRecipe:
    """Return the recipe of a TOML file, or the default without one. Raises UnreadableFile, UnknownKey or BadValue."""
    if path is None:
        return TaskRecipe()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableFile(f"{path} cannot be read: {reason}", "Name a recipe in TOML and UTF-8.") from error
    return to_recipe(content, str(path))


def to_recipe(content: Mapping[str, object], source: str) -> TaskRecipe:
    """Return the recipe with some keys changed. source: names it in errors. Raises UnknownKey or BadValue."""
    try:
        recipe = TaskRecipe.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise faulty(source, first["loc"], first["type"], first.get("input"), first["msg"]) from error
    check_exclusive(recipe, source)
    plan = recipe.task_pool
    if plan.chosen > plan.size:
        hint = "A mask chooses k of the pool's N adapters."
        raise BadValue(f"{source}: task_pool.chosen = {plan.chosen} is larger than task_pool.size = {plan.size}", hint)
    return recipe


def faulty(source: str, place: tuple[int | str, ...], kind: str, value: object, message: str) -> BadValue | UnknownKey:
    """Return the error of a key. place: its name, after its table's name if it is in a table."""
    model: type[BaseModel] = TaskRecipe
    names = [part for part in place if isinstance(part, str)]
    known: dict[str, Any] = {}
    for depth, name in enumerate(names):
        known = dict(model.model_fields)
        info = known.get(name)
        if info is None:
            key = ".".join(names[: depth + 1])
            near = get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else f"The keys there are {', '.join(known)}."
            return (
                UnknownKey(f"{source}: unknown key {key}", hint)
                if kind == "extra_forbidden"
                else BadValue(f"{source}: {key}: {message}", hint)
            )
        if isinstance(info.annotation, type) and issubclass(info.annotation, Part):
            model = info.annotation
    return BadValue(f"{source}: {'.'.join(names)} = {value!r}: {message}", str(known[names[-1]].description))
