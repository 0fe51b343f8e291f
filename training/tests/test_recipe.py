"""Recipe files: defaults, changes, and errors that name the key."""

import typing
from pathlib import Path

import pytest

from tests.runs import QUICK
from xpeft.errors import BadValue, UnknownKey, UnreadableFile, XpeftError
from xpeft.recipe import AddRecipe, MasksRecipe, TaskAdapterRecipe, TaskPoolRecipe, TaskRecipe, read_recipe


def test_a_file_changes_the_default_recipe() -> None:
    assert read_recipe(None) == TaskRecipe()
    quick = read_recipe(QUICK)
    assert (quick.label_bias, quick.task_adapter.use, quick.masks.use, quick.masks.epochs) == (False, False, "profile", 3)
    assert quick.masks.noise == TaskRecipe().masks.noise


@pytest.mark.parametrize(
    ("content", "error", "message", "hint"),
    [
        ("[masks]\nprofil_lr = 1", UnknownKey, "unknown key masks.profil_lr", "Did you mean profile_lr?"),
        ("label_bais = true", UnknownKey, "unknown key label_bais", "Did you mean label_bias?"),
        ("[mask]\nepochs = 2", UnknownKey, "unknown key mask", "Did you mean masks?"),
        (
            "[masks]\nepochs = 0",
            BadValue,
            "masks.epochs = 0: Input should be greater than or equal to 1",
            "Passes over the training texts.",
        ),
        ("[masks]\ntau = nan", BadValue, "masks.tau = nan: ", "Temperature"),
        ('[task_adapter]\nlr = "fast"', BadValue, "task_adapter.lr = 'fast': ", "Learning rate."),
        ('[masks]\nuse = "all"', BadValue, "masks.use = 'all': ", "Whose masks"),
        ("masks = 3", BadValue, "masks = 3: ", "Table of the masks."),
        ('label_bias = "yes"', BadValue, "label_bias = 'yes': ", "Whether each profile has a label bias"),
        ("label_bias", UnreadableFile, "cannot be read: ", "TOML"),
    ],
)
def test_an_error_names_the_key(tmp_path: Path, content: str, error: type[XpeftError], message: str, hint: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(error) as raised:
        read_recipe(path)
    assert str(raised.value).startswith(f"{path}")
    assert message in str(raised.value)
    assert hint in raised.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"none\.toml cannot be read: No such file or directory"):
        read_recipe(tmp_path / "none.toml")


def test_a_mask_cannot_choose_more_adapters_than_the_tasks_pool_has(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("[task_pool]\nsize = 8\nchosen = 9", encoding="utf-8")
    with pytest.raises(BadValue, match=r"task_pool\.chosen = 9 is larger than task_pool\.size = 8"):
        read_recipe(path)


def test_every_numeric_key_has_bounds(tmp_path: Path) -> None:
    wrong: dict[object, tuple[str, ...]] = {
        float: ("nan", "inf", "-inf", "1e999", "-1", "1000.5", '"x"', "true"),
        int: ("nan", "0", "-1", "1.5", str(10**18), "true"),
    }
    path, tried = tmp_path / "recipe.toml", set()
    for table in (MasksRecipe, TaskAdapterRecipe, TaskPoolRecipe, AddRecipe):
        name = next(name for name, info in TaskRecipe.model_fields.items() if info.annotation is table)
        for key, info in table.model_fields.items():
            many = typing.get_origin(info.annotation) is list
            for value in wrong[float] if many else wrong.get(info.annotation, ()):
                path.write_text(f"[{name}]\n{key} = {f'[{value}]' if many else value}", encoding="utf-8")
                with pytest.raises(BadValue) as raised:
                    read_recipe(path)
                assert str(raised.value).startswith(f"{path}: {name}.{key} = "), (key, value)
                tried.add(f"{name}.{key}")
    assert tried == {
        f"{name}.{key}"
        for name, table in TaskRecipe().model_dump().items()
        if isinstance(table, dict)
        for key in table
        if key not in ("use", "known_labels")
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tau = 0", "greater than or equal to 0.001"),
        ("profile_lr = 0", "greater than 0"),
        ("head_lr = 101", "less than or equal to 100"),
        ("noise = 100.1", "less than or equal to 100"),
        ("profiles_per_step = 10001", "less than or equal to 10000"),
    ],
)
def test_a_value_just_beyond_a_bound_is_rejected(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(f"[masks]\n{line}", encoding="utf-8")
    with pytest.raises(BadValue, match=message):
        read_recipe(path)
