import gzip
from pathlib import Path

import pytest

from tests.conftest import BUNDLE
from xpeft.data import load_data
from xpeft.errors import XpeftError

GOOD = '{"profile": "p", "text": "a cat", "text_pair": "a dog", "label": "x", "split": "train"}'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2"),
        ('{"profile": "p", "text": "", "label": "x", "split": "train"}', "line 2: text"),
        ('{"profile": "a b", "text": "t", "label": "x", "split": "train"}', "line 2: profile"),
        ('{"profile": "p", "text": "t", "label": "x", "split": "valid"}', "line 2: split"),
        ('{"profile": "q", "text": "t", "label": "y", "split": "test"}', "'q' of the test split"),
        ('{"profile": "p", "text": "t", "label": "x", "split": "test"}', "1 label"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f"{GOOD}\n{line}\n", encoding="utf-8")
    with pytest.raises(XpeftError, match=said):
        load_data(path, BUNDLE / "tokenizer.json", 32, pair=False)


def test_pairs_are_read_on_request_and_cut(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl.gz"
    other = GOOD.replace('"x"', '"y"')
    path.write_bytes(gzip.compress(f"{GOOD}\n{other}\n".encode()))
    tokenizer = BUNDLE / "tokenizer.json"
    alone, pair, cut = (
        load_data(path, tokenizer, tokens, pair).splits["train"][0] for tokens, pair in ((32, False), (32, True), (5, True))
    )
    assert (len(alone.ids), len(pair.ids), len(cut.ids)) == (4, 7, 5)
    assert pair.types == [0, 0, 0, 0, 1, 1, 1]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(XpeftError, match="cannot be read"):
        load_data(tmp_path / "nothing.jsonl", BUNDLE / "tokenizer.json", 32, pair=False)
