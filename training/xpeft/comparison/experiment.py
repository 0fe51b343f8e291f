"""Experiment files: what `python -m xpeft compare` runs, in TOML. Each committed result is made by a file in training/experiments/."""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from rich.markup import escape

from xpeft import bounds
from xpeft.comparison.records import Exact, MethodName
from xpeft.errors import BadValue, MissingKey, UnknownKey, UnreadableFile

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
HELP_HINT = "`python -m xpeft compare --help` lists all keys."
PoolKind = Literal["sign", "gaussian", "trained"]
Count = Annotated[int, Field(ge=1, le=bounds.MAX_COUNT)]
Rate = Annotated[float, Field(ge=0, le=bounds.MAX_RATE)]
PoolSize = Annotated[int, Field(ge=1, le=bounds.MAX_POOL_SIZE)]


def as_list(value: object) -> object:
    """Return a single value as a list of one."""
    return value if isinstance(value, list) else [value]


class Experiment(Exact):
    """The settings of some runs: every method on every data set with every seed. The docstrings below are the help of `compare`."""

    data: Annotated[list[str], Field(min_length=1)]
    """Data sets: news, offense, tastes, inbox, intents, reviews, glue/mrpc, superglue/cb, …"""
    methods: Annotated[list[MethodName], Field(min_length=1)]
    """Methods: profile (as `train` makes it), majority, head, user-vector, hard, soft, adapter, …; docs/comparison.md has a table."""
    seeds: Count = 3
    """How many seeds of each result run: 0, 1, …"""
    profiles: Count | None = None
    """Number of profiles to use. Without it, all."""
    texts: Annotated[int, Field(ge=2, le=bounds.MAX_COUNT)] | None = None
    """Number of training texts to use of each profile. Without it, all."""
    max_tokens: Annotated[int, Field(ge=bounds.MIN_TOKENS)] | None = None
    """Cut texts to this many tokens."""
    label_bias: bool = False
    """Give each profile a label bias too."""
    own_head: bool = False
    """Give each profile its own head, trained on its own texts alone."""
    profile_lr: Annotated[list[Rate], BeforeValidator(as_list)] = Field([])
    """Learning rate of what a profile learns. Of several, or of the method's own candidates, dev chooses the best."""
    shared_lr: Rate = 0.0
    """With profile_lr: learning rate of what all profiles share beside the head (mask logits, VB-LoRA's vectors)."""
    searched_on: Count = 20
    """Profiles that learning rates are searched on."""
    head_lr: Rate = 2e-3
    """Learning rate of the shared head."""
    epochs: Annotated[int, Field(ge=1, le=bounds.MAX_EPOCHS)] = 4
    """Passes over the training texts."""
    patience: Count | None = None
    """Passes in a row that may bring dev nothing before a method that trains through the PLM stops. Without it, the method's own."""
    averaging: Annotated[float, Field(ge=0, lt=1)] | None = None
    """How much of a running mean of the parameters stays in each step. Dev measures that mean. For the same methods."""
    profiles_per_step: Annotated[int, Field(ge=1, le=bounds.MAX_PROFILES_PER_STEP)] = 16
    """Groups of texts, each of one profile, in a step."""
    texts_per_profile: Annotated[int, Field(ge=1, le=bounds.MAX_TEXTS_PER_PROFILE)] = 4
    """Texts in a group."""
    noise: Annotated[float, Field(ge=0, le=bounds.MAX_NOISE)] = 0.2
    """Strength of the Gumbel noise at the start. It falls to 0."""
    tau: Annotated[float, Field(ge=bounds.MIN_TAU, le=bounds.MAX_TAU)] = 1.0
    """Temperature of the softmax behind the masks."""
    bf16: bool = False
    """Train through the PLM in bfloat16. Scores are always computed in fp32."""
    pool: PoolKind = "sign"
    """Kind of the adapter pool: sign (from a seed, no bytes), gaussian (as in the paper) or trained."""
    pool_file: str | None = None
    """File of a trained pool, as `python -m xpeft pool` writes it. The path starts at the experiment file."""
    pool_size: PoolSize = 256
    """Adapters N in the pool."""
    chosen: PoolSize = 128
    """Adapters k that each mask chooses."""
    bottleneck: Annotated[int, Field(ge=1, le=bounds.MAX_BOTTLENECK)] = 16
    """Bottleneck size b of adapters."""
    pool_scale: Annotated[float, Field(ge=bounds.MIN_POOL_SCALE, le=bounds.MAX_POOL_SCALE)] = 1.0
    """Size of the pool's entries, as a multiple of the usual size."""
    personal_layers: Count | None = None
    """Give only this many of the last layers a pool and masks. Without it, all."""
    affine: Literal["none", "shared", "own"] = "none"
    """Gain and shift of the masked bottleneck's LayerNorm: none, one for all profiles, or one for each."""
    newcomers: Count | None = None
    """Draw a curve instead: train without this many profiles, then add them with few texts each. Needs one profile_lr."""
    newcomer_texts: list[Count] = Field([1, 2, 5, 10, 20, 50], min_length=1)
    """With newcomers: the numbers of training texts of each."""


