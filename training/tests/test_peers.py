"""The peers compute what the libraries compute that they stand for."""

import json
from pathlib import Path

import pytest
import torch
from peft import get_peft_model
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModel

from xpeft.batches import Batch
from xpeft.comparison.methods import METHODS as METHODS_OF_COMPARISON
from xpeft.comparison.methods import PoolSpec
from xpeft.encoder import AdapterEncoder
from xpeft.mask_model import MaskKind
from xpeft.peers.adapter import AdapterModel
from xpeft.peers.peft import CONFIGS, PeftModel
from xpeft.plm import PLM, load_plm
from xpeft.profile_model import StepSettings

METHODS = (*CONFIGS, "bitfit")
FIXTURE = Path(__file__).parent / "fixtures" / "seq_bn.safetensors"
# What our encoder calls a module, and what transformers does.
NAMES = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value", "down": "output.dense"}


@pytest.fixture(scope="module")
def plm(tiny_plm: Path) -> PLM:
    return load_plm(str(tiny_plm))


def batch_of(rows: list[int]) -> Batch:
    """Two texts for each of the rows, one of them padded."""
    ids = torch.tensor([[101, 2023 + row, 2003, 102, 0] if text else [101, 7592, 1037 + row, 2936, 102] for row in rows for text in (0, 1)])
    lengths = torch.tensor([4 if text else 5 for _ in rows for text in (0, 1)])
    none = torch.zeros(len(ids))
    return Batch(torch.tensor(rows), ids, torch.zeros_like(ids), lengths, none.long(), none)


