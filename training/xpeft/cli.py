"""The command line: `python -m xpeft COMMAND --help`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer

from xpeft.checkpoint import CHECKPOINT
from xpeft.errors import NoGpu, NotWritten, XpeftError
from xpeft.plm import DEFAULT_PLM

app = typer.Typer(help="Train X-PEFT profiles and build what xpeft-edge serves.", no_args_is_help=True, pretty_exceptions_enable=False)

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
    bool, typer.Option("--bf16", help="Train through the PLM in bfloat16: faster on GPUs and on CPUs with AMX. Scores are always fp32's.")
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
    """The device, checked."""
    if device is Device.cuda and not torch.cuda.is_available():
        raise NoGpu("PyTorch sees no GPU", "Leave --device out, or install a PyTorch build for your GPU.")
    return torch.device("cuda" if device is not Device.cpu and torch.cuda.is_available() else "cpu")


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
def resumable(out: Path) -> Iterator[None]:
    """Say how to go on where a run ends early: with status 130 on Ctrl-C."""
    try:
        yield
    except NotWritten as error:
        if (out / CHECKPOINT).is_file():
            error.hint += f" With --resume it goes on from {out / CHECKPOINT}."
        raise
    except KeyboardInterrupt:
        done = f"what is done is in {out}: run the same command again with --resume"
        typer.echo(f"stopped; {done if (out / CHECKPOINT).is_file() else 'there is no checkpoint yet'}", err=True)
        raise typer.Exit(130) from None


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="Folder to write; a bundle that is there already is replaced.")],
    plm: Annotated[str, typer.Option(help="PLM: a hub id or a folder in transformers' layout.")] = DEFAULT_PLM,
    bottleneck: Annotated[int, typer.Option(min=1, help="Bottleneck size b of the adapters.")] = 24,
    pool_size: Annotated[int, typer.Option(min=1, help="Adapters N in the pool.")] = 100,
    chosen: Annotated[int, typer.Option(min=1, help="Adapters k that each mask chooses.")] = 50,
    pool_seed: Annotated[int, typer.Option(min=0, help="Seed that the pool is computed from.")] = 0,
    licence: Annotated[str | None, typer.Option(help="Licence of the PLM, if its model card states none.")] = None,
) -> None:
    """Build a bundle: the PLM in int8 with merged adapters as inputs, its tokenizer, and a manifest. Same inputs, same bytes."""
    from xpeft.bundle.build import build_bundle
    from xpeft.plm import load_plm

    with readable_errors():
        manifest, identity = build_bundle(
            load_plm(plm), out, out.name, bottleneck=bottleneck, size=pool_size, chosen=chosen, seed=pool_seed, licence=licence
        )
        for file in manifest.files:
            typer.echo(f"{file.bytes:>10}  {file.sha256[:16]}  {out / file.path}")
        typer.echo(f"bundle {manifest.name} {identity}")


@app.command()
def train(
    data: DataOption,
    task: Annotated[str, typer.Option(help="Name of the task, in lower case.")],
    bundle: BundleOption,
    out: Annotated[Path, typer.Option(help="Folder for task.json, profiles.ndjson, report.json and the checkpoint.")],
    max_tokens: Annotated[int, typer.Option(help="Cut texts to this many tokens, special tokens included.")] = 32,
    pair: PairOption = False,
    plm: PlmOption = None,
    epochs: EpochsOption = 4,
    profiles_per_step: ProfilesPerStepOption = 16,
    texts_per_profile: TextsPerProfileOption = 4,
    mask_lr: Annotated[float, typer.Option(help="Learning rate of each profile's own mask logits.")] = 3e-2,
    shared_lr: Annotated[
        float, typer.Option(min=0, help="Learning rate of mask logits that all profiles share and add their own to; 0: none are shared.")
    ] = 0.0,
    label_bias: Annotated[
        bool, typer.Option("--label-bias", help="Give each profile a label bias too: a byte for each label, where profiles differ in that.")
    ] = False,
    head_lr: Annotated[float, typer.Option(help="Learning rate of the shared head.")] = 2e-3,
    noise: NoiseOption = 0.2,
    tau: TauOption = 1.0,
    bf16: Bf16Option = False,
    seed: SeedOption = 0,
    device: DeviceOption = Device.auto,
    resume: ResumeOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn masks (and a label bias, if asked) for every profile, one head for the task, and report how good they are beside baselines."""
    from xpeft.run import run_training
    from xpeft.train import Recipe

    recipe = Recipe(
        epochs=epochs,
        groups_per_step=profiles_per_step,
        texts_per_group=texts_per_profile,
        own_lr=mask_lr,
        shared_lr=shared_lr,
        label_bias=label_bias,
        head_lr=head_lr,
        noise=noise,
        tau=tau,
        bf16=bf16,
        seed=seed,
    )
    with readable_errors(), resumable(out):
        report = run_training(data, task, bundle, out, plm, max_tokens, pair, recipe, torch_device(device), resume, quiet)
        print_report(report, out)


