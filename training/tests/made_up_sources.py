"""Small sources of the public data sets, made up, in the formats of the real ones."""

import io
import json
import zipfile
from collections.abc import Iterable

from xpeft.fetch.catalog import SOURCES

NAMES = ["Ada Quill", "Ben Reed", "Cy Stone"]
MRPC_COLUMNS = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"
STSB_COLUMNS = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"


def zipped(**members: str) -> bytes:
    """A ZIP archive. __ in a name stands for /."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return content.getvalue()


def lines(rows: Iterable[object]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def headlines() -> str:
    """News, the newest first: two authors with 20 and 30 headlines, one with too few, an agency, two people, and nobody."""
    counts = [(NAMES[0], 30), (NAMES[1], 20), (NAMES[2], 5), ("Wire, Wire", 25), ("Dee Moss and Eli Pine", 25), ("", 2)]
    rows: list[dict[str, str]] = [
        {
            "link": f"https://news.example/{author}/{number}",
            "headline": f"{['Mayor opens library', 'Team wins cup'][number % 2]} {number} ",
            "category": ["POLITICS", "TASTE"][number % 2],
            "short_description": "" if number == 3 else f"Story {number}.",
            "authors": author,
            "date": f"20{10 + number % 10}-01-{1 + number // 10:02}",
        }
        for author, count in counts
        for number in range(count)
    ]
    rows += [rows[0] | {"date": "2022-09-23"}, rows[1] | {"headline": " "}]
    rows.sort(key=lambda row: row["date"], reverse=True)
    return lines(rows)


def ratings() -> tuple[str, str]:
    """Films and ratings of MovieLens: viewer 3 has 210 ratings, 5 and 11 have 90; 4 has too few, and 7 likes nearly all films."""
    films = (
        'movieId,title,genres\n1,"Red Door, The (1990)",Crime|Drama\n2,Blue Hill (2001) ,Comedy\n3,"Green, ""Sea""",(no genres listed)\n'
    )
    films += "".join(f"{number},Film {number} (1995),Action|War\n" for number in range(4, 300))
    rows = [
        f"{viewer},{film},{score if viewer != 7 or film > 5 else 0.5},{10_000 - film * 7}"
        for viewer, count in ((3, 210), (4, 79), (5, 90), (7, 90), (11, 90))
        for film in range(1, count + 1)
        for score in (4.5 if viewer == 7 or film % 2 else 2.0,)
    ]
    return films, "userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n"


def offense() -> str:
    """POPQUORN: annotators 0 to 9 rate 50 comments each, and 10 rates 40."""
    rows = [
        f'{item},{annotator},"Comment {item}, said ""so""\nand so",{1 + (item + annotator) % 5}.0,Man,White,35-39,Unemployed,College degree'
        for annotator in range(11)
        for item in range(40 if annotator == 10 else 50)
    ]
    return "instance_id,user_id,text,offensiveness,gender,race,age,occupation,education\r\n" + "\r\n".join(rows) + "\r\n"


def made_up_sources() -> dict[str, bytes]:
    """Content by address without https://, for all files of all data sets."""
    films, scores = ratings()
    queries = {part: [["what is my balance", "balance"], ["book a flight", "book_flight"]] for part in ("train", "val", "test")}
    domains = {"banking": ["balance"], "travel_and_more": ["book_flight"]}
    pairs = [("1", "A man plays.", 'A "man" is playing.'), ("0", "A dog runs.", "It rains."), ("1", "It is late.", "It's late.")]
    files: dict[str, bytes] = {
        "News_Category_Dataset_v3.json": headlines().encode(),
        "raw_data.csv": offense().encode(),
        "ml-latest-small.zip": zipped(**{"ml-latest-small__movies.csv": films, "ml-latest-small__ratings.csv": scores}),
        "data_full.json": json.dumps(queries | {"oos_train": [["sing to me", "oos"]]}).encode(),
        "domains.json": json.dumps(domains).encode(),
        "CoLA.zip": zipped(
            **{f"CoLA__{split}.tsv": 'gj04\t1\t\tThe book "fell.\r\ncj99\t0\t*\tBook the fell.\r\n' for split in ("train", "dev")}
        ),
        "SST-2.zip": zipped(**{f"SST-2__{split}.tsv": 'sentence\tlabel\na fine film \t1\nno "wit \t0\n' for split in ("train", "dev")}),
        "STS-B.zip": zipped(
            **{
                f"STS-B__{split}.tsv": f'{STSB_COLUMNS}\n0\tnews\tf\t2012\t1\tnone\tnone\tA "plane.\tA jet.\t4.250\n'
                for split in ("train", "dev")
            }
        ),
        "msr_paraphrase_train.txt": (
            "\ufeff" + "\r\n".join([MRPC_COLUMNS, *(f"{label}\t{10 + n}\t{20 + n}\t{a}\t{b}" for n, (label, a, b) in enumerate(pairs))])
        ).encode(),
        "mrpc_dev_ids.tsv": b"11\t21\n",
        "CB.zip": zipped(
            **{
                f"CB__{part}.jsonl": lines([{"premise": "It rained.", "hypothesis": "it rained", "label": "entailment", "idx": 0}])
                for part in ("train", "val")
            }
        ),
        "BoolQ.zip": zipped(
            **{
                f"BoolQ__{part}.jsonl": lines([{"question": "is it so", "passage": "It is.", "idx": 0, "label": True}])
                for part in ("train", "val")
            }
        ),
        "COPA.zip": zipped(
            **{
                f"COPA__{part}.jsonl": lines(
                    [{"premise": "It fell.", "choice1": "It broke.", "choice2": "It flew.", "question": "effect", "label": 1, "idx": 0}]
                )
                for part in ("train", "val")
            }
        ),
    }
    for task in ("RTE", "WNLI"):
        content = "index\tsentence1\tsentence2\tlabel\n" + "".join(f"{n}\t{a}\t{b}\t{label}\n" for n, (label, a, b) in enumerate(pairs))
        files[f"{task}.zip"] = zipped(**{f"{task}__{split}.tsv": content for split in ("train", "dev")})
    reviews = b"1\tgood shoes \n0\tbad caf\xe9 \x96 no\n1\tna\xc3\xafve\n\n"
    addresses = [file.url.removeprefix("https://") for source in SOURCES.values() for file in source.files]
    return {address: files.get(address.rsplit("/", 1)[1], reviews) for address in addresses}
