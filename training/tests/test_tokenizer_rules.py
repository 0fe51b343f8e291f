"""Both halves accept and refuse the same tokenizers: the edge's tests read the same rules."""

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from tests.conftest import BUNDLE, ROOT
from tests.tiny_families import write_family
from xpeft.bundle.tokenizer_rules import tokenizer_fault
from xpeft.plm_tokenizer import read_tokenizer

RULES: list[dict[str, Any]] = json.loads((ROOT / "test" / "fixtures" / "tokenizer-rules.json").read_bytes())


@pytest.mark.parametrize("rule", RULES, ids=[rule["name"] for rule in RULES])
def test_tokenizers_are_judged_as_at_the_edge(rule: dict[str, Any]) -> None:
    content = json.loads((BUNDLE / "tokenizer.json").read_bytes())
    for path, value in rule["set"].items():
        *parents, last = path.split("/")
        part = content
        for key in parents:
            part = part[int(key)] if isinstance(part, list) else part[key]
        part[last] = value
    fault = tokenizer_fault(content)
    assert fault is None if rule["fault"] is None else fault and fault.startswith(rule["fault"]), fault


@pytest.mark.parametrize("processor", ["RobertaProcessing", "BertProcessing"])
def test_older_post_processors_become_templates_with_the_same_tokens(processor: str, tmp_path: Path) -> None:
    path = write_family(tmp_path / "mpnet", "mpnet") / "tokenizer.json"
    content = json.loads(path.read_bytes())
    content["post_processor"] = {**content["post_processor"], "type": processor}
    path.write_text(json.dumps(content), encoding="utf-8")
    found, expected = read_tokenizer(path), Tokenizer.from_file(str(path))
    assert tokenizer_fault(json.loads(found.to_str())) is None
    for texts in (("a <mask> of </s> tape",), ("one", "two three"), ("",), ("", "")):
        one, other = found.encode(*texts), expected.encode(*texts)
        assert (one.ids, one.type_ids) == (other.ids, other.type_ids)
