import gzip
import hashlib
import hmac
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.conftest import BUNDLE, ROOT
from xpeft.cli import app
from xpeft.data import load_data
from xpeft.errors import OneLabel, XpeftError
from xpeft.prepare import Preparation, prepare_data
from xpeft.profile_hashes import hash_profile_id
from xpeft.records import Record, read_records
from xpeft.table_records import Columns, IdHash

TOKENIZER = BUNDLE / "tokenizer.json"


def prepared(path: Path, columns: Columns = Columns(), how: Preparation = Preparation()) -> tuple[list[Record], list[str]]:  # noqa: B008
    out, told = path.with_name("out.jsonl"), list[str]()
    prepare_data(path, out, columns, how, told.append)
    return list(read_records(out).values()), told


def write_table(folder: Path, rows: Sequence[Sequence[str]], header: str = "profile,text,label") -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def rejected(path: Path, columns: Columns = Columns(), how: Preparation = Preparation()) -> tuple[str, str]:  # noqa: B008
    with pytest.raises(XpeftError) as caught:
        prepared(path, columns, how)
    assert not path.with_name("out.jsonl").exists()
    return str(caught.value).removeprefix(f"{path}, "), caught.value.hint


def test_a_csv_of_any_columns_becomes_a_data_file(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text('who,stars,said\r\nann,5,"Good, ""very""\nindeed"\r\n\r\nann,1,Bad\r\nbob,3,So so\r\n', encoding="utf-8-sig")
    records, _ = prepared(table, Columns("who", "said", "stars"), Preparation(dev=0, test=0))
    assert [(one.profile, one.label, one.text, one.split) for one in records] == [
        ("ann", "5", 'Good, "very"\nindeed', "train"),
        ("ann", "1", "Bad", "train"),
        ("bob", "3", "So so", "train"),
    ]


def test_json_lines_keep_their_splits_and_numbers_become_labels(tmp_path: Path) -> None:
    table = tmp_path / "table.ndjson.gz"
    lines = [
        {"profile": 7, "text": "a", "label": 3, "part": "train", "more": [1]},
        {"profile": "b", "text": "c", "label": "x", "part": "train"},
        {"profile": "b", "text": "d", "label": 3, "part": " Validation"},
    ]
    table.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    records, _ = prepared(table, Columns(split="part"))
    assert [(one.profile, one.label, one.split) for one in records] == [("7", "3", "train"), ("b", "x", "train"), ("b", "3", "dev")]


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
LONG_TAIL = st.lists(st.tuples(NAMES, st.integers(0, 20), st.integers(0, 200).map(lambda n: int(n**0.6))), min_size=1, max_size=60)
SPLIT_COLUMN = st.lists(st.sampled_from(["train", "train", "dev", "test"]), min_size=60, max_size=60)


# Reading the tokenizer takes most of the time.
@settings(deadline=None)
@given(
    rows=LONG_TAIL,
    names=st.sampled_from(["label", "", "0.", "N"]),
    splits=st.none() | SPLIT_COLUMN,
    group=st.booleans(),
    rare=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    held_out=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
)
def test_train_accepts_what_prepare_writes(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, int, int]],
    names: str,
    splits: list[str] | None,
    group: bool,
    rare: tuple[int, int],
    held_out: tuple[float, float],
) -> None:
    folder = tmp_path_factory.mktemp("table")
    # Labels are names, or numbers with several spellings: 0.1 and 0.10, or one name among numbers.
    fields = [
        (profile, f"text {text}", "none" if names == "N" and label == 9 else f"{names.strip('N')}{label}") for profile, text, label in rows
    ]
    if splits is None:
        table = write_table(folder, fields)
    else:
        with_splits = [(*row, split) for row, split in zip(fields, splits, strict=False)]
        table = write_table(folder, with_splits, "profile,text,label,split")
    try:
        _, told = prepared(table, how=Preparation(*held_out, 0, group and splits is None, *rare))
    except XpeftError as error:
        # Only given splits and dropped texts can leave nothing to train on; the error then says what to do.
        assert error.code in ("unknown-label", "no-train-text", "no-texts")
        assert splits or rare > (0, 0)
        assert "--min-" in error.hint
        return
    try:
        load_data(folder / "out.jsonl", TOKENIZER, 32, False)
    except XpeftError as error:
        assert error.code in ("one-label", "no-train-text")
        assert any(notice.startswith("train refuses this file") for notice in told)
        if isinstance(error, OneLabel) and not (splits or any(rare)):
            assert len({label for _, _, label in rows}) == 1


