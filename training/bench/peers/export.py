"""`python -m bench.peers.export FOLDER` exports the plain default PLM for transformers.js, in int8 by ONNX Runtime's quantizer.

The result, `onnx/model_quantized.onnx`, is what models for transformers.js usually are.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers import AutoModel

from xpeft import DEFAULT_PLM
from xpeft.plm import plm_folder

COPIED = ["config.json", "tokenizer.json", "tokenizer_config.json"]
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUT = "last_hidden_state"
OPSET = 17


class HiddenStates(nn.Module):
    """A PLM with positional inputs whose output is the last hidden states, [B, T, d]."""

    def __init__(self, plm: nn.Module) -> None:
        super().__init__()
        self.plm = plm

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Return the hidden states of INPUTS, each [B, T]."""
        hidden: torch.Tensor = self.plm(**dict(zip(INPUTS, inputs, strict=True))).last_hidden_state
        return hidden


def export(plm: Path, folder: Path) -> None:
    """Write the folder, whole or not at all: configuration, tokenizer and graph."""
    model = AutoModel.from_pretrained(plm, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.ones(1, 8, dtype=torch.long)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as parent:
        draft = Path(parent) / folder.name
        (draft / "onnx").mkdir(parents=True)
        floats = Path(parent) / "floats.onnx"
        with torch.no_grad():
            torch.onnx.export(
                HiddenStates(model),
                (ids, ids, torch.zeros_like(ids)),
                floats,
                input_names=INPUTS,
                output_names=[OUTPUT],
                dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*INPUTS, OUTPUT]},
                opset_version=OPSET,
                # The other exporter needs another package, and gives the same operators for a BERT.
                dynamo=False,
            )
        quantize_dynamic(floats, draft / "onnx" / "model_quantized.onnx", weight_type=QuantType.QInt8)
        for file in COPIED:
            shutil.copy(plm / file, draft)
        draft.rename(folder)


if __name__ == "__main__":
    export(plm_folder(DEFAULT_PLM), Path(sys.argv[1]))
