import json
from collections import Counter
from pathlib import Path

from bench.many_profiles import resampled


def test_profiles_are_repeated_with_texts_drawn_again(tiny_data: Path) -> None:
    lines = [json.loads(line) for line in resampled(tiny_data, 7, 0)]
    assert Counter(line["profile"] for line in lines) == {f"again-{number}": 24 for number in range(7)}
    assert {line["split"] for line in lines} == {"train"}
    first, other = ([line["text"] for line in lines if line["profile"] == f"again-{number}"] for number in (0, 3))
    assert first != other
    assert resampled(tiny_data, 7, 0) == resampled(tiny_data, 7, 0)
