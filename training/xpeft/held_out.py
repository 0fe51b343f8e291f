"""Texts to choose on: a data set's dev split, or, without one, texts held out of its train split."""

from dataclasses import replace

from xpeft.data import DataSet
from xpeft.heads import hold_out


def with_dev(data: DataSet) -> DataSet:
    """Return the data set itself if it has dev texts, else one whose dev texts are held out of train: every fifth of each profile."""
    if data.splits["dev"]:
        return data
    texts = data.splits["train"]
    fitted, held_out = hold_out(texts)
    return replace(data, splits={**data.splits, "train": [texts[index] for index in fitted], "dev": [texts[index] for index in held_out]})
