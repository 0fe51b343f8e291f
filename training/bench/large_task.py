"""Measures the time and memory of `train` on a task of very many profiles.

    cd training && .venv/bin/python -m bench.large_task --profiles 100000

It makes texts, and reads, checks and plans all of them as `train` does. Then it learns the task's steps from the texts of a few profiles,
`share` of all, in one pass, with tables that have a row for every profile, and writes all profiles. It also fits one head to as many
random features as a run over all texts has.

Work whose time grows with the texts is extrapolated to all of them and to the recipe's passes. What grows with the profiles alone is
measured whole. Times are the processor's, summed over threads, because other work on the machine does not change them much. Memory is the
largest resident set of the process. The last line is JSON.
"""

import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar
from unittest.mock import patch

import torch
import typer

from xpeft import learn_task
from xpeft.batches import epoch_steps, seeded_generator
from xpeft.bundle.load import load_bundle_plm, pool_entries
from xpeft.bundle.manifest import read_manifest
from xpeft.check import check_file
from xpeft.data import DataSet
from xpeft.heads import WEIGHT_PENALTIES, fit_head, settings_tried
from xpeft.label_bias import first_bias
from xpeft.learn_task import TaskLearner
from xpeft.linear_fit import Penalties
from xpeft.recipe import TaskRecipe
from xpeft.records import Split
from xpeft.task_files import read_trained_task, write_trained_task
from xpeft.task_steps import Run
from xpeft.train_task import choose_max_tokens, load_tokenized
from xpeft.trunk_cache import STORED, text_key

ROOT = Path(__file__).resolve().parents[2]
LABELS, TOPIC_WORDS = 5, 200
# A text has two phrases, so hardly two texts are equal.
PHRASES, WORDS = 5000, 6
MAX_TOKENS = 16
# Of each profile's texts, as `prepare` splits them.
DEV, TEST = 0.1, 0.2

# Phases of learning, with the functions of `learn_task` whose calls they are.
PHASES = {
    "trunk": "TrunkCache",
    "adapter": "train_shared_adapter",
    "masks and pool": "train",
    "features": "profile_features",
    "heads": "search_head",
}

# Tables of the recipe with passes.
TRAININGS = ("task_adapter", "masks", "task_pool")

Result = TypeVar("Result")


@dataclass
class Clock:
    """Adds up processor seconds by phase, and prints them as they come."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure the block."""
        start = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
        print(f"{name:<12}{self.seconds[name]:>9.1f} s   largest so far {peak_gib():.2f} GiB", flush=True)

    def timed(self, name: str, function: Callable[..., Result]) -> Callable[..., Result]:
        """Return the function, whose calls are a phase."""

        def call(*arguments: Any, **more: Any) -> Result:
            with self.phase(name):
                return function(*arguments, **more)

        return call


