"""Measures the accuracy of new profiles with a few texts: the training half of `npm run bench:learn`.

    training/.venv/bin/python -m bench.newcomers --data DATA --task news --seed 0 --out ../runs/news-0

A task is trained without 16 profiles, drawn from those with enough training texts and two labels. Then they join with 5, 10, 20 and 50
training texts each, with `add` here. The baselines train no masks. All are measured on the newcomers' test texts. The folder gets the files
with which the other half trains the same profiles on the same texts in a Worker.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from xpeft.add import Sharding, add_profiles
from xpeft.atomic_files import make_folder, write_text
from xpeft.bundle.load import load_bundle
from xpeft.data import DataSet, Example, group_by_profile
from xpeft.errors import XpeftError
from xpeft.evaluate_task import restored_model
from xpeft.features import compute_groups
from xpeft.label_bias import fit_bias, stored_bias
from xpeft.options import Bf16Option, MaxTokensOption, PlmOption, QuietOption, RecipeOption, SeedOption, readable_errors
from xpeft.recipe import read_recipe
from xpeft.records import Record, Split, read_records
from xpeft.scores import majority, score
from xpeft.task_files import TrainedTask, read_trained_task
from xpeft.task_pair import REPORT
from xpeft.train_task import load_tokenized, run_training

ROOT = Path(__file__).resolve().parents[2]
NEWCOMERS = 16
# The edge's prior standard deviation of label biases (src/learn/recipe.ts).
BIAS_SPREAD = 1.0
# The edge tries as many known profiles as starts.
KNOWN_TRIED = 16
# The recipe was chosen on dev, so figures are of test.
MEASURED: Split = "test"


def draw_newcomers(records: Sequence[Record], texts: int, seed: int) -> list[str]:
    """Return the newcomers, drawn from the profiles with at least `texts` training texts and two labels."""
    labels: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.split == "train":
            labels[record.profile].append(record.label)
    able = sorted(profile for profile, found in labels.items() if len(found) >= texts and len(set(found)) > 1)
    return sorted(random.Random(seed).sample(able, NEWCOMERS))


def in_order(records: list[Record], least: int, seed: int) -> list[Record]:
    """Return a profile's training texts in random order, with two labels among the first `least`. Training takes the first n."""
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


