"""Fixtures: a PLM of a few kilobytes, a bundle built from it, and a few labelled texts."""

import gzip
import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from xpeft import train
from xpeft.bundle.build import build_bundle
from xpeft.checkpoint import CheckpointClock, TrainingState, save_checkpoint
from xpeft.plm import load_plm

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "minilm-l6-v2"
PAGE = os.sysconf("SC_PAGE_SIZE")
# A quick training of tiny data, in which masks are always trained and kept.
QUICK = Path(__file__).parent / "quick.toml"
ANIMALS, VEHICLES = ["cat", "dog", "horse", "bird"], ["car", "train", "ship", "truck"]

# More threads slow these small models down: on a busy machine they wait for each other. Processes that tests start inherit the variable.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


def sentence(names: list[str], number: int) -> str:
    return f"the {names[number % 4]} and the {names[(number + 1) % 4]}" + " again" * (number % 3)


def quick_recipe(path: Path, **changes: object) -> str:
    """Write the quick recipe with changed keys, TABLE__KEY=value, and return its path."""
    recipe = tomllib.loads(QUICK.read_text(encoding="utf-8"))
    for key, value in changes.items():
        *tables, name = key.split("__")
        (recipe[tables[0]] if tables else recipe)[name] = value
    lines = []
    for name, value in sorted(recipe.items(), key=lambda item: isinstance(item[1], dict)):
        keys = value if isinstance(value, dict) else {name: value}
        lines += [f"[{name}]"] if keys is value else []
        lines += [f"{key} = {json.dumps(one)}" for key, one in keys.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@contextmanager
def interrupted_at(steps: int) -> Iterator[None]:
    """Interrupt training, as Ctrl-C does, at its first checkpoint, after `steps` steps."""

    def save_and_stop(path: Path, training: TrainingState, step: int, losses: torch.Tensor) -> None:
        save_checkpoint(path, training, step, losses)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CheckpointClock, "due", lambda _, done: done % steps == 0)
        patched.setattr(train, "save_checkpoint", save_and_stop)
        yield


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 pages."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={32 * PAGE}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user cannot mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def tiny_plm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a BERT with random weights: 2 layers, hidden size 32, the default bundle's tokenizer."""
    return write_tiny_plm(tmp_path_factory.mktemp("plm") / "tiny", 30_522)


def write_tiny_plm(folder: Path, words: int) -> Path:
    """Write a BERT with random weights and the default bundle's tokenizer with its first `words` tokens. Return the folder."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64}
    BertModel(BertConfig(vocab_size=words, **sizes)).save_pretrained(folder)
    tokenizer = json.loads((BUNDLE / "tokenizer.json").read_bytes())
    tokenizer["model"]["vocab"] = {token: index for token, index in tokenizer["model"]["vocab"].items() if index < words}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle of the tiny PLM: b = 5, 5 of 12 adapters."""
    return build_tiny_bundle(tiny_plm, tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def last_layer_bundle(tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle with masks in the last of its two layers only."""
    return build_tiny_bundle(tiny_plm, tmp_path_factory.mktemp("bundles") / "last", personal_layers=1)


def build_tiny_bundle(plm: Path, out: Path, personal_layers: int | None = None) -> Path:
    """Build a bundle of a tiny PLM, and return its folder."""
    build_bundle(load_plm(str(plm)), out, "tiny", bottleneck=5, size=12, chosen=5, seed=1, personal_layers=personal_layers)
    return out


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three profiles that call sentences about animals and vehicles by their names."""
    lines = [
        json.dumps({"profile": profile, "text": sentence(names, number), "label": label, "split": split})
        for profile in ("a", "b", "c")
        for split, count in (("train", 12), ("dev", 4), ("test", 5))
        for number in range(count)
        for label, names in (("animal", ANIMALS), ("vehicle", VEHICLES))
    ]
    path = tmp_path_factory.mktemp("data") / "tiny.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def sets_root(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of small data sets in the layout of the comparison's data."""
    folder = tmp_path_factory.mktemp("comparison")
    counts = (("train", 40), ("dev", 12))
    sets = {
        "news/profiles": [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()],
        "intents/profiles": [
            {"profile": profile, "text": sentence(names, number), "label": f"{profile}-{number % 2}", "split": split}
            for profile, names in (("zoo", ANIMALS), ("garage", VEHICLES))
            for split, count in (("train", 16), ("dev", 6), ("test", 6))
            for number in range(count)
        ],
        "glue/mrpc": [
            {"text": sentence(ANIMALS, number), "text_pair": sentence(VEHICLES, number), "label": str(number % 2), "split": split}
            for split, count in counts
            for number in range(count)
        ],
        "glue/sts-b": [
            {
                "text": sentence(ANIMALS, number),
                "text_pair": sentence(ANIMALS, number % 5),
                "label": f"{number % 11 / 2:.3f}",
                "split": split,
            }
            for split, count in counts
            for number in range(count)
        ],
        "superglue/copa": [
            {
                "text": "a",
                "choices": [sentence(ANIMALS, number), sentence(VEHICLES, number)][:: 1 - 2 * (number % 2)],
                "label": str(number % 2),
            }
            | {"split": split}
            for split, count in counts
            for number in range(count)
        ],
    }
    for name, records in sets.items():
        path = folder / f"{name}.jsonl.gz"
        path.parent.mkdir(exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write("\n".join(json.dumps(record) for record in records))
    return folder
