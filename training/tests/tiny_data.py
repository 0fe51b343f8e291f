"""A few labelled texts: sentences about animals and vehicles."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

ANIMALS, VEHICLES = ["cat", "dog", "horse", "bird"], ["car", "train", "ship", "truck"]

Line = dict[str, object]


def sentence(names: list[str], number: int) -> str:
    """A sentence that differs from that of most other numbers."""
    return f"the {names[number % 4]} and the {names[(number + 1) % 4]}" + " again" * (number % 3)


def tiny_lines() -> list[Line]:
    """Texts of three profiles that call sentences about animals and vehicles by their names."""
    return [
        {"profile": profile, "text": sentence(names, number), "label": label, "split": split}
        for profile in ("a", "b", "c")
        for split, count in (("train", 12), ("dev", 4), ("test", 5))
        for number in range(count)
        for label, names in (("animal", ANIMALS), ("vehicle", VEHICLES))
    ]


def tiny_sets() -> dict[str, list[Line]]:
    """Small data sets of every kind that the comparison has, by name."""
    splits = [(split, number) for split, count in (("train", 40), ("dev", 12)) for number in range(count)]
    return {
        "news/profiles": tiny_lines(),
        "intents/profiles": [
            {"profile": profile, "text": sentence(names, number), "label": f"{profile}-{number % 2}", "split": split}
            for profile, names in (("zoo", ANIMALS), ("garage", VEHICLES))
            for split, count in (("train", 16), ("dev", 6), ("test", 6))
            for number in range(count)
        ],
        "glue/mrpc": [
            {"text": sentence(ANIMALS, number), "text_pair": sentence(VEHICLES, number), "label": str(number % 2), "split": split}
            for split, number in splits
        ],
        "glue/sts-b": [
            {
                "text": sentence(ANIMALS, number),
                "text_pair": sentence(ANIMALS, number % 5),
                "label": f"{number % 11 / 2:.3f}",
                "split": split,
            }
            for split, number in splits
        ],
        "superglue/copa": [
            {
                "text": "a",
                "choices": [sentence(ANIMALS, number), sentence(VEHICLES, number)][:: 1 - 2 * (number % 2)],
                "label": str(number % 2),
                "split": split,
            }
            for split, number in splits
        ],
    }


def write_sets(folder: Path) -> Path:
    """Write the data sets in the layout of the comparison's data, and return the folder."""
    for name, lines in tiny_sets().items():
        write_set(folder, name, lines)
    return folder


def write_set(folder: Path, name: str, lines: Sequence[Mapping[str, object]]) -> None:
    """Write a data set."""
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(line) for line in lines))
