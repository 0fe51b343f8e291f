"""`python -m xpeft compare`, `curve` and `pool`."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xpeft import options
from xpeft.errors import XpeftError


class PoolChoice(StrEnum):
    """Kinds of pools."""

    sign = "sign"
    gaussian = "gaussian"
    trained = "trained"


class AffineChoice(StrEnum):
    """Whose the gain and shift of the bottleneck's LayerNorm are."""

    none = "none"
    shared = "shared"
    own = "own"


DataArgument = Annotated[list[str], typer.Argument(help="Data sets: news, offense, intents, reviews, glue/mrpc, superglue/cb, …")]
RootOption = Annotated[Path, typer.Option(help="Folder that the data sets lie in.", exists=True, file_okay=False)]
OutOption = Annotated[Path, typer.Option(help="Folder for the runs' files; runs that it has are not run again.")]
SeedsOption = Annotated[int, typer.Option(min=1, help="Seeds 0, 1, … of each result.")]
OwnHeadOption = Annotated[bool, typer.Option("--own-head", help="Give each profile a head of its own, finished on its own texts alone.")]
LabelBiasOption = Annotated[bool, typer.Option("--label-bias", help="Give each profile a label bias too.")]
PoolSizeOption = Annotated[int, typer.Option(min=1, help="Adapters N in the pool.")]
ChosenOption = Annotated[int, typer.Option(min=1, help="Adapters k that each mask chooses.")]
BottleneckOption = Annotated[int, typer.Option(min=1, help="Bottleneck size b of adapters.")]
HeadRateOption = Annotated[float, typer.Option(min=0, help="Learning rate of the shared head.")]


