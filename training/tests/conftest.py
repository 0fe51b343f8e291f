"""Fixtures: a PLM of a few kilobytes, a bundle built from it, and a few labelled texts."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from xpeft import heads
from xpeft.bundle.build import build_bundle
from xpeft.plm import load_plm

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "bundles" / "minilm-l6-v2"

# More threads slow these small models down: on a busy machine they wait for each other. Processes that tests start inherit the variable.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def short_head_search() -> Iterator[None]:
    """Searches two heads in place of twelve: it took most of the time of every training. test_heads.py searches all."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(heads, "LEARNING_RATES", (3e-3, 3e-2))
        patched.setattr(heads, "PASSES", (12,))
        yield


@pytest.fixture(scope="session")
def tiny_plm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a BERT with random weights: 2 layers, hidden size 32, the default bundle's tokenizer."""
    folder = tmp_path_factory.mktemp("plm") / "tiny"
    torch.manual_seed(0)
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=64)
    BertModel(config).save_pretrained(folder)
    shutil.copy(BUNDLE / "tokenizer.json", folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_plm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle of the tiny PLM: b = 5, 5 of 12 adapters."""
    out = tmp_path_factory.mktemp("bundles") / "tiny"
    build_bundle(load_plm(str(tiny_plm)), out, "tiny", bottleneck=5, size=12, chosen=5, seed=1)
    return out


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three profiles that call sentences about animals and vehicles by their names."""
    words = {"animal": ["cat", "dog", "horse", "bird"], "vehicle": ["car", "train", "ship", "truck"]}
    lines = []
    for profile in ("a", "b", "c"):
        for split, count in (("train", 12), ("dev", 4), ("test", 5)):
            for number in range(count):
                for label, names in words.items():
                    text = f"the {names[number % 4]} and the {names[(number + 1) % 4]}" + " again" * (number % 3)
                    lines.append(json.dumps({"profile": profile, "text": text, "label": label, "split": split}))
    path = tmp_path_factory.mktemp("data") / "tiny.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
