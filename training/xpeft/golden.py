"""Writes the golden file: small cases computed here, which the edge's code must reproduce (docs/formats.md)."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from xpeft.atomic_files import write_text
from xpeft.batches import collate
from xpeft.bundle.calibration import calibration_texts
from xpeft.bundle.load import load_bundle
from xpeft.bundle.manifest import Manifest, bundle_id
from xpeft.data import NEVER, Example
from xpeft.golden_heads import head_fit_cases
from xpeft.golden_merges import (
    adapted_merge_cases,
    learning_cases,
    merged_case,
    pooled_merge_cases,
    random_adapter,
    random_masks,
    text_of,
    trained_case,
)
from xpeft.golden_packed import packed_cases
from xpeft.head_change import HeadChange
from xpeft.mask_model import MaskModel, new_model
from xpeft.masks import pack_masks
from xpeft.plm import PLM
from xpeft.pool import PoolShape
from xpeft.profile_head import ProfileHead, known_labels
from xpeft.task_adapter import pack_task_adapter
from xpeft.task_files import hash_head, head_bytes

# No multiples of 8 or 32, so that the cases have padding bits and odd bytes.
SMALL = PoolShape(layers=2, hidden=7, bottleneck=3, size=11, chosen=4)
LABELS = ["first", "second", "third"]
# JSON escapes some characters and keeps others.
HARD_LABELS = ['a "quoted" one', "back\\slash / slash", "naïve 😀", "<b>"]


def profile_heads(hidden: int) -> list[ProfileHead | None]:
    """Return what each of the profiles changes of the head: nothing, label biases, head changes, and known labels."""
    numbers = np.random.default_rng(11)

    def change(rank: int) -> HeadChange:
        left, right = (numbers.integers(-128, 128, (rank, count), dtype=np.int8) for count in (len(LABELS), hidden))
        return HeadChange(np.linspace(2e-5, 3e-5, rank, dtype=np.float32), left, right)

    return [
        None,
        ProfileHead(torch.tensor([0.75, -0.0625, 0.0])),
        ProfileHead(torch.tensor([-1.5, 0.5, -1.0])),
        ProfileHead(torch.tensor([0.25, 0.0, -0.5]), change(2)),
        ProfileHead(torch.tensor([0.0, NEVER, 0.5]), change(1)),
        ProfileHead(torch.tensor([0.0, 0.0, NEVER])),
    ]


def head_case(bundle: str, labels: list[str], head: bytes) -> dict[str, object]:
    """Return a head with its hash."""
    return {"bundle": bundle, "labels": labels, "head": text_of(head), "hash": hash_head(bundle, labels, head)}


def task_case(model: MaskModel, plm: PLM, texts: list[str]) -> dict[str, object]:
    """Fill a model of the profiles of `profile_heads` with a task, and return the task and its prediction for each text under each profile.

    The model has its adapter before.
    """
    shape = model.shape
    heads = profile_heads(shape.hidden)
    masks = [random_masks(shape, seed) for seed in range(model.profiles)]
    head = (np.random.default_rng(7).standard_normal((len(LABELS), shape.hidden + 1)) * 0.3).astype("<f4")
    predictions = []
    with torch.no_grad():
        model.profile_masks[: len(masks)] = torch.from_numpy(np.stack(masks)).float().flatten(1)
        model.head.weight.copy_(torch.from_numpy(head[:, :-1].copy()))
        model.head.bias.copy_(torch.from_numpy(head[:, -1].copy()))
        for row, own in enumerate(heads):
            if own is not None:
                model.label_bias[row] = own.bias
        model.head_changes = {row: own.change for row, own in enumerate(heads) if own is not None and own.change is not None}
        for number, text in enumerate(texts):
            encoding = plm.tokenizer.encode(text)
            example = Example(0, 0, encoding.ids, encoding.type_ids)
            for row in range(len(masks)):
                batch = collate([row], [example], plm.pad_id, torch.device("cpu"))
                features = model.features(batch)[0]
                scores = model.scores(features[None], batch.rows)[0]
                predictions.append(
                    {
                        "text": number,
                        "masks": row,
                        "features": features[:8].double().round(decimals=5).tolist(),
                        "logits": [
                            logit if known else None
                            for logit, known in zip(scores.double().round(decimals=5).tolist(), known_labels(scores).tolist(), strict=True)
                        ],
                    }
                )
    adapter = {} if model.task_adapter is None else {"adapter": text_of(pack_task_adapter(model.task_adapter))}
    task = {
        "labels": LABELS,
        "maxTokens": 64,
        "head": text_of(np.concatenate([head[:, :-1].ravel(), head[:, -1]]).tobytes()),
        **adapter,
        "masks": [text_of(pack_masks(ones, shape)) for ones in masks],
        "labelBiases": [None if own is None else text_of(own.pack()) for own in heads],
    }
    return {"task": task, "predictions": predictions}


def all_layers_case(bundle: Path, manifest: Manifest, plm: PLM, texts: list[str]) -> dict[str, object]:
    """Return a task with an adapter on a bundle whose pool has every layer: that bundle's manifest and id, and the task.

    The manifest has format 1, without `firstLayer` and tail. The bundle's other files are those of `bundle`.
    """
    pool = manifest.pool.model_copy(update={"firstLayer": 0})
    whole = [manifest, *manifest.of_earlier_formats()][-1].model_copy(update={"pool": pool})
    raw = whole.to_bytes()
    identity = bundle_id(raw)
    model = new_model(bundle, whole, plm, len(profile_heads(manifest.hidden)), len(LABELS), 0, torch.device("cpu"))
    model.task_adapter = random_adapter(model.shape, 8)
    case = task_case(model, plm, texts)
    hashed = hash_head(identity, LABELS, head_bytes(model), pack_task_adapter(model.task_adapter))
    return {"manifest": raw.decode(), "bundle": identity, **case, "headHash": hashed}


def write_golden(bundle: Path, plm_spec: str | None, out: Path) -> None:
    """Write the cases for a bundle to `out`. Raises XpeftError or NotWritten."""
    manifest, identity, plm = load_bundle(bundle, plm_spec)
    shape = manifest.pool_shape
    texts = calibration_texts()[:12]
    model = new_model(bundle, manifest, plm, len(profile_heads(manifest.hidden)), len(LABELS), 0, torch.device("cpu"))
    case = task_case(model, plm, texts)
    head = head_bytes(model)
    golden = {
        "bundle": identity,
        "merges": [
            merged_case(SMALL, 3, random_masks(SMALL, 1), SMALL.hidden * SMALL.bottleneck),
            merged_case(shape, 0, random_masks(shape, 0), 16),
        ],
        "learning": learning_cases(SMALL),
        "trainedMerge": trained_case(SMALL, 5, random_masks(SMALL, 2)),
        "adaptedMerges": adapted_merge_cases(replace(SMALL, first_layer=1)),
        "pooledMerges": pooled_merge_cases(replace(SMALL, first_layer=1), (5, 2)),
        "task": case["task"],
        "packed": packed_cases(plm, manifest),
        "headFits": head_fit_cases(),
        "heads": [head_case(identity, LABELS, head), head_case("0" * 32, HARD_LABELS, head[: 4 * 8])],
        "allLayers": all_layers_case(bundle, manifest, plm, texts[:6]),
        "texts": texts,
        "predictions": case["predictions"],
    }
    write_text(out, json.dumps(golden, indent=1, allow_nan=False) + "\n")
