"""Keeps what the encoder computes of a text below the layers that profiles change: training computes it once, not in each step."""

import hashlib
import mmap
import tempfile
from array import array
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import torch

from xpeft.atomic_files import write_errors
from xpeft.batches import collate
from xpeft.data import Example
from xpeft.finite import check_finite
from xpeft.profile_model import ProfileModel
from xpeft.progress import progress

# A laptop has 8 GiB, and PLM, pool and optimizer take one or two of them. Larger caches are on disk.
MEMORY_BYTES = 2 * 2**30
# Of a GPU's free memory, so that several trainings fit beside each other.
GPU_PART = 0.25
# A residual's numbers span a few powers of ten, and float16 keeps three digits of each: see tests/test_trunk_cache.py.
STORED = torch.float16


class TrunkCache:
    """The residuals of layer `first_layer` of a model, for the texts of `examples`: float16, on the model's GPU, in memory or in a file
    without a name.

    It serves every model of the same PLM, `first_layer` and trunk adapters. Equal texts are kept once. The same examples in the same order
    give the same bits.
    """

    def __init__(
        self,
        model: ProfileModel,
        examples: Sequence[Example],
        pad_id: int,
        folder: Path,
        quiet: bool = False,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Compute the residuals. folder: where the file is, if they need more than `memory_bytes`; the file goes when the process ends.

        Raises NotWritten where the disk is full, and NotFinite where a number is too large for float16.
        """
        self.trunk_hash = model.trunk_hash()
        self.hidden = model.encoder.hidden
        distinct = {text_key(example): example for example in examples}
        ranked = sorted(distinct.items(), key=lambda item: len(item[1].ids))
        lengths = torch.tensor([len(example.ids) for _, example in ranked])
        self.bytes = int(lengths.sum()) * self.hidden * STORED.itemsize
        self.starts = dict(zip((key for key, _ in ranked), (lengths.cumsum(0) - lengths).tolist(), strict=True))
        texts = [example for _, example in ranked]
        if self.bytes <= memory_bytes:
            held = BytesIO()
            self._compute(held, model, texts, pad_id, quiet)
            memory: memoryview | mmap.mmap = held.getbuffer()
        else:
            # The system deletes it with the process, even after a kill.
            with write_errors(folder), tempfile.TemporaryFile(dir=folder) as file:
                self._compute(file, model, texts, pad_id, quiet)
                file.flush()
                memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self.stored = torch.frombuffer(memory, dtype=STORED).view(-1, self.hidden)
        if model.device.type == "cuda" and self.bytes <= torch.cuda.mem_get_info(model.device)[0] * GPU_PART:
            self.stored = self.stored.to(model.device)

    def _compute(self, file: BinaryIO, model: ProfileModel, texts: list[Example], pad_id: int, quiet: bool) -> None:
        for start in progress(range(0, len(texts), 64), "trunk", "part", quiet):
            chunk = texts[start : start + 64]
            batch = collate([0], chunk, pad_id, model.device)
            real = torch.arange(batch.ids.shape[1], device=model.device) < batch.lengths[:, None]
            residuals = model.residuals(batch)[real].to(STORED)
            check_finite(residuals, "a residual of the PLM in float16")
            file.write(residuals.cpu().numpy().tobytes())

    def check(self, model: ProfileModel) -> None:
        """Raise ValueError if the residuals are not those of the model."""
        if self.trunk_hash != model.trunk_hash():
            raise ValueError("the cached residuals belong to a model with another first_layer or task adapter")

    def residuals(self, examples: Sequence[Example], tokens: int) -> torch.Tensor:
        """Return the residuals of texts, float32 [texts, tokens, d], on the cache's device, with a text's last token as padding.

        Raises KeyError for a text that is not in the cache.
        """
        starts = torch.tensor([self.starts[text_key(example)] for example in examples])
        last = torch.tensor([len(example.ids) - 1 for example in examples])
        places = starts[:, None] + torch.minimum(torch.arange(tokens), last[:, None])
        # Indexing takes three times as long.
        return self.stored.index_select(0, places.flatten().to(self.stored.device)).float().view(len(examples), tokens, self.hidden)


def text_key(example: Example) -> bytes:
    """Return what identifies the tokens of an example."""
    return hashlib.blake2b(array("i", example.ids).tobytes() + array("b", example.types).tobytes(), digest_size=16).digest()