UGLY = st.text(st.sampled_from('aA1.0 -e\u00e9\u0301\u200b\u00a0\t\n\u2028,;"@_'), max_size=4)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(UGLY, UGLY, UGLY), min_size=1, max_size=40), hashed=st.booleans())
def test_train_accepts_what_is_left_of_an_ugly_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], hashed: bool
) -> None:
    table = tmp_path_factory.mktemp("ugly") / "table.jsonl"
    lines = [json.dumps({"profile": profile, "text": text, "label": label}) for profile, text, label in rows]
    table.write_text("\n".join(lines), encoding="utf-8")
    try:
        records, told = prepared(table, how=Preparation(skip_bad=True, id_hash=IdHash() if hashed else None))
    except XpeftError as error:
        assert error.code == "no-texts"
        return
    skipped = [notice for notice in told if notice.startswith("skipped bad rows")]
    assert len(rows) - len(records) == sum(notice.count("\n") for notice in skipped)
    try:
        load_data(table.with_name("out.jsonl"), TOKENIZER, 32, False)
    except OneLabel:
        assert any(notice.startswith("train refuses this file") for notice in told)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("who,text,label\na,b,c\n", 'line 1: there is no column "profile" among "who", "text", "label"'),
        ("profile,text,label\na,b\n", "line 2: it has 2 fields, and the header has 3"),
        ("profile,text,label\na,b,c\na,b,c,d\n", "line 3: it has 4 fields, and the header has 3"),
        ('profile,text,label\na,"b\nb",c\na, ,c\n', "line 4: text: ' ' is blank"),
        ("profile,text,label\na,\u200b\u2060\ufeff,c\n", r"line 2: text: '\u200b\u2060\ufeff' is blank"),
        ("profile,text,label\n \u200b,b,c\n", r"line 2: profile: ' \u200b' is blank"),
        ('profile,text,label\na,"b,c\n', "line 2: the quote that opens here is never closed"),
        ('profile,text,label\na,b,c\na,b,"c\nd"\n', r"line 3: label: 'c\nd' has a control character"),
        ("profile,text,label\na,b,c\na,b,\u200b\n", r"line 3: label: '\u200b' is blank"),
        ("profile,text,label\n", "holds no texts"),
        ("", "holds no texts"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, content: str, said: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(content, encoding="utf-8")
    assert said in rejected(table)[0]


@pytest.mark.parametrize("order", ["profile,label,text", "profile,text,label"])
def test_labels_are_brought_into_canonical_form(tmp_path: Path, order: str) -> None:
    labels = ["billing", "billing ", " tech", "tech\u00a0", "Billing", "Cafe\u0301", "Caf\u00e9"]
    rows = [{"profile": "a", "text": "b", "label": label} for label in labels]
    records, _ = prepared(write_table(tmp_path, [[row[column] for column in order.split(",")] for row in rows], order))
    assert [one.label for one in records] == ["billing", "billing", "tech", "tech", "Billing", "Caf\u00e9", "Caf\u00e9"]


def test_numbers_are_spelled_in_one_way(tmp_path: Path) -> None:
    labels = ["1", "1.0", "2.50", "2.5", "3.0"]
    records, told = prepared(write_table(tmp_path, [("a", f"text {place}", label) for place, label in enumerate(labels)]))
    assert [one.label for one in records] == ["1", "1", "2.5", "2.5", "3.0"]
    [notice] = [notice for notice in told if notice.startswith("numbers are written in their shortest form: ")]
    assert "'1.0' as '1'" in notice
    assert "'2.50' as '2.5'" in notice
    # Without the rare label all are numbers; with it, they are names.
    rows = [("a", f"text {place}", label) for place, label in enumerate([*labels, *labels, "none"])]
    table = write_table(tmp_path, rows)
    assert {one.label for one in prepared(table)[0]} == {*labels, "none"}
    assert {one.label for one in prepared(table, how=Preparation(min_label=2))[0]} == {"1", "2.5", "3.0"}


def test_a_missing_column_names_its_option(tmp_path: Path) -> None:
    table = write_table(tmp_path, ["abc"])
    for columns, option in ((Columns(profile="who"), "--profile"), (Columns(text_pair="second"), "--text-pair")):
        assert rejected(table, columns)[1] == f"Name yours with {option}."


def test_equal_texts_of_a_profile_are_counted(tmp_path: Path) -> None:
    rows = [("p", f"text {place % 20}", str(place % 2)) for place in range(60)]
    assert "equal texts of one profile stay in one split: 20 in 60 rows" in prepared(write_table(tmp_path, rows))[1]
    # One that is written with another label is equal too.
    rows = [("p", f"text {place}", "x") for place in range(20)] + [("p", "text 3  ", "y")]
    records, told = prepared(write_table(tmp_path, rows))
    assert "equal texts of one profile stay in one split: 1 in 2 rows" in told
    assert len({one.split for one in records if one.text.strip() == "text 3"}) == 1


def test_texts_that_profiles_share_are_counted_and_grouped(tmp_path: Path) -> None:
    table = write_table(tmp_path, [(profile, f"text {place}", str(place % 2)) for profile in "abcde" for place in range(20)])
    records, told = prepared(table)
    train = {one.text for one in records if one.split == "train"}
    shared = sum(one.split == "test" and one.text in train for one in records)
    assert any(f"% of the test texts ({shared} of 20) are in train under another profile" in notice for notice in told)
    assert any("--group" in notice for notice in told)
    records, told = prepared(table, how=Preparation(group=True))
    train = {one.text for one in records if one.split == "train"}
    assert not any(one.text in train for one in records if one.split != "train")
    assert not any("another profile" in notice for notice in told)


def test_columns_of_the_data_file_are_read_without_being_named(tmp_path: Path) -> None:
    rows = [("p", f"text {place}", str(place % 2), "test" if place > 15 else "train", f"pair {place}") for place in range(20)]
    table = write_table(tmp_path, rows, "profile,text,label,split,text_pair")
    records, told = prepared(table)
    assert [one.split for one in records] == ["train"] * 16 + ["test"] * 4
    assert records[3].text_pair == "pair 3"
    assert "the column 'split' is used; --new-split ignores it" in told
    assert "the column 'text_pair' is used; training reads it with --pair" in told
    records, told = prepared(table, Columns(new_split=True))
    assert [one.split for one in records] != ["train"] * 16 + ["test"] * 4
    assert not any("'split'" in notice for notice in told)
    (tmp_path / "out.jsonl").unlink()
    assert "add --new-split" in rejected(table, how=Preparation(group=True))[1]
    # A column of that name may be something else.
    table = write_table(tmp_path, [("p", "a", "leather"), ("p", "b", "no")], "profile,text,split")
    assert [one.label for one in prepared(table, Columns(label="split"))[0]] == ["leather", "no"]
    (tmp_path / "out.jsonl").unlink()
    table = write_table(tmp_path, [("p", "a", "x", "leather"), ("p", "b", "y", "no")], "profile,text,label,split")
    said, hint = rejected(table)
    assert "line 2: split: Input should be 'train', 'dev' or 'test'" in said
    assert "--new-split" in hint
    lines = tmp_path / "table.jsonl"
    lines.write_text('{"profile":"p","text":"a","label":"x","split":"dev"}\n{"profile":"p","text":"b","label":"y"}\n', encoding="utf-8")
    said, hint = rejected(lines)
    assert said.startswith("line 2: there is no field 'split'")
    assert "--new-split" in hint


def test_labels_without_a_training_text_are_named_with_their_counts(tmp_path: Path) -> None:
    rows = [("p", f"text {place}", "xyz"[place % 3], "dev" if place % 3 == 2 else "train") for place in range(9)]
    table = write_table(tmp_path, rows, "profile,text,label,split")
    said, hint = rejected(table)
    assert said == "line 4: no training text has the label 'z' (3)"
    assert "--min-label 1" in hint
    records, told = prepared(table, how=Preparation(min_label=1))
    assert len(records) == 6
    assert "dropped labels, with their texts: 'z' (3)" in told
    (tmp_path / "out.jsonl").unlink()
    said, hint = rejected(table, how=Preparation(min_label=4))
    assert "--min-label" in hint


def test_rare_labels_are_in_train_and_named(tmp_path: Path) -> None:
    table = write_table(tmp_path, [("p", f"text {place}", "rare" if place == 7 else "xy"[place % 2]) for place in range(40)])
    for seed in range(20):
        records, told = prepared(table, how=Preparation(seed=seed))
        assert [one.split for one in records if one.label == "rare"] == ["train"]
        assert any(notice.startswith("1 of 3 labels have fewer than 5 training texts: 'rare' (1)") for notice in told)


def test_bad_rows_are_counted_or_skipped(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("profile,text,label\n\na,one,x\na,two,y,more\n\nb c,three,x\na, ,y\na,four,y\n", encoding="utf-8")
    records, told = prepared(table, how=Preparation(skip_bad=True))
    assert [one.text for one in records] == ["one", "four"]
    header, *listed = told[0].split("\n")
    assert header == f"skipped bad rows of {table}: 3"
    assert [line.split(":")[0] for line in listed] == ["  line 4", "  line 6", "  line 7"]
    assert "is blank" in listed[2]
    (tmp_path / "out.jsonl").unlink()
    table.write_text("profile,text,label\na,one,x\na,two,y,more\n\na,,y\na,four,y\n", encoding="utf-8")
    said, hint = rejected(table)
    assert said.startswith("line 3: ")
    assert said.endswith("(bad rows: 2)")
    assert "--skip-bad" in hint
    table.write_text("profile,text,label\na,,x\n", encoding="utf-8")
    assert "holds no texts" in rejected(table, how=Preparation(skip_bad=True))[0]


BAD_IDS = ["_team", "jo+tag@example.org", "Acme Ltd", "Zoë", "user/7", "{1b2c}", "x" * 129]


def test_all_bad_ids_are_named(tmp_path: Path) -> None:
    rows = [(profile, f"text {place}", "xy"[place % 2]) for place, profile in enumerate(["00123", *BAD_IDS, "_team", " 007 "])]
    said, hint = rejected(write_table(tmp_path, rows))
    assert said == (
        "line 3: 7 of 9 profile ids cannot be used: '_team' (line 3), 'jo+tag@example.org' (line 4), 'Acme Ltd' (line 5), "
        "'Zoë' (line 6), 'user/7' (line 7) and 2 more (bad rows: 8)"
    )
    assert "--hash-ids" in hint


def test_ids_are_hashed_so_that_a_client_can_compute_them(tmp_path: Path) -> None:
    rows = [(profile, f"text {place}", "xy"[place % 2]) for place, profile in enumerate([*BAD_IDS, "Zoe\u0308", " Acme Ltd\u00a0"])]
    table = write_table(tmp_path, rows)
    records, told = prepared(table, how=Preparation(id_hash=IdHash()))
    ids = [hashlib.sha256(profile.encode()).hexdigest()[:32] for profile in BAD_IDS]
    assert [one.profile for one in records] == [*ids, ids[3], ids[2]]
    assert any("whoever guesses an id can compute its hash" in notice for notice in told)
    key = b"a secret of 25 characters"
    records, told = prepared(table, how=Preparation(id_hash=IdHash(key)))
    assert [one.profile for one in records[:7]] == [hmac.new(key, profile.encode(), "sha256").hexdigest()[:32] for profile in BAD_IDS]
    assert not any("hash" in notice for notice in told)


def test_the_documented_hashes_are_right() -> None:
    assert hash_profile_id("jo+tag@example.org") == "126ff2c0dc05aabd02d1f46e9cdc3412"
    script = (
        'const { createHmac } = require("crypto"); const id = " jo+tag@example.org\\u00a0Zoe\\u0308 \\u200b", key = "0123456789abcdef";'
    )
    documented = re.search(r"```js\n(.*)\n```", (ROOT / "docs" / "bring-your-own.md").read_text(encoding="utf-8"))
    assert documented
    ran = subprocess.run(["node", "-p", f"{script} {documented[1]}"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == hash_profile_id(" jo+tag@example.org\u00a0Zoe\u0308 \u200b", b"0123456789abcdef")


def run(*arguments: object) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, ["prepare", *map(str, arguments)])
    return ran.exit_code, ran.stdout, ran.stderr


def test_the_command_prints_the_counts(tmp_path: Path) -> None:
    table = write_table(tmp_path, [("u", f"text {place}", str(place % 2)) for place in range(10)], "user,text,label")
    out = tmp_path / "out.jsonl"
    status, output, _ = run(table, "--out", out, "--profile", "user")
    assert (status, output) == (0, f"{out}: 1 profiles, 2 labels, 7 train, 1 dev, 2 test\n")


def test_the_command_hashes_ids_under_a_key(tmp_path: Path) -> None:
    table = write_table(tmp_path, [("jo+tag@example.org", f"text {place}", str(place % 2)) for place in range(10)])
    out, key = tmp_path / "out.jsonl", tmp_path / "id.key"
    key.write_text("0123456789abcdef\n", encoding="utf-8")
    assert run(table, "--out", out, "--hash-ids", "--id-key-file", key)[0] == 0
    expected = hmac.new(b"0123456789abcdef", b"jo+tag@example.org", "sha256").hexdigest()[:32]
    assert {one.profile for one in read_records(out).values()} == {expected}
    key.write_text("short\n", encoding="utf-8")
    for arguments, said in (
        (("--hash-ids", "--id-key-file", key), "has 5 bytes, fewer than 16"),
        (("--hash-ids", "--id-key-file", tmp_path / "none"), "cannot be read: No such file"),
        (("--id-key-file", key), "--id-key-file is for --hash-ids"),
        (("--split", "part", "--new-split"), "exclude each other"),
    ):
        status, _, errors = run(table, "--out", out, *arguments)
        assert (status, said in errors) == (1, True), errors


def test_an_output_name_ending_in_gz_is_rejected(tmp_path: Path) -> None:
    table = write_table(tmp_path, ["abc"])
    with pytest.raises(XpeftError, match="would not be zipped"):
        prepare_data(table, tmp_path / "out.jsonl.gz", Columns(), Preparation(), print)
