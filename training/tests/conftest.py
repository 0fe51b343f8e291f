"""Fixtures: a PLM of a few kilobytes, bundles built from it, a few labelled texts, and quick trainings of them."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel
from typer.testing import CliRunner

from tests.fitted import Rows, fit
from tests.runs import QUICK, Command, arguments
from tests.tiny_data import tiny_lines, write_sets
from xpeft import Task, learn_task, train
from xpeft.bundle.build import build_bundle
from xpeft.checkpoint import CHECKPOINT, CheckpointClock, TrainingState, save_checkpoint
from xpeft.cli import app
from xpeft.plm import load_plm

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "minilm-l6-v2"
PAGE = os.sysconf("SC_PAGE_SIZE")

# More threads slow these small models down: on a busy machine they wait for each other. Processes that tests start inherit the variable.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


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


@pytest.fixture(scope="session")
def small_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default bundle's tokenizer without most words. It is read in a tenth of the time."""
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json", 2000)


def write_tokenizer(path: Path, words: int) -> Path:
    """Write the default bundle's tokenizer with its first `words` tokens, and return the file."""
    tokenizer = json.loads((BUNDLE / "tokenizer.json").read_bytes())
    tokenizer["model"]["vocab"] = {token: index for token, index in tokenizer["model"]["vocab"].items() if index < words}
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    return path


def write_tiny_plm(folder: Path, words: int) -> Path:
    """Write a BERT with random weights and the default bundle's tokenizer with its first `words` tokens. Return the folder."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64}
    BertModel(BertConfig(vocab_size=words, **sizes)).save_pretrained(folder)
    write_tokenizer(folder / "tokenizer.json", words)
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
    """The data file of the tiny texts."""
    path = tmp_path_factory.mktemp("data") / "tiny.jsonl"
    path.write_text("\n".join(map(json.dumps, tiny_lines())), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def sets_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of small data sets in the layout of the comparison's data."""
    return write_sets(tmp_path_factory.mktemp("comparison"))


@pytest.fixture(scope="session")
def command(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path) -> Command:
    """The command line of a quick training."""
    return partial(arguments, tiny_data, tiny_bundle, tiny_plm)


@pytest.fixture(scope="session")
def trained(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a quick training. Tests do not write into it."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    result = CliRunner().invoke(app, command(out))
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="session")
def checkpoint(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a quick training that was stopped after its last step."""
    out = tmp_path_factory.mktemp("stopped")

    def stop_after(*given: Any, **more: Any) -> None:
        train.train(*given, **more)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(learn_task, "train", stop_after)
        result = CliRunner().invoke(app, command(out))
    assert (result.exit_code, "--resume" in result.output) == (130, True)
    return out / CHECKPOINT


@pytest.fixture(scope="session")
def rows() -> Rows:
    """The tiny texts."""
    return tiny_lines()


@pytest.fixture(scope="session")
def task(rows: Rows, tiny_bundle: Path, tiny_plm: Path) -> Task:
    """A quick task of the library. Tests do not add to it."""
    return fit(rows, tiny_bundle, tiny_plm)
