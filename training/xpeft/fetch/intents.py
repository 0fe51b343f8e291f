"""`intents`: CLINC150, a domain is a profile with 15 labels of its own."""

import json
from pathlib import Path

from xpeft.fetch.source import Prepared, RemoteFile, Source

REPOSITORY = "https://raw.githubusercontent.com/clinc/oos-eval/828f8093932c8fe6ca7936c3d2e52903b1c523de/data"
SPLIT_NAMES = {"train": "train", "val": "dev", "test": "test"}


def convert(folder: Path) -> Prepared:
    """Return the queries of all domains. Those outside of all domains are left out."""
    domains = json.loads((folder / "domains.json").read_text(encoding="utf-8"))
    queries = json.loads((folder / "data_full.json").read_text(encoding="utf-8"))
    profile_of = {intent: f"intents-{domain.replace('_', '-')}" for domain, intents in domains.items() for intent in intents}
    lines = [
        {"profile": profile_of[intent], "text": text, "label": intent, "split": split}
        for part, split in SPLIT_NAMES.items()
        for text, intent in queries[part]
    ]
    return {"intents/profiles": lines}


INTENTS = Source(
    name="intents",
    title="intents: CLINC150, queries to assistants of ten domains",
    files=(
        RemoteFile(f"{REPOSITORY}/data_full.json", "sha256:36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0"),
        RemoteFile(f"{REPOSITORY}/domains.json", "sha256:b947b579d3b8e74b06f93b01083d8efaff2888b43a3e362533bd88a6e1211b3a"),
    ),
    outputs=("intents/profiles",),
    terms="Creative Commons Attribution 3.0, https://github.com/clinc/oos-eval/blob/master/LICENSE",
    citation="Larson et al. (2019). An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction. EMNLP-IJCNLP. "
    "https://aclanthology.org/D19-1131",
    changes="A domain is a profile. Queries outside of all domains are left out.",
    convert=convert,
)
