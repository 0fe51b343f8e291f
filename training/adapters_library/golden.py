"""Writes tests/fixtures/seq_bn.safetensors: a tiny BERT with an adapter of the library `adapters`, and its output.

    python3 -m venv training/adapters_library/.venv
    training/adapters_library/.venv/bin/pip install -r training/adapters_library/requirements.txt
    training/adapters_library/.venv/bin/python training/adapters_library/golden.py

The library needs an older transformers than xpeft, so it has a separate virtual environment. Reading the file needs only safetensors.

The library's `seq_bn` computes this in a block with its default settings (`Adapter` in `adapters/methods/modeling.py`). x is the output of
the attention part, after its LayerNorm. y = W2 gelu(W1 x + c1) + c2 is the output of the feed-forward part, before the residual. LN is the
block's output LayerNorm, with the same weights both times:

    normed = LN(y + x)
    output = LN(x + y + Up relu(Down normed + down_bias) + up_bias)

The adapter reads the output of LN. Its result is added to y + x, from before LN, and LN is applied again. There is no LayerNorm in the
bottleneck, no scaling, no dropout, and no adapter after the attention.

Tensors, float32 unless stated, for layers 0 and 1, d = 32, b = 8, 4 texts of up to 12 tokens:

    embeddings.*, encoder.*                      the PLM under transformers' names, [out, in]; there is no pooler
    adapter.<layer>.down.weight, .down.bias      [b, d], [b]
    adapter.<layer>.up.weight, .up.bias          [d, b], [d]
    input.ids, input.types, input.mask           int64 [4, 12], padded on the right
    output.hidden, output.mean                   last hidden state [4, 12, d]; its mean over each text's real tokens [4, d]

The metadata's `config` is the PLM's config.json.
"""

import json
import logging
from pathlib import Path

import adapters
import torch
from adapters import SeqBnConfig
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

FIXTURE = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "seq_bn.safetensors"
BOTTLENECK = 8
LENGTHS = [7, 12, 3, 9]
CONFIG: dict[str, str | int | float] = {
    "model_type": "bert",
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "hidden_act": "gelu",
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}


def fill(module: torch.nn.Module, std: float) -> None:
    """Fill all weights and biases with random values: initial zeros and ones would hide a wrong place in the formula."""
    for part in module.modules():
        for parameter in part.parameters(recurse=False):
            parameter.normal_(std=std)
        if isinstance(part, torch.nn.LayerNorm):
            part.weight.add_(1)


@torch.no_grad()
def golden() -> dict[str, torch.Tensor]:
    """Return the fixture's tensors."""
    torch.manual_seed(0)
    model = BertModel(BertConfig(**CONFIG), add_pooling_layer=False).eval()
    fill(model, 0.2)
    tensors = {name: weight.clone() for name, weight in model.state_dict().items()}

    adapters.init(model)
    model.add_adapter("golden", config=SeqBnConfig(reduction_factor=model.config.hidden_size / BOTTLENECK))
    # While it activates an adapter, the library warns that none is active.
    logging.getLogger("adapters").setLevel(logging.ERROR)
    model.set_active_adapters("golden")
    for index, layer in enumerate(model.encoder.layer):
        adapter = layer.output.adapters["golden"]
        fill(adapter, 0.3)
        for side, linear in (("down", adapter.adapter_down[0]), ("up", adapter.adapter_up)):
            tensors[f"adapter.{index}.{side}.weight"] = linear.weight.clone()
            tensors[f"adapter.{index}.{side}.bias"] = linear.bias.clone()

    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).long()
    ids = torch.randint(1, model.config.vocab_size, mask.shape) * mask
    types = (torch.arange(max(LENGTHS)) >= torch.tensor(LENGTHS)[:, None] // 2).long() * mask
    hidden = model.eval()(input_ids=ids, token_type_ids=types, attention_mask=mask).last_hidden_state
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return tensors | {"input.ids": ids, "input.types": types, "input.mask": mask, "output.hidden": hidden, "output.mean": mean}


if __name__ == "__main__":
    FIXTURE.parent.mkdir(exist_ok=True)
    # With more than one metadata key, safetensors promises no order, and the same run would give other bytes.
    save_file(golden(), FIXTURE, metadata={"config": json.dumps(CONFIG, allow_nan=False)})
    print(f"{FIXTURE}: {FIXTURE.stat().st_size:,} bytes, made with adapters {adapters.__version__}")