class Baselines:
    """The baselines for newcomers, which train no masks: the default profile and some known profiles, with and without label biases."""

    def __init__(self, bundle: Path, plm_spec: str | None, base: Path, data: DataSet, seed: int) -> None:
        manifest, identity, plm = load_bundle(bundle, plm_spec)
        trained = read_trained_task(base, identity, manifest)
        tried = random.Random(seed).sample(range(len(trained.profiles)), min(KNOWN_TRIED, len(trained.profiles)))
        model = restored_model(trained, bundle, manifest, plm, torch.device("cpu"))
        self.data, self.rows = data, [model.default_row, *tried]
        self.bias = trained.label_bias[self.rows]
        self.logits: dict[Split, torch.Tensor] = {}
        for split in ("train", MEASURED):
            examples = data.splits[split]
            features = [
                compute_groups(model.features, examples, {row: list(range(len(examples)))}, plm.pad_id, model.device) for row in self.rows
            ]
            with torch.no_grad():
                self.logits[split] = torch.stack([model.head(part) for part in features])  # [starts, texts, labels]

    def measure(self, few: list[int]) -> dict[str, dict[str, float]]:
        """Return each baseline's scores on the measured split, chosen on the training texts `few`, which are indices."""
        starts, labels, profiles = len(self.rows), len(self.data.labels), len(self.data.profiles)
        examples = [self.data.splits["train"][index] for index in few]
        rows = torch.tensor([example.profile for example in examples])
        truth = torch.tensor([example.label for example in examples])
        logits = self.logits["train"][:, few] + self.bias[:, None]
        biases = torch.stack([stored_bias(fit_bias(part, examples, profiles, torch.full((labels,), BIAS_SPREAD))) for part in logits])
        plain, biased = torch.zeros(starts, profiles), torch.zeros(starts, profiles)
        for start in range(starts):
            likely = torch.log_softmax(logits[start], dim=1).gather(1, truth[:, None])[:, 0]
            plain[start].index_add_(0, rows, likely)
            biased[start].index_add_(0, rows, self.held_out(logits[start], examples, labels))
        default, none = torch.zeros(profiles, dtype=torch.long), torch.zeros_like(biases)
        names: dict[str, tuple[torch.Tensor, torch.Tensor]] = {
            "default": (default, none),
            "default and label bias": (default, biases),
            "best known": (plain.argmax(0), none),
            "best known and label bias": (biased.argmax(0), biases),
        }
        measured = {name: self.scores(choice, bias) for name, (choice, bias) in names.items()}
        return {"majority": self.score(majority(examples, self.data.splits[MEASURED])), **measured}

    @staticmethod
    def held_out(logits: torch.Tensor, examples: list[Example], labels: int) -> torch.Tensor:
        """Return the held-out log-likelihood of each text, with the label bias fitted to its profile's other texts, [texts]."""
        spread, likely = torch.full((labels,), BIAS_SPREAD), torch.zeros(len(examples))
        for indices in group_by_profile(examples).values():
            # One fit gives the biases of all folds: fold by fold, a profile's texts but one.
            folds = [(fold, index) for fold, held_out in enumerate(indices) for index in indices if index != held_out]
            others = [index for _, index in folds]
            bias = fit_bias(logits[others], [replace(examples[index], profile=fold) for fold, index in folds], len(indices), spread)
            truth = torch.tensor([examples[index].label for index in indices])
            likely[indices] = torch.log_softmax(logits[indices] + bias, dim=1).gather(1, truth[:, None])[:, 0]
        return likely

    def scores(self, choice: torch.Tensor, biases: torch.Tensor) -> dict[str, float]:
        """Return the scores with each profile's start, `choice` [profiles], and its biases [starts, profiles, labels]."""
        profile = torch.tensor([example.profile for example in self.data.splits[MEASURED]])
        start = choice[profile]
        logits = self.logits[MEASURED][start, torch.arange(len(profile))] + self.bias[start] + biases[start, profile]
        return self.score(logits.argmax(1).numpy())

    def score(self, predicted: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[str, float]:
        """Return the scores of label indices."""
        return {name: round(value, 4) for name, value in score(predicted, self.data.splits[MEASURED], self.data.labels).items()}


def main(
    data: Annotated[Path, typer.Option(help="Labelled text of many profiles: JSON Lines, plain or gzip.")],
    task: Annotated[str, typer.Option(help="Name of the task.")],
    out: Annotated[Path, typer.Option(help="Folder to write. Results in it are not computed again.")],
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = ROOT / "bundles" / "minilm-l6-v2",
    seed: SeedOption = 0,
    counts: Annotated[list[int], typer.Option(help="Numbers of training texts of a newcomer.")] = [5, 10, 20, 50],  # noqa: B006
    max_tokens: MaxTokensOption = 32,
    recipe: RecipeOption = None,
    bf16: Bf16Option = False,
    plm: PlmOption = None,
    quiet: QuietOption = False,
) -> None:
    """Train a task without 16 of its profiles, add them, and measure them beside the baselines."""
    with readable_errors():
        make_folder(out)
        plan = read_recipe(recipe)
        options = {"task": task, "data": data.name, "seed": seed, "counts": counts, "max_tokens": max_tokens}
        keep_options(out, {**options, "recipe": plan.model_dump(), "bf16": bf16})
        records = list(read_records(data).values())
        newcomers = draw_newcomers(records, max(counts), seed)
        known = [record for record in records if record.profile not in newcomers]
        write_records(out / "known.jsonl", known)
        cpu = torch.device("cpu")
        base = out / "base"
        if not (base / REPORT).exists():
            resume = any(base.glob("*.pt"))
            run_training(out / "known.jsonl", task, bundle, base, plm, max_tokens, False, plan, seed, bf16, cpu, resume, quiet)

        ordered = [in_order([r for r in records if r.profile == one and r.split == "train"], min(counts), seed) for one in newcomers]
        measured = [record for record in records if record.profile in newcomers and record.split == MEASURED]
        write_records(out / "newcomers.jsonl", [record for texts in ordered for record in texts[: max(counts)]] + measured)
        manifest, identity, _ = load_bundle(bundle, plm)
        trained: TrainedTask = read_trained_task(base, identity, manifest)
        whole = load_tokenized(out / "newcomers.jsonl", bundle, manifest, max_tokens, False, trained.task.labels)
        baselines = Baselines(bundle, plm, base, whole, seed)
        found = {}
        for count in counts:
            few = out / f"few-{count}.jsonl"
            write_records(few, [record for texts in ordered for record in texts[:count]] + measured)
            added = out / f"add-{count}"
            if not (added / REPORT).exists():
                add_profiles(base, few, bundle, added, plm, False, plan.add, seed, bf16, cpu, Sharding(2000), False, quiet)
            companion = json.loads((added / REPORT).read_text(encoding="utf-8"))[MEASURED]["methods"]["new_profiles"]
            few_indices = [index for indices in group_by_profile(whole.splits["train"]).values() for index in indices[:count]]
            found[count] = {"companion": companion, "without": baselines.measure(few_indices)}
        result = {"task": task, "seed": seed, "data": data.name, "newcomers": newcomers, "counts": found}
        write_text(out / "companion.json", json.dumps(result, indent=2, allow_nan=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
