import gzip
import json
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.conftest import BUNDLE
from xpeft.data import CHARACTERS_AT_ONCE, DataSet, count_one_label_profiles, encode, load_data
from xpeft.errors import XpeftError
from xpeft.records import Text

TOKENIZER = BUNDLE / "tokenizer.json"


def line(profile: object = "p", text: object = "a cat", label: object = "x", split: object = "train", **more: object) -> str:
    return json.dumps({"profile": profile, "text": text, "label": label, "split": split, **more})


GOOD = [line(text_pair="a dog"), line(label="y", text_pair="a dog")]


def load(path: Path, content: bytes | str, *, pair: bool = False, labels: list[str] | None = None) -> DataSet:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_data(path, TOKENIZER, 32, pair, labels)


def rejected(path: Path, content: bytes | str) -> tuple[str, str, str]:
    with pytest.raises(XpeftError) as caught:
        load(path, content)
    assert str(path) in str(caught.value)
    return caught.value.code, str(caught.value).replace(str(path), ""), caught.value.hint


@pytest.mark.parametrize(
    ("bad", "code", "said", "hint"),
    [
        ("{", "bad-line", "line 3: not JSON: EOF while parsing an object at column", "A line is"),
        (line() + line(), "bad-line", "line 3: not JSON: trailing characters at column", "A line is"),
        ("[1]", "bad-line", "line 3: Input should be an object", "A line is"),
        ('{"profile": "p", "text": "t", "split": "train"}', "bad-line", "line 3: the field 'label' is missing", "A line is"),
        (line(label=3), "bad-line", "line 3: label: Input should be a valid string", 'Write a number as "3", not 3'),
        (line(label=3.5), "bad-line", "line 3: label: Input should be a valid string, not 3.5", 'Write a number as "3", not 3'),
        (line(label=None), "bad-line", "line 3: label: ", "not blank"),
        (line(label=" "), "bad-line", "line 3: label: ' ' does not suit", "not blank"),
        (line(label="\u200b"), "bad-line", r"line 3: label: '\u200b' is blank", "not blank"),
        (line(label="x\ty"), "bad-line", r"line 3: label: 'x\ty' has a control character", "without tabs and line ends"),
        (line(label="x\u2028y"), "bad-line", r"line 3: label: 'x\u2028y' has a control character", "without tabs and line ends"),
        (line(label="x" * 257), "bad-line", "… is longer than 256 characters", "1 to 256 characters"),
        (line(text=["a"]), "bad-line", "line 3: text: ", "not blank"),
        (line(text=""), "bad-line", "line 3: text: '' is blank", "not blank"),
        (line(text=" \t\n\u00a0"), "bad-line", "line 3: text: ", "not blank"),
        (line(text="\u200b\u0007"), "bad-line", r"line 3: text: '\u200b\x07' is blank", "not blank"),
        (line(text_pair=3), "bad-line", "line 3: text_pair: ", "A second text is a string"),
        (line(profile="a b"), "bad-line", "line 3: profile: 'a b' does not suit", "letters, digits"),
        (line(profile=17), "bad-line", "line 3: profile: Input should be a valid string", "letters, digits"),
        (line(split="valid"), "bad-line", "line 3: split: Input should be 'train', 'dev' or 'test', not \"valid\"", '"dev"'),
        (line().replace("a cat", r"\ud800"), "bad-line", "line 3: not JSON", "A line is"),
        (line("q", split="test"), "no-train-text", "line 3: no training text has the profile 'q' (1)", "--min-profile 1"),
        (line("q", split="dev"), "no-train-text", "line 3: no training text has the profile 'q' (1)", "--min-profile 1"),
        (line(label="z", split="dev"), "unknown-label", "line 3: no training text has the label 'z' (1)", "--min-label 1"),
        (line(label="z", split="test"), "unknown-label", "line 3: no training text has the label 'z' (1)", "--min-label 1"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: str, code: str, said: str, hint: str) -> None:
    found = rejected(tmp_path / "data.jsonl", "\n".join([*GOOD, bad, GOOD[0]]))
    assert (found[0], said in found[1], hint in found[2]) == (code, True, True), found


def test_a_finished_tasks_labels_and_profiles_count(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    data = load(path, line(label="y"), labels=["z", "y"])
    assert (data.labels, data.splits["train"][0].label) == (["z", "y"], 1)
    with pytest.raises(XpeftError, match="line 1: the task has no label 'x'") as unknown_label:
        load(path, line(), labels=["y", "z"])
    assert unknown_label.value.code == "unknown-label"

    path.write_text(line("b", split="test"), encoding="utf-8")
    data = load_data(path, TOKENIZER, 32, False, ["x", "y"], ["c", "b"])
    assert (data.profiles, data.splits["test"][0].profile) == (["c", "b"], 1)
    for profiles in (["c"], []):
        with pytest.raises(XpeftError, match="line 1: the task has no profile 'b'") as unknown_profile:
            load_data(path, TOKENIZER, 32, False, ["x", "y"], profiles)
        assert unknown_profile.value.code == "unknown-profile"


def test_labels_are_brought_into_canonical_form(tmp_path: Path) -> None:
    labels = ["billing", " billing", "Billing", "Cafe\u0301", "Caf\u00e9\u00a0"]
    data = load(tmp_path / "data.jsonl", "\n".join(line(label=label) for label in labels))
    assert data.labels == ["Billing", "Caf\u00e9", "billing"]
    assert [data.labels[example.label] for example in data.splits["train"]] == ["billing", "billing", "Billing", "Caf\u00e9", "Caf\u00e9"]


def test_a_finished_tasks_labels_are_found_as_they_are_or_by_their_form(tmp_path: Path) -> None:
    labels = ["x", "x ", " tech", "a\tb"]
    texts = ["x", "x ", "x\u00a0", "tech", "a\tb"]
    data = load(tmp_path / "data.jsonl", "\n".join(line(label=label) for label in texts), labels=labels)
    assert (data.labels, [example.label for example in data.splits["train"]]) == (labels, [0, 1, 0, 2, 3])
    with pytest.raises(XpeftError, match=r"line 1: the task has no label 'c\\td'") as caught:
        load(tmp_path / "data.jsonl", line(label="c\td"), labels=labels)
    assert caught.value.hint.isprintable()


def test_a_number_has_one_spelling(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    mixed = [line(label=label) for label in ("2", "1.0", "2", "1", "3")]
    code, said, hint = rejected(path, "\n".join(mixed))
    assert (code, said) == ("bad-line", ", line 4: label: '1' is the number '1.0' of line 2")
    assert "prepare" in hint
    # Among names, numbers are names; and a finished task's labels stay.
    assert load(path, "\n".join([*mixed, line(label="nan")])).labels == ["1", "1.0", "2", "3", "nan"]
    assert load(path, "\n".join(mixed), labels=["1", "1.0", "2", "3"]).splits["train"][1].label == 1


def test_gzip_is_known_by_its_bytes(tmp_path: Path) -> None:
    plain = "\n".join(GOOD).encode()
    for name, content in (("data.jsonl", gzip.compress(plain)), ("data.jsonl.gz", plain)):
        assert load(tmp_path / name, content).labels == ["x", "y"]


@pytest.mark.parametrize("name", ["data.jsonl", "data.jsonl.gz"])
def test_blank_lines_byte_order_marks_and_carriage_returns_are_skipped(tmp_path: Path, name: str) -> None:
    def packed(text: str) -> bytes:
        return gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()

    plain = load(tmp_path / name, packed("\n".join(GOOD)))
    padded = f"\ufeff{GOOD[0]}\r\n\r\n  \t\n\ufeff{GOOD[1]}\r\n\n"
    assert load(tmp_path / name, packed(padded)) == plain
    assert "line 6: not JSON" in rejected(tmp_path / name, packed(padded + "{"))[1]


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    latin = "\n".join([*GOOD, json.dumps({"text": "café"}, ensure_ascii=False)]).encode("latin-1")
    code, said, hint = rejected(path, latin)
    assert (code, "line 3: it is not UTF-8" in said, "UTF-8" in hint) == ("bad-line", True, True)
    assert "line 1: it is UTF-16, not UTF-8" in rejected(path, GOOD[0].encode("utf-16"))[1]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    noise = "".join(line(text=f"{number * 7919 % 1000003}") + "\n" for number in range(5000))
    whole = gzip.compress("\n".join([*GOOD, noise]).encode())
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for content in (whole[: len(whole) // 2], whole[:-4], whole[:5]):
        code, said, hint = rejected(tmp_path / "data.jsonl.gz", content)
        assert (code, "cannot be read: " in said, "gzip" in hint) == ("unreadable-file", True, True)
    # Damage in the middle may show as a line that is none before the checksum is reached.
    assert rejected(tmp_path / "data.jsonl.gz", bytes(flipped))[0] in ("unreadable-file", "bad-line")

    for path in (tmp_path / "nothing.jsonl", tmp_path):
        with pytest.raises(XpeftError, match=r"cannot be read: [A-Z]") as caught:
            load_data(path, TOKENIZER, 32, pair=False)
        assert (caught.value.code, str(path) in str(caught.value)) == ("unreadable-file", True)


def test_a_file_that_cannot_train_a_task_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    for empty in ("", "\n \n", "\ufeff"):
        assert rejected(path, empty)[0] == "no-texts"
    assert rejected(path, "\n".join([line(split="dev"), line(label="y", split="test")]))[0] == "no-train-text"
    code, said, _ = rejected(path, "\n".join([line(), line("q"), line(label="y", split="test")]))
    assert (code, "1 label, 'x'" in said) == ("one-label", True)


def test_profiles_of_one_label_are_counted(tmp_path: Path) -> None:
    lines = [*GOOD, line("q"), line("q"), line("q", label="y", split="test"), line("r", label="y")]
    assert count_one_label_profiles(load(tmp_path / "data.jsonl", "\n".join(lines))) == 2


def test_a_blank_second_text_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join([line(text_pair=""), line(label="y", text_pair=" ")]), encoding="utf-8")
    assert [len(example.ids) for example in load_data(path, TOKENIZER, 32, True).splits["train"]] == [4, 4]


def test_pairs_are_read_on_request_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(GOOD).encode()))
    alone, pair, cut = (
        load_data(path, TOKENIZER, tokens, pair).splits["train"][0] for tokens, pair in ((32, False), (32, True), (5, True))
    )
    assert (len(alone.ids), len(pair.ids), len(cut.ids)) == (4, 7, 5)
    assert pair.types == [0, 0, 0, 0, 1, 1, 1]


def test_long_texts_are_encoded_few_at_a_time() -> None:
    batches: list[list[Text]] = []

    def encode_batch(texts: list[Text]) -> list[Text]:
        batches.append(texts)
        return texts

    sizes = [9 * CHARACTERS_AT_ONCE, *[CHARACTERS_AT_ONCE // 10] * 30, *[1] * 50]
    texts: list[Text] = [("x" * size, "y") for size in sizes]
    encoded: list[object] = list(encode(Mock(encode_batch=encode_batch), texts))
    assert encoded == texts
    # One text may be longer than what is read at once.
    assert all(sum(len("".join(text)) for text in batch[1:]) <= CHARACTERS_AT_ONCE for batch in batches)
    assert len(batches) <= 5
