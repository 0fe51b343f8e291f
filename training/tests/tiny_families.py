"""A PLM of each family with random weights, in the layout of transformers."""

import json
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel

from tests.conftest import BUNDLE

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
CONFIGS = {
    "bert": {**SIZES, "max_position_embeddings": 64},
    "electra": {**SIZES, "embedding_size": 32, "max_position_embeddings": 64},
    "roberta": {**SIZES, "type_vocab_size": 1, "pad_token_id": 1, "max_position_embeddings": 66},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 64},
    "mpnet": {**SIZES, "pad_token_id": 1, "max_position_embeddings": 66},
}


def write_family(folder: Path, family: str, pooling: object = None) -> Path:
    """Write a PLM of 2 layers and hidden size 32 with the default bundle's words. Return the folder.

    pooling: content of 1_Pooling/config.json; without it the folder has none.
    """
    torch.manual_seed(0)
    model = AutoModel.from_config(AutoConfig.for_model(family, vocab_size=30_522, **CONFIGS[family]))
    with torch.no_grad():
        # The usual start has biases of zero and small tables, where parts that are exchanged do not show.
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn_like(parameter) * (2 if "relative" in name else 0.2))
    model.save_pretrained(folder)
    tokenizer = json.loads((BUNDLE / "tokenizer.json").read_bytes())
    if family == "mpnet":
        as_mpnet(tokenizer)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    if pooling is not None:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    return folder


def as_mpnet(tokenizer: dict[str, object]) -> None:
    """Give BERT's tokenizer the special tokens and the post-processor of MPNet's, as transformers writes them."""
    model = tokenizer["model"]
    assert isinstance(model, dict)
    vocab = model["vocab"]
    names = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}
    for old, new in names.items():
        vocab[new] = vocab.pop(old)
    vocab["<pad>"], vocab["[unused0]"] = 1, 0
    tokenizer["added_tokens"] = [
        {"id": vocab[token], "content": token, "single_word": False, "lstrip": token == "<mask>", "rstrip": False, "normalized": False}
        | {"special": True}
        for token in ("<s>", "<pad>", "</s>", "[UNK]", "<mask>")
    ]
    tokenizer["post_processor"] = {
        "type": "RobertaProcessing",
        "sep": ["</s>", vocab["</s>"]],
        "cls": ["<s>", vocab["<s>"]],
        "trim_offsets": True,
        "add_prefix_space": False,
    }
