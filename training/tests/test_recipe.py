"""Recipe files: defaults, changes, and errors that name the key."""

from pathlib import Path

import pytest

from tests.conftest import QUICK
from xpeft.errors import BadValue, UnknownKey, UnreadableFile, XpeftError
from xpeft.recipe import TaskRecipe, read_recipe


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
