"""Hugging Face PEFT's methods with a set of weights for each profile, and many profiles in one pass through PEFT's own layers.

PEFT wraps the encoder once; what it would train becomes a row of a table for each profile, and `vmap` runs the wrapped encoder with
each group's row in place of PEFT's own weights. BitFit (Ben Zaken et al., 2022) needs no wrapping: a row is all of the blocks' biases.
"""

from collections.abc import Callable

import torch
from peft import IA3Config, LoraConfig, PeftConfig, TinyLoraConfig, UniLoraConfig, VBLoRAConfig, VeraConfig, get_peft_model
from torch import nn
from torch.func import functional_call, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from xpeft.batches import Batch
from xpeft.encoder import AdapterEncoder
from xpeft.profile_model import ProfileModel, StepSettings, look_up

VB_VECTORS, VB_CHOSEN = 90, 2
# The r of LoRA-XS: as many numbers a matrix as masks of a few hundred bytes can pay for.
XS_RANK = 3
# Hidden size, layers -> config. The sizes of the methods' papers for encoders like BERT; VB-LoRA's vectors are cut so that they divide
# the hidden size. The last four are as small as masks.
CONFIGS: dict[str, Callable[[int, int], PeftConfig]] = {
    "lora": lambda *_: LoraConfig(r=8, lora_alpha=16, target_modules=["query", "value"]),
    "ia3": lambda *_: IA3Config(target_modules=["key", "value", "down"], feedforward_modules=["down"]),
    "vera": lambda *_: VeraConfig(r=256, target_modules=["query", "value"]),
    "vblora": lambda hidden, _: VBLoRAConfig(
        r=4,
        num_vectors=VB_VECTORS,
        vector_length=hidden // 3 if hidden % 3 == 0 else hidden // 2,
        topk=VB_CHOSEN,
        target_modules=["query", "value"],
    ),
    "unilora-200": lambda *_: UniLoraConfig(r=4, theta_d_length=200, target_modules=["query", "value"]),
    "unilora-400": lambda *_: UniLoraConfig(r=4, theta_d_length=400, target_modules=["query", "value"]),
    # TinyLoRA with as many numbers as the r x r matrix of LoRA-XS has: a fixed rotation of it, between the same parts of the weights.
    "lora-xs": lambda *_: TinyLoraConfig(r=XS_RANK, u=XS_RANK**2, target_modules=["query", "value"]),
    "ia3-last": lambda _, layers: IA3Config(
        target_modules=rf"blocks\.{layers - 1}\.(key|value|down)", feedforward_modules=rf"blocks\.{layers - 1}\.down"
    ),
}
# All profiles share VB-LoRA's bank of vectors. Every other weight belongs to a profile.
SHARED = "vblora_vector_bank"


class PeftModel(ProfileModel):
    """Each profile learns what `method` would train in the whole encoder: a table [P + 1, numbers] for each of PEFT's weights."""

    def __init__(self, encoder: AdapterEncoder, method: str, profiles: int, labels: int, seed: int) -> None:
        super().__init__(encoder, profiles, labels, torch.Generator().manual_seed(seed))
        self.method = method
        # PEFT starts its weights from torch's own generator.
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            wrapped = encoder if method == "bitfit" else get_peft_model(encoder, CONFIGS[method](encoder.hidden, len(encoder.blocks)))
        self.wrapped = wrapped.eval()
        chosen = {
            name: start for name, start in wrapped.named_parameters() if start.requires_grad or (method == "bitfit" and is_bias(name))
        }
        self.starts = {name: start.shape for name, start in chosen.items() if SHARED not in name}
        self.profile_weights = nn.ParameterList(chosen[name].detach().flatten().repeat(profiles + 1, 1) for name in self.starts)
        self.bank = {name: start for name, start in chosen.items() if SHARED in name}

    def tables(self) -> list[nn.Parameter]:
        """Return a table for each weight that PEFT would train."""
        return list(self.profile_weights)

    def shared(self) -> list[nn.Parameter]:
        """Return VB-LoRA's bank of vectors."""
        return list(self.bank.values())

    def shared_bytes(self) -> int:
        """Return the bank's bytes."""
        return 4 * sum(vectors.numel() for vectors in self.bank.values())

    def bytes_a_profile(self) -> int:
        """Return the bytes of a profile: four a number. VB-LoRA keeps indices of the chosen vectors and all their weights but one."""
        numbers = sum(shape.numel() for shape in self.starts.values())
        return numbers // VB_VECTORS * (VB_CHOSEN + 4 * (VB_CHOSEN - 1)) if self.method == "vblora" else 4 * numbers

    def features(self, batch: Batch, step: StepSettings | None = None) -> torch.Tensor:
        """Return pooled features [G*M, d]."""
        groups = len(batch.rows)

        def one_group(weights: dict[str, torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
            features: torch.Tensor = functional_call(self.wrapped, {**weights, **self.bank}, (*inputs, None))
            return features

        weights = {
            name: look_up(table, batch.rows).view(groups, *shape)
            for (name, shape), table in zip(self.starts.items(), self.profile_weights, strict=True)
        }
        inputs = (part.view(groups, -1, *part.shape[1:]) for part in (batch.ids, batch.types, batch.lengths))
        bf16 = torch.autocast(self.device.type, torch.bfloat16, enabled=step is not None and step.bf16)
        # Fused attention has no rule for vmap on a CPU, and a wrong one on a GPU ("LSE is not correctly aligned").
        with bf16, sdpa_kernel(SDPBackend.MATH):
            features: torch.Tensor = vmap(one_group)(weights, *inputs)
        return features.float().flatten(0, 1)


def is_bias(name: str) -> bool:
    """Return whether a parameter is a bias inside a block, LayerNorms' included."""
    return name.startswith("blocks.") and name.endswith(".bias")
