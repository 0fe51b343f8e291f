from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.conftest import interrupted_at
from tests.runs import arguments
from xpeft.batches import collate, seeded_generator
from xpeft.best_epoch import BestEpoch
from xpeft.cli import app
from xpeft.data import DataSet, load_data
from xpeft.encoder import AdapterEncoder
from xpeft.features import predict, single_group
from xpeft.linear_fit import Targets
from xpeft.plm import PLM, load_plm
from xpeft.profile_model import StepSettings
from xpeft.scores import score
from xpeft.shared_adapter import Regularization, SharedAdapterModel, train_shared_adapter
from xpeft.train import Recipe
from xpeft.trunk_cache import TrunkCache

RECIPE = Recipe(epochs=6, groups_per_step=2, texts_per_group=4, profile_lr=0.02, shared_lr=0.02, head_lr=0.03, label_bias=True)
PLAN = Regularization(dropout=0.1, weight_decay=0.01, patience=9)
Training = Callable[..., tuple[SharedAdapterModel, BestEpoch]]


@pytest.fixture(scope="module")
def plm(tiny_plm: Path) -> PLM:
    return load_plm(str(tiny_plm))


@pytest.fixture(scope="module")
def data(tiny_data: Path, tiny_bundle: Path) -> DataSet:
    return load_data(tiny_data, tiny_bundle / "tokenizer.json", 16, False)


@pytest.fixture
def training(plm: PLM, data: DataSet, tmp_path: Path) -> Training:
    def run(
        recipe: Recipe = RECIPE, resume: bool = False, trunks: TrunkCache | None = None, plan: Regularization = PLAN
    ) -> tuple[SharedAdapterModel, BestEpoch]:
        return train_shared_adapter(AdapterEncoder(plm), data, 5, recipe, 0, tmp_path / "a.pt", "settings", resume, True, plan, trunks)

    return run


def test_it_learns_what_all_profiles_share(training: Training, data: DataSet) -> None:
    model, best = training()
    dev = data.splits["dev"]
    assert score(predict(model, dev, single_group(dev), 0), dev, data.labels)["macro"] > 0.9
    assert len(best.losses) == 6
    assert min(best.losses) < 0.5 < best.losses[0]
    assert model.adapter.shape == (2, 2, 32 * 5)
    assert model.adapter[:, 1].abs().max() > 0
    assert model.shared_bytes() == model.adapter.numel() + 4 * 4


def test_training_stops_where_dev_gets_worse_and_the_best_epoch_stays(training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    losses, adapters = [0.6, 0.5, 0.7, 0.55, 0.4], []

    def measured(*_arguments: object) -> torch.Tensor:
        return torch.tensor(losses.pop(0))

    def kept(model: SharedAdapterModel) -> dict[str, torch.nn.Parameter]:
        adapters.append(model.adapter.detach().clone())
        return trained(model)

    trained = SharedAdapterModel.trained_parameters
    monkeypatch.setattr(Targets, "loss", measured)
    monkeypatch.setattr(SharedAdapterModel, "trained_parameters", kept)
    model, best = training(plan=replace(PLAN, patience=2))
    assert best.losses == pytest.approx([0.6, 0.5, 0.7, 0.55])
    assert (best.number, best.stop) == (2, True)
    monkeypatch.undo()
    assert torch.equal(model.adapter, best.parameters["adapter"])
    assert any(torch.equal(model.adapter, adapter) for adapter in adapters[:-1])
    assert not torch.equal(model.adapter, adapters[-1])


def test_an_interrupted_training_resumes_to_the_same_adapter(training: Training, tmp_path: Path) -> None:
    whole, best = training()
    assert training(resume=True)[1].losses == best.losses
    (tmp_path / "a.pt").unlink()
    with interrupted_at(13), pytest.raises(KeyboardInterrupt):
        training()
    resumed, again = training(resume=True)
    assert again.losses == best.losses
    for name, parameter in whole.trained_parameters().items():
        assert torch.equal(resumed.get_parameter(name), parameter), name


def test_dropout_drops_in_steps_alone_and_weight_decay_shrinks_the_adapter(plm: PLM, data: DataSet, training: Training) -> None:
    model = SharedAdapterModel(AdapterEncoder(plm), 5, 3, 2, 0, dropout=0.5)
    with torch.no_grad():
        model.adapter.normal_(std=0.5, generator=torch.Generator().manual_seed(0))
    batch = collate([0], data.splits["train"][:4], 0, torch.device("cpu"))
    one, two, same = (model.features(batch, StepSettings(0.0, 1.0, seeded_generator(seed), bf16=False)) for seed in (1, 2, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, two)
    assert 0.3 < (one == 0).float().mean() < 0.7
    assert torch.equal(model.features(batch), model.features(batch))
    decayed, free = (training(plan=replace(PLAN, weight_decay=decay, dropout=0.0))[0].adapter[:, 0].norm() for decay in (5.0, 0.0))
    assert decayed < 0.9 * free


def test_without_label_biases_profiles_learn_nothing(training: Training) -> None:
    model, _ = training(replace(RECIPE, label_bias=False, epochs=1))
    assert not model.trained_bias().any()
    model, _ = training(replace(RECIPE, epochs=1))
    assert model.bias_change[:-1].any()
    assert not model.trained_bias()[-1].any()


def test_cached_residuals_give_nearly_the_same_training(training: Training, data: DataSet, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=2)
    model, best = training(recipe)
    trunks = TrunkCache(model, [*data.splits["train"], *data.splits["dev"]], 0, tmp_path, quiet=True)
    _, again = training(recipe, trunks=trunks)
    assert again.losses == pytest.approx(best.losses, abs=0.02)


def test_train_under_torchrun_is_refused(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path / "out"))
    assert (result.exit_code, "train runs in one process, and torchrun starts 2" in result.output) == (1, True)
    assert "add" in result.output
