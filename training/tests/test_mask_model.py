from pathlib import Path

import pytest
import torch

from xpeft.batches import Batch, collate
from xpeft.data import Example
from xpeft.encoder import AdapterEncoder, Adapters
from xpeft.mask_model import MaskModel
from xpeft.masks import topk_ones
from xpeft.plm import PLM, load_plm
from xpeft.pool import PoolShape, sign_pool
from xpeft.profile_model import StepSettings

# The tiny PLM has two layers, d = 32.
LAYERS, HIDDEN, BOTTLENECK, SIZE, CHOSEN = 2, 32, 5, 12, 5
TEXTS = [Example(0, 0, ids, [0] * len(ids)) for ids in ([101, 2023, 2003, 102], [101, 102], [101, 7592, 102], [101, 1037, 2936, 2007, 102])]


@pytest.fixture(scope="module")
def plm(tiny_plm: Path) -> PLM:
    return load_plm(str(tiny_plm))


def build(plm: PLM, first: int, task_adapter: torch.Tensor | None = None) -> MaskModel:
    shape = PoolShape(LAYERS - first, HIDDEN, BOTTLENECK, SIZE, CHOSEN, first)
    model = MaskModel(AdapterEncoder(plm), sign_pool(0, shape, 0.3), shape, 2, 3, 0, task_adapter=task_adapter)
    with torch.no_grad():
        model.profile_masks.normal_(generator=torch.Generator().manual_seed(1))
    return model


def batch() -> Batch:
    return collate([0, 1], TEXTS, 0, torch.device("cpu"))


def by_hand(model: MaskModel, task_adapter: torch.Tensor | None) -> torch.Tensor:
    """The features of `batch()` by the formula: each layer has the task adapter, and the last K the mean of the chosen adapters too."""
    merged = torch.zeros(2, LAYERS, 2, HIDDEN * BOTTLENECK)
    ones = topk_ones(model.mask_logits(torch.tensor([0, 1])), CHOSEN)
    merged[:, model.first_layer :] = torch.einsum("glsn,lsnm->glsm", ones, model.pool) / CHOSEN
    if task_adapter is not None:
        merged += task_adapter
    texts = batch()
    features: torch.Tensor = model.encoder(texts.ids, texts.types, texts.lengths, Adapters.from_merged(merged, HIDDEN))
    return features


@pytest.mark.parametrize("with_adapter", [False, True])
@pytest.mark.parametrize("first", [0, 1])
def test_masks_are_personal_from_the_pools_first_layer_on_and_the_task_adapter_is_everywhere(
    plm: PLM, first: int, with_adapter: bool
) -> None:
    adapter = torch.randn(LAYERS, 2, HIDDEN * BOTTLENECK, generator=torch.Generator().manual_seed(2)) * 0.1 if with_adapter else None
    model = build(plm, first, adapter)
    assert model.first_layer == first
    assert model.bytes_a_profile() == 2 * 2 * (LAYERS - first)
    features = model.features(batch())
    torch.testing.assert_close(features, by_hand(model, adapter), rtol=1e-4, atol=1e-5)
    plain = model.encoder(batch().ids, batch().types, batch().lengths, None)
    assert not torch.allclose(features, plain, atol=1e-3)
    assert "task_adapter" not in dict(model.named_parameters())


def test_layers_below_the_pools_get_no_gradient(plm: PLM) -> None:
    model = build(plm, 1, torch.zeros(LAYERS, 2, HIDDEN * BOTTLENECK))
    texts = batch()
    assert not model.residuals(texts).requires_grad
    model.features(texts, StepSettings(0.0, 1.0, torch.Generator(), bf16=False)).square().sum().backward()
    assert model.profile_masks.grad is not None
