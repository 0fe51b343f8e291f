"""What a GPU computes. Runs where there is one."""

from pathlib import Path

import pytest
import torch

from tests.test_peers import METHODS, batch_of
from xpeft.batches import seeded_generator
from xpeft.data import DataSet, Example, load_data
from xpeft.encoder import AdapterEncoder
from xpeft.features import Features
from xpeft.heads import HeadKind, search_head
from xpeft.learn_task import TaskLearner
from xpeft.mask_model import MaskModel
from xpeft.peers.peft import PeftModel
from xpeft.plm import load_plm
from xpeft.pool import PoolShape, default_scale, sign_pool
from xpeft.profile_model import StepSettings
from xpeft.recipe import to_recipe
from xpeft.task_steps import Run
from xpeft.trunk_cache import TrunkCache

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
GPU, CPU = torch.device("cuda"), torch.device("cpu")


@pytest.mark.parametrize("kind", ["shared", "bias", "own"])
def test_a_head_fitted_on_a_gpu_is_the_cpus(kind: HeadKind) -> None:
    source = torch.Generator().manual_seed(1)
    features = torch.randn(90, 8, generator=source)
    examples = [Example(number % 3, int(row[number % 3] > 0), [], []) for number, row in enumerate(features)]
    data = DataSet(["a", "b", "c"], ["no", "yes"], {"train": examples[:60], "dev": examples[60:], "test": []})
    parts: Features = {"train": features[:60], "dev": features[60:]}
    ours, theirs = (search_head(data, parts, kind, "dev", "", True, device) for device in (GPU, CPU))
    torch.testing.assert_close(ours.split_logits(data, parts, "dev"), theirs.split_logits(data, parts, "dev"), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_every_peer_trains_on_a_gpu(tiny_plm: Path, method: str) -> None:
    batch = batch_of([0, 1])
    moved = type(batch)(**{name: part.to(GPU) for name, part in vars(batch).items() if part is not None})
    model, on_cpu = (PeftModel(AdapterEncoder(load_plm(str(tiny_plm))), method, 2, 2, 0).to(device) for device in (GPU, CPU))
    features = model.features(moved, StepSettings(0.0, 1.0, seeded_generator(1, device=GPU), bf16=False))
    torch.testing.assert_close(features.cpu(), on_cpu.features(batch), rtol=1e-3, atol=1e-3)
    features.square().sum().backward()
    assert any(table.grad is not None and table.grad.coalesce().values().abs().sum() > 0 for table in model.tables())


def test_a_gpu_keeps_the_residuals(tiny_plm: Path, tiny_data: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    plm = load_plm(str(tiny_plm))
    data = load_data(tiny_data, tiny_bundle / "tokenizer.json", 16, False)
    texts = data.splits["train"]
    shape = PoolShape(1, plm.hidden, 4, 8, 4, len(plm.layers) - 1)
    model = MaskModel(AdapterEncoder(plm), sign_pool(0, shape, default_scale(4)), shape, len(data.profiles), 2, 0)
    before = TrunkCache(model, texts, 0, tmp_path, quiet=True).residuals(texts[:4], 9)
    kept = TrunkCache(model.to(GPU), texts, 0, tmp_path, quiet=True).residuals(texts[:4], 9)
    assert kept.device.type == "cuda"
    torch.testing.assert_close(kept.cpu(), before, rtol=1e-2, atol=1e-2)


def test_a_task_is_learnt_on_a_gpu(tiny_plm: Path, tiny_data: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    plm = load_plm(str(tiny_plm))
    data = load_data(tiny_data, tiny_bundle / "tokenizer.json", 16, False)
    shape = PoolShape(1, plm.hidden, 4, 8, 4, len(plm.layers) - 1)
    recipe = to_recipe({"task_pool": {"size": 4, "chosen": 2, "lr": [0.01], "epochs": 2}, "masks": {"epochs": 2}}, "test")
    run = Run(plm, sign_pool(0, shape, default_scale(4)), shape, GPU, tmp_path, "settings", 0, False, False, True)
    learner = TaskLearner(data, recipe, run)
    learner.learn()
    assert {step.name for step in learner.steps} >= {"task adapter", "profile masks", "task pool"}
