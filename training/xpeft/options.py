"""What the commands have in common: options, and how they end where something is wrong."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer

from xpeft.errors import NoGpu, NotWritten, XpeftError

DataOption = Annotated[Path, typer.Option(help="Labelled text: JSON Lines, plain or gzip.")]
BundleOption = Annotated[Path, typer.Option(help="Bundle folder whose PLM and pool are used.", exists=True, file_okay=False)]
PlmOption = Annotated[str | None, typer.Option(help="Folder or hub id of the bundle's PLM, if not where its name says.")]
PairOption = Annotated[bool, typer.Option("--pair", help="Read text_pair as a second text.")]
EpochsOption = Annotated[int, typer.Option(min=1, help="Passes over the training texts.")]
ProfilesPerStepOption = Annotated[int, typer.Option(min=1, help="Groups of texts, each of one profile, in a step.")]
TextsPerProfileOption = Annotated[int, typer.Option(min=1, help="Texts in a group.")]
NoiseOption = Annotated[float, typer.Option(min=0, help="Strength of the Gumbel noise at the start; it falls to 0.")]
TauOption = Annotated[float, typer.Option(help="Temperature of the softmax behind the masks.")]
Bf16Option = Annotated[
    bool,
    typer.Option(
        "--bf16",
        help="Train through the PLM in bfloat16: faster on GPUs and on CPUs that have instructions for it. Scores are always fp32's.",
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Same seed, same result on one machine.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


DeviceOption = Annotated[Device, typer.Option(help="Where to compute; auto takes a GPU where there is one.")]


def torch_device(device: Device) -> torch.device:
    """The device, checked; of several GPUs the one that torchrun gives this process."""
    if device is Device.cuda and not torch.cuda.is_available():
        raise NoGpu("PyTorch sees no GPU", "Leave --device out, or install a PyTorch build for your GPU.")
    if device is Device.cpu or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def readable_errors() -> Iterator[None]:
    """End with status 1 and two lines, what and what next, instead of a traceback, where the user can mend it."""
    try:
        yield
    except XpeftError as error:
        typer.secho(f"error[{error.code}]: {error}", err=True, fg="red")
        typer.secho(f"hint: {error.hint}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def resumable(out: Path, saved: str, option: str = " with --resume") -> Iterator[None]:
    """Say how to go on where a run ends early: with status 130 on Ctrl-C. saved: pattern of what there is to go on from."""
    try:
        yield
    except NotWritten as error:
        for path in sorted(out.glob(saved))[:1]:
            error.hint += f" Run again{option}, it goes on from {path}."
        raise
    except KeyboardInterrupt:
        done = f"what is done is in {out}: run the same command again{option}"
        typer.echo(f"stopped; {done if any(out.glob(saved)) else 'there is no checkpoint yet'}", err=True)
        raise typer.Exit(130) from None
