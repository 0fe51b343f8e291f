"""`python -m xpeft bundle`, `golden` and `sizes`."""

from pathlib import Path
from typing import Annotated

import typer

from xpeft import DEFAULT_PLM, bounds
from xpeft.errors import XpeftError
from xpeft.options import BottleneckOption, BundleOption, ChosenOption, PlmOption, PoolSizeOption, finite, readable_errors
from xpeft.pooling import Pooling


def bundle(
    out: Annotated[Path, typer.Option(help="Folder to write; it replaces a bundle in that folder.")],
    plm: Annotated[str, typer.Option(help="PLM: a hub id, or a folder of transformers.")] = DEFAULT_PLM,
    pooling: Annotated[
        Pooling | None,
        typer.Option(
            help="Features: the mean of all tokens, or the first token. [default: as the PLM's 1_Pooling/config.json says, or mean]"
        ),
    ] = None,
    bottleneck: BottleneckOption = 16,
    pool_size: PoolSizeOption = 256,
    chosen: ChosenOption = 128,
    pool_seed: Annotated[int | None, typer.Option(min=0, max=bounds.MAX_SEED, help="Seed of the pool. [default: 0]")] = None,
    pool_scale: Annotated[
        float | None,
        typer.Option(
            min=bounds.MIN_POOL_SCALE,
            max=bounds.MAX_POOL_SCALE,
            callback=finite,
            help="Factor of the pool's usual scale. [default: 1]",
        ),
    ] = None,
    pool_file: Annotated[
        Path | None,
        typer.Option(
            help="Trained pool, a file of the command pool, in place of a random one. The bundle holds it.", exists=True, dir_okay=False
        ),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of the PLM, if its model card names none.")] = None,
    learnt_layers: Annotated[
        int,
        typer.Option(
            min=1,
            max=bounds.MAX_COUNT,
            help="How many of the last layers a running service can learn masks for, at most the personal ones.",
        ),
    ] = 2,
    personal_layers: Annotated[
        int,
        typer.Option(min=1, max=bounds.MAX_COUNT, help="How many of the last layers have a pool and masks."),
    ] = 1,
) -> None:
    """Build a bundle: the PLM in int8 with merged adapters as inputs, its tokenizer, and a manifest. Builds are reproducible."""
    from xpeft.bundle.build import build_bundle
    from xpeft.bundle.platform_limits import memory_note
    from xpeft.plm import load_plm

    with readable_errors():
        if pool_file and (pool_seed is not None or pool_scale is not None):
            raise XpeftError("a trained pool has no seed, and its scale is fixed", "Give --pool-file, or --pool-seed and --pool-scale.")
        manifest, identity = build_bundle(
            load_plm(plm, pooling), out, out.resolve().name, bottleneck=bottleneck, size=pool_size, chosen=chosen,
            seed=pool_seed or 0, scale=pool_scale or 1.0, pool_file=pool_file, licence=licence, learnt_layers=learnt_layers,
            personal_layers=personal_layers,
        )  # fmt: skip
        for file in manifest.files:
            typer.echo(f"{file.bytes:>10}  {file.sha256[:16]}  {out / file.path}")
        typer.echo(f"bundle {manifest.name} {identity}")
        if note := memory_note(manifest):
            typer.echo(note, err=True)


def golden(
    bundle: BundleOption,
    out: Annotated[Path, typer.Option(help="File to write.")],
    plm: PlmOption = None,
) -> None:
    """Write the golden file, which the tests of training and of the edge share."""
    from xpeft.golden import write_golden

    with readable_errors():
        write_golden(bundle, plm, out)


def sizes(
    layers: Annotated[
        int, typer.Option(min=1, max=bounds.MAX_COUNT, help="Blocks L of the PLM. The defaults are bert-base's, as in the paper.")
    ] = 12,
    hidden: Annotated[int, typer.Option(min=1, max=bounds.MAX_COUNT, help="Hidden size d.")] = 768,
    bottleneck: BottleneckOption = 48,
    pool_size: Annotated[
        list[int] | None,
        typer.Option(min=1, max=bounds.MAX_POOL_SIZE, help="Adapters N in the pool; may be repeated. [default: 100, 200, 400]"),
    ] = None,
    personal_layers: Annotated[
        int | None, typer.Option(min=1, max=bounds.MAX_COUNT, help="How many of the last blocks have masks, as served. [default: all]")
    ] = None,
) -> None:
    """Print the numbers trained and the bytes stored for a profile, with one adapter and with masks, for any PLM's sizes."""
    from xpeft.pool import PoolShape
    from xpeft.sizes import sizes as sizes_of

    personal = personal_layers or layers
    with readable_errors():
        if personal > layers:
            raise XpeftError(f"a PLM of {layers} layers cannot have {personal} personal layers", f"Give --personal-layers up to {layers}.")
    shapes = [PoolShape(personal, hidden, bottleneck, size, 1, layers - personal) for size in pool_size or (100, 200, 400)]
    rows = [row for shape in shapes for row in sizes_of(shape)]
    adapter = rows[0]
    typer.echo(f"{'':<36}{'parameters':>12}{'bytes':>12}{'an adapter has, times as many':>32}")
    for row in dict.fromkeys(rows):
        times = f"{adapter.parameters / row.parameters:,.0f} parameters, {adapter.bytes / row.bytes:,.0f} bytes"
        typer.echo(f"{row.method:<36}{row.parameters:>12,}{row.bytes:>12,}{times:>32}")
