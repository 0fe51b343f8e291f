"""The command line: `python -m xpeft COMMAND --help`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from xpeft.errors import XpeftError
from xpeft.plm import DEFAULT_PLM, load_plm

app = typer.Typer(help="Train X-PEFT profiles and build what xpeft-edge serves.", no_args_is_help=True, pretty_exceptions_enable=False)


@contextmanager
def readable_errors() -> Iterator[None]:
    """End with status 1 and two lines, what and what next, instead of a traceback, where the user can mend it."""
    try:
        yield
    except XpeftError as error:
        typer.secho(f"error: {error}", err=True, fg="red")
        typer.secho(f"hint: {error.hint}", err=True)
        raise typer.Exit(1) from error


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
    with readable_errors():
        from xpeft.bundle.build import build_bundle

        manifest, identity = build_bundle(
            load_plm(plm), out, out.name, bottleneck=bottleneck, size=pool_size, chosen=chosen, seed=pool_seed, licence=licence
        )
        for file in manifest.files:
            typer.echo(f"{file.bytes:>10}  {file.sha256[:16]}  {out / file.path}")
        typer.echo(f"bundle {manifest.name} {identity}")
