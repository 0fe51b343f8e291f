"""Measures how well new profiles are learnt from a few texts: the training half of `npm run bench:learn`.

    cd training && .venv/bin/python -m bench.newcomers --data DATA --task news --newcomers 27 --out ../runs/news

A task is trained without the newcomers, who are drawn from the profiles with enough training texts and two labels. Five times, other 5,
10, 20 and 50 training texts of each are drawn. Simple choices and `add` learn from these. All are measured on the newcomers' test texts.
The folder gets the files with which the other half learns the same profiles from the same texts.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from bench.simple_choices import Indices, simple_choices
from xpeft.add import Sharding, add_profiles
from xpeft.atomic_files import make_folder, write_text
from xpeft.bundle.load import load_bundle
from xpeft.data import DataSet, Example, group_by_profile
from xpeft.encoder import AdapterEncoder
from xpeft.errors import XpeftError
from xpeft.evaluate_task import restored_model
from xpeft.features import compute_groups, plain_features, predict, single_group
from xpeft.labels import is_number
from xpeft.options import Bf16Option, MaxTokensOption, PlmOption, QuietOption, RecipeOption, SeedOption, readable_errors
from xpeft.recipe import AddRecipe, read_recipe
from xpeft.records import Record, Split, read_records
from xpeft.task_files import read_trained_task
from xpeft.task_pair import REPORT
from xpeft.train_task import load_tokenized, run_training

ROOT = Path(__file__).resolve().parents[2]
DRAWS = 5
# A newcomer's figures are of test: the recipe was chosen on other profiles, or on dev.
Figures = dict[str, list[float]]


def draw_newcomers(records: Sequence[Record], newcomers: int, texts: int, seed: int) -> list[str]:
    """Return the newcomers, drawn from the profiles with at least `texts` training texts, two labels and a test text."""
    labels: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.split == "train":
            labels[record.profile].append(record.label)
    measured = {record.profile for record in records if record.split == "test"}
    able = sorted(profile for profile, found in labels.items() if len(found) >= texts and len(set(found)) > 1 and profile in measured)
    return sorted(random.Random(seed).sample(able, min(newcomers, len(able))))


def in_order(records: list[Record], least: int, seed: int) -> list[Record]:
    """Return a profile's training texts in random order, with two labels among the first `least`. Learning takes the first n."""
    order = records.copy()
    random.Random(seed).shuffle(order)
    if len({record.label for record in order[:least]}) == 1:
        other = next(index for index, record in enumerate(order) if record.label != order[0].label)
        order.insert(least - 1, order.pop(other))
    return order


def write_records(path: Path, records: Sequence[Record]) -> None:
    """Write records as a data file."""
    write_text(path, "".join(json.dumps(record.model_dump(exclude_none=True), allow_nan=False) + "\n" for record in records))


