"""Writes the golden file: small cases computed here, which the edge's code must reproduce (docs/formats.md)."""

import base64
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.atomic_files import write_text
from xpeft.batches import collate
from xpeft.bundle.load import load_bundle
from xpeft.bundle.outliers import calibration_texts
from xpeft.data import Example
from xpeft.encoder import merge
from xpeft.label_bias import pack_bias, unpack_bias
from xpeft.mask_model import new_model
from xpeft.masks import gumbel_topk, pack_masks
from xpeft.pool import PoolShape, default_scale, sign_bits, sign_pool
from xpeft.stored_pool import StoredPool
from xpeft.task_files import hash_head
from xpeft.train import learning_rate_factor

# No multiples of 8 or 32, so that the cases have padding bits and odd bytes.
SMALL = PoolShape(layers=2, hidden=7, bottleneck=3, size=11, chosen=4)
LABELS = ["first", "second", "third"]
# JSON escapes some characters and keeps others.
HARD_LABELS = ['a "quoted" one', "back\\slash / slash", "naïve 😀", "<b>"]
# One for each of the three profiles; the first has none.
LABEL_BIASES = [None, [0.75, -0.0625, 0.0], [-1.5, 0.5, -1.0]]


def random_masks(shape: PoolShape, seed: int) -> NDArray[np.bool_]:
    """Return random masks [L, 2, N] with k ones each."""
    ranks = np.random.default_rng(seed).random((shape.layers, 2, shape.size)).argsort(axis=-1)
    return ranks < shape.chosen


def random_pool(shape: PoolShape, seed: int) -> StoredPool:
    """Return a quantized pool of random adapters."""
    generator = torch.Generator().manual_seed(seed)
    return StoredPool.quantize(torch.randn(shape.layers, 2, shape.size, shape.hidden * shape.bottleneck, generator=generator) * 0.1)


def text_of(data: bytes) -> str:
    """Return bytes in base64, as the file has them."""
    return base64.b64encode(data).decode()


def trained_case(shape: PoolShape, seed: int, masks: NDArray[np.bool_]) -> dict[str, object]:
    """Return a merge over a trained pool: its bytes, masks, and every merged matrix, [L, 2, d*b]."""
    pool = random_pool(shape, seed)
    merged = merge(torch.from_numpy(masks).float()[None] / shape.chosen, pool.entries())[0]
    return {
        "shape": asdict(shape),
        "pool": text_of(pool.pack()),
        "masks": text_of(pack_masks(masks, shape)),
        "merged": merged.double().round(decimals=7).tolist(),
    }


def rounded(values: torch.Tensor) -> list[object]:
    """Return values as nested lists, rounded as the file has them."""
    numbers: list[object] = values.detach().double().round(decimals=9).tolist()
    return numbers


def learning_case(shape: PoolShape, pool: torch.Tensor, packed: dict[str, object]) -> dict[str, object]:
    """Return training steps of mask logits [L*2, N], from fixed gradients of the merged adapters [L, 2, d*b] and fixed Gumbel noise."""
    generator = torch.Generator().manual_seed(11)
    rows, rate, tau, warmup, steps = 2 * shape.layers, 0.05, 0.8, 0.3, 4
    logits = (torch.randn(rows, shape.size, generator=generator, dtype=torch.float64).mul(0.1).round(decimals=4)).requires_grad_()
    optimizer = torch.optim.AdamW([logits], lr=rate, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor((step + 1) / (steps + 1), warmup))
    start, done = rounded(logits), []
    for _ in range(steps):
        noise = torch.randn(rows, shape.size, generator=generator, dtype=torch.float64).mul(0.2).round(decimals=4)
        # In float32, as the learning graph gives them.
        gradient = torch.randn(shape.layers, 2, pool.shape[-1], generator=generator).round(decimals=3)
        weights = gumbel_topk(logits, shape.chosen, noise, tau)
        merged = merge(weights.view(1, shape.layers, 2, shape.size), pool.double())[0]
        optimizer.zero_grad()
        (merged * gradient).sum().backward()
        optimizer.step()
        scheduler.step()
        ones = [row.nonzero().flatten().tolist() for row in weights.detach() > 0.5 / shape.chosen]
        done.append({"noise": rounded(noise), "gradient": rounded(gradient), "ones": ones, "logits": rounded(logits)})
    return {"shape": asdict(shape), **packed, "rate": rate, "tau": tau, "warmup": warmup, "start": start, "steps": done}


