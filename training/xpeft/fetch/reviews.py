"""`reviews`: FDU-MTL, positive and negative reviews of 16 product domains."""

from pathlib import Path

from xpeft.fetch.source import Line, Prepared, RemoteFile, Source
from xpeft.fetch.splits import unit_hash

REPOSITORY = "https://raw.githubusercontent.com/ccsasuke/man/b57b4c14340db1ca7bffb5d9737b7c2601dc8df2/data/fdu-mtl"
DEV = 0.1
LABELS = {"0": "negative", "1": "positive"}
# Domain: ids that git gives the files for training and test.
DOMAINS = {
    "MR": ("effaf65d15d29f5f36ad8d13dd3486e2223be8ab", "3be6a03cc5b55c3afa6836b687b4c43bdf5e8c1e"),
    "apparel": ("fd97741bde73b144013258b5c7277edee11e954b", "7795fc854382c0977a8510e5fd3781bd0e533632"),
    "baby": ("e8941275020d9b8287734dc163a2754655344575", "dc3a6b1577bc53cb03350de92a0859c7ec11f360"),
    "books": ("c0946f80378ada0b2802045653d84ac0fdc7e7e3", "45c93a8e922ec0648904012ffca529d59af75251"),
    "camera_photo": ("62fe195292ae61e3221ee2498f58a2cc0aa78dd6", "4f1c887508e9935c82cd0721aee7835620523504"),
    "dvd": ("423216ba14393a6e28c11e1c2a5e2a773f930db0", "4b9e5bfca230eb8a727c10eda3ce09738100d6de"),
    "electronics": ("8be3d6a4f06e0b3c4545136b7a8b68645960f478", "2f4b80a2338cbc5b7d0ccfe9e51c4f8cac6ebcdb"),
    "health_personal_care": ("eea4ee578af36d08f51d5bbc524a4aa11eda3350", "c520484f104b8d1bfffe79c9395b21356ac01760"),
    "imdb": ("78507daabf29ea328fc4f4cda4baed5c3422e400", "9bc9c53028ff6ff40c7f87e5537c2c2c34da8dec"),
    "kitchen_housewares": ("50cbbcce25692e3ba5056ef4a9133990999d4b7c", "4b2a19779f1d00cc33d70357dcbbd0e1ab4f2b68"),
    "magazines": ("0ea33b2fa58be2334233c1847c6b516bc2693e77", "1741a3f591ec79d6e23d1e34f2856962f028ca5d"),
    "music": ("12bcfaf4e77ab0debe0de583d6a7989d98a02552", "48b29998f9b40c8aba21e9395ac017325b0af3a6"),
    "software": ("4d66bb68175739e5107a37aa6b0c85e5b9d0e49b", "a5b4cb9ed7ae8e4e9f267055f32d793718f3586f"),
    "sports_outdoors": ("a787a345e99ac600b51853a5ff5683549bd5176d", "d58ccdfc9944d62271ad3005722422a4895c900e"),
    "toys_games": ("3f387756957965b7628928be05f1cc547bd16874", "6b99f3c9ea72088fbc80b8ae9226e18562083bc2"),
    "video": ("740cc01a20aea646acfce7a6c5817f5def0f8eee", "d8795e35b9ef4bf5fd1d83840451c284e2df342e"),
}


def convert(folder: Path) -> Prepared:
    """Return the reviews of all domains, test texts first. A tenth of the training texts is dev."""
    lines: list[Line] = []
    for domain in DOMAINS:
        profile = f"reviews-{domain.lower().replace('_', '-')}"
        for part in ("test", "train"):
            for number, (label, text) in enumerate(reviews(folder / f"{domain}.task.{part}")):
                dev = part == "train" and unit_hash(f"{profile}{number}") < DEV
                lines.append({"profile": profile, "text": text, "label": LABELS[label], "split": "dev" if dev else part})
    return {"reviews/profiles": lines}


def reviews(path: Path) -> list[tuple[str, str]]:
    """Return the label and text of each review."""
    pairs = []
    for line in path.read_bytes().split(b"\n"):
        label, tab, text = decoded(line).strip().partition("\t")
        if tab:
            pairs.append((label, text))
    return pairs


def decoded(line: bytes) -> str:
    """Return a line, which is UTF-8 or Windows-1252: files of this source have both."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("windows-1252", errors="replace")


REVIEWS = Source(
    name="reviews",
    title="reviews: FDU-MTL, reviews of 16 product domains",
    files=tuple(
        RemoteFile(f"{REPOSITORY}/{domain}.task.{part}", f"git:{blob}")
        for domain, blobs in DOMAINS.items()
        for part, blob in zip(("train", "test"), blobs, strict=True)
    ),
    outputs=("reviews/profiles",),
    terms="The repository that publishes the files has the MIT licence, https://github.com/ccsasuke/man/blob/master/LICENSE. "
    "The reviews are of Amazon, IMDB and Rotten Tomatoes; their own terms are not stated.",
    citation="Liu, Qiu and Huang (2017). Adversarial Multi-task Learning for Text Classification. ACL. https://aclanthology.org/P17-1001. "
    "Files: Chen and Cardie (2018). Multinomial Adversarial Networks for Multi-Domain Text Classification. NAACL. "
    "https://aclanthology.org/N18-1111",
    changes="A domain is a profile. A tenth of each domain's training texts is dev, at random.",
    convert=convert,
)
