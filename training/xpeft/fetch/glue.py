"""`glue/…`: tasks of GLUE. Their test labels are not public, so a task has train and dev."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xpeft.fetch.archives import tsv_rows, zip_text
from xpeft.fetch.source import Convert, Line, Prepared, RemoteFile, Source

ADDRESS = "https://dl.fbaipublicfiles.com/glue/data"
MRPC_TEXTS = "https://dl.fbaipublicfiles.com/senteval/senteval_data/msr_paraphrase_train.txt"
COLA_COLUMNS = ("source", "label", "mark", "sentence")


@dataclass(frozen=True)
class Task:
    """A task's archive, and the columns of its files. columns: the names, if the files have no header line."""

    archive: str
    sha256: str
    cite: str
    text: str = "sentence1"
    text_pair: str | None = "sentence2"
    label: str = "label"
    columns: tuple[str, ...] | None = None


TASKS = {
    "cola": Task(
        "CoLA",
        "f212fcd832b8f7b435fb991f101abf89f96b933ab400603bf198960dfc32cbff",
        "Warstadt, Singh and Bowman (2019). Neural Network Acceptability Judgments. TACL 7.",
        "sentence",
        None,
        columns=COLA_COLUMNS,
    ),
    "sst-2": Task(
        "SST-2",
        "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
        "Socher et al. (2013). Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank. EMNLP.",
        "sentence",
        None,
    ),
    "sts-b": Task(
        "STS-B",
        "e60a6393de5a8b5b9bac5020a1554b54e3691f9d600b775bd131e613ac179c85",
        "Cer et al. (2017). SemEval-2017 Task 1: Semantic Textual Similarity. SemEval.",
        label="score",
    ),
    "rte": Task(
        "RTE",
        "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee",
        "Dagan et al. (2006), Bar Haim et al. (2006), Giampiccolo et al. (2007) and Bentivogli et al. (2009), the PASCAL RTE challenges.",
    ),
    "wnli": Task(
        "WNLI",
        "ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46",
        "Levesque, Davis and Morgenstern (2012). The Winograd Schema Challenge. KR.",
    ),
}


def convert(name: str, task: Task, folder: Path) -> Prepared:
    """Return the lines of a task's train and dev."""
    lines: list[Line] = []
    for split in ("train", "dev"):
        content = zip_text(folder / f"{task.archive}.zip", f"{task.archive}/{split}.tsv")
        for row in tsv_rows(content, task.columns):
            pair = {"text_pair": row[task.text_pair]} if task.text_pair else {}
            lines.append({"text": row[task.text], **pair, "label": row[task.label], "split": split})
    return {f"glue/{name}": lines}


def convert_mrpc(folder: Path) -> Prepared:
    """Return the pairs of MRPC's training file. GLUE's list of ids says which are dev."""
    ids = (folder / "mrpc_dev_ids.tsv").read_text(encoding="utf-8")
    dev = {(row["first"], row["second"]) for row in tsv_rows(ids, ("first", "second"))}
    rows = tsv_rows((folder / "msr_paraphrase_train.txt").read_text(encoding="utf-8-sig"))
    lines: list[Line] = [
        {
            "text": row["#1 String"],
            "text_pair": row["#2 String"],
            "label": row["Quality"],
            "split": "dev" if (row["#1 ID"], row["#2 ID"]) in dev else "train",
        }
        for row in rows
    ]
    return {"glue/mrpc": sorted(lines, key=lambda line: line["split"] == "dev")}


def source(name: str, title: str, files: tuple[RemoteFile, ...], cite: str, convert: Convert) -> Source:
    """Return the source of a task of GLUE."""
    return Source(
        name=f"glue/{name}",
        title=f"glue/{name}: {title}, a task of GLUE",
        files=files,
        outputs=(f"glue/{name}",),
        terms="GLUE has no licence of its own. The task's data keeps the terms of its source: https://gluebenchmark.com/faq",
        citation=f"{cite} Wang et al. (2019). GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding. "
        "ICLR. https://openreview.net/forum?id=rJ4km2R5t7",
        changes="The splits are GLUE's train and dev. The test split has no labels, and is left out.",
        convert=convert,
    )


GLUE = [
    source(
        name,
        task.archive,
        (RemoteFile(f"{ADDRESS}/{task.archive}.zip", f"sha256:{task.sha256}"),),
        task.cite,
        partial(convert, name, task),
    )
    for name, task in TASKS.items()
] + [
    source(
        "mrpc",
        "MRPC",
        (
            RemoteFile(MRPC_TEXTS, "sha256:60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89"),
            RemoteFile(f"{ADDRESS}/mrpc_dev_ids.tsv", "sha256:971d7767d81b997fd9060ade0ec23c4fc31cbb226a55d1bd4a1bac474eb81dc7"),
        ),
        "Dolan and Brockett (2005). Automatically Constructing a Corpus of Sentential Paraphrases. IWP.",
        convert_mrpc,
    )
]
