"""`news`: headlines by author and their category, the News Category Dataset."""

from collections import defaultdict
from pathlib import Path

from xpeft.fetch.archives import json_lines
from xpeft.fetch.source import Line, Prepared, RemoteFile, Source
from xpeft.fetch.splits import split_by_time, unit_hash

AUTHORS, FEWEST_HEADLINES, MOST_HEADLINES = 81, 20, 1000
BACKGROUND_DEV = 0.02
# The data set renamed some categories over the years: both names stand for one.
CATEGORIES = {
    "ARTS": "CULTURE & ARTS",
    "ARTS & CULTURE": "CULTURE & ARTS",
    "COLLEGE": "EDUCATION",
    "GREEN": "ENVIRONMENT",
    "HEALTHY LIVING": "WELLNESS",
    "PARENTS": "PARENTING",
    "SCIENCE": "SCIENCE & TECH",
    "STYLE": "STYLE & BEAUTY",
    "TASTE": "FOOD & DRINK",
    "TECH": "SCIENCE & TECH",
    "THE WORLDPOST": "WORLD NEWS",
    "WORLDPOST": "WORLD NEWS",
}


def convert(folder: Path) -> Prepared:
    """Return the headlines of some authors, by number and from oldest to newest, and all other headlines as background."""
    rows = json_lines((folder / "News_Category_Dataset_v3.json").read_text(encoding="utf-8"))
    # Dates are ISO dates, which sort by time. The file begins with the newest.
    rows = [row for row in sorted(rows, key=lambda row: row["date"]) if row["headline"].strip()]
    by_author: dict[str, dict[str, Line]] = defaultdict(dict)
    for row in rows:
        # Agencies and bylines of several people have a comma or "and"; some headlines have no author.
        if (author := row["authors"].strip()) and "," not in author and " and " not in author:
            by_author[author].setdefault(row["headline"].strip(), headline(row))
    enough = [author for author, texts in by_author.items() if FEWEST_HEADLINES <= len(texts) <= MOST_HEADLINES]
    # The order of the hashes: a number says nothing about a name.
    chosen = sorted(enough, key=unit_hash)[:AUTHORS]
    profiles = [
        {"profile": f"news-{number:03}", **line, "split": split}
        for number, author in enumerate(chosen)
        for line, split in zip(by_author[author].values(), split_by_time(list(by_author[author])), strict=True)
    ]
    known = set(chosen)
    background = [
        {**headline(row), "split": "dev" if unit_hash(row["headline"]) < BACKGROUND_DEV else "train"}
        for row in rows
        if row["authors"].strip() not in known
    ]
    return {"news/profiles": profiles, "news/background": background}


def headline(row: dict[str, str]) -> Line:
    """Return a headline, its short description as second text, and its category."""
    category = CATEGORIES.get(row["category"], row["category"])
    return {"text": row["headline"].strip(), "text_pair": row["short_description"].strip(), "label": category}


NEWS = Source(
    name="news",
    title="news: News Category Dataset v3, HuffPost headlines from 2012 to 2022",
    files=(
        RemoteFile(
            "https://huggingface.co/datasets/gohelrakesh/news-category/resolve/"
            "3627f76859806340f861535c326b9ad2b5c95692/News_Category_Dataset_v3.json",
            "sha256:2cfc51fa4a82a96ecbe251fa383737aa1dea2e0a517f61dece633fcc25a4a065",
        ),
    ),
    outputs=("news/profiles", "news/background"),
    terms="Creative Commons Attribution 4.0, as the data set's page says: https://www.kaggle.com/datasets/rmisra/news-category-dataset. "
    "The file comes from a public copy of it. The headlines are HuffPost's.",
    citation="Misra (2022). News Category Dataset. https://arxiv.org/abs/2209.11429",
    changes="An author is a profile, by number; names are left out. Twelve names of categories are merged into others. Each author's "
    "headlines are split by time, 70/10/20. Headlines of other authors are the background.",
    convert=convert,
)
