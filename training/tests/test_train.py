import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import BUNDLE, interrupted_at, quick_recipe
from tests.runs import arguments, written
from xpeft import train_task
from xpeft.cli import app
from xpeft.task_files import PROFILES_FILE, TASK_FILE


def test_masks_beat_the_baselines_in_the_report(trained: Path) -> None:
    report = json.loads((trained / "report.json").read_text(encoding="utf-8"))
    assert set(report["test"]["methods"]) == {"majority_label", "shared_head", "profile_masks"}
    assert report["test"]["methods"]["profile_masks"]["macro"] > 0.9 > report["test"]["methods"]["majority_label"]["macro"]
    assert set(report["test"]["profiles"]) == {"a", "b", "c"}
    assert report["bytes"]["masks"] == 8


def test_eval_gives_the_scores_of_the_report(trained: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "predictions.ndjson"
    paths = ["--data", str(tiny_data), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--task", str(trained)]
    result = CliRunner().invoke(app, ["eval", *paths, "--predictions", str(predictions), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    line = json.loads(result.stdout.splitlines()[-1])
    report = json.loads((trained / "report.json").read_text(encoding="utf-8"))
    assert line == {"task": "things", "n": 30, **report["test"]["methods"]["profile_masks"]}

    result = CliRunner().invoke(app, ["agree", str(predictions), str(predictions)])
    assert json.loads(result.stdout)["agree"] == 1
    shorter = tmp_path / "shorter.ndjson"
    shorter.write_text("".join(predictions.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    result = CliRunner().invoke(app, ["agree", str(predictions), str(shorter)])
    assert result.exit_code == 1
    assert "not about the same texts" in result.output


def test_shared_masks_and_label_biases_resume_from_a_checkpoint(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    def run_in(out: Path, *more: str) -> int:
        recipe = quick_recipe(tmp_path / "recipe.toml", label_bias=True, masks__shared_lr=0.1, masks__profile_lr=0.002)
        return CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, out, "--recipe", recipe, *more)).exit_code

    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    assert run_in(whole) == 0
    with interrupted_at(7):
        assert run_in(interrupted) == 130
    assert run_in(interrupted, "--resume") == 0
    assert written(interrupted) == written(whole)


def test_a_label_bias_is_learnt_stored_and_read_back(tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path) -> None:
    # Profile a says "vehicle" to animals too, so that only a bias, not the shared head, can be right about it.
    lines = [json.loads(line) for line in tiny_data.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["label"] = "vehicle" if line["profile"] == "a" else line["label"]
    data = tmp_path / "data.jsonl"
    data.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    out = tmp_path / "out"
    more = ["--recipe", quick_recipe(tmp_path / "recipe.toml", label_bias=True, masks__shared_lr=0.03, masks__profile_lr=1e-4)]
    assert CliRunner().invoke(app, arguments(data, tiny_bundle, tiny_plm, out, *more)).exit_code == 0

    profiles = [json.loads(line) for line in (out / PROFILES_FILE).read_text(encoding="utf-8").splitlines()]
    steps = {profile["profile"]: list(base64.b64decode(profile["labelBias"])) for profile in profiles}
    assert steps["a"] != steps["b"]
    signed = [[step - 256 if step > 127 else step for step in steps[profile]] for profile in "abc"]
    assert all(abs(sum(label)) <= 1.5 for label in zip(*signed, strict=True))
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["bytes"]["label_bias"] == 2
    assert report["test"]["profiles"]["a"]["profile_masks"] == 1

    paths = ["--data", str(data), "--bundle", str(tiny_bundle), "--plm", str(tiny_plm), "--task", str(out)]
    result = CliRunner().invoke(app, ["eval", *paths, "--device", "cpu"])
    assert json.loads(result.stdout.splitlines()[-1]) == {"task": "things", "n": 30, **report["test"]["methods"]["profile_masks"]}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    trained: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    for seed, same in (("0", True), ("1", False)):
        out = tmp_path / seed
        assert CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, out, "--seed", seed)).exit_code == 0
        assert (written(out) == written(trained)) is same


def test_an_interrupted_run_resumes_to_the_same_bytes(
    trained: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path
) -> None:
    out = tmp_path / "interrupted"

    with interrupted_at(7):
        result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, out))
    assert result.exit_code == 130
    assert "--resume" in result.output
    assert not (out / TASK_FILE).exists()

    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, out, "--resume", "--seed", "5"))
    assert result.exit_code == 1
    assert "other settings" in result.output

    assert CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, out, "--resume")).exit_code == 0
    assert written(out) == written(trained)


def test_a_run_interrupted_during_evaluation_resumes_too(
    trained: Path, tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(train_task, "measure_steps", stop)
        assert CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path)).exit_code == 130
    assert CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path, "--resume")).exit_code == 0
    assert written(tmp_path) == written(trained)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--max-tokens", "65"], "between 5 and 64"),
        (["--task", "No Good"], "lower case"),
    ],
)
def test_errors_say_what_cannot_be_trained(
    tiny_data: Path, tiny_bundle: Path, tiny_plm: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    result = CliRunner().invoke(app, arguments(tiny_data, tiny_bundle, tiny_plm, tmp_path / "out", *more))
    assert result.exit_code == 1
    assert said in result.output


def test_labels_that_the_edge_could_not_store_are_rejected_before_training(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    lines = [{"profile": "a", "text": f"text {number}", "label": f"label {number}", "split": "train"} for number in range(1300)]
    data.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    arguments = ["train", "--data", str(data), "--task", "many", "--bundle", str(BUNDLE), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "a task of 1,300 labels with an adapter takes 2," in result.output
    assert "--min-label" in result.output
    assert not (tmp_path / "out").exists()
