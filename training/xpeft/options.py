"""Options that several commands share, and how a command ends on an error or on Ctrl-C."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xpeft import bounds
from xpeft.errors import NoGpu, NotWritten, XpeftError

if TYPE_CHECKING:
    import torch

DataOption = Annotated[Path, typer.Option(help="Labelled texts: JSON Lines, plain or gzip.")]
BundleOption = Annotated[Path, typer.Option(help="Bundle folder with the PLM and the pool to use.", exists=True, file_okay=False)]
PlmOption = Annotated[str | None, typer.Option(help="Folder or hub id of the bundle's PLM, if it is not where its name says.")]
PairOption = Annotated[bool, typer.Option("--pair", help="Read text_pair as a second text.")]
TaskPairOption = Annotated[
    bool | None,
    typer.Option("--pair/--no-pair", help="Whether to read text_pair as a second text. By default, as the task's report.json says."),
]


def finite(value: float | None) -> float | None:
    """Return an option's number, if it has one. Raises BadParameter for nan, which is neither below nor above a bound."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def rate(text: str, *names: str) -> Any:
    """Return the option of a learning rate. text: its help."""
    return typer.Option(*names, min=0, max=bounds.MAX_RATE, callback=finite, help=text)


EpochsOption = Annotated[int, typer.Option(min=1, max=bounds.MAX_EPOCHS, help="Passes over the training texts.")]
ProfilesPerStepOption = Annotated[
    int, typer.Option(min=1, max=bounds.MAX_PROFILES_PER_STEP, help="Groups of texts in a step; all texts of a group have one profile.")
]
TextsPerProfileOption = Annotated[int, typer.Option(min=1, max=bounds.MAX_TEXTS_PER_PROFILE, help="Texts in a group.")]
MaxTokensOption = Annotated[
    int,
    typer.Option(min=bounds.MIN_TOKENS, help="Cut texts to this many tokens, special tokens included. The most is the bundle's maxTokens."),
]
RecipeOption = Annotated[
    Path | None,
    typer.Option(help="TOML file that changes how the parts of a task are trained and chosen; training/README.md lists its keys."),
]
KnownLabelsOption = Annotated[
    bool | None,
    typer.Option(
        "--known-labels/--no-known-labels",
        help="Whether each profile knows only the labels of its own texts, in place of all labels. By default, as the recipe says.",
    ),
]
HeadRateOption = Annotated[float, rate("Learning rate of the shared head.")]
NoiseOption = Annotated[
    float,
    typer.Option(min=0, max=bounds.MAX_NOISE, callback=finite, help="Strength of the Gumbel noise at the start; it falls linearly to 0."),
]
TauOption = Annotated[
    float,
    typer.Option(
        min=bounds.MIN_TAU, max=bounds.MAX_TAU, callback=finite, help="Temperature of the softmax that gives masks their gradient."
    ),
]
Bf16Option = Annotated[
    bool,
    typer.Option(
        "--bf16",
        help="Train through the PLM in bfloat16: faster on GPUs, and on CPUs with bfloat16 instructions. Scores are always in fp32.",
    ),
]
PoolSizeOption = Annotated[int, typer.Option(min=1, max=bounds.MAX_POOL_SIZE, help="Adapters N in the pool.")]
ChosenOption = Annotated[int, typer.Option(min=1, max=bounds.MAX_POOL_SIZE, help="Adapters k that each mask chooses.")]
BottleneckOption = Annotated[int, typer.Option(min=1, max=bounds.MAX_BOTTLENECK, help="Bottleneck size b of the adapters.")]
SeedOption = Annotated[
    int, typer.Option(min=0, max=bounds.MAX_SEED, help="Random seed; the same seed gives the same result on one machine.")
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Resume from the checkpoint in --out, or start if there is none. A finished run is not repeated.")
]


def hide_downloads(quiet: bool) -> bool:
    """Hide the progress bars of the model hub too, if the command is to be quiet."""
    if quiet:
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    return quiet


QuietOption = Annotated[bool, typer.Option("--quiet", callback=hide_downloads, help="Print only the result and errors.")]


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


DeviceOption = Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU if there is one.")]


def torch_device(device: Device) -> "torch.device":
    """Return the torch device; under torchrun, each process gets its own GPU. Raises NoGpu if `cuda` is requested without a GPU."""
    import torch

    if device is Device.cuda and not torch.cuda.is_available():
        raise NoGpu("PyTorch sees no GPU", "Leave --device out, or install a PyTorch build for your GPU.")
    if device is Device.cpu or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn an XpeftError into two lines, the error and its hint, and exit status 1."""
    try:
        yield
    except XpeftError as error:
        typer.secho(f"error[{error.code}]: {error}", err=True, fg="red")
        typer.secho(f"hint: {error.hint}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def resumable(out: Path, checkpoints: str, option: str = " with --resume") -> Iterator[None]:
    """Say how to resume a run that stops early. On Ctrl-C the exit status is 130.

    checkpoints: glob pattern, inside `out`, of the files that a run resumes from.
    """
    try:
        yield
    except NotWritten as error:
        for path in sorted(out.glob(checkpoints))[:1]:
            error.hint += f" Run again{option} to resume from {path}."
        raise
    except KeyboardInterrupt:
        done = f"the work so far is in {out}; run the same command again{option}"
        typer.echo(f"stopped; {done if any(out.glob(checkpoints)) else 'there is no checkpoint yet'}", err=True)
        raise typer.Exit(130) from None
