import os
import signal
from pathlib import Path

import pytest
import torch

from tests.conftest import PAGE
from tests.test_mask_model import BOTTLENECK, HIDDEN, LAYERS, build
from xpeft import DEFAULT_PLM
from xpeft.batches import collate
from xpeft.data import Example, group_by_profile
from xpeft.encoder import AdapterEncoder
from xpeft.errors import NotFinite, NotWritten
from xpeft.features import compute_groups
from xpeft.mask_model import MaskModel
from xpeft.plm import PLM, load_plm
from xpeft.pool import PoolShape, default_scale, sign_pool
from xpeft.trunk_cache import TrunkCache

CPU = torch.device("cpu")


def texts(count: int, words: int) -> list[Example]:
    source = torch.Generator().manual_seed(3)
    lengths = torch.randint(1, 12, (count,), generator=source).tolist()
    bodies = [torch.randint(1000, words, (length,), generator=source).tolist() for length in lengths]
    return [Example(number % 2, 0, [101, *body, 102], [0] * (len(body) + 2)) for number, body in enumerate(bodies)]


@pytest.fixture(scope="module")
def plm(tiny_plm: Path) -> PLM:
    return load_plm(str(tiny_plm))


@pytest.mark.parametrize("memory_bytes", [2**20, 0], ids=["in memory", "on disk"])
@pytest.mark.parametrize("first", [0, 1])
def test_cached_features_are_those_of_the_whole_encoder(plm: PLM, tmp_path: Path, first: int, memory_bytes: int) -> None:
    model, examples = build(plm, first, torch.full((LAYERS, 2, HIDDEN * BOTTLENECK), 0.05)), texts(150, 5000)
    cache = TrunkCache(model, [*examples, *examples[:20]], 0, tmp_path, quiet=True, memory_bytes=memory_bytes)
    assert cache.bytes == 2 * HIDDEN * sum(len(example.ids) for example in examples)
    assert not list(tmp_path.iterdir())
    groups = group_by_profile(examples)
    computed, cached = (compute_groups(model.features, examples, groups, 0, CPU, trunks) for trunks in (None, cache))
    torch.testing.assert_close(cached, computed, rtol=1e-3, atol=2e-3)


def test_a_cache_serves_only_models_of_its_trunk(plm: PLM, tmp_path: Path) -> None:
    adapter = torch.zeros(LAYERS, 2, HIDDEN * BOTTLENECK)
    cache = TrunkCache(build(plm, 1, adapter), texts(3, 5000), 0, tmp_path, quiet=True)
    upper = adapter.clone()
    upper[1] = 1.0
    cache.check(build(plm, 1, upper))
    lower = adapter.clone()
    lower[0] = 1.0
    for other in (build(plm, 0, adapter), build(plm, 1, lower)):
        with pytest.raises(ValueError, match="another first_layer"):
            cache.check(other)
    with pytest.raises(KeyError):
        collate([0], [Example(0, 0, [101, 102], [0, 0])], 0, CPU, cache)


def test_float16_changes_no_label_of_the_default_plm(tmp_path: Path) -> None:
    parts = load_plm(DEFAULT_PLM)
    shape = PoolShape(2, parts.hidden, 8, 32, 16, len(parts.layers) - 2)
    model = MaskModel(AdapterEncoder(parts), sign_pool(0, shape, 3 * default_scale(16)), shape, 2, 5, 0)
    examples = texts(128, 20_000)
    cache = TrunkCache(model, examples, 0, tmp_path, quiet=True)
    groups = group_by_profile(examples)
    computed, cached = (compute_groups(model.features, examples, groups, 0, CPU, trunks) for trunks in (None, cache))
    # Features have a spread of 0.3.
    assert (computed - cached).abs().max() < 2e-3
    labels = [model.head(features).argmax(1) for features in (computed, cached)]
    assert torch.equal(*labels)


def test_a_residual_beyond_float16_is_named(tiny_plm: Path, tmp_path: Path) -> None:
    model = build(load_plm(str(tiny_plm)), 1)
    model.encoder.blocks[1].get_submodule("attention_norm").get_parameter("weight").fill_(1e6)
    with pytest.raises(NotFinite, match="in float16"):
        TrunkCache(model, texts(3, 5000), 0, tmp_path, quiet=True)


def test_a_full_disk_is_named_and_leaves_no_file(plm: PLM, small_disk: Path) -> None:
    needed = 150 * 8 * 2 * HIDDEN
    with pytest.raises(NotWritten, match=f"{small_disk} cannot be written: No space left on device"):
        TrunkCache(build(plm, 1), texts(32 * PAGE // needed * 300, 5000), 0, small_disk, quiet=True, memory_bytes=0)
    assert not list(small_disk.iterdir())


def test_a_killed_process_leaves_no_file(plm: PLM, tmp_path: Path) -> None:
    model, examples = build(plm, 1), texts(100, 5000)
    process = os.fork()
    if process == 0:
        try:
            cache = TrunkCache(model, examples, 0, tmp_path, quiet=True, memory_bytes=0)
            assert cache.residuals(examples[:2], 14).isfinite().all()
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    assert not list(tmp_path.iterdir())
