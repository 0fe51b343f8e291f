"""`python -m xpeft prepare`, `check`, `train`, `add`, `eval` and `agree`."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from xpeft import bounds, options
from xpeft.errors import XpeftError


def prepare(
    table: Annotated[
        Path, typer.Argument(help="CSV with a header line, or JSON Lines (.jsonl, .ndjson); plain or gzip.", exists=True, dir_okay=False)
    ],
    out: Annotated[Path, typer.Option(help="Data file to write, for train, add and eval.")],
    profile: Annotated[str, typer.Option(help="Column of the profile that a text belongs to.")] = "profile",
    text: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    label: Annotated[str, typer.Option(help="Column of the label.")] = "label",
    text_pair: Annotated[str | None, typer.Option(help="Column of a second text, if there is one.")] = None,
    split: Annotated[
        str | None, typer.Option(help="Column of the split: train, dev or test. By default the column split, if there is one.")
    ] = None,
    new_split: Annotated[bool, typer.Option("--new-split", help="Split at random, even if there is a column named split.")] = False,
    dev: Annotated[float, typer.Option(min=0, max=0.5, callback=options.finite, help="Fraction of each profile's texts for dev.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.5, callback=options.finite, help="Fraction of each profile's texts for test.")] = 0.2,
    group: Annotated[bool, typer.Option("--group", help="Keep equal texts of all profiles in one split, not only those of one.")] = False,
    min_label: Annotated[
        int,
        typer.Option(
            min=0, max=bounds.MAX_COUNT, help="Drop the texts of labels with fewer training texts. Before a split, all texts count."
        ),
    ] = 0,
    min_profile: Annotated[
        int, typer.Option(min=0, max=bounds.MAX_COUNT, help="Drop the texts of profiles with fewer training texts.")
    ] = 0,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip bad rows. Prints their number, lines and reasons.")] = False,
    hash_ids: Annotated[bool, typer.Option("--hash-ids", help="Replace each profile id by a hash, for ids of any characters.")] = False,
    id_key_file: Annotated[
        Path | None, typer.Option(help="File with a secret key for --hash-ids. Without the key nobody can compute the hash of an id.")
    ] = None,
    seed: options.SeedOption = 0,
) -> None:
    """Turn your table into a data file: columns of any name, texts split into train, dev and test."""
    from xpeft.prepare import Preparation, prepare_data
    from xpeft.profile_hashes import read_id_key
    from xpeft.progress import remark
    from xpeft.table_records import Columns, IdHash

    with options.readable_errors():
        if new_split and split is not None:
            raise XpeftError("--split and --new-split exclude each other", "Give one of them.")
        if id_key_file is not None and not hash_ids:
            raise XpeftError("--id-key-file is for --hash-ids", "Add --hash-ids.")
        id_hash = IdHash(read_id_key(id_key_file) if id_key_file else None) if hash_ids else None
        columns = Columns(profile, text, label, text_pair, split, new_split)
        how = Preparation(dev, test, seed, group, min_label, min_profile, skip_bad, id_hash)
        counts = prepare_data(table, out, columns, how, partial(remark, quiet=False))
        typer.echo(f"{out}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))


def check(
    data: Annotated[Path, typer.Argument(help="Data file: JSON Lines, plain or gzip.", exists=True, dir_okay=False)],
    bundle: Annotated[
        Path | None, typer.Option(help="Bundle folder. Its tokenizer finds the texts that are cut.", exists=True, file_okay=False)
    ] = None,
    max_tokens: options.MaxTokensOption = 32,
    pair: options.PairOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON.")] = False,
) -> None:
    """Find what is wrong or odd with a data file. The exit status is 0 if nothing is found that `train` refuses, and else 1."""
    from xpeft.bundle.manifest import check_max_tokens, read_manifest
    from xpeft.check import check_file

    with options.readable_errors():
        tokenizer = shape = None
        if bundle is not None:
            manifest, _ = read_manifest(bundle)
            check_max_tokens(max_tokens, manifest)
            tokenizer, shape = bundle / manifest.file("tokenizer"), manifest.pool_shape
        checked = check_file(data, pair, tokenizer, max_tokens, shape=shape)
    typer.echo(json.dumps(checked.as_json(), ensure_ascii=False, allow_nan=False) if as_json else checked.as_table())
    if checked.refused:
        raise typer.Exit(1)


def train(
    data: options.DataOption,
    task: Annotated[str, typer.Option(help="Name of the task, in lower case.")],
    bundle: options.BundleOption,
    out: Annotated[Path, typer.Option(help="Folder for task.json, profiles.ndjson, report.json and the checkpoints.")],
    max_tokens: Annotated[
        int | None,
        typer.Option(
            min=bounds.MIN_TOKENS,
            help="Cut texts to this many tokens, special tokens included. By default, so many that 99% of the training texts stay whole.",
        ),
    ] = None,
    pair: options.PairOption = False,
    plm: options.PlmOption = None,
    recipe: options.RecipeOption = None,
    known_labels: options.KnownLabelsOption = None,
    bf16: options.Bf16Option = False,
    seed: options.SeedOption = 0,
    device: options.DeviceOption = options.Device.auto,
    resume: options.ResumeOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Train a task: head, label biases, an adapter that all profiles share, and masks. Keep what helps on the dev texts."""
    from xpeft.learn_task import CHECKPOINTS
    from xpeft.next_steps import next_steps
    from xpeft.recipe import read_recipe, with_known_labels
    from xpeft.train_task import run_training

    with options.readable_errors(), options.resumable(out, CHECKPOINTS):
        plan, where = with_known_labels(read_recipe(recipe), known_labels), options.torch_device(device)
        report = run_training(data, task, bundle, out, plm, max_tokens, pair, plan, seed, bf16, where, resume, quiet)
        print_report(report, out, next_steps(report))