def peak_gib() -> float:
    """Return the largest resident set so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def write_texts(path: Path, words: list[str], profiles: int, texts: int) -> None:
    """Write made texts: two of many phrases each, the first of which has words of the label."""
    rng = random.Random(0)
    topics = [words[label::LABELS][:TOPIC_WORDS] for label in range(LABELS)]
    phrases = [[" ".join(rng.choices(own, k=WORDS)) for own in (*topics, words)] for _ in range(PHRASES)]
    dev, test = round(texts * DEV), round(texts * TEST)
    splits = ["dev"] * dev + ["test"] * test + ["train"] * (texts - dev - test)
    with path.open("w", encoding="utf-8") as file:
        for profile in range(profiles):
            for split in splits:
                label = rng.randrange(LABELS)
                text = f"{rng.choice(phrases)[label]} {rng.choice(phrases)[LABELS]}"
                # All are words and numbers, which JSON has as they are.
                file.write(f'{{"profile": "profile-{profile}", "text": "{text}", "label": "label {label}", "split": "{split}"}}\n')


def whole_words(tokenizer: Path) -> list[str]:
    """Return the words that are one token."""
    vocabulary = json.loads(tokenizer.read_bytes())["model"]["vocab"]
    return [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2]


def part_of(data: DataSet, profiles: int) -> DataSet:
    """Return the data set with the texts of its first profiles alone, and with all profiles."""
    splits: dict[Split, list[Any]] = {
        split: [example for example in examples if example.profile < profiles] for split, examples in data.splits.items()
    }
    return replace(data, splits=splits)


def one_pass(recipe: TaskRecipe) -> TaskRecipe:
    """Return the recipe with a single pass of each training."""
    return recipe.model_copy(update={name: getattr(recipe, name).model_copy(update={"epochs": 1}) for name in TRAININGS})


def measure(folder: Path, bundle: Path, plm_spec: str | None, profiles: int, texts: int, share: float) -> dict[str, object]:
    """Return the figures of a task with `profiles` profiles of `texts` texts each."""
    clock, recipe, device = Clock(), TaskRecipe(), torch.device("cpu")
    manifest, identity = read_manifest(bundle)
    tokenizer, file = bundle / manifest.file("tokenizer"), folder / "texts.jsonl"
    write_texts(file, whole_words(tokenizer), profiles, texts)
    with clock.phase("read"):
        data = load_tokenized(file, bundle, manifest, MAX_TOKENS, False)
    train = data.splits["train"]
    with clock.phase("plan"):
        epoch_steps(train, recipe.masks.profiles_per_step, recipe.masks.texts_per_profile, len(data.profiles), seeded_generator(0, 0))
    with clock.phase("counts"):
        first_bias(data, learnt=True)
    read_gib = peak_gib()
    part = part_of(data, max(2, round(share * profiles)))
    plm, pool = load_bundle_plm(manifest, plm_spec), pool_entries(bundle, manifest)
    run = Run(plm, pool, manifest.pool_shape, device, folder, "", seed=0, bf16=False, resume=False, quiet=True)
    timed: dict[str, Any] = {function: clock.timed(name, getattr(learn_task, function)) for name, function in PHASES.items()}
    with patch.multiple(learn_task, **timed):
        learnt = TaskLearner(part, one_pass(recipe), run).learn()
    # With all texts, these are in memory too: the places of the texts in two trunk caches, and the features of all splits.
    everything = [example for examples in data.splits.values() for example in examples]
    with clock.phase("places"):
        places = [dict(zip(map(text_key, everything), range(len(everything)), strict=True)) for _ in range(2)]
    with clock.phase("one fit"):
        features = torch.randn(len(everything), manifest.hidden, generator=seeded_generator(0))
        fit_head(data, features[: len(train)], "bias", Penalties(WEIGHT_PENALTIES[0]))
    del features, places
    with clock.phase("write"):
        write_trained_task(folder, learnt.model, "large", identity, data.labels, data.profiles, MAX_TOKENS, learnt.kind == "bias")
        read_trained_task(folder, identity, manifest)
    part_texts, all_texts = (sum(map(len, one.splits.values())) for one in (part, data))
    tokens = sum(len(example.ids) for example in everything)
    del data, train, part, everything, learnt
    # As `train` does before it reads the texts. Here they are last, because they need the least memory.
    with clock.phase("lengths"):
        choose_max_tokens(file, tokenizer, False, manifest)
    with clock.phase("check"):
        check_file(file, False, tokenizer, MAX_TOKENS)
    return figures(clock, recipe, all_texts / part_texts) | {
        "profiles": profiles,
        "texts": all_texts,
        "share": share,
        "tokensPerText": round(tokens / all_texts, 1),
        "trunkCacheGiB": round(tokens * manifest.hidden * STORED.itemsize / 2**30, 1),
        "threads": torch.get_num_threads(),
        "readGiB": round(read_gib, 2),
        "peakGiB": round(peak_gib(), 2),
    }


def figures(clock: Clock, recipe: TaskRecipe, times: float) -> dict[str, object]:
    """Return measured seconds, and hours for all texts and passes. times: how many more texts there are than were learnt from."""
    adapter, masks, pool = (getattr(recipe, name).epochs for name in TRAININGS)
    # Masks and pool have a pass each.
    passes = {"plan": adapter + masks + pool, "adapter": adapter * times, "masks and pool": (masks + pool) / 2 * times}
    passes |= {"trunk": times, "features": times}
    fits = settings_tried("shared") + 5 * settings_tried("bias")
    whole = {name: seconds * passes.get(name, 1) for name, seconds in clock.seconds.items() if name not in ("heads", "one fit", "places")}
    whole["heads"] = clock.seconds["one fit"] * fits
    return {
        "seconds": {name: round(seconds, 1) for name, seconds in clock.seconds.items()},
        "hours": {name: round(seconds / 3600, 2) for name, seconds in whole.items()},
        "allHours": round(sum(whole.values()) / 3600, 1),
    }


def main(
    profiles: Annotated[int, typer.Option(min=2, help="Profiles.")] = 100_000,
    texts: Annotated[int, typer.Option(min=10, help="Texts of each profile.")] = 30,
    share: Annotated[float, typer.Option(min=0, max=1, help="Fraction of the profiles whose texts are learnt from.")] = 0.01,
    threads: Annotated[int, typer.Option(min=1, help="Threads.")] = 1,
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = ROOT / "bundles" / "minilm-l6-v2",
    plm: Annotated[str | None, typer.Option(help="Folder or hub id of the bundle's PLM.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder for the texts and what is learnt; by default a temporary one.")] = None,
) -> None:
    """Measure a large task."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        print(json.dumps(measure(Path(temporary), bundle, plm, profiles, texts, share), allow_nan=False))


if __name__ == "__main__":
    typer.run(main)
