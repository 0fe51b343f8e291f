import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpeft.data import Example
from xpeft.labels import MAX_LABEL_LENGTH, canonical_label, find_label, is_number, label_form, label_indices, label_values, number_spellings
from xpeft.scores import score

# The edge's tests read the same file.
GOLDEN = json.loads((Path(__file__).parents[2] / "test" / "fixtures" / "labels.json").read_text())


@pytest.mark.parametrize(("text", "label"), GOLDEN["canonical"])
def test_a_label_has_a_canonical_form(text: str, label: str) -> None:
    assert canonical_label(text) == label


@pytest.mark.parametrize("text", GOLDEN["blank"])
def test_a_label_is_not_blank(text: str) -> None:
    with pytest.raises(ValueError, match="is blank"):
        canonical_label(text)


@pytest.mark.parametrize("text", [*GOLDEN["controls"], "a\ud800"])
def test_a_label_has_no_control_characters_and_the_error_shows_them_escaped(text: str) -> None:
    with pytest.raises(ValueError, match="has a control character") as caught:
        canonical_label(text)
    assert str(caught.value).isprintable()
    assert repr(text) in str(caught.value)


def test_a_label_has_at_most_256_utf_16_units() -> None:
    for longest in ("x" * MAX_LABEL_LENGTH, "\U0001f600" * (MAX_LABEL_LENGTH // 2)):
        assert canonical_label(f" {longest} ") == longest
        with pytest.raises(ValueError, match="longer than 256 characters"):
            canonical_label(f"{longest}x")


def test_the_same_characters_are_trimmed_as_at_the_edge() -> None:
    assert [code for code in range(0x10000) if label_form(f"x{chr(code)}") == "x"] == GOLDEN["trimmedCharacters"]


@given(st.text())
def test_a_canonical_form_is_its_own(text: str) -> None:
    form = label_form(text)
    assert label_form(form) == form == unicodedata.normalize("NFC", form)
    assert label_form(f" {unicodedata.normalize('NFD', text)}\n") == label_form(f" {text}\n")


def test_a_label_is_found_as_it_is_or_else_by_its_form() -> None:
    indices = label_indices(GOLDEN["found"]["labels"])
    for label, index in GOLDEN["found"]["indices"]:
        assert find_label(label, indices) == (None if index < 0 else index), label


def test_numbers_are_decimal_and_finite() -> None:
    assert [label for label in GOLDEN["numbers"] if not is_number(label)] == []
    assert [label for label in GOLDEN["names"] if is_number(label)] == []
    values = label_values(["2", "1e1", " -.5"])
    assert values is not None
    assert values.tolist() == [2, 10, -0.5]
    assert label_values(["1", "2", "nan"]) is None


def test_only_numeric_labels_have_a_mean_absolute_error() -> None:
    examples = [Example(0, 0, [], []), Example(0, 2, [], [])]
    predicted = np.array([0, 1])
    assert score(predicted, examples, ["1", "2", "4"])["mae"] == 1
    for name in ("nan", "inf", "1_000", "many"):
        assert "mae" not in score(predicted, examples, ["1", "2", name])


@pytest.mark.parametrize(
    ("labels", "spellings"),
    [
        (["1", "1.0", "2", "2.0", "3"], {"1": ["1", "1.0"], "2": ["2", "2.0"]}),
        (["1.50", "1.5000", "2"], {"1.5": ["1.50", "1.5000"]}),
        (["1e3", "1000", "2"], {"1e3": ["1000", "1e3"]}),
        (["1e300", "1.0e300"], {"1e300": ["1.0e300", "1e300"]}),
        (["1e-99999999999999999999", "0.0", "1"], {"0": ["0.0", "1e-99999999999999999999"]}),
        (["-0", "+0.0", "1"], {"0": ["+0.0", "-0"]}),
        (["10", "10.", "010"], {}),
        (["010", "+10"], {"10": ["+10", "010"]}),
        (["12345678901234567890", "12345678901234567891"], {}),
        (["1", "1.0", "many"], {}),
        (["1", "2"], {}),
    ],
)
def test_equal_numbers_of_a_numeric_set_are_found(labels: list[str], spellings: dict[str, list[str]]) -> None:
    assert number_spellings(labels) == spellings