def find_experiment(name: str) -> Path:
    """Return the file of an experiment: a TOML file, or one of `EXPERIMENTS` by its name without .toml. Raises UnreadableFile."""
    known = {path.stem: path for path in sorted(EXPERIMENTS.glob("*.toml"))}
    path = Path(name)
    if path.is_file():
        return path
    if name not in known:
        raise UnreadableFile(f"there is no experiment {name!r}", f"Name a TOML file, or one of {', '.join(known)}.")
    return known[name]


def read_experiment(path: Path) -> list[Experiment]:
    """Return the experiments of a file: one for each [[runs]] table, or a single one without such tables.

    Keys at the top hold for all tables; a table's own keys win. Errors name file, table and key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadValue(f"{path} is not a TOML file: {error}", "Files in training/experiments/ are examples.") from error
    tables = content.pop("runs", [{}])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise BadValue(f"{path}: runs is not a list of tables", "Start each table with [[runs]].")
    return [validated(path, content, table, number) for number, table in enumerate(tables, 1)]


def validated(path: Path, top: dict[str, Any], table: dict[str, Any], number: int) -> Experiment:
    """Return the experiment of a table, the `number`-th of its file; an empty table is the file's top alone."""
    place = f"{path}, table {number} of runs" if table else str(path)
    try:
        experiment = Experiment.model_validate(top | table)
    except ValidationError as error:
        # A key that is misspelled is unknown, and the right one may be missing: the first says more.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        key = str(first["loc"][0])
        info = Experiment.model_fields.get(key)
        meaning = str(info.description) if info else HELP_HINT
        where = place if key in table or first["type"] == "missing" else str(path)
        if first["type"] == "missing":
            raise MissingKey(f"{where}: the key {key!r} is missing", meaning) from error
        if first["type"] == "extra_forbidden":
            near = get_close_matches(key, Experiment.model_fields, 1)
            raise UnknownKey(f"{where}: unknown key {key!r}", f"Did you mean {near[0]!r}? {HELP_HINT}" if near else HELP_HINT) from error
        raise BadValue(f"{where}: {key} = {first['input']!r}: {first['msg']}", meaning) from error
    for wrong, what, hint in (
        (experiment.own_head and experiment.label_bias, "own_head and label_bias exclude each other", "An own head has biases already."),
        (experiment.newcomers and len(experiment.profile_lr) != 1, "newcomers needs one profile_lr", "A curve searches no learning rate."),
        (experiment.newcomers and experiment.own_head, "newcomers and own_head exclude each other", "Newcomers join a shared head."),
        (experiment.chosen > experiment.pool_size, "chosen is larger than pool_size", "A mask chooses k of the pool's N adapters."),
        ((experiment.pool == "trained") != bool(experiment.pool_file), 'pool = "trained" and pool_file belong together', HELP_HINT),
    ):
        if wrong:
            raise BadValue(f"{place}: {what}", hint)
    file = experiment.pool_file and str(path.parent / experiment.pool_file)
    return experiment.model_copy(update={"pool_file": file})


def keys_help() -> str:
    """Return a paragraph for each key of an experiment file: name, default and meaning, in rich's markup."""
    # The command line takes single brackets for markup.
    lines = [escape("An experiment file has these keys at its top, in [[runs]] tables, or both. Examples: training/experiments/*.toml.")]
    for name, info in Experiment.model_fields.items():
        default = info.default if not info.is_required() else None
        shown = "required" if info.is_required() else "" if default in (None, []) else f"default {str(default).lower()}"
        lines.append(f"{name}{f' ({shown})' if shown else ''}: {info.description}")
    return "\n\n".join(lines)
