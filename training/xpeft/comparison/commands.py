"""`python -m xpeft compare`, `curve` and `pool`."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from xpeft import bounds, options
from xpeft.comparison.experiment import find_experiment, read_experiment
from xpeft.errors import UnreadableFile, XpeftError

DataArgument = Annotated[list[str], typer.Argument(help="Data sets: news, offense, tastes, inbox and reviews.")]
RootOption = Annotated[Path, typer.Option(help="Folder of the data sets.", exists=True, file_okay=False)]
OutOption = Annotated[Path, typer.Option(help="Folder for the runs' files. Runs that it has are skipped.")]


def compare(
    experiments: Annotated[
        list[str],
        typer.Argument(help="Experiments: TOML files, or names of those in training/experiments, such as paper.", metavar="EXPERIMENT"),
    ],
    root: RootOption,
    bundle: options.BundleOption,
    out: OutOption,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, max=bounds.MAX_SEED, help="Run this seed in place of the experiments'. Give several.")
    ] = None,
    plm: options.PlmOption = None,
    device: options.DeviceOption = options.Device.auto,
    quiet: options.QuietOption = False,
) -> None:
    """Train and measure the methods of experiment files, and write a file for each run.

    Each method runs at the learning rate that is best on dev. `python -m xpeft report` makes a page of the files.
    """
    from xpeft.bundle.load import load_bundle
    from xpeft.comparison.compare import compare as run_comparison
    from xpeft.comparison.setup import Comparison

    with options.readable_errors(), options.resumable(out, "*.pt", ""):
        # All files are read before any run starts, which may take hours.
        planned = [experiment for name in experiments for experiment in read_experiment(find_experiment(name))]
        for file in {experiment.pool_file for experiment in planned if experiment.pool_file}:
            if not Path(file).is_file():
                raise UnreadableFile(f"there is no pool file {file}", "Train it first: python -m xpeft pool --help.")
        manifest, _, model = load_bundle(bundle, plm)
        files = []
        for experiment in planned:
            setup = replace(
                Comparison.of(experiment),
                root=root,
                bundle=bundle,
                out=out,
                plm_spec=plm,
                device=options.torch_device(device),
                quiet=quiet,
            )
            files += run_comparison(manifest, model, setup, experiment, seed or range(experiment.seeds))
        typer.echo(f"{len(files)} files are in {out}/runs. Make the page of them: python -m xpeft report {out}")


def curve(
    data: DataArgument,
    root: RootOption,
    method: Annotated[list[str], typer.Option(help="hard, soft, adapter, …, or head for the label bias alone. Give several.")],
    bundle: options.BundleOption,
    out: OutOption,
    profile_lr: Annotated[float, options.rate("Learning rate of what a profile learns.", "--profile-lr", "--lr")],
    shared_lr: Annotated[float, options.rate("Learning rate of what the known profiles share.")] = 0.0,
    seeds: Annotated[int, typer.Option(min=1, max=bounds.MAX_COUNT, help="Seeds 0, 1, … of each curve.")] = 3,
    newcomers: Annotated[int, typer.Option(min=1, max=bounds.MAX_COUNT, help="Profiles that join the task.")] = 16,
    texts: Annotated[str, typer.Option(help="Numbers of training texts of each.")] = "1,2,5,10,20,50",
    label_bias: Annotated[bool, typer.Option("--label-bias", help="Give each profile a label bias too.")] = False,
    bottleneck: options.BottleneckOption = 16,
    pool_size: options.PoolSizeOption = 256,
    chosen: options.ChosenOption = 128,
    epochs: options.EpochsOption = 4,
    head_lr: options.HeadRateOption = 2e-3,
    plm: options.PlmOption = None,
    bf16: options.Bf16Option = False,
    device: options.DeviceOption = options.Device.auto,
    quiet: options.QuietOption = False,
) -> None:
    """Measure accuracy against labelled texts: train a task without some profiles, then add these with a few texts each."""
    from xpeft.comparison.curve import curve as run_curves
    from xpeft.comparison.methods import PoolSpec
    from xpeft.comparison.sets import Slice
    from xpeft.comparison.setup import Comparison
    from xpeft.train import Recipe

    with options.readable_errors(), options.resumable(out, "*.pt", ""):
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", texts):
            raise XpeftError(f"--texts {texts!r} is not a list of numbers", "Give numbers with commas: --texts 1,5,20.")
        counts = sorted({int(count) for count in texts.split(",")})
        setup = Comparison(
            recipe=Recipe(epochs=epochs, profile_lr=profile_lr, shared_lr=shared_lr, head_lr=head_lr, label_bias=label_bias, bf16=bf16),
            part=Slice(),
            pool=PoolSpec("sign", pool_size, chosen, bottleneck),
            root=root,
            bundle=bundle,
            out=out,
            plm_spec=plm,
            device=options.torch_device(device),
            quiet=quiet,
        )
        files = run_curves(setup, data, method, list(range(seeds)), newcomers, counts)
        typer.echo(f"{len(files)} files are in {out}/runs. Make the page of them: python -m xpeft report {out}")


def pool(
    data: options.DataOption,
    bundle: options.BundleOption,
    out: Annotated[Path, typer.Option(help="File to write, *.safetensors. The checkpoint is saved beside it.")],
    texts: Annotated[int, typer.Option(min=1, max=bounds.MAX_COUNT, help="Training texts of each adapter.")] = 400,
    max_tokens: options.MaxTokensOption = 32,
    pair: options.PairOption = False,
    pool_size: options.PoolSizeOption = 256,
    bottleneck: options.BottleneckOption = 16,
    lr: Annotated[float, options.rate("Learning rate of the adapters.")] = 3e-4,
    head_lr: options.HeadRateOption = 2e-3,
    epochs: options.EpochsOption = 1,
    plm: options.PlmOption = None,
    bf16: options.Bf16Option = False,
    seed: options.SeedOption = 0,
    device: options.DeviceOption = options.Device.auto,
    quiet: options.QuietOption = False,
) -> None:
    """Train a pool of adapters on labelled text, with or without profiles, and write it in int8 for `compare` and `bundle`."""
    from xpeft.bundle.load import load_bundle
    from xpeft.bundle.manifest import check_max_tokens
    from xpeft.comparison.trained_pool import train_pool
    from xpeft.pool import PoolShape
    from xpeft.train import Recipe

    with options.readable_errors(), options.resumable(out.parent, out.with_suffix(".pt").name, ""):
        manifest, _, parts = load_bundle(bundle, plm)
        check_max_tokens(max_tokens, manifest)
        shape = PoolShape(len(parts.layers), parts.hidden, bottleneck, pool_size, pool_size)
        recipe = Recipe(epochs=epochs, profile_lr=lr, head_lr=head_lr, bf16=bf16, seed=seed)
        tokenizer = bundle / manifest.file("tokenizer")
        train_pool(parts, tokenizer, data, out, shape, texts, max_tokens, pair, recipe, options.torch_device(device), quiet)
        typer.echo(f"{out} is written, {out.stat().st_size / 2**20:.1f} MiB")