def add(
    data: options.DataOption,
    task: Annotated[
        Path, typer.Option(help="Folder with the finished task's task.json and profiles.ndjson.", exists=True, file_okay=False)
    ],
    bundle: options.BundleOption,
    out: Annotated[Path, typer.Option(help="Folder for the new profiles.ndjson, a copy of task.json, and report.json.")],
    pair: options.TaskPairOption = None,
    plm: options.PlmOption = None,
    recipe: options.RecipeOption = None,
    known_labels: options.KnownLabelsOption = None,
    bf16: options.Bf16Option = False,
    seed: options.SeedOption = 0,
    device: options.DeviceOption = options.Device.auto,
    profiles_at_once: Annotated[
        int, typer.Option(min=1, max=bounds.MAX_COUNT, help="Profiles trained in one round. It bounds the memory for training.")
    ] = 2000,
    shard: Annotated[
        str | None,
        typer.Option(help="I/N: train the I-th of N shards of the profiles, into its own folder. torchrun sets it.", metavar="I/N"),
    ] = None,
    resume: options.ResumeOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Add new profiles to a finished task. Its head, its adapter and its other profiles stay the same."""
    from xpeft.add import Sharding, add_profiles
    from xpeft.recipe import read_recipe, with_known_labels

    with options.readable_errors(), options.resumable(out, "**/drafts-*/*"):
        plan, sharding = with_known_labels(read_recipe(recipe), known_labels).add, Sharding.from_option(profiles_at_once, shard)
        where = options.torch_device(device)
        report, folder = add_profiles(task, data, bundle, out, plm, pair, plan, seed, bf16, where, sharding, resume, quiet)
        print_report(report, folder)


def print_report(report: dict[str, Any], out: Path, advice: Sequence[str] = ()) -> None:
    """Print the verdict of a training, what to try next, and the paths of the written files."""
    from xpeft.verdict import verdict_lines

    typer.echo("\n".join(verdict_lines(report) or ["nothing was measured: the data has no dev and no test texts"]))
    for sentence in advice:
        typer.echo(f"to try next: {sentence}")
    typer.echo(f"{out}/task.json, profiles.ndjson and report.json are written")


def evaluate(
    data: options.DataOption,
    task: Annotated[Path, typer.Option(help="Folder with task.json and profiles.ndjson.", exists=True, file_okay=False)],
    bundle: options.BundleOption,
    predictions: Annotated[Path | None, typer.Option(help="File for every prediction, as JSON Lines.")] = None,
    pair: options.TaskPairOption = None,
    plm: options.PlmOption = None,
    device: options.DeviceOption = options.Device.auto,
) -> None:
    """Evaluate a trained task in fp32 on the test split. The last line is JSON, as from `npm run eval` for a Worker."""
    from xpeft.evaluate_task import evaluate_files

    with options.readable_errors():
        scores = evaluate_files(task, data, bundle, plm, pair, options.torch_device(device), predictions)
        typer.echo(json.dumps(scores, allow_nan=False))


def agree(
    first: Annotated[Path, typer.Argument(help="Predictions of `eval` or `npm run eval`.")],
    second: Annotated[Path, typer.Argument(help="Predictions for the same texts.")],
) -> None:
    """Compare two files of predictions for the same texts. Prints a line of JSON with the fraction of equal labels."""
    from xpeft.agreement import agreement

    with options.readable_errors():
        typer.echo(json.dumps(agreement(first, second), allow_nan=False))
