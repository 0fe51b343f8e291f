import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from xpeft.encoder import AdapterEncoder, Adapters, cast_weights, merge
from xpeft.errors import XpeftError
from xpeft.plm import PLM, load_plm
from xpeft.pool import PoolShape, sign_pool


@pytest.fixture(scope="module")
def plm(tiny_plm: Path) -> PLM:
    return load_plm(str(tiny_plm))


def padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
    return ids, torch.zeros_like(ids), torch.tensor([len(row) for row in rows])


ROWS = [[101, 2023, 2003, 102], [101, 7592, 102], [101, 1037, 2936, 6251, 2007, 2616, 102], [101, 102]]


def test_without_adapters_it_is_the_plm(plm: PLM) -> None:
    ids, types, lengths = padded(ROWS)
    features = AdapterEncoder(plm)(ids, types, lengths, None)
    model = AutoModel.from_pretrained(plm.folder)
    for row, feature in zip(ROWS, features, strict=True):
        with torch.no_grad():
            expected = model(torch.tensor([row])).last_hidden_state.mean(1)[0]
        torch.testing.assert_close(feature, expected, rtol=1e-4, atol=1e-5)


def test_a_text_does_not_depend_on_its_batch(plm: PLM) -> None:
    pool = sign_pool(0, PoolShape(2, 32, 5, 12, 5), 0.3)
    weights = torch.softmax(torch.randn(2, 2, 2, 12, generator=torch.Generator().manual_seed(1)), -1)
    encoder, merged = AdapterEncoder(plm), merge(weights, pool)
    together = encoder(*padded(ROWS), Adapters.from_merged(merged, 32))
    for index, row in enumerate(ROWS):
        alone = encoder(*padded([row]), Adapters.from_merged(merged[index // 2 : index // 2 + 1], 32))[0]
        torch.testing.assert_close(together[index], alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], encoder(*padded(ROWS[:1]), Adapters.from_merged(merged[1:], 32))[0], atol=1e-3)


def test_merging_is_the_weighted_mean() -> None:
    pool = torch.randn(2, 2, 12, 15)
    weights = torch.rand(3, 2, 2, 12)
    expected = (weights[..., None] * pool).sum(-2)
    torch.testing.assert_close(merge(weights, pool), expected)


def test_a_folder_without_a_plm_is_named(tiny_plm: Path, tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match=r"config\.json"):
        load_plm(str(tmp_path))
    other = tmp_path / "other"
    shutil.copytree(tiny_plm, other)
    config = (other / "config.json").read_text(encoding="utf-8").replace('"hidden_act": "gelu"', '"hidden_act": "relu"')
    (other / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(XpeftError, match="relu"):
        load_plm(str(other))


def test_trunk_and_tail_are_the_encoder(plm: PLM) -> None:
    pool = sign_pool(0, PoolShape(2, 32, 5, 12, 5), 0.3)
    weights = torch.softmax(torch.randn(2, 2, 2, 12, generator=torch.Generator().manual_seed(1)), -1)
    merged, encoder, (ids, types, lengths) = merge(weights, pool), AdapterEncoder(plm), padded(ROWS)
    # Both groups share layer 0's adapter, as all profiles of a task do.
    merged[1, 0] = merged[0, 0]
    whole = encoder(ids, types, lengths, Adapters.from_merged(merged, 32))
    for layer, below in ((0, None), (1, Adapters.from_merged(merged[:1], 32))):
        residual = encoder.trunk(ids, types, lengths, below, layer)
        above = Adapters.from_merged(merged[:, layer:], 32)
        torch.testing.assert_close(encoder.tail(residual, lengths, above, layer), whole, rtol=1e-5, atol=1e-6)
        # Padding does not matter.
        residual[torch.arange(ids.shape[1]) >= lengths[:, None]] = 7.0
        torch.testing.assert_close(encoder.tail(residual, lengths, above, layer), whole, rtol=1e-5, atol=1e-6)


def test_bf16_weights_are_cast_once_and_again_after_a_change(plm: PLM) -> None:
    encoder, batch = AdapterEncoder(plm), padded(ROWS)
    exact, rounded = (encoder(*batch, None, bf16=bf16) for bf16 in (False, True))
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.05)
    assert not torch.equal(rounded, exact)
    weight = plm.layers[0].up.weight
    casts = [cast_weights(plm.layers[0].up)[0] for _ in range(2)]
    assert casts[0] is casts[1]
    before = weight.clone()
    weight.mul_(2)
    assert torch.equal(cast_weights(plm.layers[0].up)[0], weight.bfloat16())
    weight.copy_(before)
