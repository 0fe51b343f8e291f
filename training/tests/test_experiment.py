"""Experiment files, and the committed runs that they make."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.conftest import ROOT
from xpeft.cli import app
from xpeft.comparison.experiment import Experiment, find_experiment, read_experiment
from xpeft.comparison.records import RunRecord
from xpeft.comparison.setup import Comparison, Run, makes
from xpeft.errors import UnreadableFile, XpeftError
from xpeft.pool import default_scale

GOOD = 'data = ["news"]\nmethods = ["hard"]\n'


@pytest.mark.parametrize(
    ("text", "code", "said", "hint"),
    [
        (GOOD + "epoch = 3", "unknown-key", "x.toml: unknown key 'epoch'", "Did you mean 'epochs'?"),
        (GOOD + "[[runs]]\n[[runs]]\nzzz = 3", "unknown-key", "x.toml, table 2 of runs: unknown key 'zzz'", "--help"),
        (GOOD + "[[runs]]\nnoise = 'a'", "bad-value", "x.toml, table 1 of runs: noise = 'a': Input should be a valid number", "Gumbel"),
        (GOOD + "seeds = 0", "bad-value", "x.toml: seeds = 0: Input should be greater than or equal to 1", "How many seeds"),
        (GOOD + "profile_lr = [0.1, -1]", "bad-value", "x.toml: profile_lr = -1: Input should be greater", "Learning rate of what"),
        ('data = ["news"]\nmethod = ["hard"]', "unknown-key", "x.toml: unknown key 'method'", "Did you mean 'methods'?"),
        ('data = ["news"]', "missing-key", "x.toml: the key 'methods' is missing", "Methods: profile (as"),
        ('methods = ["hard"]\n[[runs]]\nseeds = 1', "missing-key", "x.toml, table 1 of runs: the key 'data' is missing", "Data sets"),
        ('data = ["news"]\nmethods = ["best"]', "bad-value", "x.toml: methods = 'best': Input should be 'profile'", "Methods: "),
        (GOOD + "runs = 3", "bad-value", "x.toml: runs is not a list of tables", "[[runs]]"),
        (GOOD + "seeds =", "bad-value", "x.toml is not a TOML file: Invalid value (at end of document)", "experiments"),
        (GOOD + "chosen = 257", "bad-value", "x.toml: chosen is larger than pool_size", "N adapters"),
        (GOOD + "label_bias = true\nown_head = true", "bad-value", "own_head and label_bias exclude each other", "biases already"),
        (GOOD + '[[runs]]\npool = "trained"', "bad-value", "x.toml, table 1 of runs: pool =", "--help"),
        (GOOD + "newcomers = 3", "bad-value", "newcomers needs one profile_lr", "searches no"),
        (
            GOOD + "newcomers = 3\nprofile_lr = 0.1\nown_head = true",
            "bad-value",
            "newcomers and own_head exclude each other",
            "shared head",
        ),
    ],
)
def test_a_wrong_experiment_names_its_key(tmp_path: Path, text: str, code: str, said: str, hint: str) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(XpeftError) as caught:
        read_experiment(file)
    assert (caught.value.code, said in str(caught.value), hint in caught.value.hint) == (code, True, True), (
        caught.value,
        caught.value.hint,
    )


def test_keys_at_the_top_hold_for_all_tables(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(
        GOOD + 'noise = 0\n[[runs]]\n[[runs]]\nnoise = 0.3\nprofile_lr = 1\npool = "trained"\npool_file = "p"', encoding="utf-8"
    )
    first, second = read_experiment(file)
    assert (first.noise, first.profile_lr, second.noise, second.profile_lr) == (0.0, [], 0.3, [1.0])
    assert (first.pool_file, second.pool_file) == (None, str(tmp_path / "p"))


def test_the_example_of_the_docs_is_an_experiment(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    file = tmp_path / "x.toml"
    file.write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    assert [experiment.methods for experiment in read_experiment(file)] == [["head", "adapter"], ["hard"]]


def test_help_lists_every_key() -> None:
    words = "".join(CliRunner().invoke(app, ["compare", "--help"], env={"COLUMNS": "200"}).output.split())
    for key, info in Experiment.model_fields.items():
        assert "".join(f"{key} {info.description}".split())[len(key) :] in words
        assert key in words


def test_an_experiment_that_ships_is_found_by_its_name(tmp_path: Path) -> None:
    assert find_experiment("paper") == ROOT / "training" / "experiments" / "paper.toml"
    file = tmp_path / "paper"
    file.write_text(GOOD, encoding="utf-8")
    assert find_experiment(str(file)) == file
    for wrong in ("papers", str(tmp_path), "paper.toml"):
        with pytest.raises(UnreadableFile, match="there is no experiment") as caught:
            find_experiment(wrong)
        assert ", paper, " in caught.value.hint


def test_the_papers_experiment_has_its_sizes() -> None:
    experiments = read_experiment(find_experiment("paper"))
    assert {one.bottleneck for one in experiments} == {48}
    assert {one.chosen for one in experiments} == {50}
    assert all(default_scale(one.chosen) * one.pool_scale == pytest.approx(0.02) for one in experiments)
    masks = [one for one in experiments if one.methods == ["hard", "soft"]]
    assert {(one.pool, one.affine, one.personal_layers) for one in masks} == {("gaussian", "own", None)}
    assert sorted(one.pool_size for one in masks) == [100, 100, 200, 200, 400, 400]
    # A task of one profile has a head of its own anyway.
    assert all(one.own_head == (one.data == ["news"]) for one in experiments)


# Take a file out when its runs are committed.
NOT_RUN_YET = {
    "paper.toml",
    "newcomers.toml",
    "trained-pool.toml",
}


def test_every_committed_run_is_made_by_one_experiment_file() -> None:
    training = ROOT / "training"
    experiments = [(file.name, one) for file in sorted((training / "experiments").glob("*.toml")) for one in read_experiment(file)]
    unused = {name for name, _ in experiments}
    for path in sorted((training / "results" / "runs").glob("*.json")):
        record = RunRecord.model_validate_json(path.read_bytes())
        files = {name for name, one in experiments if record.seed < one.seeds and makes(one, record)}
        assert len(files) == 1, path.name
        unused -= files
        # The file's name is a digest of the settings: the same command finds the run and skips it.
        one = next(one for name, one in experiments if makes(one, record))
        if one.pool == "trained":
            continue
        setup = Comparison.of(one).for_search(record.data) if record.purpose == "search" else Comparison.of(one)
        rates = {key: record.recipe[key] for key in ("profile_lr", "shared_lr")}
        bias = setup.recipe.label_bias or record.method == "head+bias"
        recipe = replace(setup.recipe, **rates, seed=record.seed, label_bias=bias)  # type: ignore[arg-type]
        run = Run(setup, record.data, record.base, recipe, record.purpose, record.textsPerProfile)
        assert path.name.startswith(f"{run.stem}.")
    assert unused == NOT_RUN_YET
