"""Trains a pool of adapters: the paper's warm start, on other people's texts.

All adapters start alike and each trains on a part of the texts. Then a mean of any of them is an adapter too, as for models fine-tuned
from one start (Wortsman et al., 2022).
"""

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from xpeft.atomic_files import make_folder
from xpeft.batches import Batch
from xpeft.comparison.sets import SetSpec, label_names, read_lines, tokenized
from xpeft.data import DataSet, Example
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.errors import XpeftError
from xpeft.plm import PLM
from xpeft.pool import PoolShape
from xpeft.profile_model import ProfileModel, StepSettings, look_up
from xpeft.stored_pool import save_pool
from xpeft.train import Recipe, train

START = 0.02


class PoolModel(ProfileModel):
    """N adapters as masks merge them, with a LayerNorm in the bottleneck and without biases: [N + 1, L*2*d*b]."""

    def __init__(self, encoder: AdapterEncoder, bottleneck: int, size: int, labels: int, seed: int) -> None:
        source = torch.Generator().manual_seed(seed)
        super().__init__(encoder, size, labels, source)
        self.matrices = (len(encoder.blocks), 2, encoder.hidden * bottleneck)
        start = torch.randn(int(np.prod(self.matrices)), generator=source) * START
        self.adapters = nn.Parameter(start.repeat(size + 1, 1))

    def tables(self) -> list[nn.Parameter]:
        """Return the adapters."""
        return [self.adapters]

    def bytes_a_profile(self) -> int:
        """Return the bytes of an adapter: one a number, and a scale of four a matrix."""
        return self.adapters.shape[1] + 4 * self.matrices[0] * 2

    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d]."""
        merged = look_up(self.adapters, batch.rows).view(-1, *self.matrices)
        return self.encode(batch, Adapters.from_merged(merged, self.encoder.hidden), step)

    def pool(self) -> torch.Tensor:
        """Return the adapters as a pool [L, 2, N, d*b]."""
        return self.adapters.detach()[:-1].view(-1, *self.matrices).permute(1, 2, 0, 3)


def train_pool(
    plm: PLM, tokenizer: Path, data_file: Path, out: Path, shape: PoolShape, texts: int, max_tokens: int, pair: bool, recipe: Recipe,
    device: torch.device, quiet: bool
) -> None:  # fmt: skip
    """Train a pool on a file of labelled text, with or without profiles, and write it to `out`. An interrupted run resumes.

    texts: training texts of each adapter.
    """
    data = read_data(data_file, tokenizer, max_tokens, pair)
    examples = assign_texts(data, shape.size, texts, recipe.seed)
    model = PoolModel(AdapterEncoder(plm), shape.bottleneck, shape.size, len(data.labels), recipe.seed).to(device)
    make_folder(out.parent)
    checkpoint = out.with_suffix(".pt")
    settings = (recipe, shape, texts, max_tokens, pair, hashlib.sha256(data_file.read_bytes()).hexdigest())
    train(model, examples, recipe, plm.pad_id, checkpoint, settings, checkpoint.exists(), quiet, with_default_profile=False)
    save_pool(out, model.pool().cpu())
    checkpoint.unlink()


def read_data(path: Path, tokenizer_file: Path, max_tokens: int, pair: bool) -> DataSet:
    """Return the training texts of a file."""
    lines = [line for line in read_lines(path) if line.split == "train"]
    profiles = sorted({line.profile for line in lines})
    spec = SetSpec(str(path), max_tokens, pair=pair)
    labels = label_names(spec, [line.label for line in lines])
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(max_tokens)
    return DataSet(profiles, labels, {"train": tokenized(spec, lines, profiles, labels, tokenizer), "dev": [], "test": []})


def assign_texts(data: DataSet, adapters: int, texts: int, seed: int) -> list[Example]:
    """Return `texts` training texts for each adapter, whose number is the examples' profile.

    Where there are profiles, an adapter gets texts of few of them.
    """
    rng = random.Random(seed)
    ranks = list(range(len(data.profiles)))
    rng.shuffle(ranks)
    order = sorted(data.splits["train"], key=lambda example: (ranks[example.profile], rng.random()))
    size = len(order) // adapters
    if size < 1:
        raise XpeftError(f"{len(order)} texts are too few for {adapters} adapters", "Give more texts, or ask for a smaller pool.")
    parts = [order[number * size : (number + 1) * size] for number in range(adapters)]
    return [replace(text, profile=number) for number, part in enumerate(parts) for text in rng.sample(part, min(texts, size))]