def learning_cases(shape: PoolShape) -> list[dict[str, object]]:
    """Return the learning case of a sign pool and of a trained pool."""
    scale, stored = default_scale(shape.chosen), random_pool(shape, 5)
    return [
        learning_case(shape, sign_pool(3, shape, scale), {"seed": 3, "scale": scale}),
        learning_case(shape, stored.entries(), {"pool": text_of(stored.pack())}),
    ]


def head_case(bundle: str, labels: list[str], head: bytes) -> dict[str, object]:
    """Return a head with its hash."""
    return {"bundle": bundle, "labels": labels, "head": text_of(head), "hash": hash_head(bundle, labels, head)}


def merged_case(shape: PoolShape, seed: int, masks: NDArray[np.bool_], entries: int) -> dict[str, object]:
    """Return a merge over a sign pool: the first `entries` of every merged matrix, [L, 2, entries]."""
    scale = default_scale(shape.chosen)
    weights = torch.from_numpy(masks).float()[None] / shape.chosen
    merged = merge(weights, sign_pool(seed, shape, scale))[0, ..., :entries]
    return {
        "shape": asdict(shape),
        "seed": seed,
        "scale": scale,
        "masks": text_of(pack_masks(masks, shape)),
        "ones": [[np.flatnonzero(side).tolist() for side in layer] for layer in masks],
        "merged": merged.double().round(decimals=7).tolist(),
        "poolSha256": hashlib.sha256(sign_bits(seed, shape).tobytes()).hexdigest(),
    }


def write_golden(bundle: Path, plm_spec: str | None, out: Path) -> None:
    """Write the cases for a bundle to `out`. Raises XpeftError or NotWritten."""
    manifest, identity, plm = load_bundle(bundle, plm_spec)
    shape = manifest.pool_shape
    texts = calibration_texts()[:12]
    masks = [random_masks(shape, seed) for seed in range(3)]
    rng = np.random.default_rng(7)
    head = (rng.standard_normal((len(LABELS), shape.hidden + 1)) * 0.3).astype("<f4")
    model = new_model(bundle, manifest, plm, len(masks), len(LABELS), 0, torch.device("cpu"))
    predictions = []
    with torch.no_grad():
        model.profile_masks[: len(masks)] = torch.from_numpy(np.stack(masks)).float().flatten(1)
        model.head.weight.copy_(torch.from_numpy(head[:, :-1].copy()))
        model.head.bias.copy_(torch.from_numpy(head[:, -1].copy()))
        for row, bias in enumerate(LABEL_BIASES):
            if bias is not None:
                model.label_bias[row] = unpack_bias(pack_bias(torch.tensor(bias)), len(LABELS))
        for number, text in enumerate(texts):
            encoding = plm.tokenizer.encode(text)
            example = Example(0, 0, encoding.ids, encoding.type_ids)
            for row in range(len(masks)):
                batch = collate([row], [example], plm.pad_id, torch.device("cpu"))
                features = model.features(batch)[0]
                predictions.append(
                    {
                        "text": number,
                        "masks": row,
                        "features": features[:8].double().round(decimals=5).tolist(),
                        "logits": model.scores(features[None], batch.rows)[0].double().round(decimals=5).tolist(),
                    }
                )
    flat_head = np.concatenate([head[:, :-1].ravel(), head[:, -1]]).tobytes()
    golden = {
        "bundle": identity,
        "merges": [merged_case(SMALL, 3, random_masks(SMALL, 1), SMALL.hidden * SMALL.bottleneck), merged_case(shape, 0, masks[0], 16)],
        "learning": learning_cases(SMALL),
        "trainedMerge": trained_case(SMALL, 5, random_masks(SMALL, 2)),
        "task": {
            "labels": LABELS,
            "maxTokens": 64,
            "head": text_of(flat_head),
            "masks": [text_of(pack_masks(ones, shape)) for ones in masks],
            "labelBiases": [None if bias is None else text_of(pack_bias(torch.tensor(bias))) for bias in LABEL_BIASES],
        },
        "heads": [head_case(identity, LABELS, flat_head), head_case("0" * 32, HARD_LABELS, head[0, :8].tobytes())],
        "texts": texts,
        "predictions": predictions,
    }
    write_text(out, json.dumps(golden, indent=1, allow_nan=False) + "\n")
