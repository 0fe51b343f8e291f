import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from xpeft.cli import app
from xpeft.data import Record, read_records
from xpeft.errors import XpeftError
from xpeft.prepare import Columns, prepare_data, split_texts


def prepared(path: Path, columns: Columns, dev: float = 0.1, test: float = 0.2) -> list[Record]:
    out = path.with_name("out.jsonl")
    prepare_data(path, out, columns, dev, test, 0)
    return list(read_records(out).values())


def test_a_csv_of_any_columns_becomes_a_data_file(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text('who,stars,said\r\nann,5,"Good, ""very""\nindeed"\r\n\r\nann,1,Bad\r\nbob,3,So so\r\n', encoding="utf-8-sig")
    records = prepared(table, Columns("who", "said", "stars"), 0, 0)
    assert [(one.profile, one.label, one.text, one.split) for one in records] == [
        ("ann", "5", 'Good, "very"\nindeed', "train"),
        ("ann", "1", "Bad", "train"),
        ("bob", "3", "So so", "train"),
    ]


def test_json_lines_keep_their_splits_and_numbers_become_labels(tmp_path: Path) -> None:
    table = tmp_path / "table.ndjson.gz"
    lines = [
        {"profile": 7, "text": "a", "label": 3, "part": "test", "more": [1]},
        {"profile": "b", "text": "c", "label": "x", "part": "dev"},
    ]
    table.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    records = prepared(table, Columns(split="part"))
    assert [(one.profile, one.label, one.split) for one in records] == [("7", "3", "test"), ("b", "x", "dev")]


@given(counts=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), min_size=1), seed=st.integers(0, 9))
def test_each_profile_keeps_texts_to_learn_from(counts: dict[str, int], seed: int) -> None:
    records = [
        Record(profile=profile, text=f"{profile}{place}", label="x", split="train")
        for profile, count in counts.items()
        for place in range(count)
    ]
    split = split_texts(records, 0.1, 0.2, seed)
    assert [one.text for one in split] == [one.text for one in records]
    for profile, count in counts.items():
        of = Counter(one.split for one in split if one.profile == profile)
        assert of["train"] >= 1
        assert abs(of["test"] - 0.2 * count) <= 1
        assert abs(of["dev"] - 0.1 * count) <= 1
    # Another profile's texts change nothing: files that grow keep their splits.
    first = next(iter(counts))
    alone = split_texts([one for one in records if one.profile == first], 0.1, 0.2, seed)
    assert alone == [one for one in split if one.profile == first]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("who,text,label\na,b,c\n", 'line 1: there is no column "profile" among "who", "text", "label"'),
        ("profile,text,label\na,b\n", "line 2: it has 2 fields, and the header has 3"),
        ("profile,text,label\na,b,c\na,b,c,d\n", "line 3: it has 4 fields, and the header has 3"),
        ('profile,text,label\na,"b\nb",c\na, ,c\n', "line 4: text: ' ' does not suit"),
        ('profile,text,label\na,"b,c\n', "line 2: the quote that opens here is never closed"),
        ('profile,text,label\na,b,c\na,b,"c\nd"\n', r"line 3: label: 'c\nd' has a control character"),
        ("profile,text,label\na,b,c\na,b,\u200b\n", r"line 3: label: '\u200b' is blank"),
        ("profile,text,label\n", "holds no texts"),
        ("", "holds no texts"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, content: str, said: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(content)
    with pytest.raises(XpeftError) as caught:
        prepared(table, Columns())
    assert said in str(caught.value)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("order", ["profile,label,text", "profile,text,label"])
def test_labels_are_brought_into_canonical_form(tmp_path: Path, order: str) -> None:
    labels = ["billing", "billing ", " tech", "tech\u00a0", "Billing", "Cafe\u0301", "Caf\u00e9"]
    rows = [{"profile": "a", "text": "b", "label": label} for label in labels]
    table = tmp_path / "table.csv"
    lines = [order, *(",".join(row[column] for column in order.split(",")) for row in rows)]
    table.write_text("\n".join(lines), encoding="utf-8")
    records = prepared(table, Columns())
    assert [one.label for one in records] == ["billing", "billing", "tech", "tech", "Billing", "Caf\u00e9", "Caf\u00e9"]


def test_a_missing_column_names_its_option(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("profile,text,label\na,b,c\n")
    for columns, option in ((Columns(profile="who"), "--profile"), (Columns(text_pair="second"), "--text-pair")):
        with pytest.raises(XpeftError) as caught:
            prepared(table, columns)
        assert caught.value.hint == f"Name yours with {option}."


def test_the_command_prints_the_counts(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("user,text,label\n" + "".join(f"u,text {place},{place % 2}\n" for place in range(10)))
    ran = CliRunner().invoke(app, ["prepare", str(table), "--out", str(tmp_path / "out.jsonl"), "--profile", "user"])
    assert ran.exit_code == 0
    assert "1 profiles, 2 labels, 7 train, 1 dev, 2 test" in ran.output


def test_an_output_name_ending_in_gz_is_rejected(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("profile,text,label\na,b,c\n")
    with pytest.raises(XpeftError, match="would not be zipped"):
        prepare_data(table, tmp_path / "out.jsonl.gz", Columns(), 0.1, 0.2, 0)
