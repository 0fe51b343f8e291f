"""`fetch` on a server of small sources in the formats of the real ones."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.file_server import FileServer, serve
from tests.made_up_sources import NAMES, made_up_sources, zipped
from xpeft.cli import app
from xpeft.comparison.sets import SETS, read_lines
from xpeft.fetch.catalog import SOURCES
from xpeft.fetch.prepare import DOWNLOADS
from xpeft.fetch.source import RemoteFile

EVERY = ["news", "offense", "tastes", "intents", "reviews", "glue", "superglue"]


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve(made_up_sources()) as running:
        yield running


@pytest.fixture
def known(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """The server, with the checksums of what it serves."""
    for name, source in SOURCES.items():
        files = tuple(
            RemoteFile(file.url, f"sha256:{hashlib.sha256(server.files[file.url.removeprefix('https://')]).hexdigest()}")
            for file in source.files
        )
        monkeypatch.setitem(SOURCES, name, replace(source, files=files))
    return server


def fetch(server: FileServer, root: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["fetch", *more, "--root", str(root), "--quiet"], env={"XPEFT_MIRROR": server.address})


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def test_every_data_set_of_the_comparison_can_be_fetched() -> None:
    # bench.inbox makes the data of inbox.
    assert set(SOURCES) == set(SETS) - {"inbox"}
    assert all(SETS[name].file in source.outputs for name, source in SOURCES.items())
    assert all(file.url.startswith("https://") for source in SOURCES.values() for file in source.files)


def test_compare_reads_what_fetch_writes(known: FileServer, tmp_path: Path) -> None:
    result = fetch(known, tmp_path, *EVERY, "--accept-terms")
    assert result.exit_code == 0, result.output
    for name, source in SOURCES.items():
        lines = read_lines(tmp_path / f"{SETS[name].file}.jsonl.gz")
        assert {line.split for line in lines} >= {"train", SETS[name].measured}, name
        assert source.beside(tmp_path, "NOTICE.txt").read_text(encoding="utf-8") == source.notice
        # The notice comes before what the download gives.
        assert result.output.index(source.notice) < result.output.index(str(tmp_path / source.outputs[0]))
    assert not (tmp_path / DOWNLOADS).exists()
    # What is there is not downloaded again.
    known.requests.clear()
    again = fetch(known, tmp_path, *EVERY)
    assert (again.exit_code, known.requests) == (0, [])
    assert f"news is in {tmp_path}" in again.output


def test_news_is_split_by_time_and_has_no_names(known: FileServer, tmp_path: Path) -> None:
    assert fetch(known, tmp_path, "news").exit_code == 0
    profiles, background = (lines_of(tmp_path / "news" / f"{part}.jsonl.gz") for part in ("profiles", "background"))
    counts = Counter((line["profile"], line["split"]) for line in profiles)
    assert sorted(Counter(line["profile"] for line in profiles).items()) in (
        [("news-000", 20), ("news-001", 30)],
        [("news-000", 30), ("news-001", 20)],
    )
    assert sorted(counts.values()) == [2, 3, 4, 6, 14, 21]
    # The number in a headline tells its year and day.
    for profile in ("news-000", "news-001"):
        numbers = [int(line["text"].split()[-1]) for line in profiles if line["profile"] == profile]
        assert [(number % 10, number // 10) for number in numbers] == sorted((number % 10, number // 10) for number in numbers)
    assert {line["label"] for line in profiles} == {"POLITICS", "FOOD & DRINK"}
    assert len(background) == 5 + 25 + 25 + 2
    written = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "news").glob("*.gz"))
    assert not any(name.encode() in written for name in (*NAMES, "Wire", "Dee Moss"))


def test_tastes_are_above_or_below_the_viewers_mean(known: FileServer, tmp_path: Path) -> None:
    assert fetch(known, tmp_path, "tastes", "--accept-terms").exit_code == 0
    lines = lines_of(tmp_path / "tastes" / "profiles.jsonl.gz")
    assert Counter(line["profile"] for line in lines) == {"taste-000": 200, "taste-001": 90, "taste-002": 90}
    assert Counter(line["split"] for line in lines[:200]) == {"train": 140, "dev": 20, "test": 40}
    # The ratings of films with a small number are the latest: they are test, and of 210 films the earliest ten are dropped.
    assert lines[0]["text"] == "Film 200 (1995). Action, War."
    assert lines[197:200] == [
        {"profile": "taste-000", "text": 'Green, "Sea".', "label": "liked", "split": "test"},
        {"profile": "taste-000", "text": "Blue Hill (2001). Comedy.", "label": "disliked", "split": "test"},
        {"profile": "taste-000", "text": "The Red Door (1990). Crime, Drama.", "label": "liked", "split": "test"},
    ]


def test_offense_has_annotators_by_number_without_demographics(known: FileServer, tmp_path: Path) -> None:
    assert fetch(known, tmp_path, "offense").exit_code == 0
    lines = lines_of(tmp_path / "offense" / "profiles.jsonl.gz")
    assert {line["profile"] for line in lines} < {f"offense-{number:03}" for number in range(10)}
    assert {tuple(line) for line in lines} == {("profile", "text", "label", "item", "split")}
    assert lines[0]["text"] == 'Comment 0, said "so"\nand so'
    assert {line["label"] for line in lines} == set("12345")
    splits = Counter(line["split"] for line in lines)
    assert [round(splits[split] / len(lines), 1) for split in ("train", "dev", "test")] == [0.6, 0.1, 0.3]


def test_other_sets_have_the_texts_and_labels_of_their_sources(known: FileServer, tmp_path: Path) -> None:
    assert fetch(known, tmp_path, "intents", "reviews", "glue", "superglue").exit_code == 0

    def first(name: str, split: str = "train") -> dict[str, Any]:
        return next(line for line in lines_of(tmp_path / f"{name}.jsonl.gz") if line.pop("split") == split)

    assert first("intents/profiles", "dev") == {"profile": "intents-banking", "text": "what is my balance", "label": "balance"}
    assert {line["profile"] for line in lines_of(tmp_path / "intents/profiles.jsonl.gz")} == {"intents-banking", "intents-travel-and-more"}
    reviews = lines_of(tmp_path / "reviews/profiles.jsonl.gz")
    assert [(line["text"], line["label"]) for line in reviews[:3]] == [
        ("good shoes", "positive"),
        ("bad café \u2013 no", "negative"),
        ("naïve", "positive"),
    ]
    assert Counter(line["split"] for line in reviews)["test"] == 16 * 3
    assert len({line["profile"] for line in reviews}) == 16
    assert first("glue/cola") == {"text": 'The book "fell.', "label": "1"}
    assert first("glue/sst-2", "dev") == {"text": "a fine film ", "label": "1"}
    assert first("glue/sts-b") == {"text": 'A "plane.', "text_pair": "A jet.", "label": "4.250"}
    assert first("glue/mrpc", "dev") == {"text": "A dog runs.", "text_pair": "It rains.", "label": "0"}
    assert first("glue/rte") == {"text": "A man plays.", "text_pair": 'A "man" is playing.', "label": "1"}
    assert first("superglue/cb") == {"text": "It rained.", "text_pair": "it rained", "label": "entailment"}
    assert first("superglue/boolq", "dev") == {"text": "is it so", "text_pair": "It is.", "label": "true"}
    assert first("superglue/copa") == {"text": "It fell. What was the effect?", "choices": ["It broke.", "It flew."], "label": "1"}


def test_terms_must_be_accepted_before_any_download(known: FileServer, tmp_path: Path) -> None:
    result = fetch(known, tmp_path, "intents", "tastes")
    assert (result.exit_code, known.requests) == (1, [])
    assert "error[terms-not-accepted]: tastes: its terms forbid commercial use" in result.output
    assert "--accept-terms" in result.output
    assert SOURCES["tastes"].terms in result.output


def test_provenance_says_what_was_downloaded(known: FileServer, tmp_path: Path) -> None:
    assert fetch(known, tmp_path, "glue/rte").exit_code == 0
    found = json.loads((tmp_path / "glue" / "rte.provenance.json").read_text(encoding="utf-8"))
    path, content = next((path, content) for path, content in known.files.items() if path.endswith("RTE.zip"))
    file = {
        "url": f"https://{path}",
        "address": f"{known.address}/{path}",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "verified": True,
    }
    assert (found["name"], found["files"], found["records"]) == ("glue/rte", [file], {"glue/rte": 6})


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_is_cut_off_goes_on(known: FileServer, tmp_path: Path, ranges: bool) -> None:
    known.ranges = ranges
    known.cuts = [1000, 2000] if ranges else [1000, 2000, 3000]
    assert fetch(known, tmp_path, "news").exit_code == 0
    asked = [wanted for _, wanted in known.requests]
    assert asked == ([None, "bytes=1000-", "bytes=3000-"] if ranges else [None, "bytes=1000-", "bytes=2000-", "bytes=3000-"])
    assert len(lines_of(tmp_path / "news/profiles.jsonl.gz")) == 50


def test_a_later_run_resumes(known: FileServer, tmp_path: Path) -> None:
    known.cuts = [1000, 0]
    stopped = fetch(known, tmp_path, "news")
    assert stopped.exit_code == 1
    assert "error[download-failed]: " in stopped.output
    assert "cut off after 1,000 of " in stopped.output
    (part,) = (tmp_path / DOWNLOADS / "news").iterdir()
    assert (part.name, part.stat().st_size) == ("News_Category_Dataset_v3.json.part", 1000)
    known.requests.clear()
    assert fetch(known, tmp_path, "news").exit_code == 0
    assert [wanted for _, wanted in known.requests] == ["bytes=1000-"]


@pytest.mark.parametrize("earlier", [10, 10**6])
def test_a_part_of_another_edition_is_downloaded_anew(known: FileServer, tmp_path: Path, earlier: int) -> None:
    part = tmp_path / DOWNLOADS / "superglue-cb" / "CB.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * earlier)
    assert fetch(known, tmp_path, "superglue/cb").exit_code == 0
    assert [wanted for _, wanted in known.requests] == [f"bytes={earlier}-", None]
    assert len(lines_of(tmp_path / "superglue" / "cb.jsonl.gz")) == 2


def test_a_file_with_another_checksum_is_refused_unless_asked_for(server: FileServer, tmp_path: Path) -> None:
    result = fetch(server, tmp_path, "reviews")
    assert result.exit_code == 1
    assert "error[wrong-checksum]: " in result.output
    assert "--unverified" in result.output
    assert not (tmp_path / "reviews").exists()
    assert not any((tmp_path / DOWNLOADS / "reviews").iterdir())
    assert fetch(server, tmp_path, "reviews", "--unverified").exit_code == 0
    found = json.loads((tmp_path / "reviews" / "provenance.json").read_text(encoding="utf-8"))
    assert {file["verified"] for file in found["files"]} == {False}


def test_progress_is_shown_unless_it_is_to_be_quiet(known: FileServer, tmp_path: Path) -> None:
    for quiet in ([], ["--quiet"]):
        line = ["fetch", "superglue/cb", "--root", str(tmp_path / str(len(quiet))), "--mirror", known.address, *quiet]
        result = CliRunner().invoke(app, line)
        assert (result.exit_code, "CB.zip: " in result.stderr) == (0, not quiet)


def test_a_git_id_is_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    assert RemoteFile("https://a.example/b", "git:ce013625030ba8dba906f756967f9e9ca394464a").matches(path)
    assert not RemoteFile("https://a.example/b", "git:ce013625030ba8dba906f756967f9e9ca394464b").matches(path)


def test_errors_name_what_cannot_be_fetched(known: FileServer, tmp_path: Path) -> None:
    result = fetch(known, tmp_path, "novels")
    assert (result.exit_code, "there is no data set 'novels'" in result.output) == (1, True)
    path = next(path for path in known.files if path.endswith("domains.json"))
    content = known.files.pop(path)
    result = fetch(known, tmp_path, "intents")
    assert f"error[download-failed]: {known.address}/{path}: the server answers 404 Not Found" in result.output
    known.files[path] = content
    (tmp_path / "intents").mkdir()
    (tmp_path / "intents" / "profiles.jsonl.gz").write_bytes(b"mine")
    result = fetch(known, tmp_path, "intents")
    assert (result.exit_code, "exists, and this command has not written it" in result.output) == (1, True)
    assert (tmp_path / "intents" / "profiles.jsonl.gz").read_bytes() == b"mine"
    result = CliRunner().invoke(app, ["fetch", "news", "--root", str(tmp_path), "--mirror", "file:///etc"])
    assert (result.exit_code, "http" in result.output) == (2, True)
    known.address = "http://127.0.0.1:9"
    result = fetch(known, tmp_path, "news")
    assert (result.exit_code, "error[download-failed]: http://127.0.0.1:9/" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glue/sst-2", zipped(**{f"SST-2__{split}.tsv": "sentence\tlabel\nno label\n" for split in ("train", "dev")})),
        ("glue/wnli", zipped(**{"WNLI__train.tsv": "sentence1\tlabel\na\t1\n"})),
        ("glue/rte", b"no archive"),
        ("superglue/cb", b""),
        ("intents", b"{}"),
        ("news", b"[1]"),
        ("offense", b"a,b\n1,2\n"),
    ],
)
def test_a_source_of_another_format_is_named(server: FileServer, tmp_path: Path, name: str, content: bytes) -> None:
    server.files = dict.fromkeys(server.files, content)
    result = fetch(server, tmp_path, name, "--unverified")
    assert (result.exit_code, f"error[unexpected-source]: {name}: the source's files" in result.output) == (1, True), result.output
    assert not (tmp_path / f"{SETS[name].file}.jsonl.gz").exists()
