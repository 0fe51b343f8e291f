"""How often graphs give the label that fp32 gives, under the demo's profiles and heads, on dev texts of the demo's data sets."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from xpeft.bundle.load import load_bundle
from xpeft.data import Example, group_by_profile
from xpeft.encoder import Adapters, merge
from xpeft.evaluate_task import restored_model
from xpeft.features import predict
from xpeft.mask_model import MaskModel
from xpeft.plm import PLM
from xpeft.scores import Indices
from xpeft.task_files import read_trained_task
from xpeft.train_task import load_tokenized

DEMO = Path(__file__).resolve().parents[2] / "bundles" / "demo"


@dataclass(frozen=True)
class Agreement:
    """What was found on a task's texts: fractions between 0 and 1, by graph name.

    accuracy: of fp32; same: texts with fp32's label; accuracies: texts with the right label.
    """

    texts: int
    accuracy: float
    same: dict[str, float]
    accuracies: dict[str, float]


def data_file(data: Path, task: str) -> Path:
    """Return the path of a task's data set in a folder of data sets."""
    return data / task / "profiles.jsonl.gz"


def feeds_of(model: MaskModel, row: int) -> dict[str, NDArray[np.float32]]:
    """Return the adapters of a row of the mask table as the graph takes them: down [L, d, b], up [L, b, d], gain and shift [L, b]."""
    shape = model.shape
    layers, bottleneck = shape.encoder_layers, shape.bottleneck
    merged = torch.zeros(layers, 2, shape.hidden * bottleneck) if model.task_adapter is None else model.task_adapter.clone()
    merged[shape.first_layer :] += merge(model.weights(torch.tensor([row]), None), model.pool)[0]
    adapters = Adapters.from_merged(merged[None], shape.hidden)
    return {
        "adapter_down": adapters.down[0].numpy(),
        "adapter_up": adapters.up[0].numpy(),
        "adapter_gain": np.ones((layers, bottleneck), dtype=np.float32),
        "adapter_shift": np.zeros((layers, bottleneck), dtype=np.float32),
    }


@torch.no_grad()
def graph_labels(graph: Path, model: MaskModel, examples: Sequence[Example]) -> Indices:
    """Return the label index of each example, with features from the graph and the head in fp32."""
    options = onnxruntime.SessionOptions()
    # As the Worker runs it: what is written, with nothing fused.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # It warns of constants that a variant does not use.
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(graph), options)
    labels: Indices = np.zeros(len(examples), dtype=np.int64)
    for row, own in group_by_profile(examples).items():
        adapters = feeds_of(model, row)
        for index in own:
            ids, types = (np.array([part], dtype=np.int32) for part in (examples[index].ids, examples[index].types))
            (features,) = session.run(["features"], {"input_ids": ids, "token_type_ids": types, **adapters})
            labels[index] = model.scores(torch.from_numpy(features)[None], torch.tensor([row])).argmax().item()
    return labels


def demo_texts(task: str, data: Path, bundle: Path, texts: int) -> tuple[PLM, MaskModel, list[Example]]:
    """Return the PLM, the model of a demo task and `texts` of its dev texts, the same texts at each call. data: folder of data sets."""
    manifest, identity, plm = load_bundle(bundle, None)
    learnt = read_trained_task(DEMO / task, identity, manifest)
    dev = load_tokenized(data_file(data, task), bundle, manifest, learnt.task.maxTokens, False, learnt.task.labels, learnt.profiles).splits[
        "dev"
    ]
    model = restored_model(learnt, bundle, manifest, plm, torch.device("cpu"))
    return plm, model, random.Random(0).sample(dev, min(texts, len(dev)))


def measure_agreement(task: str, data: Path, bundle: Path, graphs: Mapping[str, Path], texts: int) -> Agreement:
    """Return how often graphs agree with the companion's fp32 on dev texts of a demo task.

    data, texts: as of demo_texts. On a processor without VNNI the int8 products saturate, as they do not in WebAssembly,
    and fewer labels agree.
    """
    plm, model, examples = demo_texts(task, data, bundle, texts)
    right = np.array([example.label for example in examples])
    expected = predict(model, examples, group_by_profile(examples), plm.pad_id)
    found = {name: graph_labels(graph, model, examples) for name, graph in graphs.items()}
    return Agreement(
        texts=len(examples),
        accuracy=float(np.mean(expected == right)),
        same={name: float(np.mean(labels == expected)) for name, labels in found.items()},
        accuracies={name: float(np.mean(labels == right)) for name, labels in found.items()},
    )