@app.command()
def add(
    data: DataOption,
    task: Annotated[
        Path, typer.Option(help="Folder with the finished task's task.json and profiles.ndjson.", exists=True, file_okay=False)
    ],
    bundle: BundleOption,
    out: Annotated[Path, typer.Option(help="Folder for the new profiles.ndjson, a copy of task.json, and report.json.")],
    pair: PairOption = False,
    plm: PlmOption = None,
    epochs: EpochsOption = 10,
    profiles_per_step: ProfilesPerStepOption = 16,
    texts_per_profile: TextsPerProfileOption = 4,
    mask_lr: Annotated[float, typer.Option(min=0, help="Learning rate of the mask logits; 0: the default profile's masks.")] = 3e-2,
    noise: NoiseOption = 0.2,
    tau: TauOption = 1.0,
    bf16: Bf16Option = False,
    seed: SeedOption = 0,
    device: DeviceOption = Device.auto,
    resume: ResumeOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn new profiles for a finished task, with --pair if it was trained so. Its head and the profiles that it has stay as they are."""
    from xpeft.add import add_profiles
    from xpeft.train import Recipe

    recipe = Recipe(
        epochs=epochs,
        groups_per_step=profiles_per_step,
        texts_per_group=texts_per_profile,
        own_lr=mask_lr,
        noise=noise,
        tau=tau,
        bf16=bf16,
        seed=seed,
    )
    with readable_errors(), resumable(out):
        report = add_profiles(task, data, bundle, out, plm, pair, recipe, torch_device(device), resume, quiet)
        print_report(report, out)


def print_report(report: dict[str, object], out: Path) -> None:
    """A table for each split that was measured, and where the files are."""
    measured = {split: part for split in ("dev", "test") if isinstance(part := report.get(split), dict)}
    for split, part in measured.items():
        print_table(split, part["methods"])
    if not measured:
        typer.echo("nothing was measured: the data has no dev and no test texts")
    typer.echo(f"{out}/task.json, profiles.ndjson and report.json are written")


def print_table(split: str, methods: dict[str, dict[str, float]]) -> None:
    """One line a method."""
    columns = list(methods["masks"])
    typer.echo(f"{split:<24}" + "".join(f"{column:>8}" for column in columns))
    for name, scores in methods.items():
        typer.echo(f"{name.replace('_', ' '):<24}" + "".join(f"{scores[column]:>8.3f}" for column in columns))


@app.command("eval")
def evaluate(
    data: DataOption,
    task: Annotated[Path, typer.Option(help="Folder with task.json and profiles.ndjson.", exists=True, file_okay=False)],
    bundle: BundleOption,
    predictions: Annotated[Path | None, typer.Option(help="Write every prediction there, one JSON object a line.")] = None,
    pair: PairOption = False,
    plm: PlmOption = None,
    device: DeviceOption = Device.auto,
) -> None:
    """Label the test split in fp32 with a trained task's files; ends with one line of JSON, like `npm run eval` does for a Worker."""
    from xpeft.companion import evaluate_files

    with readable_errors():
        typer.echo(json.dumps(evaluate_files(task, data, bundle, plm, pair, torch_device(device), predictions)))


@app.command()
def agree(
    first: Annotated[Path, typer.Argument(help="Predictions, as `eval` and `npm run eval` write them.")],
    second: Annotated[Path, typer.Argument(help="Predictions for the same texts.")],
) -> None:
    """Compare two files of predictions for the same texts; prints one line of JSON with the share of equal labels."""
    from xpeft.agreement import agreement

    with readable_errors():
        typer.echo(json.dumps(agreement(first, second)))


@app.command()
def golden(
    bundle: BundleOption,
    out: Annotated[Path, typer.Option(help="File to write.")],
    plm: PlmOption = None,
) -> None:
    """Write the golden file that training and the edge are both tested against."""
    from xpeft.golden import write_golden

    with readable_errors():
        write_golden(bundle, plm, out)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder with runs/*.json, one file a run.", exists=True, file_okay=False)],
) -> None:
    """Turn a folder of runs into summary.json, plots and a page, report.md."""
    from xpeft.report.page import write_report

    with readable_errors():
        for path in write_report(folder):
            typer.echo(path)


from xpeft.comparison.commands import compare  # noqa: E402

app.command()(compare)