def test_one_adapter_is_the_library_adapters_seq_bn(tmp_path: Path, tiny_plm: Path) -> None:
    with safe_open(FIXTURE, framework="pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        config = json.loads(file.metadata()["config"])
    folder = tmp_path / "plm"
    # The fixture has no tokenizer, which a PLM's folder has.
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_bytes((tiny_plm / "tokenizer.json").read_bytes())
    save_file({name: value for name, value in stored.items() if name.startswith(("embeddings.", "encoder."))}, folder / "model.safetensors")

    plm = load_plm(str(folder))
    bottleneck = len(stored["adapter.0.down.bias"])
    model = AdapterModel(AdapterEncoder(plm), bottleneck, 1, 2, 0)
    layers = range(len(plm.layers))
    parts = [
        torch.cat([stored[f"adapter.{layer}.{name}"].t().flatten() for layer in layers])
        for name in ("down.weight", "up.weight", "down.bias", "up.bias")
    ]
    with torch.no_grad():
        model.profile_adapters[0] = torch.cat(parts)
    ids, types, mask = (stored[f"input.{name}"] for name in ("ids", "types", "mask"))
    lengths = mask.sum(1)
    none = torch.zeros(len(ids))
    features = model.features(Batch(torch.tensor([0]), ids, types, lengths, none.long(), none))
    torch.testing.assert_close(features, stored["output.mean"], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(features, model.features(Batch(torch.tensor([1]), ids, types, lengths, none.long(), none)), atol=0.1)


@pytest.mark.parametrize("method", CONFIGS)
def test_a_profile_in_a_batch_is_what_peft_computes_for_it_alone(plm: PLM, tiny_plm: Path, method: str) -> None:
    model = PeftModel(AdapterEncoder(plm), method, 3, 2, 0)
    source = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for table in model.profile_weights:
            table += torch.randn(table.shape, generator=source) * 0.3
    batch = batch_of([2, 0])
    features = model.features(batch)

    base = AutoModel.from_pretrained(tiny_plm)
    config = CONFIGS[method](plm.hidden, len(plm.layers))
    if method == "ia3-last":
        config.target_modules = r".*layer\.1\.(attention\.self\.(key|value)|output\.dense)"
        config.feedforward_modules = r".*layer\.1\.output\.dense"
    if method == "ia3":
        # Attention's output has the same end of its name, and is none of ours.
        config.target_modules = r".*(key|value|\d\.output\.dense)"
        config.feedforward_modules = r".*\d\.output\.dense"
    torch.manual_seed(0)
    peft = get_peft_model(base, config).eval()
    theirs = dict(peft.named_parameters())
    with torch.no_grad():
        for group, row in enumerate(batch.rows.tolist()):
            for (name, shape), table in zip(model.starts.items(), model.profile_weights, strict=True):
                theirs[their_name(name)].copy_(table[row].view(shape))
            for name, vectors in model.bank.items():
                theirs[their_name(name)].copy_(vectors)
            for text in (2 * group, 2 * group + 1):
                ids = batch.ids[text : text + 1, : int(batch.lengths[text])]
                expected = peft(input_ids=ids).last_hidden_state.mean(1)[0]
                torch.testing.assert_close(features[text], expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(features[0], model.features(batch_of([0, 2]))[0], atol=1e-3)


def their_name(ours: str) -> str:
    """The name of one of our wrapped encoder's weights in a wrapped transformers model."""
    if ".blocks." not in ours:
        return ours
    prefix, rest = ours.split(".blocks.")
    layer, module, weight = rest.split(".", 2)
    return f"{prefix}.encoder.layer.{layer}.{NAMES[module]}.{weight}"


@pytest.mark.parametrize("method", METHODS)
def test_every_peer_starts_as_the_plain_plm_and_can_leave_it(plm: PLM, method: str) -> None:
    batch = batch_of([0, 1])
    plain = AdapterEncoder(plm)(batch.ids, batch.types, batch.lengths, None)
    model = PeftModel(AdapterEncoder(load_plm(str(plm.folder))), method, 2, 2, 0)
    # VB-LoRA and Uni-LoRA start with small weights, the others with none.
    torch.testing.assert_close(model.features(batch), plain, rtol=1e-4, atol=1e-3 if method.startswith(("vblora", "unilora")) else 1e-5)
    model.features(batch, StepSettings(0.0, 1.0, torch.Generator(), bf16=False)).square().sum().backward()
    assert any(table.grad is not None and table.grad.coalesce().values().abs().sum() > 0 for table in model.tables())


def test_sizes_are_those_that_the_methods_store(plm: PLM) -> None:
    d, layers = plm.hidden, len(plm.layers)
    sizes = {method: PeftModel(AdapterEncoder(load_plm(str(plm.folder))), method, 1, 2, 0).bytes_a_profile() for method in METHODS}
    assert sizes["lora"] == 4 * layers * 2 * 8 * 2 * d
    assert sizes["ia3"] == 4 * layers * (2 * d + 64)
    assert sizes["vera"] == 4 * layers * 2 * (d + 256)
    # Two indices of a byte and one weight for each part of 16 numbers (the hidden size 32 has no third).
    assert sizes["vblora"] == layers * 2 * 2 * 4 * (d // 16) * (2 + 4)
    assert sizes["bitfit"] == 4 * layers * (4 * d + 64 + d + 2 * d)
    assert AdapterModel(AdapterEncoder(plm), 5, 1, 2, 0).bytes_a_profile() == 4 * layers * (2 * 5 * d + 5 + d)


@pytest.mark.parametrize(
    ("name", "numbers"), [("unilora-200", 200), ("unilora-400", 400), ("lora-xs", 2 * 2 * 9), ("ia3-last", 2 * 32 + 64)]
)
def test_a_peer_of_few_bytes_stores_its_change_in_int8(tiny_plm: Path, name: str, numbers: int) -> None:
    method = METHODS_OF_COMPARISON[name]
    model = method.build(load_plm(str(tiny_plm)), PoolSpec(), MaskKind(), 2, 2, 0)
    assert method.bytes_a_profile(model) == numbers + 4
    starts = [table.detach()[:1].clone() for table in model.tables()]
    with torch.no_grad():
        for table in model.tables():
            table.add_(torch.randn(table.shape, generator=torch.Generator().manual_seed(1)))
    before = torch.cat([table.detach() - start for table, start in zip(model.tables(), starts, strict=True)], dim=1)
    method.round_as_stored(model, starts)
    after = torch.cat([table.detach() - start for table, start in zip(model.tables(), starts, strict=True)], dim=1)
    step = before.abs().amax(1, keepdim=True) / 127
    assert ((after - before).abs() <= 0.51 * step).all()
    assert ((after / step - (after / step).round()).abs() < 1e-2).all()
    assert not torch.equal(before, after)
