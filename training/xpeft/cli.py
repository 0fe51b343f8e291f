"""The command line: `python -m xpeft COMMAND --help`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from xpeft.checkpoint import CHECKPOINT
from xpeft.comparison.commands import compare, curve, pool
from xpeft.comparison.experiment import keys_help
from xpeft.errors import XpeftError
from xpeft.options import (
    Bf16Option,
    BundleOption,
    DataOption,
    Device,
    DeviceOption,
    EpochsOption,
    NoiseOption,
    PairOption,
    PlmOption,
    ProfilesPerStepOption,
    QuietOption,
    ResumeOption,
    SeedOption,
    TauOption,
    TextsPerProfileOption,
    readable_errors,
    resumable,
    torch_device,
)
from xpeft.plm import DEFAULT_PLM

app = typer.Typer(help="Train X-PEFT profiles and build what xpeft-edge serves.", no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def prepare(
    table: Annotated[
        Path, typer.Argument(help="CSV with a header line, or JSON Lines (.jsonl, .ndjson); plain or gzip.", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Data file to write, for train, add and eval.")],
    profile: Annotated[str, typer.Option(help="Column of whose text it is.")] = "profile",
    text: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    label: Annotated[str, typer.Option(help="Column of the label.")] = "label",
    text_pair: Annotated[str | None, typer.Option(help="Column of a second text, if there is one.")] = None,
    split: Annotated[str | None, typer.Option(help="Column of train, dev or test; without it, each profile's texts are split.")] = None,
    dev: Annotated[float, typer.Option(min=0, max=0.5, help="Share of each profile's texts that goes to dev.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.5, help="Share of each profile's texts that goes to test.")] = 0.2,
    seed: SeedOption = 0,
) -> None:
    """Turn a table of your own into a data file: columns of any name, texts split into train, dev and test."""
    from xpeft.prepare import Columns, prepare_data

    with readable_errors():
        counts = prepare_data(table, out, Columns(profile, text, label, text_pair, split), dev, test, seed)
        typer.echo(f"{out}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="Folder to write; a bundle that is there already is replaced.")],
    plm: Annotated[str, typer.Option(help="PLM: a hub id or a folder in transformers' layout.")] = DEFAULT_PLM,
    bottleneck: Annotated[int, typer.Option(min=1, help="Bottleneck size b of the adapters.")] = 24,
    pool_size: Annotated[int, typer.Option(min=1, help="Adapters N in the pool.")] = 100,
    chosen: Annotated[int, typer.Option(min=1, help="Adapters k that each mask chooses.")] = 50,
    pool_seed: Annotated[int | None, typer.Option(min=0, help="Seed that the pool is computed from; 0 if none is given.")] = None,
    pool_scale: Annotated[
        float | None, typer.Option(min=0.01, help="Times the usual size of the pool's entries; 1 if none is given.")
    ] = None,
    pool_file: Annotated[
        Path | None,
        typer.Option(help="Instead: a trained pool, as the command pool writes it. The bundle holds it.", exists=True, dir_okay=False),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the PLM, if its model card states none.")] = None,
    learnt_layers: Annotated[int, typer.Option(min=1, help="Layers, the last ones, whose masks a running service can learn.")] = 2,
) -> None:
    """Build a bundle: the PLM in int8 with merged adapters as inputs, its tokenizer, and a manifest. Same inputs, same bytes."""
    from xpeft.bundle.build import build_bundle
    from xpeft.plm import load_plm

    with readable_errors():
        if pool_file and (pool_seed is not None or pool_scale is not None):
            raise XpeftError("a trained pool has no seed, and a size of its own", "Give --pool-file, or --pool-seed and --pool-scale.")
        manifest, identity = build_bundle(
            load_plm(plm), out, out.name, bottleneck=bottleneck, size=pool_size, chosen=chosen, seed=pool_seed or 0,
            scale=pool_scale or 1.0, pool_file=pool_file, licence=licence, learnt_layers=learnt_layers,
        )  # fmt: skip
        for file in manifest.files:
            typer.echo(f"{file.bytes:>10}  {file.sha256[:16]}  {out / file.path}")
        typer.echo(f"bundle {manifest.name} {identity}")


@app.command()
def train(
    data: DataOption,
    task: Annotated[str, typer.Option(help="Name of the task, in lower case.")],
    bundle: BundleOption,
    out: Annotated[Path, typer.Option(help="Folder for task.json, profiles.ndjson, report.json and the checkpoint.")],
    max_tokens: Annotated[int, typer.Option(min=5, help="Cut texts to this many tokens, special tokens included.")] = 32,
    pair: PairOption = False,
    plm: PlmOption = None,
    epochs: EpochsOption = 4,
    profiles_per_step: ProfilesPerStepOption = 16,
    texts_per_profile: TextsPerProfileOption = 4,
    profile_lr: Annotated[float, typer.Option("--profile-lr", "--mask-lr", help="Learning rate of each profile's own mask logits.")] = 3e-2,
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
    from xpeft.train import Recipe
    from xpeft.train_task import run_training

    recipe = Recipe(
        epochs=epochs,
        groups_per_step=profiles_per_step,
        texts_per_group=texts_per_profile,
        profile_lr=profile_lr,
        shared_lr=shared_lr,
        label_bias=label_bias,
        head_lr=head_lr,
        noise=noise,
        tau=tau,
        bf16=bf16,
        seed=seed,
    )
    with readable_errors(), resumable(out, CHECKPOINT):
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
    profile_lr: Annotated[
        float, typer.Option("--profile-lr", "--mask-lr", min=0, help="Learning rate of the mask logits; 0: the default profile's masks.")
    ] = 3e-2,
    noise: NoiseOption = 0.2,
    tau: TauOption = 1.0,
    bf16: Bf16Option = False,
    seed: SeedOption = 0,
    device: DeviceOption = Device.auto,
    profiles_at_once: Annotated[
        int, typer.Option(min=1, help="Learn so many profiles in one pass; memory for training does not grow with more.")
    ] = 2000,
    shard: Annotated[
        str | None,
        typer.Option(help="I/N: take the I-th of N parts of the profiles, into a folder of its own. torchrun sets it.", metavar="I/N"),
    ] = None,
    resume: ResumeOption = False,
    quiet: QuietOption = False,
) -> None:
    """Learn new profiles for a finished task, with --pair if it was trained so. Its head and the profiles that it has stay as they are."""
    from xpeft.add import Parts, add_profiles
    from xpeft.train import Recipe

    recipe = Recipe(
        epochs=epochs,
        groups_per_step=profiles_per_step,
        texts_per_group=texts_per_profile,
        profile_lr=profile_lr,
        noise=noise,
        tau=tau,
        bf16=bf16,
        seed=seed,
    )
    with readable_errors(), resumable(out, "**/drafts-*/*"):
        parts = Parts.of(profiles_at_once, shard)
        report, folder = add_profiles(task, data, bundle, out, plm, pair, recipe, torch_device(device), parts, resume, quiet)
        print_report(report, folder)


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
    from xpeft.evaluate_task import evaluate_files

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
def sizes(
    layers: Annotated[
        int, typer.Option(min=1, help="Blocks L of the PLM; the values without options are bert-base's, as in the paper.")
    ] = 12,
    hidden: Annotated[int, typer.Option(min=1, help="Hidden size d.")] = 768,
    bottleneck: Annotated[int, typer.Option(min=1, help="Bottleneck size b of the adapters.")] = 48,
    pool_size: Annotated[
        list[int] | None, typer.Option(min=1, help="Adapters N in the pool; give several. [default: 100, 200, 400]")
    ] = None,
) -> None:
    """What a profile costs: numbers trained and bytes stored, for one adapter and for masks, at any PLM's shape."""
    from xpeft.pool import PoolShape
    from xpeft.sizes import sizes as sizes_of

    rows = [row for size in pool_size or (100, 200, 400) for row in sizes_of(PoolShape(layers, hidden, bottleneck, size, 1))]
    adapter = rows[0]
    typer.echo(f"{'':<36}{'parameters':>12}{'bytes':>12}{'an adapter has, times as many':>32}")
    for row in dict.fromkeys(rows):
        times = f"{adapter.parameters / row.parameters:,.0f} parameters, {adapter.bytes / row.bytes:,.0f} bytes"
        typer.echo(f"{row.method:<36}{row.parameters:>12,}{row.bytes:>12,}{times:>32}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder with runs/*.json, one file a run.", exists=True, file_okay=False)],
) -> None:
    """Turn a folder of runs into summary.json, plots and a page, report.md."""
    from xpeft.report.page import write_report

    with readable_errors():
        for path in write_report(folder):
            typer.echo(path)


app.command(epilog=keys_help())(compare)
app.command()(curve)
app.command()(pool)
