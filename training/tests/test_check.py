import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from typer.testing import CliRunner

from tests.conftest import BUNDLE
from xpeft.check import check_file
from xpeft.cli import app
from xpeft.data import load_data
from xpeft.errors import XpeftError
from xpeft.oddities import Finding
from xpeft.records import check_text

TOKENIZER = BUNDLE / "tokenizer.json"


def line(profile: object = "p", text: object = "a cat", label: object = "x", split: object = "train", **more: object) -> str:
    return json.dumps({"profile": profile, "text": text, "label": label, "split": split, **more})


def good(profile: str) -> list[str]:
    """Return lines with nothing odd."""
    return [
        line(profile, f"{profile} {label} {place}", label, split)
        for label in ("x", "y")
        for place, split in enumerate(["train"] * 5 + ["dev", "test"])
    ]


def findings(path: Path, *lines: str, pair: bool = False) -> dict[str, Finding]:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    checked = check_file(path, pair, TOKENIZER, 8)
    try:
        load_data(path, TOKENIZER, 8, pair)
        accepted = True
    except XpeftError:
        accepted = False
    assert checked.refused is not accepted
    return {finding.kind: finding for finding in checked.findings}


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path / "data.jsonl", *good("a"), *good("b")) == {}


def test_a_new_profile_may_have_few_texts_of_a_label(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([*good("a"), line("a", "one", "rare")]), encoding="utf-8")
    assert [finding.kind for finding in check_file(path, False).findings] == ["rare-label"]
    assert check_file(path, False, labels=["rare", "x", "y"]).findings == []


LIKE_ONES = [line("a", text, "1") for text in "defgh"] + [line("a", text, "1.0") for text in "ijklm"]


@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        ([line("a", "one", "rare")], "rare-label", "1 of 3 labels have fewer than 5 training texts: 'rare' (1)"),
        ([line("z", "one"), line("z", "two", split="test")], "one-label-profile", "1 of 2 profiles learn one label: "),
        ([line("a", text, " Y ") for text in "defgh"], "label-spelling", "are different labels: 'Y' and 'y'"),
        ([line("a", text, "\ufb01n") for text in "defgh"] + [line("a", text, "f in") for text in "ijklm"], "label-spelling", "'f in' and "),
        (LIKE_ONES, "equal-number", "'1' and '1.0'"),
        ([line("a", " a x 0", "y", "test")], "equal-text", "1 of 5 dev and test texts are in train too"),
        ([line("a", " a x 0", "y", "test")], "equal-text", "under the same profile: line 15 (test) and line 1 (train)"),
        ([*good("b"), line("b", "a x 0", "y", "test")], "shared-text", "20% of the test texts (1 of 5) are in train under another "),
        ([line("a", "a b c d e f g h i")], "cut-text", "1 of 15 texts are cut at 8 tokens: line 15 (11 tokens)"),
        ([line("a", "one", text_pair="t")], "unread-pair", "1 of 15 texts have a text_pair that is not read: line 15"),
        ([line("z", "one"), line("z", "two", "y")], "no-test-text", "1 of 2 profiles have no test text: z"),
    ],
)
def test_what_is_odd_is_found(tmp_path: Path, lines: list[str], kind: str, said: str) -> None:
    found = findings(tmp_path / "data.jsonl", *good("a"), *lines)
    assert said in str(found[kind])
    assert not found[kind].refused


@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        (["{", line(label=3), line(text="\u200b")], "bad-line", "3 of 17 lines are bad: line 15: not JSON"),
        ([line("a", "one", "z", "test"), line("a", "two", "z", "dev")], "unknown-label", "line 15: no training text has the label 'z' (2)"),
        ([line("b", "one", "x", "test")], "no-train-text", "line 15: no training text has the profile 'b' (1)"),
    ],
)
def test_what_train_refuses_is_found(tmp_path: Path, lines: list[str], kind: str, said: str) -> None:
    found = findings(tmp_path / "data.jsonl", *good("a"), *lines)
    assert said in str(found[kind])
    assert found[kind].refused