def compare(
    data: DataArgument,
    root: RootOption,
    method: Annotated[
        list[str],
        typer.Option(help="hard, soft, adapter, lora, ia3, bitfit, vera, vblora, head, majority; give several."),
    ],
    bundle: options.BundleOption,
    out: OutOption,
    seeds: SeedsOption = 3,
    profile_lr: Annotated[
        list[float] | None,
        typer.Option(
            "--profile-lr",
            "--lr",
            min=0,
            help="Learning rate of what a profile learns; of several, or of the method's own, dev chooses the best.",
        ),
    ] = None,
    shared_lr: Annotated[float, typer.Option(min=0, help="With --profile-lr: that of mask logits (VB-LoRA: vectors) all share.")] = 0.0,
    searched_on: Annotated[int, typer.Option(min=1, help="Profiles that learning rates are searched on.")] = 20,
    profiles: Annotated[int | None, typer.Option(min=1, help="Take so many profiles only.")] = None,
    texts: Annotated[int | None, typer.Option(min=2, help="Take so many training texts of each profile only.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=3, help="Cut texts to so many tokens.")] = None,
    label_bias: LabelBiasOption = False,
    own_head: OwnHeadOption = False,
    pool: Annotated[PoolChoice, typer.Option(help="Entries of the pool; trained ones are those of --pool-file.")] = PoolChoice.sign,
    pool_file: Annotated[
        Path | None, typer.Option(help="A trained pool, as the command pool writes it.", exists=True, dir_okay=False)
    ] = None,
    pool_size: PoolSizeOption = 100,
    chosen: ChosenOption = 50,
    bottleneck: BottleneckOption = 24,
    pool_scale: Annotated[float, typer.Option(min=0, help="Times the usual size of the pool's entries.")] = 1.0,
    affine: Annotated[AffineChoice, typer.Option(help="Gain and shift of the masked bottleneck's LayerNorm.")] = AffineChoice.none,
    epochs: options.EpochsOption = 4,
    profiles_per_step: options.ProfilesPerStepOption = 16,
    texts_per_profile: options.TextsPerProfileOption = 4,
    head_lr: HeadRateOption = 2e-3,
    noise: options.NoiseOption = 0.2,
    tau: options.TauOption = 1.0,
    plm: options.PlmOption = None,
    bf16: options.Bf16Option = False,
    device: options.DeviceOption = options.Device.auto,
    quiet: options.QuietOption = False,
) -> None:
    """Learn methods on data sets, each at its own best learning rate, and leave a file for every run; `report` makes the page of them."""
    from xpeft.comparison.compare import compare as run_comparison
    from xpeft.comparison.methods import PoolSpec, Rates
    from xpeft.comparison.sets import Slice
    from xpeft.comparison.setup import Comparison
    from xpeft.train import Recipe

    with options.readable_errors(), options.resumable(out, "*.pt", ""):
        if own_head and label_bias:
            raise XpeftError("a head of its own has biases already", "Give --own-head or --label-bias.")
        recipe = Recipe(
            epochs=epochs,
            groups_per_step=profiles_per_step,
            texts_per_group=texts_per_profile,
            label_bias=label_bias,
            head_lr=head_lr,
            noise=noise,
            tau=tau,
            bf16=bf16,
        )
        setup = Comparison(
            root=root,
            bundle=bundle,
            out=out,
            plm_spec=plm,
            device=options.torch_device(device),
            recipe=recipe,
            part=Slice(profiles, texts, max_tokens),
            pool=PoolSpec(pool.value, pool_size, chosen, bottleneck, pool_scale, file=str(pool_file) if pool_file else None),
            affine=affine.value,
            head="own" if own_head else "shared",
            searched_on=searched_on,
            quiet=quiet,
        )
        files = run_comparison(setup, data, method, list(range(seeds)), [Rates(rate, shared_lr) for rate in profile_lr or ()])
        typer.echo(f"{len(files)} files are in {out}/runs; make the page of them with: python -m xpeft report {out}")


def curve(
    data: DataArgument,
    root: RootOption,
    method: Annotated[list[str], typer.Option(help="hard, soft, adapter, …, or head: its label bias alone; give several.")],
    bundle: options.BundleOption,
    out: OutOption,
    profile_lr: Annotated[float, typer.Option("--profile-lr", "--lr", min=0, help="Learning rate of what a profile learns.")],
    shared_lr: Annotated[float, typer.Option(min=0, help="That of what the known profiles share.")] = 0.0,
    seeds: SeedsOption = 3,
    newcomers: Annotated[int, typer.Option(min=1, help="Profiles that join the task.")] = 16,
    texts: Annotated[str, typer.Option(help="Numbers of training texts of each.")] = "1,2,5,10,20,50",
    label_bias: LabelBiasOption = False,
    bottleneck: BottleneckOption = 24,
    pool_size: PoolSizeOption = 100,
    chosen: ChosenOption = 50,
    epochs: options.EpochsOption = 4,
    head_lr: HeadRateOption = 2e-3,
    plm: options.PlmOption = None,
    bf16: options.Bf16Option = False,
    device: options.DeviceOption = options.Device.auto,
    quiet: options.QuietOption = False,
) -> None:
    """Learn tasks without some profiles, then these with a few texts each: accuracy against the number of labelled texts."""
    from xpeft.comparison.curve import curve as run_curves
    from xpeft.comparison.methods import PoolSpec
    from xpeft.comparison.sets import Slice
    from xpeft.comparison.setup import Comparison
    from xpeft.train import Recipe

    with options.readable_errors(), options.resumable(out, "*.pt", ""):
        if not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", texts):
            raise XpeftError(f"{texts!r} are no numbers of texts", "Say for example 1,5,20.")
        counts = sorted({int(count) for count in texts.split(",")})
        setup = Comparison(
            root=root,
            bundle=bundle,
            out=out,
            plm_spec=plm,
            device=options.torch_device(device),
            recipe=Recipe(epochs=epochs, profile_lr=profile_lr, shared_lr=shared_lr, head_lr=head_lr, label_bias=label_bias, bf16=bf16),
            part=Slice(),
            pool=PoolSpec("sign", pool_size, chosen, bottleneck),
            affine="none",
            head="shared",
            searched_on=0,
            quiet=quiet,
        )
        files = run_curves(setup, data, method, list(range(seeds)), newcomers, counts)
        typer.echo(f"{len(files)} files are in {out}/runs; make the page of them with: python -m xpeft report {out}")


def pool(
    data: options.DataOption,
    bundle: options.BundleOption,
    out: Annotated[Path, typer.Option(help="File to write, *.safetensors; beside it the run is saved while it is under way.")],
    texts: Annotated[int, typer.Option(min=1, help="Training texts of each adapter.")] = 400,
    max_tokens: Annotated[int, typer.Option(min=3, help="Cut texts to so many tokens.")] = 32,
    pair: options.PairOption = False,
    pool_size: PoolSizeOption = 100,
    bottleneck: BottleneckOption = 24,
    lr: Annotated[float, typer.Option(min=0, help="Learning rate of the adapters.")] = 3e-4,
    head_lr: HeadRateOption = 2e-3,
    epochs: options.EpochsOption = 1,
    plm: options.PlmOption = None,
    bf16: options.Bf16Option = False,
    seed: options.SeedOption = 0,
    device: options.DeviceOption = options.Device.auto,
    quiet: options.QuietOption = False,
) -> None:
    """Learn a pool of adapters on labelled text, with or without profiles, and write it in int8, for `compare` and `bundle`."""
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
