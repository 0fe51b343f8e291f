"""Tables become data files: columns, labels, splits, and what the user is told."""

import gzip
import json
from pathlib import Path

import pytest

from tests.prepared_tables import prepare_command, prepared, rejected, write_table
from xpeft.errors import XpeftError
from xpeft.prepare import Preparation, prepare_data
from xpeft.table_records import Columns


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


def test_the_command_prints_the_counts(tmp_path: Path) -> None:
    table = write_table(tmp_path, [("u", f"text {place}", str(place % 2)) for place in range(10)], "user,text,label")
    out = tmp_path / "out.jsonl"
    status, output, _ = prepare_command(table, "--out", out, "--profile", "user")
    assert (status, output) == (0, f"{out}: 1 profiles, 2 labels, 7 train, 1 dev, 2 test\n")


def test_an_output_name_ending_in_gz_is_rejected(tmp_path: Path) -> None:
    table = write_table(tmp_path, ["abc"])
    with pytest.raises(XpeftError, match="would not be zipped"):
        prepare_data(table, tmp_path / "out.jsonl.gz", Columns(), Preparation(), print)
