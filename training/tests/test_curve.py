from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.test_compare import root as root
from xpeft.cli import app
from xpeft.report.records import RunRecord


def run(root: Path, bundle: Path, plm: Path, out: Path, *more: str) -> tuple[int, str]:
    paths = ["--root", str(root), "--bundle", str(bundle), "--plm", str(plm), "--out", str(out)]
    recipe = ["--epochs", "3", "--bottleneck", "5", "--pool-size", "12", "--chosen", "5", "--head-lr", "0.03", "--device", "cpu", "--quiet"]
    result = CliRunner().invoke(app, ["curve", "news", *paths, *recipe, "--seeds", "1", "--newcomers", "1", *more])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("method", "label", "lr"),
    [("hard", "hard", "0.01"), ("adapter", "adapter", "0.0003"), ("head", "head+bias", "0"), ("vblora", "vblora", "0.01")],
)
def test_a_newcomer_is_measured_for_each_number_of_texts(
    root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, method: str, label: str, lr: str
) -> None:
    assert run(root, tiny_bundle, tiny_plm, tmp_path, "--method", method, "--texts", "2,8", "--lr", lr)[0] == 0
    records = [RunRecord.model_validate_json(path.read_bytes()) for path in (tmp_path / "runs").iterdir()]
    assert sorted((record.textsPerProfile, record.texts.train) for record in records) == [(2, 2), (8, 8)]
    assert {(record.method, record.purpose, record.split, record.profileCount) for record in records} == {(label, "curve", "test", 1)}
    # The known profiles call things by the same names, so even two texts are enough.
    assert min(record.macro for record in records) > 0.9
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--method", "majority", "--texts", "2"], "no curve of 'majority'"),
        (["--method", "hard", "--texts", "2,many"], "no numbers of texts"),
        (["--method", "hard", "--texts", "99"], "0 of 3 profiles have 99 training texts"),
    ],
)
def test_what_has_no_curve_is_said(root: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, more: list[str], said: str) -> None:
    code, output = run(root, tiny_bundle, tiny_plm, tmp_path, *more, "--lr", "0.01")
    assert code == 1
    assert said in output
