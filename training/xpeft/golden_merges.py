"""The golden file's small cases: merged adapters and steps of learning, over pools of a few numbers."""

import base64
import hashlib
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from xpeft.encoder import merge
from xpeft.masks import gumbel_topk, pack_masks
from xpeft.pool import PoolShape, default_scale, sign_bits, sign_pool
from xpeft.stored_pool import StoredPool
from xpeft.task_adapter import pack_task_adapter, rounded_task_adapter
from xpeft.task_pool import TaskPool
from xpeft.train import learning_rate_factor


def random_masks(shape: PoolShape, seed: int) -> NDArray[np.bool_]:
    """Return random masks [L, 2, N] with k ones each."""
    ranks = np.random.default_rng(seed).random((shape.layers, 2, shape.size)).argsort(axis=-1)
    return ranks < shape.chosen


def random_pool(shape: PoolShape, seed: int) -> StoredPool:
    """Return a quantized pool of random adapters."""
    generator = torch.Generator().manual_seed(seed)
    return StoredPool.quantize(torch.randn(shape.layers, 2, shape.size, shape.hidden * shape.bottleneck, generator=generator) * 0.1)


def sizes_of(shape: PoolShape) -> dict[str, int]:
    """Return a pool's sizes with the manifest's names: `layers` is L, and `firstLayer` is absent where it is 0."""
    first = {"firstLayer": shape.first_layer} if shape.first_layer else {}
    sizes = {"hidden": shape.hidden, "bottleneck": shape.bottleneck, "size": shape.size, "chosen": shape.chosen}
    return {"layers": shape.encoder_layers, **sizes, **first}


def random_adapter(shape: PoolShape, seed: int) -> torch.Tensor:
    """Return a random task adapter [L, 2, d*b] as the edge reads it. Its first matrix is zero."""
    entries = torch.randn(shape.encoder_layers, 2, shape.hidden * shape.bottleneck, generator=torch.Generator().manual_seed(seed)) * 0.05
    entries[0, 0] = 0
    return rounded_task_adapter(entries, shape)


def text_of(data: bytes) -> str:
    """Return bytes in base64, as the file has them."""
    return base64.b64encode(data).decode()


def merged_case(shape: PoolShape, seed: int, masks: NDArray[np.bool_], entries: int) -> dict[str, object]:
    """Return a merge over a sign pool: the first `entries` of every merged matrix, [L, 2, entries]."""
    scale = default_scale(shape.chosen)
    weights = torch.from_numpy(masks).float()[None] / shape.chosen
    merged = merge(weights, sign_pool(seed, shape, scale))[0, ..., :entries]
    return {
        "shape": sizes_of(shape),
        "seed": seed,
        "scale": scale,
        "masks": text_of(pack_masks(masks, shape)),
        "ones": [[np.flatnonzero(side).tolist() for side in layer] for layer in masks],
        "merged": merged.double().round(decimals=7).tolist(),
        "poolSha256": hashlib.sha256(sign_bits(seed, shape).tobytes()).hexdigest(),
    }


def trained_case(shape: PoolShape, seed: int, masks: NDArray[np.bool_]) -> dict[str, object]:
    """Return a merge over a trained pool: its bytes, masks, and every merged matrix, [L, 2, d*b]."""
    pool = random_pool(shape, seed)
    merged = merge(torch.from_numpy(masks).float()[None] / shape.chosen, pool.entries())[0]
    return {
        "shape": sizes_of(shape),
        "pool": text_of(pool.pack()),
        "masks": text_of(pack_masks(masks, shape)),
        "merged": merged.double().round(decimals=7).tolist(),
    }


def adapted_merge_case(
    shape: PoolShape, pool: torch.Tensor, packed: dict[str, object], masks: NDArray[np.bool_], adapter: torch.Tensor
) -> dict[str, object]:
    """Return a merge over a pool of the last layers, added to a task adapter: every merged matrix, [L, 2, d*b]."""
    merged = adapter.clone()
    merged[shape.first_layer :] += merge(torch.from_numpy(masks).float()[None] / shape.chosen, pool)[0]
    return {
        "shape": sizes_of(shape),
        **packed,
        "adapter": text_of(pack_task_adapter(adapter)),
        "masks": text_of(pack_masks(masks, shape)),
        "merged": merged.double().round(decimals=7).tolist(),
    }


def adapted_merge_cases(shape: PoolShape) -> list[dict[str, object]]:
    """Return the adapted merge of a sign pool, of a trained pool, and of a sign pool without masks."""
    scale, stored, masks, adapter = default_scale(shape.chosen), random_pool(shape, 7), random_masks(shape, 4), random_adapter(shape, 6)
    signs = sign_pool(3, shape, scale)
    seed: dict[str, object] = {"seed": 3, "scale": scale}
    return [
        adapted_merge_case(shape, signs, seed, masks, adapter),
        adapted_merge_case(shape, stored.entries(), {"pool": text_of(stored.pack())}, masks, adapter),
        adapted_merge_case(shape, signs, seed, np.zeros_like(masks), adapter),
    ]


def pooled_merge_cases(bundle: PoolShape, sizes: tuple[int, int]) -> list[dict[str, object]]:
    """Return merges over a task's own pool of N and k adapters: added to a task adapter, added to none, and without masks.

    A case has the bundle's sizes, the adapter's bytes with the pool, and every merged matrix, [L, 2, d*b].
    """
    shape = replace(bundle, size=sizes[0], chosen=sizes[1])
    pool, masks = TaskPool(random_pool(shape, 9), shape.chosen), random_masks(shape, 5)
    adapter, none = random_adapter(bundle, 6), torch.zeros(bundle.encoder_layers, 2, bundle.hidden * bundle.bottleneck)

    def case(adapter: torch.Tensor, ones: NDArray[np.bool_]) -> dict[str, object]:
        whole = adapted_merge_case(shape, pool.entries(), {}, ones, adapter)
        return {**whole, "shape": sizes_of(bundle), "adapter": text_of(pack_task_adapter(adapter) + pool.pack())}

    return [case(adapter, masks), case(none, masks), case(adapter, np.zeros_like(masks))]


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
    return {"shape": sizes_of(shape), **packed, "rate": rate, "tau": tau, "warmup": warmup, "start": start, "steps": done}


def learning_cases(shape: PoolShape) -> list[dict[str, object]]:
    """Return the learning case of a sign pool and of a trained pool."""
    scale, stored = default_scale(shape.chosen), random_pool(shape, 5)
    return [
        learning_case(shape, sign_pool(3, shape, scale), {"seed": 3, "scale": scale}),
        learning_case(shape, stored.entries(), {"pool": text_of(stored.pack())}),
    ]