def test_a_file_that_cannot_be_trained_on_as_a_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    assert set(findings(path, "")) == {"no-texts"}
    assert "no-train-text" in findings(path, line(split="test"))
    assert "one-label" in findings(path, line(), line(text="b"))
    equal = findings(path, line(label="1"), line(text="b", label="1.0"))
    assert "'1.0' is the number '1' of line 1" in str(equal["bad-line"])


def test_second_texts_count_as_in_training(tmp_path: Path) -> None:
    lines = [*good("a"), line("a", "one", "x", text_pair="t"), line("a", "one", "x", "test", text_pair="u")]
    assert "equal-text" in findings(tmp_path / "data.jsonl", *lines)
    assert "equal-text" not in findings(tmp_path / "data.jsonl", *lines, pair=True)


def test_check_prints_a_table_or_json_and_its_status_says_what_train_does(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([*good("a"), line("a", "one", "rare")]), encoding="utf-8")
    ran = CliRunner().invoke(app, ["check", str(path)])
    assert ran.exit_code == 0
    assert f"{path}: 15 texts (11 train, 2 dev, 2 test), 1 profiles, 3 labels\n" in ran.output
    assert "odd      rare-label         1 of 3 labels have fewer than 5 training texts: 'rare' (1)\n" in ran.output
    assert ran.output.endswith("Add --bundle to find texts that are cut.\ntrain accepts this file\n")
    ran = CliRunner().invoke(app, ["check", str(path), "--bundle", str(BUNDLE), "--max-tokens", "5", "--json"])
    answer = json.loads(ran.output)
    assert (ran.exit_code, answer["refused"], answer["texts"], answer["max_tokens"]) == (0, False, {"train": 11, "dev": 2, "test": 2}, 5)
    assert answer["findings"][0] == {
        "kind": "rare-label",
        "refused": False,
        "message": "1 of 3 labels have fewer than 5 training texts",
        "items": ["'rare' (1)"],
        "hint": answer["findings"][0]["hint"],
    }
    path.write_text(line() + "\n{", encoding="utf-8")
    ran = CliRunner().invoke(app, ["check", str(path)])
    assert ran.exit_code == 1
    assert "refused  bad-line " in ran.output
    assert ran.output.endswith("train refuses this file\n")
    ran = CliRunner().invoke(app, ["check", str(path), "--bundle", str(BUNDLE), "--max-tokens", "600"])
    assert (ran.exit_code, "600" in ran.stderr) == (1, True)


def test_labels_that_do_not_fit_into_a_row_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(line("a", f"text {number}", f"label {number}") for number in range(1230)), encoding="utf-8")
    ran = CliRunner().invoke(app, ["check", str(path), "--bundle", str(BUNDLE)])
    assert (ran.exit_code, "a task of 1,230 labels with an adapter takes" in ran.output) == (1, True)
    assert ran.output.endswith("train refuses this file\n")


TOKENS = Tokenizer.from_file(str(TOKENIZER))


def is_blank(text: str) -> bool:
    try:
        check_text(text)
    except ValueError:
        return True
    return False


def test_a_character_is_blank_if_the_tokenizer_reads_nothing() -> None:
    # All that may be invisible, and a hundredth of the rest, which has a million characters.
    categories = {chr(code): unicodedata.category(chr(code)) for code in range(0x110000)}
    invisible = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"}
    characters = [one for one, category in categories.items() if category in invisible or (category != "Cs" and ord(one) % 97 == 0)]
    encodings = TOKENS.encode_batch_fast(characters, add_special_tokens=False)
    differ = [one for one, encoding in zip(characters, encodings, strict=True) if is_blank(one) is not (len(encoding) == 0)]
    assert differ == []


@given(text=st.text(st.sampled_from("\u200b\u0301\u00ad \n\ufffd\x00a!.\u4e00"), max_size=4))
def test_a_text_is_blank_if_the_tokenizer_reads_nothing(text: str) -> None:
    assert is_blank(text) is (len(TOKENS.encode(text, add_special_tokens=False)) == 0)