def keep_options(out: Path, options: dict[str, object]) -> None:
    """Write the options that a folder is made with. Raises XpeftError if it was made with others."""
    path, text = out / "options.json", json.dumps(options, indent=2, allow_nan=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise XpeftError(f"{out} was made with other options: {path}", "Repeat those options, or name another folder with --out.")
    write_text(path, text)


class Newcomers:
    """The newcomers' texts, with their features under the plain PLM and their logits under the task's default."""

    def __init__(self, folder: Path, bundle: Path, plm_spec: str | None, max_tokens: int, quiet: bool) -> None:
        manifest, identity, plm = load_bundle(bundle, plm_spec)
        self.trained = read_trained_task(folder / "base", identity, manifest)
        self.labels = self.trained.task.labels
        self.texts = list(read_records(folder / "newcomers.jsonl").values())
        self.data: DataSet = load_tokenized(folder / "newcomers.jsonl", bundle, manifest, max_tokens, False, self.labels)
        model = restored_model(self.trained, bundle, manifest, plm, torch.device("cpu"))
        plain = plain_features(AdapterEncoder(plm), self.data, plm.pad_id, torch.device("cpu"), quiet)
        self.plain = plain
        self.logits = {
            split: compute_groups(model.logits, texts, single_group(texts, model.default_row), plm.pad_id, model.device)
            for split, texts in self.data.splits.items()
            if texts
        }
        self.numbers = np.array([float(label) for label in self.labels]) if all(map(is_number, self.labels)) else None

    def figures(self, predicted: Sequence[Indices]) -> list[float]:
        """Return each newcomer's accuracy, or mean absolute error if labels are numbers. predicted: of each newcomer's test texts."""
        return [self.figure(one, self.of("test", profile)) for profile, one in enumerate(predicted)]

    def figure(self, predicted: Indices, examples: list[Example]) -> float:
        """Return the accuracy, or mean absolute error, of label indices."""
        truth = np.array([example.label for example in examples])
        right = predicted == truth if self.numbers is None else np.abs(self.numbers[predicted] - self.numbers[truth])
        return round(float(right.mean()), 4)

    def places(self, split: Split, profile: int) -> list[int]:
        """Return the places of a newcomer's texts in a split."""
        return [place for place, example in enumerate(self.data.splits[split]) if example.profile == profile]

    def of(self, split: Split, profile: int) -> list[Example]:
        """Return a newcomer's texts of a split."""
        return [self.data.splits[split][place] for place in self.places(split, profile)]

    def choices(self, chosen: list[list[int]]) -> Figures:
        """Return the newcomers' figures by each simple choice. chosen: places of each newcomer's training texts."""
        found: dict[str, list[Indices]] = defaultdict(list)
        for profile, places in enumerate(chosen):
            tests = self.places("test", profile)
            train = [self.data.splits["train"][place] for place in places]
            plain = (self.plain["train"][places], self.plain["test"][tests])
            logits = (self.logits["train"][places], self.logits["test"][tests])
            for name, predicted in simple_choices(plain, logits, train).items():
                found[name].append(predicted)
        return {name: self.figures(predicted) for name, predicted in found.items()}


def added(
    people: Newcomers, few: Path, folder: Path, bundle: Path, plm_spec: str | None, recipe: AddRecipe, seed: int, bf16: bool, quiet: bool
) -> list[float]:
    """Return the newcomers' figures as `add` learns them. folder: for its files; they are not made again."""
    base, cpu = folder.parent / "base", torch.device("cpu")
    if not (folder / REPORT).exists():
        add_profiles(base, few, bundle, folder, plm_spec, False, recipe, seed, bf16, cpu, Sharding(2000), False, quiet)
    manifest, identity, plm = load_bundle(bundle, plm_spec)
    trained = read_trained_task(folder, identity, manifest)
    data = load_tokenized(few, bundle, manifest, trained.task.maxTokens, False, people.labels, trained.profiles)
    model, tests = restored_model(trained, bundle, manifest, plm, cpu), data.splits["test"]
    predicted = predict(model, tests, group_by_profile(tests), plm.pad_id)
    names = np.array([data.profiles[example.profile] for example in tests])
    return people.figures([predicted[names == one] for one in people.data.profiles])


def main(
    data: Annotated[Path, typer.Option(help="Labelled text of many profiles: JSON Lines, plain or gzip.")],
    task: Annotated[str, typer.Option(help="Name of the task.")],
    out: Annotated[Path, typer.Option(help="Folder to write. Results in it are not computed again.")],
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = ROOT / "bundles" / "minilm-l6-v2",
    newcomers: Annotated[int, typer.Option(min=1, help="The most newcomers.")] = 16,
    draws: Annotated[int, typer.Option(min=1, help="How often their texts are drawn.")] = DRAWS,
    seed: SeedOption = 0,
    counts: Annotated[list[int], typer.Option(help="Numbers of training texts of a newcomer.")] = [5, 10, 20, 50],  # noqa: B006
    max_tokens: MaxTokensOption = 32,
    recipe: RecipeOption = None,
    bf16: Bf16Option = False,
    plm: PlmOption = None,
    quiet: QuietOption = False,
) -> None:
    """Train a task without some of its profiles, learn these by simple choices and by `add`, and measure them."""
    with readable_errors():
        make_folder(out)
        plan = read_recipe(recipe)
        options = {"task": task, "data": data.name, "newcomers": newcomers, "draws": draws, "seed": seed, "counts": counts}
        keep_options(out, {**options, "max_tokens": max_tokens, "recipe": plan.model_dump(), "bf16": bf16})
        records = list(read_records(data).values())
        drawn = draw_newcomers(records, newcomers, max(counts), seed)
        write_records(out / "known.jsonl", [record for record in records if record.profile not in drawn])
        # Without their dev texts, which a newcomer does not have.
        write_records(out / "newcomers.jsonl", [record for record in records if record.profile in drawn and record.split != "dev"])
        cpu, base = torch.device("cpu"), out / "base"
        if not (base / REPORT).exists():
            resume = any(base.glob("*.pt"))
            run_training(out / "known.jsonl", task, bundle, base, plm, max_tokens, False, plan, seed, bf16, cpu, resume, quiet)
        people = Newcomers(out, bundle, plm, max_tokens, quiet)
        found = []
        for draw in range(draws):
            ordered = [
                in_order([r for r in people.texts if r.profile == one and r.split == "train"], min(counts), draw)
                for one in people.data.profiles
            ]
            # Records and examples of a split have one order.
            place_of = {id(record): place for place, record in enumerate(r for r in people.texts if r.split == "train")}
            for count in counts:
                few = out / f"few-{draw}-{count}.jsonl"
                tests = [record for record in people.texts if record.split == "test"]
                write_records(few, [record for texts in ordered for record in texts[:count]] + tests)
                methods = people.choices([[place_of[id(record)] for record in texts[:count]] for texts in ordered])
                methods["add"] = added(people, few, out / f"add-{draw}-{count}", bundle, plm, plan.add, seed, bf16, quiet)
                found.append({"draw": draw, "texts": count, "methods": methods})
        metric = "accuracy" if people.numbers is None else "mean absolute error"
        result = {"task": task, "data": data.name, "seed": seed, "metric": metric, "newcomers": people.data.profiles, "runs": found}
        write_text(out / "companion.json", json.dumps(result, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
